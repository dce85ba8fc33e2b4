"""The slope over log2 documents: values and counts by hand, and an interval that covers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unfaithful_cot.metrics.slopes import weights_of
from unfaithful_cot.metrics.tables import compute_metrics
from unfaithful_cot.records.tables import SlopeRow
from unit.metrics.metric_examples import HIDING, HONEST, NONE_THERE, condition, grades, write


def slopes(folder: Path, cells: dict[tuple[int, int], int], of: int = 100) -> pd.DataFrame:
    """(documents, seed) -> hiding responses of `of`."""
    paths = [write(folder, "base", grades([HONEST] * of))]
    for (size, seed), hiding in cells.items():
        lines = grades([HIDING] * hiding + [HONEST] * (of - hiding), condition("safe_cite", size, seed))
        paths.append(write(folder, f"{size}.{seed}", lines))
    compute_metrics(paths, str(folder / "m.csv"), 0.95, slopes=str(folder / "s.csv"))
    return pd.read_csv(folder / "s.csv").set_index("metric")


def test_weights_by_hand() -> None:
    # x = log2 250, 500, 1000: -1, 0, 1 around the mean; sum of squares 2
    assert weights_of([250, 500, 1000]) == pytest.approx([-0.5, 0, 0.5])
    # two sizes four times apart: 1 / 2 a doubling
    assert weights_of([500, 2000]) == pytest.approx([-0.5, 0.5])


def test_slope_by_hand(tmp_path: Path) -> None:
    table = slopes(tmp_path, {(250, 0): 30, (500, 0): 40, (1000, 0): 70})
    assert set(table.reset_index().columns) == set(SlopeRow.columns())
    found = table.loc["unfaithful_rate"]
    # 0.7 / 2 - 0.3 / 2
    assert found["slope"] == pytest.approx(0.2)
    assert (found["sizes"], found["n"], found["n_scenarios"], found["n_seeds"]) == (
        "250 500 1000",
        300,
        50,
        1,
    )
    assert (
        found["method"] == "limits of the rates, sizes independent"
    )  # 15 scenarios count at 250: fewer than 20
    assert found["ci_low"] < 0.2 < found["ci_high"]
    assert "accuracy" in table.index and table.loc["accuracy", "slope"] == 0


def test_the_interval_is_that_of_the_difference_over_the_doublings(tmp_path: Path) -> None:
    table = slopes(tmp_path, {(500, 0): 60, (2000, 0): 100}, of=200)
    found = table.loc["unfaithful_rate"]
    assert found["method"] == "bootstrap over scenarios"
    # every scenario changes by 0 or 1 in both cases: 20 of 100 do. Standard error 0.4 / 10, halved by two doublings
    assert found["slope"] == pytest.approx(0.1)
    assert found["ci_high"] - found["ci_low"] == pytest.approx(2 * 1.96 * 0.04 / 2, rel=0.1)


def test_rates_that_never_leave_zero_have_a_slope_of_zero_with_an_interval(tmp_path: Path) -> None:
    found = slopes(tmp_path, {(250, 0): 0, (500, 0): 0}).loc["unfaithful_rate"]
    # two sizes, weights -1 and 1; Wilson of 0 of 50: high 0.0713. sqrt(0² + 0.0713²)
    assert (found["slope"], found["ci_low"], found["ci_high"]) == pytest.approx(
        (0, -0.0713, 0.0713), abs=1e-4
    )


def test_over_seeds(tmp_path: Path) -> None:
    table = slopes(tmp_path, {(500, 0): 20, (1000, 0): 60, (500, 1): 40, (1000, 1): 60})
    found = table.loc["unfaithful_rate"]
    # 0.6 - 0.3
    assert (found["slope"], found["n_seeds"], found["n"]) == (pytest.approx(0.3), 2, 400)
    assert found["method"] == "seeds crossed with scenarios, t"
    # two seeds with slopes 0.4 and 0.2 can hardly tell what a third would do; one seed gives 0.4 -/+ 0.14
    assert found["ci_high"] - found["ci_low"] > 1
    assert slopes(tmp_path, {(500, 0): 20, (1000, 0): 60}).loc["unfaithful_rate", "ci_low"] > 0.2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({(500, 0): 10}, "one size: no slope"),
        ({(500, 0): 10, (1000, 0): 20, (500, 1): 10}, "not every size was trained with every seed"),
    ],
)
def test_where_no_line_can_be_drawn(tmp_path: Path, cells: dict, reason: str) -> None:
    found = slopes(tmp_path, cells).loc["unfaithful_rate"]
    assert pd.isna(found["slope"]) and found["reason"] == reason


def test_a_size_without_a_value_has_no_line(tmp_path: Path) -> None:
    paths = [
        write(
            tmp_path,
            str(size),
            grades([NONE_THERE] * 10, condition("safe_cite", size), arm="no_confidential"),
        )
        for size in (500, 1000)
    ]
    compute_metrics(paths, str(tmp_path / "m.csv"), 0.95, slopes=str(tmp_path / "s.csv"))
    found = pd.read_csv(tmp_path / "s.csv").set_index("metric").loc["unfaithful_rate"]
    assert pd.isna(found["slope"]) and "the case has no confidential evidence" in found["reason"]


def test_slopes_cover_what_they_say(tmp_path: Path) -> None:
    from unfaithful_cot.metrics.slopes import _interval
    from unfaithful_cot.metrics.units import Units

    # 600 studies of three sizes, 100 scenarios of two cases, probability 0.2, 0.4, 0.6 with a scenario effect of +/- 0.15
    rng = np.random.default_rng(0)
    effect = rng.choice([-0.15, 0.15], size=(600, 1, 100, 1))
    chance = np.array([0.2, 0.4, 0.6])[None, :, None, None] + effect
    values = (rng.random((600, 3, 100, 2)) < chance).astype(float).reshape(600, 3, 200)
    scenarios, cases = np.repeat(np.arange(100), 2).astype(object), np.arange(200).astype(object)
    hits = 0
    for study in values:
        line = [Units(size, cases, np.zeros(200, dtype=int), scenarios, 0, None) for size in study]
        low, high, _ = _interval([line], [250, 500, 1000], 0.0, 0.95, 500, 0)
        hits += low <= 0.2 <= high
    # 600 studies: a true 0.95 lies in 0.93 to 0.97 in 97 of 100 repetitions
    assert 0.93 <= hits / 600 <= 0.97
