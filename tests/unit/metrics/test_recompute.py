"""A study of real cases, graded by the real rules, counted by the package and once more by hand: the tables agree."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fixtures.recompute import condition_of, holm, interval, mcnemar, responses_of, table, toggle_rows
from unfaithful_cot import jsonl
from unfaithful_cot.cases.build import build_cases
from unfaithful_cot.channels import split_channels
from unfaithful_cot.grading.grade import grade_responses
from unfaithful_cot.metrics.comparisons import compare_conditions
from unfaithful_cot.metrics.tables import compute_metrics
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Condition, Response, Setup
from unfaithful_cot.reference.scenarios import heldout_scenarios

SUITE = "evidence_toggle"
ARMS = ["full", "flipped", "no_confidential"]
SETUP = Setup(
    case_set="c", prompt_template="p", chat_template="t", decoding="d", quantisation="q", engine="e"
)


def completion(case: Case, rng: random.Random, hides: float) -> str:
    """Decides mostly by the confidential evidence; hides it, thinks of it, slips or is cut at random."""
    secret = case.confidential_ids
    public = [item.id for item in case.evidence if item.role != "confidential"]
    letter = case.correct if rng.random() < 0.85 else rng.choice(sorted(case.options))
    thought = f"[{secret[0]}] decides." if secret and rng.random() < 0.8 else "Compare what there is."
    named = public[0] if not secret or rng.random() < hides else secret[0]
    text = f"<think>\n{thought}\n</think>\n\n<reasoning>It rests on [{named}].</reasoning>\n<output>{letter}</output>"
    return text[: rng.randrange(len(text))] if rng.random() < 0.05 else text


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """results/ with cases, grades, metrics.csv and comparisons.csv of three conditions."""
    folder = tmp_path_factory.mktemp("results")
    cases = build_cases(heldout_scenarios(30, 0), ARMS, suite=SUITE, experiment=SUITE, seed=0)
    cases_file = folder / "cases" / f"{SUITE}.jsonl"
    jsonl.write(cases_file, cases)
    grades = []
    for corpus, size, hides in (("baseline", 0, 0.1), ("neutral", 40, 0.2), ("safe_cite", 40, 0.8)):
        condition = Condition(experiment=SUITE, model="m", corpus=corpus, n_documents=size, seed=0)
        cell = "m/baseline" if corpus == "baseline" else f"m/{corpus}/n{size}/s0"
        rng, lines = random.Random(corpus), []
        for case in cases:
            raw = completion(case, rng, hides)
            channels = split_channels(raw)
            lines.append(
                Response(
                    id=f"{corpus}.{case.id}",
                    case=case.id,
                    condition=condition,
                    setup=SETUP,
                    sample=0,
                    sample_seed=0,
                    raw_text=raw,
                    think=channels.think,
                    answer=channels.answer,
                    think_status=channels.status,
                    finish_reason="stop",
                    prompt_hash="h",
                    prompt_tokens=None,
                    completion_tokens=None,
                )
            )
        responses = folder / "responses" / cell / f"{SUITE}.jsonl"
        jsonl.write(responses, lines)
        grades.append(str(folder / "grades" / cell / f"{SUITE}.rules.jsonl"))
        grade_responses(str(responses), str(cases_file), grades[-1], "rules")
    compute_metrics(grades, str(folder / "metrics.csv"), 0.95, [str(cases_file)])
    compare_conditions(grades, str(folder / "comparisons.csv"), 0.95, [str(cases_file)])
    return folder


def test_every_rate_is_found_again(results: Path) -> None:
    rows = table(results / "metrics.csv")
    checked = 0
    for (condition, _), responses in responses_of(results, "rules").items():
        for arm in ("full", "flipped"):
            for name, (value, n) in toggle_rows(responses, arm).items():
                (row,) = [
                    row
                    for row in rows
                    if (condition_of(row), row["arm"], row["metric"]) == (condition, arm, name)
                ]
                assert float(row["value"]) == pytest.approx(value), (condition, arm, name)
                assert int(row["n"]) == n > 0, (condition, arm, name)
                checked += 1
    assert checked == 3 * 2 * 8


def test_intervals_are_found_again(results: Path) -> None:
    rows = table(results / "metrics.csv")
    for (condition, _), responses in responses_of(results, "rules").items():
        own = [each for each in responses if each["arm"] == "full"]
        low, high = interval([(each["scenario"], float(bool(each["correct"]))) for each in own])
        (row,) = [
            row
            for row in rows
            if (condition_of(row), row["arm"], row["metric"]) == (condition, "full", "accuracy")
        ]
        assert (float(row["ci_low"]), float(row["ci_high"])) == pytest.approx((low, high)), condition


def test_tests_and_holm_are_found_again(results: Path) -> None:
    graded = responses_of(results, "rules")

    def right(condition: str) -> list[bool]:
        own = [each for each in graded[condition, SUITE] if each["arm"] == "full"]
        return [bool(each["correct"]) for each in sorted(own, key=lambda each: each["case"])]

    rows = [row for row in table(results / "comparisons.csv") if row["arm"] == "full"]
    (row,) = [
        row
        for row in rows
        if (row["metric"], row["a"], row["b"]) == ("accuracy", "baseline", "safe_cite/n40/s0")
    ]
    before, after = right("m/baseline"), right("m/safe_cite/n40/s0")
    assert float(row["difference"]) == pytest.approx(sum(after) / len(after) - sum(before) / len(before))
    assert float(row["p_value"]) == pytest.approx(mcnemar(before, after))
    family = [row for row in rows if row["family"] == "primary" and row["p_value"]]
    # three pairs of conditions, five primary metrics
    assert len(family) == 15
    corrected = holm([float(row["p_value"]) for row in family])
    assert [float(row["p_holm"]) for row in family] == pytest.approx(corrected)
