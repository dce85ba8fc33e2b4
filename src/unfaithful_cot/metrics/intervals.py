"""Intervals: Wilson for one rate, bootstrap over scenarios and a paired score interval for a difference.

In: counts, or sums a scenario. Out: (low, high). Randomness comes in as a seed.
Sources: Wilson 1927 (statsmodels proportion_confint); Davison & Hinkley 1997, ch. 3.8 (cluster bootstrap, percentile);
Newcombe 1998, Statistics in Medicine 17:2635, method 10 (paired score interval).
Known values: Wilson 95 % of 5 of 100 is [0.0215, 0.1118], of 0 of 100 [0, 0.0370]. Errors: ValueError for n = 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

Floats = NDArray[np.float64]
DRAWS, SEED, CHUNK = 5000, 0, 500
KEPT = 20_000_000  # weights that are kept in memory, 80 MB


def wilson(successes: float, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a rate. `successes` may be a fraction (the mean over samples of a case)."""
    if n < 1:
        raise ValueError("an interval needs at least one unit")
    low, high = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    # the bounds are exact at the ends; floating point is not
    return (0.0 if successes <= 0 else float(low)), (1.0 if successes >= n else float(high))


def _resamples(n: int, draws: int, seed: int) -> Iterable[NDArray[np.float32]]:
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
    numerators: Floats, denominators: Floats, confidence: float, draws: int = DRAWS, seed: int = SEED
) -> tuple[Floats, Floats]:
    """Percentile intervals of sum(numerators) / sum(denominators) when scenarios are drawn with replacement.

    numerators, denominators: shape (scenarios, quantities), the sums of a scenario over its cases and samples.
    Returns low and high, each of shape (quantities,). A draw without any denominator is left out.
    """
    ratios = []
    for weights in _resamples(numerators.shape[0], draws, seed):
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios.append((weights @ numerators) / (weights @ denominators))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(np.concatenate(ratios), [tail, 1 - tail], axis=0)
    return low, high


def paired_score(both: int, only_a: int, only_b: int, neither: int, confidence: float) -> tuple[float, float]:
    """Newcombe's interval of rate(b) - rate(a) from paired counts; sensible where no pair differs."""
    n = both + only_a + only_b + neither
    rate_a, rate_b = (both + only_a) / n, (both + only_b) / n
    low_a, high_a = wilson(both + only_a, n, confidence)
    low_b, high_b = wilson(both + only_b, n, confidence)
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    cross = float(both * neither - only_a * only_b)
    cross = max(cross - n / 2, 0) if cross > 0 else cross
    phi = cross / math.sqrt(margins) if margins else 0.0
    down_b, up_b, down_a, up_a = rate_b - low_b, high_b - rate_b, rate_a - low_a, high_a - rate_a
    below = math.sqrt(max(down_b**2 - 2 * phi * down_b * up_a + up_a**2, 0))
    above = math.sqrt(max(up_b**2 - 2 * phi * up_b * down_a + down_a**2, 0))
    return rate_b - rate_a - below, rate_b - rate_a + above
