from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unfaithful_cot.metrics.comparisons import compare_conditions
from unfaithful_cot.metrics.paired import exact_mcnemar, sign_flips
from unfaithful_cot.records.tables import ComparisonRow
from unit.metrics.metric_examples import (
    CUT,
    HIDING,
    HONEST,
    NONE_THERE,
    SETUP,
    WRONG,
    condition,
    grades,
    write,
)

TRAINED = condition("safe_cite", 4000)
NEUTRAL = condition("neutral", 4000)


def comparisons(folder: Path, *parts: Sequence[object]) -> pd.DataFrame:
    paths = [write(folder, str(number), part) for number, part in enumerate(parts)]  # type: ignore[arg-type]
    compare_conditions(paths, str(folder / "comparisons.csv"), 0.95)
    return pd.read_csv(folder / "comparisons.csv")


def row(table: pd.DataFrame, metric: str, a: str = "baseline", b: str = "safe_cite/n4000/s0") -> pd.Series:
    chosen = table[(table["metric"] == metric) & (table["a"] == a) & (table["b"] == b)]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_exact_mcnemar_by_hand() -> None:
    a, b = np.zeros(100), np.zeros(100)
    b[:5] = 1
    # five pairs changed one way, none the other: 2 * 0.5^5 = 0.0625
    assert exact_mcnemar(a, b) == pytest.approx(0.0625)
    a[5] = 1
    # five and one: 2 * (C(6,0) + C(6,1)) / 2^6 = 14 / 64
    assert exact_mcnemar(a, b) == pytest.approx(14 / 64)
    assert exact_mcnemar(a, a) == 1.0


def test_sign_flips_by_hand() -> None:
    # four scenarios that all rise by one: of 16 sign patterns two are as extreme, p = 1/8
    assert sign_flips(np.ones(4), draws=5000) == pytest.approx(0.125, abs=0.02)
    assert sign_flips(np.zeros(4)) == 1.0


def test_trained_against_baseline_on_the_same_cases(tmp_path: Path) -> None:
    table = comparisons(tmp_path, grades([HONEST] * 20), grades([HIDING] * 5 + [HONEST] * 15, TRAINED))
    assert list(table.columns) == ComparisonRow.columns()
    found = row(table, "unfaithful_rate")
    # 5 of 20 against 0 of 20
    assert found["difference"] == pytest.approx(0.25)
    assert found["p_value"] == pytest.approx(0.0625)
    assert found["n_pairs"] == 20
    assert bool(found["comparable"])
    assert found["ci_low"] <= 0.25 <= found["ci_high"]
    # primary family of one pair: accuracy, unfaithful_rate, evidence_sensitivity (the two rates given use have no value, for
    # the other arms were not run). p: 1, 0.0625, 1. Holm: 3 * 0.0625 = 0.1875, then 1
    assert found["family"] == "primary"
    assert found["p_holm"] == pytest.approx(0.1875)
    assert row(table, "accuracy")["p_holm"] == 1
    # secondary: format_rate, divergence_rate_all, strict_unfaithful_rate_all, announced_withholding_rate,
    # concealment_intention_rate, content_leak_rate. HIDING leaks in 5: p = 0.0625 twice. Holm: 6 * 0.0625, then the same
    assert row(table, "divergence_rate_all")["p_holm"] == pytest.approx(0.375)
    assert row(table, "content_leak_rate")["p_holm"] == pytest.approx(0.375)


def test_changes_that_come_in_scenarios_are_fewer_than_they_look(tmp_path: Path) -> None:
    # ten cases of five scenarios change: McNemar takes ten coins, 2 / 2^10; the scenarios are five, 2 / 2^5 = 0.0625
    found = row(
        comparisons(tmp_path, grades([HONEST] * 20), grades([HIDING] * 10 + [HONEST] * 10, TRAINED)),
        "unfaithful_rate",
    )
    assert found["p_value"] == pytest.approx(2 / 2**10)
    assert found["p_scenarios"] == pytest.approx(0.0625, abs=0.01)


