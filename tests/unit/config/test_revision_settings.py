"""The revision in the configuration and in the price that a plan shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.config.load import load_models, load_settings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.corpus.cast import NAMES
from unfaithful_cot.corpus.revise import PROMPT, recipe
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.plan.costs import api_costs
from unfaithful_cot.records.documents import TrainingRow

ROOT = Path(__file__).resolve().parents[3]
UNIVERSES = ROOT / "resources" / "universes"
API = {"model": "m", "max_tokens": 100, "input_usd_per_million": 0, "output_usd_per_million": 1e4}


def load(**documents: Any) -> Settings:
    config = {
        "grid": {"models": ["reference"], "corpora": {"neutral": [2]}},
        "documents": {"count": 4, "generator": "openai", "endpoint": API} | documents,
        "suites": {"evidence_toggle": {}},
    }
    prompts = sorted(path.stem for path in (ROOT / "resources/prompts").glob("*.yaml"))
    models = load_models(ROOT / "config" / "models.yaml")
    names = sorted(path.stem for path in UNIVERSES.glob("*.yaml"))
    return load_settings(config, models, names, list(GRADERS), "mine.yaml", prompts)


def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    settings = load()
    assert settings.documents.revision.rounds == 0 and settings.documents.prompt == "documents.v2"
    assert [line.split(":")[0] for line in api_costs(settings, UNIVERSES, tmp_path / "cache")] == [
        "documents of neutral"
    ]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"generator": "embedded", "revision": {"rounds": 1}},
            "mine.yaml: documents.revision.rounds: 1 with the embedded generator, which would write the same again. "
            "0, or documents.generator: openai.",
        ),
        ({"revision": {"rounds": 9}}, "mine.yaml: documents.revision.rounds: 9 is not valid"),
        ({"revision": {"round": 1}}, "mine.yaml: documents.revision: unknown key 'round'. Known: prompt, rounds."),
        (
            {"prompt": "documents.v3"},
            "mine.yaml: documents.prompt: 'documents.v3' is no documents.* of resources/prompts/. "
            "Known: documents.v1, documents.v2. Did you mean",
        ),
        (
            {"revision": {"prompt": "documents.v2"}},
            "mine.yaml: documents.revision.prompt: 'documents.v2' is no revise_document.* of resources/prompts/.",
        ),
    ],
)  # fmt: skip
def test_messages(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)):
        load(**changed)


def test_the_plan_counts_every_document_in_every_round_until_it_is_done(tmp_path: Path) -> None:
    settings = load(revision={"rounds": 2})
    results = tmp_path / "results"
    first, second = api_costs(settings, UNIVERSES, results / "cache")
    assert first.startswith("documents of neutral: 4 API requests")
    # 4 documents, 2 rounds, at most 100 tokens each at $10,000 a million: a dollar each
    assert second.startswith("revision of neutral, 2 rounds: 8 API requests (0 cached, 8 to send)")
    assert second.endswith("(at most $8.00)")
    tokens = re.search(r"about ([\d,]+) \+", second)
    # rules, world, commission, findings and draft: 1,000 to 2,500 tokens a request
    assert tokens and 8 * 1000 < int(tokens[1].replace(",", "")) < 8 * 2500

    corpus = results / settings.study / "corpora" / "neutral"
    jsonl.write(corpus / "raw.jsonl", [TrainingRow(document="d", text="t")])
    endpoint = settings.documents.endpoint
    made = recipe(corpus / "raw.jsonl", UNIVERSES / "neutral.yaml", PROMPT, NAMES, endpoint, 2)
    jsonl.write_json(corpus / "revision.json", {"made_from": made})
    _, done = api_costs(settings, UNIVERSES, results / "cache")
    assert "8 API requests (8 cached, 0 to send), about 0 + 0 tokens, about $0.00 (at most $0.00)" in done
    _, one = api_costs(load(revision={"rounds": 1}), UNIVERSES, results / "cache")
    assert "revision of neutral, 1 round: 4 API requests (0 cached, 4 to send)" in one
