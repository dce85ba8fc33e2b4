"""Two conditions on the same cases: difference, interval, p-value.

In: the units of a metric on both sides. Out: Paired. Pairs are units of the same case (or scenario) and sample.
p-value: exact McNemar, p = min(1, 2 sum_{k <= min(b, c)} Binom(k; b + c, 1/2)) (statsmodels), where a case has one
sample; with several samples sign flips of whole scenarios, (1 + #{|T*| >= |T|}) / (1 + draws), since samples of one case are not independent.
Interval: percentile bootstrap over scenarios; where no scenario differs from another, Newcombe's paired score.
Known value: b = 0, c = 5 gives p = 0.0625. Errors: none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import mcnemar

from unfaithful_cot.metrics.intervals import CHUNK, DRAWS, SEED, bootstrap_ratio, paired_score
from unfaithful_cot.metrics.rates import Units


class Paired(NamedTuple):
    """rate(b) - rate(a) over `n_pairs` pairs; None where there is no pair. `reason`: what the reader should know."""

    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    n_pairs: int
    reason: str | None


def compare(a: Units, b: Units, confidence: float, draws: int = DRAWS, seed: int = SEED) -> Paired:
    """Compare the same metric of two conditions that may be compared."""
    sides = pd.concat({"a": _by_unit(a), "b": _by_unit(b)}, axis=1)
    pairs = sides.dropna()
    left_out = len(sides) - len(pairs)
    notes = [f"{left_out} pairs left out: no value on one side"] if left_out else []
    if pairs.empty:
        why = a.reason or b.reason
        return Paired(None, None, None, None, 0, why or "no pair has a value on both sides")
    value_a, value_b = (pairs[(side, "value")].to_numpy(dtype=np.float64) for side in "ab")
    change = value_b - value_a
    scenario = pairs[("b", "scenario")]
    sums = pd.Series(change).groupby(scenario.to_numpy(), sort=True).agg(["sum", "size"])
    sums_of, sizes = sums["sum"].to_numpy(dtype=np.float64), sums["size"].to_numpy(dtype=np.float64)
    low, high = bootstrap_ratio(sums_of[:, None], sizes[:, None], confidence, draws, seed)
    interval = float(low[0]), float(high[0])
    repeated = pairs.index.get_level_values(0).has_duplicates
    if interval[0] == interval[1] and not repeated:
        interval = paired_score(*_counts(value_a, value_b), confidence)
        notes.append("every scenario differs alike: paired score interval")
    if repeated:
        p_value = sign_flips(sums_of, draws, seed)
        notes.append("several samples a case: p by sign flips of scenarios")
    else:
        p_value = exact_mcnemar(value_a, value_b)
    return Paired(float(change.mean()), *interval, p_value, len(pairs), "; ".join(notes) or None)


def exact_mcnemar(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Two-sided exact p-value of paired values 0 and 1."""
    both, only_a, only_b, neither = _counts(a, b)
    return float(mcnemar([[both, only_a], [only_b, neither]], exact=True).pvalue)


def sign_flips(sums: NDArray[np.float64], draws: int = DRAWS, seed: int = SEED) -> float:
    """Two-sided p-value that the sum over scenarios is that far from 0 when each sign is a fair coin."""
    rng = np.random.default_rng(seed)
    observed, reached = abs(sums.sum()), 0
    for start in range(0, draws, CHUNK):
        signs = rng.integers(0, 2, size=(min(CHUNK, draws - start), len(sums))) * 2.0 - 1
        reached += int((np.abs(signs @ sums) >= observed - 1e-9).sum())
    return (1 + reached) / (1 + draws)


def _counts(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Pairs with both, only a, only b, neither."""
    cells = ((a == 1) & (b == 1), (a == 1) & (b == 0), (a == 0) & (b == 1), (a == 0) & (b == 0))
    both, only_a, only_b, neither = (int(cell.sum()) for cell in cells)
    return both, only_a, only_b, neither


def _by_unit(units: Units) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"value": units.values, "scenario": units.scenarios.to_numpy()}, index=units.values.index
    )
    return frame.rename_axis(["unit", "sample"])
