"""slopes.csv: how much a rate changes with each doubling of the documents.

slope = sum_k w_k rate_k, w_k = (x_k - mean x) / sum_j (x_j - mean x)^2, x = log2 of the documents: the least-squares line through
the rates of the sizes. Linear and not logistic, because rates of 0 and 1 (which occur) send a logistic slope to infinity, and
because "0.2 more a doubling" can be read. A curve that is flat, rises and is flat again is no line: the slope is its average
over the sizes of this study. The untouched model (0 documents) has no logarithm and is not in the line.
Interval: percentile bootstrap over scenarios (each keeps its responses at all sizes); where fewer than paired.FEW scenarios
count, or fail, at some size, the sum of squares of the weighted limits of the rates (Zou and Donner 2008, independent sizes);
with several seeds that of seeds.pooled_mean.
Known value: rates 0, 0.5, 1 at 250, 500, 1,000 give 0.5.

Args:
    The table of interventions.with_interventions.

Returns:
    A table of SlopeRow, one row a model, corpus, suite, arm and metric.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from unfaithful_cot.metrics.frame import parts_of
from unfaithful_cot.metrics.guard import why_not_comparable
from unfaithful_cot.metrics.intervals import DRAWS, SEED, Floats, bootstrap_ratio, rate_interval
from unfaithful_cot.metrics.paired import FEW, varying
from unfaithful_cot.metrics.rates import Metric
from unfaithful_cot.metrics.registry import metrics_of
from unfaithful_cot.metrics.seeds import crossed_variance, linearised, t_interval
from unfaithful_cot.metrics.units import Units, counts_of, reason_of, units_of
from unfaithful_cot.records.tables import SlopeRow

PLACE = ["experiment", "model", "corpus", "suite", "arm", "grader"]


def weights_of(sizes: list[int]) -> Floats:
    """The weight of each size's rate in the slope over log2 of the size."""
    x = np.log2(np.asarray(sizes, dtype=np.float64))
    return (x - x.mean()) / ((x - x.mean()) ** 2).sum()  # type: ignore[no-any-return]


def slope_table(table: pd.DataFrame, confidence: float, draws: int = DRAWS, seed: int = SEED) -> pd.DataFrame:
    """The slope of every metric of every trained corpus; null with its reason where there is one size."""
    rows = []
    for place, part in parts_of(table[table["n_documents"] > 0], PLACE):
        sizes, seeds = sorted(part["n_documents"].unique()), sorted(part["seed"].unique())
        cells = [[part[(part["n_documents"] == n) & (part["seed"] == s)] for n in sizes] for s in seeds]
        grid = {"sizes": " ".join(map(str, sizes)), "n_seeds": len(seeds)}
        problem = _problem(cells)
        for metric in metrics_of(str(place["grader"])):
            if metric.paired:
                row = slope_row(metric, cells, sizes, confidence, problem, draws, seed)
                rows.append({**place, **grid, "metric": metric.name, **row})
    return SlopeRow.frame(rows)


def _problem(cells: list[list[pd.DataFrame]]) -> str | None:
    """Why no line can be drawn through these cells."""
    if len(cells[0]) < 2:
        return "one size: no slope"
    flat = [cell for line in cells for cell in line]
    if any(cell.empty for cell in flat):
        return "not every size was trained with every seed"
    return next((why for cell in flat[1:] if (why := why_not_comparable(flat[0], cell))), None)


def slope_row(
    metric: Metric,
    cells: list[list[pd.DataFrame]],
    sizes: list[int],
    confidence: float,
    problem: str | None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, object]:
    """Slope, interval and counts; `cells` holds the rows of each seed (first) and size (second)."""
    units = [[units_of(metric, cell) for cell in line] for line in cells]
    flat = [each for line in units for each in line]
    row: dict[str, object] = {
        "slope": None, "ci_low": None, "ci_high": None, "method": None,
        **counts_of(flat),
    }  # fmt: skip
    without = [each for each in flat if not len(each.values)]
    if problem or without:
        return row | {"reason": problem or f"no value at some size: {without[0].reason}"}
    rates = [np.concatenate([line[k].values for line in units]).mean() for k in range(len(sizes))]
    slope = float(weights_of(sizes) @ np.asarray(rates))
    low, high, method = _interval(units, sizes, slope, confidence, draws, seed)
    found = {"slope": slope, "ci_low": low, "ci_high": high, "method": method}
    return row | found | {"reason": reason_of(flat)}


def _interval(
    units: list[list[Units]], sizes: list[int], slope: float, confidence: float, draws: int, seed: int
) -> tuple[float, float, str]:
    weights = weights_of(sizes)
    values = [[each.values for each in line] for line in units]
    if len(units) > 1:
        parts = [
            linearised([line[k] for line in values], [line[k].scenarios for line in units])
            for k in range(len(sizes))
        ]
        if len({part.shape for part in parts}) == 1:
            variance, df = crossed_variance(np.tensordot(weights, np.stack(parts), axes=1))
            if variance > 0:
                return *t_interval(slope, variance, df, confidence), "seeds crossed with scenarios, t"
    line, numbers = units[0], values[0]
    rates = all(each.min() >= 0 and each.max() <= 1 for each in numbers)
    few = min(varying(each, u.scenarios) for each, u in zip(numbers, line, strict=True)) < FEW
    if rates and (few or len(units) > 1):
        low, high = _from_limits(line, numbers, weights, confidence)
        return slope - low, slope + high, "limits of the rates, sizes independent"
    names = np.unique(np.concatenate([each.scenarios for each in line]))
    sums = [_by_scenario(each, u.scenarios, names) for each, u in zip(numbers, line, strict=True)]
    numerators, denominators = (np.stack([pair[i] for pair in sums], axis=1) for i in (0, 1))
    low_, high_ = bootstrap_ratio(numerators, denominators, confidence, draws, seed, list(weights))
    return float(low_[0]), float(high_[0]), "bootstrap over scenarios"


def _by_scenario(values: Floats, scenarios: Any, names: Any) -> tuple[Floats, Floats]:
    place = np.searchsorted(names, scenarios)
    sums = np.bincount(place, weights=values, minlength=len(names)).astype(np.float64)
    return sums, np.bincount(place, minlength=len(names)).astype(np.float64)


def _from_limits(
    line: list[Units], numbers: list[Floats], weights: Floats, confidence: float
) -> tuple[float, float]:
    """How far below and above the slope its limits lie."""
    below = above = 0.0
    for weight, values, units in zip(weights, numbers, line, strict=True):
        low, high = rate_interval(values, units.scenarios, units.cases, confidence)
        down, up = values.mean() - low, high - values.mean()
        down, up = (down, up) if weight > 0 else (up, down)
        below, above = below + (weight * down) ** 2, above + (weight * up) ** 2
    return float(below**0.5), float(above**0.5)
