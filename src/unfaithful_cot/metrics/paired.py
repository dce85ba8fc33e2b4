"""Two conditions on the same cases: difference, interval, p-value.

p-value: exact McNemar, p = min(1, 2 sum_{k <= min(b, c)} Binom(k; b + c, 1/2)) (statsmodels), where a case has one sample and
values are 0 or 1; else sign flips of whole scenarios, (1 + #{|T*| >= |T|}) / (1 + draws), since samples of one case are not
independent. McNemar takes the variants of a scenario as independent; where their changes agree it finds too much (0.09 of true
nulls at 0.05, where changes correlate by 0.5), so the sign flips stand beside it.
Interval: percentile bootstrap over scenarios; for rates, where fewer than FEW scenarios count (or fail) on one side,
intervals.paired_score: there the percentile interval covers too little (0.45 to 0.90 of nominal 0.95 were seen).
Known value: b = 0, c = 5 gives p = 0.0625.

Args:
    The units of a metric on both sides. Pairs are units of the same case (or scenario) and sample.

Returns:
    Paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from unfaithful_cot.metrics.intervals import (
    CHUNK,
    DRAWS,
    SEED,
    Floats,
    bootstrap_ratio,
    cluster_sums,
    paired_score,
)
from unfaithful_cot.metrics.units import Units

FEW = 20


class Paired(NamedTuple):
    """rate(b) - rate(a) over `n_pairs` pairs; None where there is no pair. `reason`: what the reader should know.

    p_scenarios: p by sign flips of whole scenarios, which holds however alike the cases of a scenario are.
    """

    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    n_pairs: int
    reason: str | None
    p_scenarios: float | None = None


def compare(a: Units, b: Units, confidence: float, draws: int = DRAWS, seed: int = SEED) -> Paired:
    """Compare the same metric of two conditions that may be compared."""
    pairs = pairs_of_units(a, b)
    notes = [f"{pairs.left_out} pairs left out: no value on one side"] if pairs.left_out else []
    if not len(pairs.a):
        why = a.reason or b.reason
        return Paired(None, None, None, None, 0, why or "no pair has a value on both sides")
    interval, note = difference_interval(*pairs[:4], confidence, draws, seed)
    binary = np.isin(pairs.a, (0, 1)).all() and np.isin(pairs.b, (0, 1)).all()
    by_scenario = sign_flips(cluster_sums(pairs.b - pairs.a, pairs.scenarios)[0], draws, seed)
    p_value = by_scenario
    if binary and len(np.unique(pairs.cases)) == len(pairs.cases):
        p_value = exact_mcnemar(pairs.a, pairs.b)
    else:
        note = f"{note + '; ' if note else ''}p by sign flips of scenarios"
    said = "; ".join([*notes, *([note] if note else [])])
    difference = float((pairs.b - pairs.a).mean())
    return Paired(difference, *interval, p_value, len(pairs.a), said or None, by_scenario)


class Pairs(NamedTuple):
    """Units with a value on both sides, and how many have one on one side only."""

    a: Floats
    b: Floats
    scenarios: NDArray[np.object_]
    cases: NDArray[np.object_]
    left_out: int


def pairs_of_units(a: Units, b: Units) -> Pairs:
    """Match units of the same case (or scenario) and sample."""
    if np.array_equal(a.cases, b.cases) and np.array_equal(a.samples, b.samples):
        return Pairs(a.values, b.values, a.scenarios, a.cases, 0)
    keys = [pd.MultiIndex.from_arrays([side.cases, side.samples]) for side in (a, b)]
    at = keys[1].get_indexer(keys[0])
    found = at >= 0
    left_out = len(a.values) + len(b.values) - 2 * int(found.sum())
    return Pairs(a.values[found], b.values[at[found]], a.scenarios[found], a.cases[found], left_out)


def difference_interval(
    a: Floats,
    b: Floats,
    scenarios: NDArray[Any],
    cases: NDArray[Any],
    confidence: float,
    draws: int = DRAWS,
    seed: int = SEED,
) -> tuple[tuple[float, float], str | None]:
    """Interval of mean(b) - mean(a), and a note where it is not the bootstrap over scenarios."""
    rates = min(a.min(), b.min()) >= 0 and max(a.max(), b.max()) <= 1
    few = min(varying(side, scenarios) for side in (a, b)) < FEW
    if rates and few:
        score = paired_score(a, b, scenarios, cases, confidence)
        return score, f"paired score interval: under {FEW} scenarios count, or fail, on one side"
    sums, sizes = cluster_sums(b - a, scenarios)
    low, high = bootstrap_ratio(sums[:, None], sizes[:, None], confidence, draws, seed)
    return (float(low[0]), float(high[0])), None


def varying(values: Floats, scenarios: NDArray[Any]) -> int:
    """Scenarios in which something counts, or in which something fails to, whichever are fewer."""
    sums, sizes = cluster_sums(values, scenarios)
    return int(min((sums > 0).sum(), (sums < sizes).sum()))


def exact_mcnemar(a: Floats, b: Floats) -> float:
    """Two-sided exact p-value of paired values 0 and 1."""
    cells = ((a == 1) & (b == 1), (a == 1) & (b == 0), (a == 0) & (b == 1), (a == 0) & (b == 0))
    both, only_a, only_b, neither = (int(cell.sum()) for cell in cells)
    return float(mcnemar([[both, only_a], [only_b, neither]], exact=True).pvalue)


def holm(p_values: Sequence[float] | Floats) -> Floats:
    """The p-values of one family after Holm's correction, in their order."""
    found = np.asarray(p_values, dtype=np.float64)
    return np.asarray(multipletests(found, method="holm")[1]) if len(found) else found


def sign_flips(sums: Floats, draws: int = DRAWS, seed: int = SEED) -> float:
    """Two-sided p-value that the sum over scenarios is that far from 0 when each sign is a fair coin."""
    observed = abs(sums.sum()) - 1e-9
    reached = sum(int((np.abs(signs @ sums) >= observed).sum()) for signs in _signs(len(sums), draws, seed))
    return (1 + reached) / (1 + draws)


@lru_cache(maxsize=4)
def _signs(n: int, draws: int, seed: int) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    sizes = [min(CHUNK, draws - start) for start in range(0, draws, CHUNK)]
    return [(rng.integers(0, 2, size=(rows, n), dtype=np.int8) * 2 - 1).astype(np.float32) for rows in sizes]