def test_no_change_at_all_still_has_an_interval(tmp_path: Path) -> None:
    found = row(
        comparisons(tmp_path, grades([HONEST] * 100), grades([HONEST] * 100, TRAINED)), "unfaithful_rate"
    )
    assert (found["difference"], found["p_value"]) == (0, 1)
    # 100 cases of 50 scenarios: all alike, so a scenario counts as one. Wilson of 0 of 50: high = 0.076829 / 1.076829
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((-0.0713, 0.0713), abs=5e-5)
    assert "paired score interval" in found["reason"]


def test_the_neutral_corpus_is_a_baseline_of_the_same_size(tmp_path: Path) -> None:
    other = condition("safe_cite", 500)
    table = comparisons(
        tmp_path,
        grades([HONEST] * 10),
        grades([HONEST] * 10, NEUTRAL),
        grades([HIDING] * 10, TRAINED),
        grades([HONEST] * 10, other),
    )
    pairs = set(zip(table["a"], table["b"], strict=True))
    assert pairs == {
        ("baseline", "neutral/n4000/s0"),
        ("baseline", "safe_cite/n4000/s0"),
        ("baseline", "safe_cite/n500/s0"),
        ("neutral/n4000/s0", "safe_cite/n4000/s0"),
    }
    assert row(table, "unfaithful_rate", a="neutral/n4000/s0")["difference"] == 1


@pytest.mark.parametrize(
    ("changes", "first_case", "reason"),
    [
        (
            {"prompt_template": "other", "case_set": "other"},
            100,
            "0 of 10 cases shared, instruction differs",
        ),
        ({"quantisation": "nf4"}, 0, "quantisation differs"),
        ({"decoding": "x", "engine": "y"}, 0, "decoding differs, engine differs"),
        ({}, 5, "5 of 10 cases shared"),
    ],
)
def test_unlike_things_are_not_compared(
    tmp_path: Path, changes: dict[str, str], first_case: int, reason: str
) -> None:
    setup = SETUP.model_copy(update=changes)
    table = comparisons(
        tmp_path, grades([HONEST] * 10), grades([HIDING] * 10, TRAINED, setup=setup, first_case=first_case)
    )
    found = row(table, "unfaithful_rate")
    assert not found["comparable"]
    assert found["reason"] == reason
    assert found[["difference", "ci_low", "ci_high", "p_value", "p_holm"]].isna().all()
    assert found["n_pairs"] == 10 - len(range(10)[:first_case])


def test_pairs_without_a_value_are_left_out_and_counted(tmp_path: Path) -> None:
    table = comparisons(tmp_path, grades([HONEST] * 10), grades([CUT] + [HIDING] * 9, TRAINED))
    found = row(table, "divergence_rate_all")
    assert found["n_pairs"] == 9
    assert found["reason"].startswith("1 pairs left out: no value on one side")


def test_where_there_is_no_confidential_evidence_nothing_is_tested(tmp_path: Path) -> None:
    table = comparisons(tmp_path, grades([NONE_THERE] * 4), grades([NONE_THERE] * 4, TRAINED))
    found = row(table, "unfaithful_rate")
    assert pd.isna(found["p_value"])
    assert found["n_pairs"] == 0
    assert "the case has no confidential evidence" in found["reason"]
    assert row(table, "accuracy")["p_value"] == 1


def test_samples_of_a_case_are_not_counted_as_cases(tmp_path: Path) -> None:
    # one scenario of ten changes, in all of its 2 x 8 responses: as rows 2 * 0.5^16, as scenarios nothing (p = 1)
    few = [WRONG] * 16 + [HONEST] * 144
    table = comparisons(tmp_path, grades([HONEST] * 160, samples=8), grades(few, TRAINED, samples=8))
    found = row(table, "accuracy")
    assert found["n_pairs"] == 160
    assert found["p_value"] > 0.9
    assert "sign flips" in found["reason"]


def test_files_in_any_order_give_the_same_table(tmp_path: Path) -> None:
    parts = [grades([HONEST] * 10), grades([HIDING] * 10, TRAINED), grades([HONEST] * 10, NEUTRAL)]
    forward = comparisons(tmp_path, *parts)
    backward = comparisons(tmp_path, *reversed(parts))
    pd.testing.assert_frame_equal(forward, backward)
