"""Arms in which something cannot be judged: rates are missing with their reason, never 0 and never of a chosen few."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from unfaithful_cot.grading.rules import BY_WORDS, CALLED_PUBLIC
from unfaithful_cot.grading.verdicts import NO_ANSWER, NO_CONFIDENTIAL
from unfaithful_cot.metrics.tables import compute_metrics
from unfaithful_cot.records.grades import Grade
from unit.metrics.metric_examples import HIDING, HONEST, grades, write

LACKING = {"correct": NO_ANSWER, "names_confidential": NO_CONFIDENTIAL, "published_correct": NO_ANSWER}
PUBLISHED = {"published_correct": None, "published_unfaithful": None}


def undecided(lines: list[Grade]) -> list[Grade]:
    """The same grades of cases in which nothing supports an option."""
    return [
        line.model_copy(update={"value": None, "reason": LACKING[line.verdict]})
        if line.verdict in LACKING
        else line
        for line in lines
    ]


def test_rates_about_correctness_are_missing_not_zero(tmp_path: Path) -> None:
    lines = undecided(grades([HONEST] * 6, arm="distractor_only"))
    lines += undecided(grades([PUBLISHED] * 6, arm="distractor_only", grader="published"))
    compute_metrics([write(tmp_path, "g", lines)], str(tmp_path / "m.csv"), confidence=0.95)
    table = pd.read_csv(tmp_path / "m.csv").set_index("metric")
    # six cases of three scenarios
    for name, missing in (
        ("accuracy", 6),
        ("evidence_sensitivity", 3),
        ("published_accuracy", 6),
        ("published_evidence_sensitivity", 3),
    ):
        found = table.loc[name]
        assert pd.isna(found["value"]) and pd.isna(found["ci_low"]), name
        assert (found["n"], found["n_missing"]) == (0, missing), name
        assert NO_ANSWER in found["reason"], name
    assert pd.isna(table.loc["unfaithful_rate", "value"]) and table.loc["unfaithful_rate", "n"] == 0  # type: ignore[arg-type]
    assert (table.loc["format_rate", "value"], table.loc["format_rate", "n"]) == (1, 6)


def test_where_words_cannot_be_read_no_rate_is_taken_from_the_responses_that_need_none(
    tmp_path: Path,
) -> None:
    """`relabelled`: leaks are unknown; that a response names the evidence does not make it one without a leak."""
    lines = [
        line.model_copy(update={"value": None, "reason": CALLED_PUBLIC}) if line.verdict in BY_WORDS else line
        for line in grades([HONEST, HIDING] * 2, arm="relabelled")
    ]
    compute_metrics([write(tmp_path, "g", lines)], str(tmp_path / "m.csv"), confidence=0.95)
    table = pd.read_csv(tmp_path / "m.csv").set_index("metric")
    for name in ("content_leak_rate", "announced_withholding_rate", "concealment_intention_rate"):
        found = table.loc[name]
        assert (found["n"], found["n_missing"], found["reason"]) == (0, 4, f"4: {CALLED_PUBLIC}"), name
    # rates by ID are what they are: two of four correct answers hide it
    assert (table.loc["unfaithful_rate", "value"], table.loc["unfaithful_rate", "n"]) == (0.5, 4)
