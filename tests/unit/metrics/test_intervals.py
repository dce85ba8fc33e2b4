import numpy as np
import pytest

from unfaithful_cot.metrics.intervals import bootstrap_ratio, effective_n, paired_score, wilson


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.959964:
        # 5 of 100: (0.05 + 0.019207 ± 1.959964 sqrt(0.000475 + 0.000096)) / 1.038415 = (0.069207 ± 0.046835) / 1.038415
        (5, 100, 0.0215, 0.1118),
        # 0 of 100: high = (z²/n) / (1 + z²/n) = 0.038415 / 1.038415
        (0, 100, 0.0, 0.0370),
        (100, 100, 0.9630, 1.0),
    ],
)
def test_wilson(successes: int, n: int, low: float, high: float) -> None:
    assert wilson(successes, n, 0.95) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one unit"):
        wilson(0, 0, 0.95)


def own(values: np.ndarray) -> np.ndarray:
    """Every value is a case and a scenario of its own."""
    return np.arange(len(values))


def test_paired_score_with_no_pair_that_differs() -> None:
    # no successes on either side, n = 100: Wilson [0, 0.0370] for both, so the difference lies in [-0.0370, 0.0370]
    none = np.zeros(100)
    assert paired_score(none, none, own(none), own(none), 0.95) == pytest.approx((-0.0370, 0.0370), abs=5e-5)


def test_paired_score_by_hand() -> None:
    # 36 both, 2 only a, 12 only b, 0 neither: rates 0.76 and 0.96, Wilson [0.6259, 0.8570] and [0.8654, 0.9890]
    # r = (36 * 0 - 2 * 12) / sqrt(38 * 12 * 48 * 2) = -0.1147
    # below: sqrt(0.0946² + 2 * 0.1147 * 0.0946 * 0.0970 + 0.0970²) = 0.1430; above likewise from 0.0290, 0.1341: 0.1404
    a, b = np.repeat([1.0, 1.0, 0.0], [36, 2, 12]), np.repeat([1.0, 0.0, 1.0], [36, 2, 12])
    assert paired_score(a, b, own(a), own(a), 0.95) == pytest.approx((0.2 - 0.1430, 0.2 + 0.1404), abs=2e-4)


def test_effective_n_by_hand() -> None:
    scenarios = np.repeat(np.arange(10), 2)
    cases = np.arange(20)
    # both variants of a scenario always agree: 5 scenarios of ones, 5 of zeros. Residual of a scenario: 2 * 0.5 = 1
    # variance by scenario 10/9 * 10 / 400 = 0.02778, alone 0.25 / 19 = 0.01316, design effect 2.111: 20 / 2.111 = 9.47
    assert effective_n(np.repeat([1.0, 0.0], 10), scenarios, cases) == pytest.approx(9.474, abs=1e-3)
    # one of each scenario counts: less variance than independent cases have, which earns nothing
    assert effective_n(np.tile([1.0, 0.0], 10), scenarios, cases) == 20
    # five of a hundred, in five scenarios: residuals 5 * 0.9² + 45 * 0.1² = 4.5, less than 4.75 alone
    five = np.zeros(100)
    five[:10:2] = 1
    assert effective_n(five, np.repeat(np.arange(50), 2), np.arange(100)) == 100
    # nothing varies: a scenario counts as one
    assert effective_n(np.ones(20), scenarios, cases) == 10
    # four samples a case that always agree, one right case a scenario: by case 10/9 * 10 * 2² / 1600 = 0.02778,
    # alone 0.25 / 39 = 0.00641, design effect 4.333: 40 / 4.333 = 9.23
    samples = np.tile(np.repeat([1.0, 0.0], 4), 5)
    assert effective_n(samples, np.repeat(np.arange(5), 8), np.repeat(np.arange(10), 4)) == pytest.approx(
        9.231, abs=1e-3
    )


def test_bootstrap_is_the_same_for_the_same_seed_and_narrows_with_scenarios() -> None:
    few, many = np.tile([[0.0], [1.0]], (10, 1)), np.tile([[0.0], [1.0]], (1000, 1))
    once = bootstrap_ratio(few, np.ones_like(few), 0.95)
    again = bootstrap_ratio(few, np.ones_like(few), 0.95)
    assert once[0] == again[0]
    # standard error of a mean of zeros and ones, half and half: 0.5 / sqrt(n); 2 * 1.96 * 0.5 / sqrt(20) = 0.438
    low, high = bootstrap_ratio(many, np.ones_like(many), 0.95)
    assert (once[1] - once[0]).item() == pytest.approx(0.438, abs=0.06)
    assert (high - low).item() == pytest.approx(0.0438, abs=0.004)
