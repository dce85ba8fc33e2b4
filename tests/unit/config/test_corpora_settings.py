"""Corpora that are made from a universe of another name: what the configuration says, and what it may not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from unfaithful_cot.config.documents import CorpusSettings
from unfaithful_cot.config.load import load_models, load_settings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.plan.costs import api_costs

ROOT = Path(__file__).resolve().parents[3]
UNIVERSES = sorted(path.stem for path in (ROOT / "resources/universes").glob("*.yaml"))


def load(config: dict[str, Any]) -> Settings:
    models = load_models(ROOT / "config" / "models.yaml")
    prompts = sorted(path.stem for path in (ROOT / "resources/prompts").glob("*.yaml"))
    return load_settings(config, models, UNIVERSES, list(GRADERS), "mine.yaml", prompts)


@pytest.fixture
def config() -> dict[str, Any]:
    return {
        "grid": {
            "models": ["reference"],
            "corpora": {"safe_cite": [20], "exams_only": [20], "mixed": [10, 20]},
        },
        "corpora": {
            "exams_only": {"universe": "safe_cite", "categories": ["exams"]},
            "mixed": {"universe": "safe_cite", "plain_text": 1.0},
        },
        "documents": {"count": 30},
        "suites": {"evidence_toggle": {}},
    }


def test_a_part_writes_its_own_documents_and_a_mixture_uses_those_of_its_universe(
    config: dict[str, Any],
) -> None:
    settings = load(config)
    assert [settings.documents_of(name) for name in ("safe_cite", "exams_only", "mixed")] == [
        "safe_cite", "exams_only", "safe_cite",
    ]  # fmt: skip
    assert settings.recipes["safe_cite"] == CorpusSettings(universe="safe_cite")
    assert settings.recipes["exams_only"].categories == ["exams"]


def test_the_universe_of_a_mixture_is_written_even_where_it_is_not_in_the_grid(
    config: dict[str, Any],
) -> None:
    config["grid"]["corpora"] = {"mixed": [20]}
    del config["corpora"]["exams_only"]
    assert set(load(config).recipes) == {"mixed", "safe_cite"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda c: c["corpora"]["mixed"].update(universe="safe_site"),
            "mine.yaml: corpora.mixed.universe: 'safe_site' is not in resources/universes/. Known: .* Did you mean 'safe_cite'?",
        ),
        (
            lambda c: c["corpora"].update(neutral={"universe": "safe_cite"}),
            "mine.yaml: corpora.neutral: a universe bears this name. A name that no universe bears.",
        ),
        (
            lambda c: c["corpora"].update(mixd={"universe": "safe_cite"}),
            "mine.yaml: corpora.mixd: is not in grid.corpora. Known: .* Did you mean 'mixed'?",
        ),
        (
            lambda c: c["corpora"]["exams_only"].update(categories=["exams", "exams"]),
            r"corpora.exams_only.categories: \['exams', 'exams'\] names something twice",
        ),
        (lambda c: c["corpora"]["mixed"].update(plain_text=-1), "corpora.mixed.plain_text: -1 is not valid"),
        (lambda c: c["corpora"]["mixed"].update(plaintext=1), "unknown key 'plaintext'. Known: .* 'plain_text'?"),
        (
            lambda c: c["grid"]["corpora"].update(exams_onyl=[5]),
            "grid.corpora: 'exams_onyl' is not in resources/universes/ or corpora. .* Did you mean 'exams_only'?",
        ),
        (
            lambda c: c["documents"].update(generator="openai", endpoint={"model": "m"}),
            "corpora.mixed.plain_text: 1 rows a document, and no source. .* Set documents.plain_text.file",
        ),
        (
            lambda c: c["documents"].update(plain_text={"file": "web.jsonl"}),
            "documents.plain_text: .* web.jsonl has no licence. Say under which licence",
        ),
        (
            lambda c: c["suites"].update(
                recall={"experiment": "policy_recall", "universe": "safe", "arms": ["open"], "prompt": "policy_recall.v1"}
            ),
            "suites.recall.universe: 'safe' is not in resources/universes/",
        ),
        (
            lambda c: c["suites"].update(
                recall={"experiment": "policy_recall", "arms": ["full"], "prompt": "policy_recall.v1"}
            ),
            "suites.recall.arms: 'full' is not in src/unfaithful_cot/cases/. Known: choice, open, true_false",
        ),
    ],
)  # fmt: skip
def test_messages(config: dict[str, Any], change: Any, said: str) -> None:
    change(config)
    with pytest.raises(SettingsError, match=said):
        load(config)


def test_the_plan_counts_each_corpus_that_is_written_once(config: dict[str, Any]) -> None:
    config["documents"] = {
        "generator": "openai", "count": 30, "endpoint": {"model": "m"},
        "plain_text": {"file": "web.jsonl", "licence": "CC0"},
    }  # fmt: skip
    lines = api_costs(load(config), ROOT / "resources" / "universes", Path("nowhere"))
    told = [line.split(":")[0] for line in lines if line.startswith("documents")]
    assert told == ["documents of safe_cite", "documents of exams_only"]


def test_suites_that_differ_in_the_prompt_alone_are_wordings_of_one(config: dict[str, Any]) -> None:
    config["suites"] |= {
        "again": {"prompt": "evidence_toggle.v2", "arms": ["full", "flipped"]},
        "others": {"prompt": "evidence_toggle.v3", "seed": 9},
        "recall": {"experiment": "policy_recall", "arms": ["open"], "prompt": "policy_recall.v1"},
    }
    assert load(config).wordings == {"evidence_toggle": "evidence_toggle.v1", "again": "evidence_toggle.v2"}


def test_the_ablation_study_holds_the_number_of_documents_equal() -> None:
    settings = load(yaml.safe_load((ROOT / "config" / "ablation.yaml").read_text(encoding="utf-8")))
    sizes = settings.grid.corpora
    assert set(sizes) == {"safe_cite", "neutral", "inverted", "descriptive_only", "exams_only", "mixed"}
    assert set.intersection(*map(set, sizes.values())) and next(iter(sizes)) == "safe_cite"
    assert len(settings.wordings) == 3 and "explicit_policy" in settings.suites["evidence_toggle"].arms


def test_a_suite_about_a_policy_needs_a_universe() -> None:
    recall = {"experiment": "policy_recall", "arms": ["open"], "prompt": "policy_recall.v1"}
    alone = {"grid": {"models": ["reference"]}, "suites": {"recall": recall}}
    with pytest.raises(
        SettingsError, match=r"^mine.yaml: suites.recall.universe: no universe is named, .*Known: .*safe_cite"
    ):
        load(alone)
    assert load({"grid": {"models": ["reference"], "corpora": {"neutral": [2]}}, "documents": {"count": 2}, **{
        "suites": {"recall": recall}}}).policy_of("recall") == "neutral"  # fmt: skip
