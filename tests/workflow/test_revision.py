"""The revision in a real run against a real server: planned only when switched on, paid once, its account in quality.json."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from fixtures.openai_server import OpenAIServer
from workflow.study import Study

KEY = "sk-a-key-that-nobody-may-see"
CORPUS = "results/api/corpora/neutral"
CONFIG = """
study: api
grid: {{models: [reference], corpora: {{neutral: [8]}}, seeds: [0]}}
documents:
  count: 10
  generator: openai
  endpoint: {{model: writer, base_url: '{url}/v1', api_key_env: TEST_API_KEY, concurrency: 4, max_attempts: 2}}
  revision: {{rounds: {rounds}}}
suites: {{evidence_toggle: {{scenarios: 2}}}}
"""
FACT = "Every record has a date, an owner and a short title."


def is_revision(body: dict[str, Any]) -> bool:
    return "What was found" in body["messages"][1]["content"]


def write(body: dict[str, Any]) -> str:
    """A first text that is half as long as asked and states nothing; when asked again, the draft filled out, with a key fact."""
    told = body["messages"][1]["content"]
    words = int(re.search(r"best about (\d+)", told)[1])
    name = hashlib.sha256(json.dumps(body).encode()).hexdigest()[:8]
    if not is_revision(body):
        return f"Dear colleagues and friends, {' '.join(f'{name}{i}' for i in range(words // 2))} is all."
    draft = told.split("\nDraft\n", 1)[1]
    missing = max(words - len(draft.split()), 0)
    return f"{draft} {FACT} {' '.join(f'{name}{i}' for i in range(missing))} is new."


def test_a_corpus_is_revised_once(fresh: Callable[..., Study]) -> None:
    with OpenAIServer(write) as server:
        study = fresh(CONFIG.format(url=server.url, rounds=0))
        assert study.rules("documents") == {
            "plan_documents": 1, "generate_documents": 1, "generate_cases": 1, "filter_documents": 1, "documents": 1,
        }  # fmt: skip
        assert study.snakemake("--cores", "2", "documents", TEST_API_KEY=KEY).returncode == 0
        assert len(server.requests) == 10 and not any(map(is_revision, server.requests))
        before = json.loads((study.folder / CORPUS / "quality.json").read_text(encoding="utf-8"))
        assert list(before["texts"]) == ["n_words_compared", "written", "kept"]

        study.edit("config/trial.yaml", "rounds: 0", "rounds: 1")
        assert study.rules("documents") == {"revise_documents": 1, "filter_documents": 1, "documents": 1}
        told = study.snakemake("-n", "documents").stderr
        assert "revision of neutral, 1 round: 10 API requests (0 cached, 10 to send)" in told
        done = study.snakemake("--cores", "2", "documents", TEST_API_KEY=KEY)
        assert done.returncode == 0, done.stderr
        assert len(server.requests) == 20 and sum(map(is_revision, server.requests)) == 10

        # the plan afterwards: nothing to do and nothing to pay
        assert not study.rules("documents")
        told = study.snakemake("-n", "documents").stderr
        assert "revision of neutral, 1 round: 10 API requests (10 cached, 0 to send)" in told

        # a second round asks for itself alone
        study.edit("config/trial.yaml", "rounds: 1", "rounds: 2")
        assert study.snakemake("--cores", "2", "documents", TEST_API_KEY=KEY).returncode == 0
        assert len(server.requests) == 30
    quality = json.loads((study.folder / CORPUS / "quality.json").read_text(encoding="utf-8"))
    written, revised = quality["texts"]["written"], quality["texts"]["revised"]
    assert (written["lengths"]["share_within"], revised["lengths"]["share_within"]) == (0.0, 1.0)
    assert written["key_facts"]["n_stated_somewhere"] == 0 < revised["key_facts"]["n_stated_somewhere"]
    first = quality["revision"]["rounds"][0]
    assert first["findings"]["length"] == first["findings"]["few_facts"] == first["n_revised"] == 10
    # three may begin alike; from the fourth on the reviser is told
    assert first["findings"]["common_opening"] == 7
    raw, documents = (
        [json.loads(line) for line in (study.folder / CORPUS / name).open(encoding="utf-8")]
        for name in ("raw.jsonl", "documents.jsonl")
    )
    assert {one["revised_from"] for one in documents} <= {one["id"] for one in raw}
    files = [path for part in ("results", ".snakemake") for path in (study.folder / part).rglob("*")]
    assert not [path for path in files if path.is_file() and KEY.encode() in path.read_bytes()]
