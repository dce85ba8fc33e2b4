"""One figure over several training seeds: seeds and scenarios are both drawn from many, and their responses are never
independent rows.

Every seed answers the same scenarios, so seeds and scenarios are crossed, and samples and variants lie within. With z_sc the
part of seed s and scenario c in the (linearised) mean, S seeds and C scenarios,
    Var = max(MS_seed + MS_scenario - MS_rest, MS_scenario) / (S C),
    df = (MS_seed + MS_scenario - MS_rest)^2 / (MS_seed^2 / (S - 1) + MS_scenario^2 / (C - 1)), between 1 and C - 1
(random-effects analysis of variance; Satterthwaite 1946). A rate gets Wilson's interval with the effective n that Var and the
t quantile amount to, a difference the t interval. A percentile bootstrap over seeds and scenarios was tried first: with three
seeds that differ it covers 0.78 to 0.85 of nominal 0.95. With two seeds no method knows how much seeds differ; see docs/method.md.

Args:
    The units of a metric (or the pairs of a comparison), one set a seed.

Returns:
    Value, interval, p-value.

Raises:
    ValueError: for fewer than two seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from unfaithful_cot.metrics.intervals import Floats, cluster_sums, paired_score, wilson
from unfaithful_cot.metrics.paired import FEW, Paired, pairs_of_units, sign_flips, varying
from unfaithful_cot.metrics.units import Units


def crossed_variance(parts: Floats) -> tuple[float, float]:
    """Variance of the mean of `parts` (seeds x scenarios), and its degrees of freedom."""
    n_seeds, n_scenarios = parts.shape
    if n_seeds < 2:
        raise ValueError("one seed says nothing about seeds")
    mean, by_seed, by_scenario = parts.mean(), parts.mean(axis=1), parts.mean(axis=0)
    if n_scenarios < 2:
        return float(by_seed.var(ddof=1) / n_seeds), float(n_seeds - 1)
    seed = n_scenarios * ((by_seed - mean) ** 2).sum() / (n_seeds - 1)
    scenario = n_seeds * ((by_scenario - mean) ** 2).sum() / (n_scenarios - 1)
    rest = parts - by_seed[:, None] - by_scenario + mean
    noise = (rest**2).sum() / ((n_seeds - 1) * (n_scenarios - 1))
    total = max(seed + scenario - noise, scenario)
    pieces = seed**2 / (n_seeds - 1) + scenario**2 / (n_scenarios - 1)
    df = total**2 / pieces if pieces > 0 else 1.0
    return float(total / (n_seeds * n_scenarios)), float(min(max(df, 1.0), n_scenarios - 1))


def linearised(values: Sequence[Floats], scenarios: Sequence[NDArray[Any]]) -> Floats:
    """What each seed and scenario adds to mean - mean: (sum_sc - mean n_sc) / mean of n_sc, shape (seeds, scenarios)."""
    names, places = np.unique(np.concatenate(scenarios), return_inverse=True)
    seeds = np.repeat(np.arange(len(values)), [len(each) for each in values])
    flat, size = seeds * len(names) + places, len(values) * len(names)
    together = np.concatenate(values)
    sums = np.bincount(flat, weights=together, minlength=size)
    counts = np.bincount(flat, minlength=size)
    parts = (sums - together.mean() * counts) / counts.mean()
    return parts.reshape(len(values), len(names))  # type: ignore[no-any-return]


def pooled_rate(units: Sequence[Units], confidence: float) -> tuple[float, float, float]:
    """Mean over all units of all seeds with its interval; units have values in [0, 1]."""
    values = [each.values for each in units]
    together = np.concatenate(values)
    rate, n = float(together.mean()), len(together)
    parts = linearised(values, [each.scenarios for each in units])
    variance, df = crossed_variance(parts)
    if variance <= 0 or rate <= 0 or rate >= 1:
        return rate, *wilson(rate * parts.shape[1], parts.shape[1], confidence)
    normal, t = stats.norm.ppf((1 + confidence) / 2), stats.t.ppf((1 + confidence) / 2, df)
    effective = min(rate * (1 - rate) / variance, n) * float(normal / t) ** 2
    return rate, *wilson(rate * effective, effective, confidence)


def pooled_mean(
    values: Sequence[Floats], scenarios: Sequence[NDArray[Any]], confidence: float
) -> tuple[float, float, float, float | None]:
    """Mean over all seeds, t interval within [-1, 1], and the p-value that it is 0 (None where nothing varies)."""
    mean = float(np.concatenate(values).mean())
    variance, df = crossed_variance(linearised(values, scenarios))
    if variance <= 0:
        return mean, mean, mean, None
    low, high = t_interval(mean, variance, df, confidence)
    p_value = float(2 * stats.t.sf(abs(mean) / variance**0.5, df))
    return mean, max(low, -1.0), min(high, 1.0), p_value


def t_interval(mean: float, variance: float, df: float, confidence: float) -> tuple[float, float]:
    """mean -/+ t quantile times the standard error."""
    margin = float(stats.t.ppf((1 + confidence) / 2, df)) * variance**0.5
    return mean - margin, mean + margin


def pooled_comparison(sides: Sequence[tuple[Units, Units]], confidence: float) -> Paired:
    """Compare b with a over seeds: `sides` holds both units of each seed (a may be the same baseline each time)."""
    found = [pairs_of_units(a, b) for a, b in sides]
    left_out, n_pairs = sum(pairs.left_out for pairs in found), sum(len(pairs.a) for pairs in found)
    notes = [f"{left_out} pairs left out: no value on one side"] if left_out else []
    if not all(len(pairs.a) for pairs in found):
        why = next((units.reason for both in sides for units in both if units.reason), None)
        return Paired(None, None, None, None, n_pairs, why or "a seed has no pair with a value on both sides")
    change = [pairs.b - pairs.a for pairs in found]
    mean, low, high, p_value = pooled_mean(change, [pairs.scenarios for pairs in found], confidence)
    a, b, scenarios, cases = (np.concatenate([pairs[i] for pairs in found]) for i in range(4))
    if p_value is None:
        p_value = sign_flips(cluster_sums(b - a, scenarios)[0])
        notes.append("all seeds alike: p by sign flips of scenarios")
    else:
        notes.append(f"{len(sides)} seeds crossed with scenarios: t interval and p")
    rates = min(a.min(), b.min()) >= 0 and max(a.max(), b.max()) <= 1
    if rates and min(varying(a, scenarios), varying(b, scenarios)) < FEW:
        score = paired_score(a, b, scenarios, cases, confidence)
        low, high = min(low, score[0]), max(high, score[1])
        notes.append(
            f"widened to the paired score interval: under {FEW} scenarios count, or fail, on one side"
        )
    return Paired(mean, low, high, p_value, n_pairs, "; ".join(notes))
