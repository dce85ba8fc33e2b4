"""Cross-fitting: the split, the selection and the average by hand, and that it removes the bias that it is for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unfaithful_cot.metrics.crossfit import by_other_half, crossfit, half_of

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
    found = crossfit([1, 1], [1, 0], ["c", "d"], [0, 0])
    assert (found.value, found.n) == (None, (0, 0))
    assert found.reason == "no scored response among the even samples is selected by the other half"


def test_both_directions_are_averaged() -> None:
    # item c, samples 0 to 3: shown 1 1 1 1; item d: shown 1 0 1 1, selected are its odd samples (first row above)
    shown = [1, 1, 1, 1, 1, 0, 1, 1]
    scores = [1, 0, 0, 1, 1, 0, 1, NAN]
    found = crossfit(shown, scores, ["c"] * 4 + ["d"] * 4, [0, 1, 2, 3] * 2)
    # even: c0 = 1, c2 = 0 -> 1/2. odd: c1 = 0, c3 = 1, d1 = 0 (d3 has no score) -> 1/3. (1/2 + 1/3) / 2 = 5/12
    assert found.n == (2, 3)
    assert found.value == pytest.approx(5 / 12)


def test_it_removes_the_bias_of_selecting_on_what_is_scored() -> None:
    """Every response shows it by chance, with 1/2, and its score is the same coin: truly 1/2 among all that are selected."""
    rng = np.random.default_rng(0)
    items, samples = np.repeat(np.arange(4000), 4), np.tile(np.arange(4), 4000)
    coin = rng.integers(2, size=len(items)).astype(float)
    naive = coin[coin == 1].mean()
    found = crossfit(coin, coin, items, samples)
    assert naive == 1.0
    # 4,000 items, a quarter selected a direction, 2 scores each: about 4,000 coins, standard error 0.008
    assert found.value == pytest.approx(0.5, abs=0.03)
    assert sum(found.n) == pytest.approx(4000, rel=0.1)
