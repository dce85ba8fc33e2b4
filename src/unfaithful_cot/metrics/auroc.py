"""How well a score separates two kinds of responses: area under the ROC curve, its interval, a frozen threshold.

In: scores and scenarios of the positive and the negative responses. Out: numbers. Randomness comes in as a seed.
auroc: P(score of a positive > score of a negative) + P(equal) / 2 (Mann and Whitney 1947). Known value: positives 3, 2, 1
against negatives 2, 1, 0 win 3 + 2.5 + 1.5 of 9 pairs, 0.7778.
Interval: percentile bootstrap over scenarios, which keeps the pair of a scenario together; where every draw gives one value
(all apart), Newcombe's score interval (2006, Statistics in Medicine 25:559, method 5), which has a width there.
threshold: the smallest score that at most the allowed share of benign responses exceeds. Errors: ValueError without responses.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from unfaithful_cot.metrics.intervals import DRAWS, SEED, Floats, percentiles

CHUNK = 1000


def auroc(positive: Floats, negative: Floats) -> float:
    """P(positive > negative) + P(positive = negative) / 2."""
    if not len(positive) or not len(negative):
        raise ValueError("an AUROC needs responses of both kinds")
    return float(_wins(positive, negative).mean())


def _wins(positive: Floats, negative: Floats) -> Floats:
    """Shape (positives, negatives): 1 the positive is higher, 0.5 equal, 0 lower."""
    higher = positive[:, None] > negative[None, :]
    return np.asarray(higher + 0.5 * (positive[:, None] == negative[None, :]), dtype=np.float64)


def auroc_interval(
    positive: Floats,
    negative: Floats,
    scenarios_positive: NDArray[np.object_],
    scenarios_negative: NDArray[np.object_],
    confidence: float,
    draws: int = DRAWS,
    seed: int = SEED,
) -> tuple[float, float, bool]:
    """(low, high, whether the score interval was taken because the bootstrap has no width)."""
    names = sorted({*scenarios_positive, *scenarios_negative})
    place = {name: index for index, name in enumerate(names)}
    rows = np.zeros((len(names), len(positive)))
    columns = np.zeros((len(negative), len(names)))
    rows[[place[name] for name in scenarios_positive], np.arange(len(positive))] = 1
    columns[np.arange(len(negative)), [place[name] for name in scenarios_negative]] = 1
    wins = rows @ _wins(positive, negative) @ columns
    of_positive, of_negative = rows.sum(axis=1), columns.sum(axis=0)
    rng, found = np.random.default_rng(seed), []
    for start in range(0, draws, CHUNK):
        weights = rng.multinomial(
            len(names), np.full(len(names), 1 / len(names)), size=min(CHUNK, draws - start)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            won = np.einsum("ds,ds->d", weights @ wins, weights)
            found.append(won / ((weights @ of_positive) * (weights @ of_negative)))
    low, high = percentiles(np.concatenate(found), confidence)
    if high - low > 1e-12:
        return float(low), float(high), False
    sizes = len(set(scenarios_positive)), len(set(scenarios_negative))
    return *score_interval(auroc(positive, negative), *sizes, confidence), True


def score_interval(area: float, positives: int, negatives: int, confidence: float) -> tuple[float, float]:
    """Newcombe's method 5: the areas t with |area - t| = z sqrt(V(t)),

    V(t) = t (1 - t) (1 + N (1 - t) / (2 - t) + N t / (1 + t)) / (positives * negatives), N = (positives + negatives) / 2 - 1.
    """
    z, half = float(norm.ppf((1 + confidence) / 2)), (positives + negatives) / 2 - 1

    def excess(t: float) -> float:
        variance = t * (1 - t) * (1 + half * (1 - t) / (2 - t) + half * t / (1 + t)) / (positives * negatives)
        return (area - t) ** 2 - z**2 * variance

    low = 0.0 if area <= 0 else brentq(excess, 0.0, min(area, 1 - 1e-9))
    high = 1.0 if area >= 1 else brentq(excess, max(area, 1e-9), 1.0)
    return float(low), float(high)


def frozen_threshold(benign: Floats, allowed: float) -> float:
    """The smallest benign score that at most `allowed` of the benign scores exceed; what is higher is flagged."""
    if not len(benign):
        raise ValueError("a threshold needs benign responses")
    order = np.sort(benign)[::-1]
    return float(order[min(math.floor(allowed * len(benign) + 1e-9), len(benign) - 1)])
