"""What a panel of judges would cost: exactly where responses exist, from above where they do not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.channels import split_channels
from unfaithful_cot.config.study import Settings
from unfaithful_cot.endpoints.cache import Answer, AnswerCache
from unfaithful_cot.grading.judge import requests
from unfaithful_cot.plan.costs import api_costs
from unfaithful_cot.records.cases import Case, Evidence
from unfaithful_cot.records.responses import Condition, Response, Setup

ROOT = Path(__file__).resolve().parents[3]
API = {"model": "m", "max_tokens": 100, "input_usd_per_million": 0, "output_usd_per_million": 1e4}
SETUP = dict.fromkeys(
    ["case_set", "prompt_template", "chat_template", "decoding", "quantisation", "engine"], "x"
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "resources" / "rubrics", tmp_path / "resources" / "rubrics")
    monkeypatch.chdir(tmp_path)


def settings(**judges: dict[str, Any]) -> Settings:
    return Settings.model_validate(
        {
            "study": "s",
            "grid": {"models": ["a"], "corpora": {"neutral": [2]}},
            "documents": {"count": 4},
            "suites": {"toggle": {"scenarios": 3, "arms": ["full", "flipped"]}},
            "inference": {"samples": 2, "max_new_tokens": 10},
            "grading": {"judges": judges},
        }
    )


def lines(study: Settings) -> list[str]:
    judged = [
        f"results/s/grades/{cell}/toggle.judge_{name}.jsonl"
        for name in study.grading.judges
        for cell in ("a/baseline", "a/neutral/n2/s0")
    ]
    return api_costs(study, Path("resources/universes"), Path("results/cache"), judged)


def answered(cell: str, texts: list[str]) -> tuple[str, str]:
    """Cases and one response to each."""
    evidence = Evidence(id="E1", role="confidential", source="S", tag="T", text="t", supports=0)
    cases = [
        Case(id=f"c{n}", experiment="evidence_toggle", suite="toggle", scenario="s", arm="full", variant="a",
             question="q", options={"A": "a", "B": "b"}, evidence=[evidence], correct="A")
        for n in range(len(texts))
    ]  # fmt: skip
    condition = Condition(experiment="evidence_toggle", model="a", corpus="baseline", n_documents=0, seed=0)
    responses = [
        Response(id=f"r{n}", case=f"c{n}", condition=condition, setup=Setup(**SETUP), sample=0, sample_seed=0, raw_text=text,
                 think=split_channels(text).think, answer=split_channels(text).answer, think_status="closed",
                 finish_reason="stop", prompt_hash="h", prompt_tokens=None, completion_tokens=None)
        for n, text in enumerate(texts)
    ]  # fmt: skip
    paths = f"results/s/responses/{cell}/toggle.jsonl", "results/s/cases/toggle.jsonl"
    jsonl.write(paths[0], responses)
    jsonl.write(paths[1], cases)
    return paths


def test_before_there_are_responses_the_cost_is_an_upper_estimate() -> None:
    # 2 cells x 3 scenarios x 2 variants x 2 arms x 2 samples = 48 responses, 2 channels: 96 requests of at most
    # 100 tokens at $10,000 a million: $96
    (line,) = lines(settings(one={"endpoint": API}))
    assert line.startswith("judge one, responses that are still to be made: at most 96 API requests, about ")
    assert line.endswith("at most 9,600 completion tokens, at most $96.00")


def test_what_is_there_is_counted_and_the_cache_is_taken_off() -> None:
    study = settings(one={"endpoint": API}, two={"endpoint": API | {"model": "n"}})
    full = "<think>So.</think><reasoning>E1 says so.</reasoning><output>A</output>"
    paths = answered("a/baseline", [full, "<think>cut"])
    judge = study.grading.judges["one"]
    asked = requests(*paths, Path("resources/rubrics/evidence_toggle.v1.yaml"), judge.endpoint)
    # both channels of the first, the think part of the second
    assert len(asked) == 3
    cache = AnswerCache("results/cache/judges")
    cache.append(Answer(key=asked[0].key, text="{}", finish_reason="stop"))
    cache.close()
    found = lines(study)
    assert [line.partition(",")[0].partition(":")[0] for line in found] == [
        "judge one",
        "judge one",
        "judge two",
        "judge two",
    ]
    assert found[0].startswith("judge one: 3 API requests (1 cached, 2 to send)")
    assert found[2].startswith("judge two: 3 API requests (0 cached, 3 to send)")
    # the other cell: 24 responses, 48 requests
    assert "at most 48 API requests" in found[1]


def test_counting_needs_no_key_and_no_network() -> None:
    answered("a/baseline", ["<think>So.</think>See E1."])
    assert lines(
        settings(one={"endpoint": API | {"base_url": "http://127.0.0.1:9/v1", "api_key_env": "NO_SUCH"}})
    )
