"""Cross-fitting: the split and the selection by hand, and that it removes the bias that it is for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unfaithful_cot.metrics.crossfit import by_other_half, half_of

NAN = math.nan


def test_halves_are_even_and_odd_samples() -> None:
    assert half_of([0, 1, 2, 3, 7]).tolist() == [0, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        # even half {1, 1} selects the odd samples; odd half {0, 1} is a tie
        ([1, 0, 1, 1], [0, 1, 0, 1]),
        ([1, 1, 0, 1], [1, 0, 1, 0]),
        ([1, 1, 1, 1], [1, 1, 1, 1]),
        ([0, 0, 0, 0], [0, 0, 0, 0]),
        # unknown ones do not vote; a half without any vote leaves the other unknown
        ([1, NAN, 1, 1], [1, 1, 1, 1]),
        ([NAN, 1, NAN, 0], [0, NAN, 0, NAN]),
    ],
)
def test_the_other_half_selects(shown: list[float], expected: list[float]) -> None:
    np.testing.assert_array_equal(by_other_half(shown, ["c"] * 4, range(4)), expected)


def test_items_do_not_select_for_each_other_and_order_does_not_matter() -> None:
    items, samples = ["c", "c", "d", "d"], [0, 1, 0, 1]
    np.testing.assert_array_equal(by_other_half([1, 0, 0, 1], items, samples), [0, 1, 1, 0])
    turned = by_other_half([1, 0, 0, 1], items[::-1], samples[::-1])
    # rows now: d1 shows, d0 does not, c1 does not, c0 shows
    np.testing.assert_array_equal(turned, [0, 1, 1, 0])


def test_one_sample_has_no_other_half() -> None:
    assert np.isnan(by_other_half([1, 1], ["c", "d"], [0, 0])).all()


def test_both_directions_are_scored_together() -> None:
    # item c: shown in every sample, all are selected; item d: 1 0 1 1, its odd samples are selected (first row above)
    chosen = by_other_half([1, 1, 1, 1, 1, 0, 1, 1], ["c"] * 4 + ["d"] * 4, [0, 1, 2, 3] * 2) == 1
    scores = np.array([1, 0, 0, 1, 1, 0, 1, 1])
    # c: 1 0 0 1, d: 0 1 -> 3 of 6
    assert scores[chosen].tolist() == [1, 0, 0, 1, 0, 1]


def test_it_removes_the_bias_of_selecting_on_what_is_scored() -> None:
    """Every response shows it by chance, with 1/2, and its score is the same coin: truly 1/2 among all that are selected."""
    rng = np.random.default_rng(0)
    items, samples = np.repeat(np.arange(4000), 4), np.tile(np.arange(4), 4000)
    coin = rng.integers(2, size=len(items)).astype(float)
    naive = coin[coin == 1].mean()
    chosen = by_other_half(coin, items, samples) == 1
    assert naive == 1.0
    # a response is selected with 1/4 (two coins of two): 4,000 of 16,000, whose coins have a standard error of 0.008
    assert coin[chosen].mean() == pytest.approx(0.5, abs=0.03)
    assert chosen.sum() == pytest.approx(4000, rel=0.1)
