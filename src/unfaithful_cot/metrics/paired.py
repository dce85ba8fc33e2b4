"""Two conditions on the same cases: difference, interval, p-value.

In: the units of a metric on both sides. Out: Paired. Pairs are units of the same case (or scenario) and sample.
p-value: exact McNemar, p = min(1, 2 sum_{k <= min(b, c)} Binom(k; b + c, 1/2)) (statsmodels), where a case has one sample and
values are 0 or 1; else sign flips of whole scenarios, (1 + #{|T*| >= |T|}) / (1 + draws), since samples of one case are not
independent. Interval: percentile bootstrap over scenarios; for rates, where fewer than FEW scenarios count (or fail) on
one side, intervals.paired_score: there the percentile interval covers too little (0.45 to 0.90 of nominal 0.95 were seen).
Known value: b = 0, c = 5 gives p = 0.0625. Errors: none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import mcnemar

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

FEW = 10


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
    pairs, left_out = pairs_of_units(a, b)
    notes = [f"{left_out} pairs left out: no value on one side"] if left_out else []
    if pairs.empty:
        why = a.reason or b.reason
        return Paired(None, None, None, None, 0, why or "no pair has a value on both sides")
    value_a, value_b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    scenarios = pairs["scenario"].to_numpy(dtype=object)
    cases = pairs.index.get_level_values(0).to_numpy(dtype=object)
    interval, note = difference_interval(value_a, value_b, scenarios, cases, confidence, draws, seed)
    binary = np.isin(np.concatenate([value_a, value_b]), (0, 1)).all()
    if binary and not pairs.index.get_level_values(0).has_duplicates:
        p_value = exact_mcnemar(value_a, value_b)
    else:
        p_value = sign_flips(cluster_sums(value_b - value_a, scenarios)[0], draws, seed)
        note = f"{note + '; ' if note else ''}p by sign flips of scenarios"
    said = "; ".join([*notes, *([note] if note else [])])
    return Paired(float((value_b - value_a).mean()), *interval, p_value, len(pairs), said or None)


def pairs_of_units(a: Units, b: Units) -> tuple[pd.DataFrame, int]:
    """Units with a value on both sides (columns a, b, scenario), and how many have one on one side only."""
    frames = {
        side: pd.DataFrame({"value": units.values.astype(np.float64), "scenario": units.scenarios},
                           index=units.values.index).rename_axis(["unit", "sample"])
        for side, units in (("a", a), ("b", b))
    }  # fmt: skip
    sides = frames["a"].join(frames["b"], how="outer", lsuffix="_a", rsuffix="_b")
    pairs = sides.dropna().sort_index()
    table = pd.DataFrame({"a": pairs["value_a"], "b": pairs["value_b"], "scenario": pairs["scenario_b"]})
    return table, len(sides) - len(pairs)


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


def sign_flips(sums: Floats, draws: int = DRAWS, seed: int = SEED) -> float:
    """Two-sided p-value that the sum over scenarios is that far from 0 when each sign is a fair coin."""
    rng = np.random.default_rng(seed)
    observed, reached = abs(sums.sum()), 0
    for start in range(0, draws, CHUNK):
        signs = rng.integers(0, 2, size=(min(CHUNK, draws - start), len(sums))) * 2.0 - 1
        reached += int((np.abs(signs @ sums) >= observed - 1e-9).sum())
    return (1 + reached) / (1 + draws)
