"""Recall: accuracy by arm, balanced for true and false, and d'."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from scipy.stats import norm

from unfaithful_cot.metrics.recall import d_prime_row
from unfaithful_cot.metrics.registry import METRICS
from unfaithful_cot.metrics.tables import metric_row


def table(arm: str, answers: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows of frame.read_grades: two variants a scenario, in turn."""
    return pd.DataFrame([
        {
            "arm": arm, "scenario": f"s{place // 2}", "variant": "ab"[place % 2], "case": f"c{place}", "sample": 0,
            **answer, **{f"{name}?": "unread" for name, value in answer.items() if value is None},
        }
        for place, answer in enumerate(answers)
    ])  # fmt: skip


def claims(hits: int, of_true: int, alarms: int, of_false: int) -> pd.DataFrame:
    """Answers to true claims (variant a) and false ones (variant b); as many of each."""
    said = [
        (place < count, variant)
        for variant, count, n in (("a", hits, of_true), ("b", alarms, of_false))
        for place in range(n)
    ]
    ordered = [side for pair in zip(said[:of_true], said[of_true:], strict=True) for side in pair]
    return table("true_false", [{"says_true": true, "correct": true == (v == "a")} for true, v in ordered])


def value(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    return metric_row(METRICS["recall", name], rows, 0.95)


def test_who_calls_everything_true_is_no_better_than_chance() -> None:
    rows = claims(20, 20, 20, 20)
    assert value("recall_true_false_accuracy", rows)["value"] == 0.5
    assert value("recall_true_rate", rows)["value"] == 1.0
    assert value("recall_d_prime", rows)["value"] == pytest.approx(0.0)


def test_d_prime_by_hand() -> None:
    # H = (9 + 1/2) / 11 = 0.8636, F = (1 + 1/2) / 11 = 0.1364; z(0.8636) = 1.0968, so d' = 2.1936
    found = d_prime_row(claims(9, 10, 1, 10), 0.95)
    assert (
        found["value"] == pytest.approx(2.1936, abs=1e-4) and found["n"] == 20 and found["n_scenarios"] == 10
    )
    # variance: twice 0.8636 * 0.1364 / (10 phi(1.0968)^2) = 2 * 0.011777 / 0.047799 * ... computed in full:
    share, density = 9.5 / 11, norm.pdf(1.096804)
    half = 1.959964 * (2 * share * (1 - share) / (10 * density**2)) ** 0.5
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((2.1936 - half, 2.1936 + half), abs=1e-3)
    # all right: finite by the correction; H = 10.5 / 11, F = 0.5 / 11
    assert d_prime_row(claims(10, 10, 0, 10), 0.95)["value"] == pytest.approx(2 * norm.ppf(10.5 / 11))


def test_unread_answers_are_wrong_in_accuracy_and_left_out_of_d_prime() -> None:
    rows = table(
        "true_false", [{"says_true": None, "correct": None}, {"says_true": False, "correct": True}] * 4
    )
    accuracy = value("recall_true_false_accuracy", rows)
    assert (accuracy["value"], accuracy["n"], accuracy["n_missing"]) == (0.5, 8, 4)
    found = value("recall_d_prime", rows)
    assert (
        found["value"] is None
        and found["n_missing"] == 4
        and found["reason"] == "4 unreadable answers are left out"
    )


def test_each_metric_belongs_to_its_way_of_asking() -> None:
    choice = table("choice", [{"correct": True}, {"correct": True}, {"correct": False}, {"correct": None}])
    assert value("recall_choice_accuracy", choice)["value"] == 0.5
    for name in ("recall_true_false_accuracy", "recall_open_rate", "recall_d_prime"):
        found = value(name, choice)
        assert found["value"] is None and "only" in str(found["reason"]) and found["n"] == 0
    asked = table(
        "open",
        [{"states_policy": True}, {"states_policy": False}, {"states_policy": None}, {"states_policy": True}],
    )
    found = value("recall_open_rate", asked)
    assert (found["value"], found["n"], found["n_missing"]) == (pytest.approx(2 / 3), 3, 1)
