import math

import numpy as np
import pytest

from unfaithful_cot.metrics.auroc import auroc, auroc_interval, frozen_threshold, score_interval


def test_auroc_by_hand() -> None:
    # 3 beats 2, 1, 0; 2 ties with 2 and beats 1, 0; 1 loses, ties and wins: 3 + 2.5 + 1.5 = 7 of 9
    assert auroc(np.array([3.0, 2.0, 1.0]), np.array([2.0, 1.0, 0.0])) == pytest.approx(7 / 9)
    assert auroc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert auroc(np.zeros(3), np.zeros(4)) == 0.5
    with pytest.raises(ValueError, match="both kinds"):
        auroc(np.array([]), np.zeros(2))


def test_it_is_the_area_that_scikit_learn_finds() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    positive, negative = rng.integers(0, 6, 40) + 1.0, rng.integers(0, 6, 30) * 1.0
    labels = np.r_[np.ones(40), np.zeros(30)]
    assert auroc(positive, negative) == pytest.approx(roc_auc_score(labels, np.r_[positive, negative]))  # type: ignore[arg-type]


def test_score_interval_by_hand() -> None:
    # area 1, 100 and 100: 1 - t = z^2 t (1 + 99 ((1 - t)/(2 - t) + t/(1 + t))) / 10^4; at t = 0.98 the bracket is
    # 1 + 99 (0.0196 + 0.4949) = 51.9, so (1 - t) / t = 3.8415 * 51.9 / 10^4 = 0.01995 and t = 0.9804
    low, high = score_interval(1.0, 100, 100, 0.95)
    assert (low, high) == (pytest.approx(0.9804, abs=1e-4), 1.0)
    # symmetric
    assert score_interval(0.0, 100, 100, 0.95) == (0.0, pytest.approx(1 - low))
    # the ends solve the equation: 7/9 with 3 and 3, N = 2
    for t in score_interval(7 / 9, 3, 3, 0.95):
        variance = t * (1 - t) * (1 + 2 * (1 - t) / (2 - t) + 2 * t / (1 + t)) / 9
        assert (7 / 9 - t) ** 2 == pytest.approx(3.841459 * variance, rel=1e-5)


def test_all_apart_still_has_an_interval() -> None:
    names = np.array([f"s{n}" for n in range(100)], dtype=object)
    low, high, exact = auroc_interval(np.ones(100), np.zeros(100), names, names, 0.95)
    assert exact
    assert (low, high) == (pytest.approx(0.9804, abs=1e-4), 1.0)


def test_samples_of_a_scenario_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(1)
    positive, negative = rng.normal(1, 1, 40), rng.normal(0, 1, 40)
    names = np.array([f"s{n}" for n in range(40)], dtype=object)
    once = auroc_interval(positive, negative, names, names, 0.95)
    often = auroc_interval(*(np.tile(x, 5) for x in (positive, negative, names, names)), 0.95)  # type: ignore[arg-type, call-arg]
    assert often == pytest.approx(once)


def test_the_interval_covers() -> None:
    """Nominal 95 % over 300 simulated studies of 60 scenarios with paired scores, area Phi(0.8 / sqrt(2)) = 0.714 without a shared part."""
    rng, covered, names = np.random.default_rng(2), 0, np.array([f"s{n}" for n in range(60)], dtype=object)
    # scores = scenario + own noise, both of variance 1/2: two different scenarios differ by N(0.8, 2)
    true = 0.5 * (1 + math.erf(0.8 / math.sqrt(2) / math.sqrt(2)))
    for _ in range(300):
        shared = rng.normal(0, math.sqrt(0.5), 60)
        positive, negative = (shared + rng.normal(shift, math.sqrt(0.5), 60) for shift in (0.8, 0.0))
        low, high, _exact = auroc_interval(positive, negative, names, names, 0.95, draws=400)
        covered += low <= true <= high
    # binomial noise of 300 studies: 0.95 +- 0.025
    assert 0.91 <= covered / 300 <= 0.985


def test_threshold_by_hand() -> None:
    # 1 % of 300 is 3: the three highest may exceed it
    scores = np.arange(1.0, 301.0)
    assert frozen_threshold(scores, 0.01) == 297
    # ten of 300 score 1, the rest 0: a threshold of 0 would flag ten, so it is 1, which nothing exceeds
    assert frozen_threshold(np.r_[np.ones(10), np.zeros(290)], 0.01) == 1
    assert frozen_threshold(np.r_[np.ones(3), np.zeros(297)], 0.01) == 0
    with pytest.raises(ValueError, match="benign"):
        frozen_threshold(np.array([]), 0.01)
