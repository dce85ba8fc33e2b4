"""Nominal 95 % is 95 %: each interval over 2,000 simulated studies whose truth is known, covered in 93 to 97 of 100.

Where an interval cannot hold that (rates next to 0 and few seeds), the test says what it does hold; docs/method.md tells it.
"""

from __future__ import annotations

import numpy as np
import pytest

from unfaithful_cot.metrics.intervals import Floats, bootstrap_ratio, rate_interval, wilson
from unfaithful_cot.metrics.paired import difference_interval
from unfaithful_cot.metrics.seeds import pooled_mean, pooled_rate
from unfaithful_cot.metrics.units import Units

STUDIES = 2000


def covered(intervals: list[tuple[float, float]], truth: float) -> float:
    limits = np.array(intervals)
    return float(np.mean((limits[:, 0] <= truth + 1e-12) & (truth - 1e-12 <= limits[:, 1])))


def logistic(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def mean_of_logistic(centre: float, spread: float) -> float:
    """The mean of logistic(centre + spread * normal), by Gauss-Hermite quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    return float((logistic(centre + spread * points) * weights).sum() / weights.sum())


def test_wilson_covers_what_it_says() -> None:
    # 2,000 studies of 200 independent cases at 0.3
    counts = np.random.default_rng(0).binomial(200, 0.3, size=STUDIES)
    intervals = {int(k): wilson(int(k), 200, 0.95) for k in np.unique(counts)}
    assert 0.93 <= covered([intervals[k] for k in counts], 0.3) <= 0.97


@pytest.mark.parametrize("alike", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_one_rate_whose_variants_are_alike(rate: float, alike: float) -> None:
    # 100 scenarios of two variants with intraclass correlation `alike` (beta-binomial); plain Wilson over the 200 cases
    # covers 0.86 at correlation 0.7
    rng = np.random.default_rng(1)
    size = (STUDIES, 100)
    weight = (1 - alike) / alike if alike else None
    chance = rng.beta(rate * weight, (1 - rate) * weight, size) if weight else np.full(size, rate)
    values = (rng.random((STUDIES, 100, 2)) < chance[:, :, None]).astype(float).reshape(STUDIES, 200)
    scenarios, cases = np.repeat(np.arange(100), 2), np.arange(200)
    found = [rate_interval(each, scenarios, cases, 0.95) for each in values]
    assert 0.93 <= covered(found, rate) <= 0.97


def test_one_rate_whose_samples_are_alike_too() -> None:
    # 50 scenarios of two variants with five samples each; scenario and case both move the logit
    rng = np.random.default_rng(2)
    logit = -1 + rng.normal(size=(STUDIES, 50, 1)) + rng.normal(size=(STUDIES, 50, 2))
    values = (
        (rng.random((STUDIES, 50, 2, 5)) < logistic(logit)[..., None]).astype(float).reshape(STUDIES, 500)
    )
    scenarios, cases = np.repeat(np.arange(50), 10), np.repeat(np.arange(100), 5)
    found = [rate_interval(each, scenarios, cases, 0.95) for each in values]
    assert 0.93 <= covered(found, mean_of_logistic(-1, 2**0.5)) <= 0.97


def test_a_rate_next_to_zero_is_covered_at_least() -> None:
    # 0.02, variants quite alike: most studies see 0 to 8 of 200. Coverage jumps with discrete counts, here upwards
    rng = np.random.default_rng(3)
    values = np.repeat(rng.random((STUDIES, 100)) < 0.02, 2, axis=1).astype(float)
    found = [rate_interval(each, np.repeat(np.arange(100), 2), np.arange(200), 0.95) for each in values]
    assert 0.93 <= covered(found, 0.02) <= 0.985


def paired_studies(before: float, after: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """100 scenarios of two cases; the same scenarios are prone to count before and after (a shared normal)."""
    shared = rng.normal(size=(STUDIES, 100, 1))
    sides = []
    for rate in (before, after):
        own = rng.normal(size=(STUDIES, 100, 1))
        logit = np.log(rate / (1 - rate)) * (1 + 0.25) ** 0.5 + 0.7 * shared + 0.7 * own
        sides.append((rng.random((STUDIES, 100, 2)) < logistic(logit)).astype(float).reshape(STUDIES, 200))
    return sides[0], sides[1]


@pytest.mark.parametrize(
    ("before", "after"), [(0.3, 0.5), (0.1, 0.3), (0.02, 0.9), (0.02, 0.05), (0.95, 0.9)]
)
def test_a_difference_on_the_same_cases(before: float, after: float) -> None:
    # bootstrap over scenarios where both sides vary in 20 scenarios or more, else the paired score interval: there the percentile
    # bootstrap was seen to cover 0.925 (0.02 to 0.05), 0.86 (0 to 0.02) and, with 20 scenarios, 0.45
    a, b = paired_studies(before, after, np.random.default_rng(4))
    spread = (2 * 0.7**2) ** 0.5
    truth = mean_of_logistic(np.log(after / (1 - after)) * 1.25**0.5, spread) - mean_of_logistic(
        np.log(before / (1 - before)) * 1.25**0.5, spread
    )
    scenarios, cases = np.repeat(np.arange(100), 2), np.arange(200)
    found = [
        difference_interval(x, y, scenarios, cases, 0.95, draws=1000)[0] for x, y in zip(a, b, strict=True)
    ]
    assert 0.93 <= covered(found, truth) <= 0.97


def test_bootstrap_over_scenarios_where_cases_of_a_scenario_agree() -> None:
    # 100 scenarios with two cases; the chance of a pair to change varies by scenario (beta), so the cases of a scenario are
    # alike; true difference 0.4 * 0.5 = 0.2 (half of the scenarios can change, with mean chance 0.4)
    rng = np.random.default_rng(0)
    chance = rng.beta(2, 3, size=(STUDIES, 100)) * rng.integers(0, 2, size=(STUDIES, 100))
    sums = rng.binomial(2, chance).astype(float)
    # one call: the studies stand side by side as quantities, each with its own 100 scenarios
    low, high = bootstrap_ratio(sums.T, np.full((100, STUDIES), 2.0), 0.95, draws=1000)
    assert 0.93 <= covered(list(zip(low, high, strict=True)), 0.2) <= 0.97


def seed_studies(n_seeds: int, seed_spread: float, rng: np.random.Generator) -> list[list[Units]]:
    """Two cases of 100 scenarios, each asked of every seed; seed and scenario both move the logit."""
    logit = -1 + seed_spread * rng.normal(size=(STUDIES, n_seeds, 1)) + rng.normal(size=(STUDIES, 1, 100))
    chance = np.repeat(logistic(logit), 2, axis=2)
    values = (rng.random(chance.shape) < chance).astype(float)
    scenarios, cases = np.repeat(np.arange(100), 2).astype(object), np.arange(200).astype(object)
    samples = np.zeros(200, dtype=np.int64)
    return [[Units(each, cases, samples, scenarios, 0, None) for each in study] for study in values]


@pytest.mark.parametrize(("n_seeds", "seed_spread"), [(3, 0.3), (5, 0.3), (5, 0.6), (10, 0.6)])
def test_a_rate_over_seeds(n_seeds: int, seed_spread: float) -> None:
    studies = seed_studies(n_seeds, seed_spread, np.random.default_rng(5))
    truth = mean_of_logistic(-1, (1 + seed_spread**2) ** 0.5)
    assert 0.93 <= covered([pooled_rate(study, 0.95)[1:] for study in studies], truth) <= 0.97


def test_a_difference_over_seeds() -> None:
    # five seeds against one untouched model with rate 0.3 on the same scenarios, which count in both alike
    rng = np.random.default_rng(6)
    scenario = rng.normal(size=(STUDIES, 1, 100))
    logit = 0.5 + 0.6 * rng.normal(size=(STUDIES, 5, 1)) + scenario
    after = rng.random((STUDIES, 5, 100)) < logistic(logit)
    before = rng.random((STUDIES, 1, 100)) < logistic(-1 + scenario)
    change = after.astype(float) - before.astype(float)
    truth = mean_of_logistic(0.5, (1 + 0.36) ** 0.5) - mean_of_logistic(-1, 1)
    names = [np.arange(100).astype(object)] * 5
    found = [pooled_mean(list(study), names, 0.95)[1:3] for study in change]
    assert 0.93 <= covered(found, truth) <= 0.97


def test_two_seeds_that_differ_are_too_few() -> None:
    # no claim of 95 %: seeds whose logits differ by 1 and of which there are two. What is held is said in docs/method.md
    studies = seed_studies(2, 1.0, np.random.default_rng(7))
    share = covered([pooled_rate(study, 0.95)[1:] for study in studies], mean_of_logistic(-1, 2**0.5))
    assert 0.85 <= share < 0.93
