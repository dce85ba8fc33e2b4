"""Intervals: a rate and a difference of rates, where the cases of a scenario, and the samples of a case, are alike.

In: values a unit and what they are clustered by. Out: (low, high). Randomness comes in as a seed.
rate_interval: Wilson's score interval with n divided by the design effect (Wilson 1927; effective n after Korn and Graubard 1998
and Franco et al. 2019); bootstrap_ratio: percentile bootstrap over scenarios (Davison and Hinkley 1997, 3.8);
paired_score: the square-and-add interval of a difference from the intervals of both rates and their correlation (Newcombe
1998, method 10 without continuity correction; Zou and Donner 2008), for rates near 0 or 1, where the bootstrap has no width.
Known values: Wilson 95 % of 5 of 100 is [0.0215, 0.1118], of 0 of 100 [0, 0.0370]. Errors: ValueError for n = 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

Floats = NDArray[np.float64]
DRAWS, SEED, CHUNK = 5000, 0, 500
KEPT = 20_000_000  # weights that are kept in memory, 80 MB


def wilson(successes: float, n: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a rate. `n` may be a fraction (an effective number), `successes` then is rate times n."""
    if n <= 0:
        raise ValueError("an interval needs at least one unit")
    low, high = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    # the bounds are exact at the ends; floating point is not
    return (0.0 if successes <= 0 else float(low)), (1.0 if successes >= n else float(high))


def cluster_sums(values: Floats, clusters: NDArray[Any]) -> tuple[Floats, Floats]:
    """Sum and number of values of each cluster, in the order of the sorted clusters."""
    _, place = np.unique(clusters, return_inverse=True)
    sums = np.bincount(place, weights=values).astype(np.float64)
    return sums, np.bincount(place).astype(np.float64)


def variance_of_mean(values: Floats, clusters: NDArray[Any]) -> float:
    """C / (C - 1) sum_c (sum_{i in c} (v_i - mean))^2 / N^2: the variance of the mean when clusters are independent."""
    sums, sizes = cluster_sums(values, clusters)
    count = len(sums)
    if count < 2:
        return 0.0
    residual = sums - sizes * values.mean()
    return float(count / (count - 1) * (residual**2).sum() / len(values) ** 2)


def effective_n(values: Floats, scenarios: NDArray[Any], cases: NDArray[Any]) -> float:
    """How many independent units the values are worth: n over the design effect, never more than n.

    The design effect is the larger of the two variances, clustered by scenario and by case, over that of independent
    values. Where all values are alike nothing tells how alike the units of a scenario are: a scenario counts as one.
    """
    n, rate = len(values), float(values.mean())
    if rate <= 0 or rate >= 1:
        return float(len(np.unique(scenarios)))
    alone = rate * (1 - rate) / max(n - 1, 1)
    effect = max(variance_of_mean(values, scenarios), variance_of_mean(values, cases)) / alone
    return n / max(effect, 1.0)


def rate_interval(
    values: Floats, scenarios: NDArray[Any], cases: NDArray[Any], confidence: float
) -> tuple[float, float]:
    """Wilson's interval of the mean of values in [0, 1], with the effective number of units."""
    if not len(values):
        raise ValueError("an interval needs at least one unit")
    n = effective_n(values, scenarios, cases)
    return wilson(float(values.mean()) * n, n, confidence)


def resamples(n: int, draws: int, seed: int) -> Iterable[NDArray[np.float32]]:
    """How often each of n scenarios is drawn, in blocks of CHUNK draws; small ones are kept for the next metric."""
    return _kept_resamples(n, draws, seed) if n * draws <= KEPT else _draw(n, draws, seed)


@lru_cache(maxsize=4)
def _kept_resamples(n: int, draws: int, seed: int) -> list[NDArray[np.float32]]:
    return list(_draw(n, draws, seed))


def _draw(n: int, draws: int, seed: int) -> Iterator[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    for start in range(0, draws, CHUNK):
        rows = min(CHUNK, draws - start)
        drawn = rng.integers(n, size=(rows, n)) + np.arange(rows)[:, None] * n
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float32)


def bootstrap_ratio(
    numerators: Floats,
    denominators: Floats,
    confidence: float,
    draws: int = DRAWS,
    seed: int = SEED,
    weights: Sequence[float] | None = None,
) -> tuple[Floats, Floats]:
    """Percentile intervals of sum(numerators) / sum(denominators) when scenarios are drawn with replacement.

    numerators, denominators: shape (scenarios, quantities), the sums of a scenario over its cases and samples.
    weights: one a quantity, for the interval of the weighted sum of the ratios instead of each.
    Returns low and high, each of shape (quantities,), or (1,) with weights. A draw without a denominator is left out.
    """
    ratios = []
    for drawn in resamples(numerators.shape[0], draws, seed):
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios.append((drawn @ numerators) / (drawn @ denominators))
    found = np.concatenate(ratios)
    if weights is not None:
        found = (found @ np.asarray(weights))[:, None]
    return percentiles(found, confidence)


def percentiles(drawn: Floats, confidence: float) -> tuple[Any, Any]:
    """Limits that leave half of 1 - confidence of the draws (first axis) on either side; draws that are NaN are left out."""
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail], axis=0)
    return low, high


def paired_score(
    a: Floats, b: Floats, scenarios: NDArray[Any], cases: NDArray[Any], confidence: float
) -> tuple[float, float]:
    """Interval of mean(b) - mean(a) over pairs of values in [0, 1], from rate_interval of each side.

    The correlation of the sides is that of the sums of their scenarios; 0 where one side does not vary.
    """
    (low_a, high_a), (low_b, high_b) = (rate_interval(side, scenarios, cases, confidence) for side in (a, b))
    rate_a, rate_b = float(a.mean()), float(b.mean())
    sums_a, _ = cluster_sums(a - rate_a, scenarios)
    sums_b, _ = cluster_sums(b - rate_b, scenarios)
    spread = float(np.sqrt((sums_a**2).sum() * (sums_b**2).sum()))
    r = float((sums_a * sums_b).sum()) / spread if spread > 1e-12 else 0.0
    down_b, up_b, down_a, up_a = rate_b - low_b, high_b - rate_b, rate_a - low_a, high_a - rate_a
    below = np.sqrt(max(down_b**2 - 2 * r * down_b * up_a + up_a**2, 0))
    above = np.sqrt(max(up_b**2 - 2 * r * up_b * down_a + down_a**2, 0))
    difference = rate_b - rate_a
    return max(difference - float(below), -1.0), min(difference + float(above), 1.0)
