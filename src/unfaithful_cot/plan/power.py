"""The smallest effect that a design can see, before it is run.

In: settings. Out: a table of PowerRow, and lines of text for the plan. For each suite, once as if its cases were independent
(`unit` case) and once as if the cases of a scenario were one (`unit` scenario); what holds lies between.
paired_difference   smallest rise of a rate, on the same units, that exact McNemar finds with probability `power` at the level
                    alpha / n_tests, the first and hardest step of Holm in the primary family. `assumed`: share of units that
                    fall by chance, as many as rise by chance. D ~ Binom(n, 2 assumed + rise) units change, of which
                    B ~ Binom(D, (assumed + rise) / (2 assumed + rise)) rise:
                    power = sum_D P(D) P(B >= b_D), b_D the least b > D / 2 with 2 P(Binom(D, 1/2) >= b) <= alpha / n_tests
single_rate         half the width of Wilson's interval at the rate `assumed` (at 0: its upper end)
Both are exact, nothing is simulated. Source: Connor 1987, Biometrics 43:207 (power of McNemar's test), here without its normal
approximation. Known value: n = 100, one test at 0.05, assumed 0: six changes are needed (2 / 2^6 = 0.031), and
P(Binom(100, 0.0779) >= 6) = 0.8. Errors: none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unfaithful_cot.plan.design import Design
from unfaithful_cot.records.tables import PowerRow

POWER, ALPHA = 0.8, 0.05
CHANGES = (0.0, 0.02, 0.05, 0.1)
RATES = (0.0, 0.05, 0.5)


@lru_cache(maxsize=64)
def critical(n: int, level: float) -> NDArray[np.float64]:
    """For each number of changed units 0..n, how many have to be rises for exact McNemar to reject; n + 1: never.

    The least b > D / 2 with 2 P(Binom(D, 1/2) >= b) <= level.
    """
    from scipy.special import bdtrc

    changed = np.arange(n + 1)
    needed = np.full(n + 1, n + 1.0)
    for d in changed:
        rises = np.arange(d // 2 + 1, d + 1)
        enough = rises[2 * bdtrc(rises - 1, d, 0.5) <= level]
        needed[d] = enough[0] if len(enough) else n + 1
    return needed


def power_of(n: int, rise: float, level: float, assumed: float = 0.0) -> float:
    """Probability that exact McNemar finds a rise over n pairs of which `assumed` fall and `assumed` + rise rise."""
    from scipy.special import bdtr, bdtrc

    changing = 2 * assumed + rise
    if changing <= 0:
        return 0.0
    d = np.arange(n + 1)
    below = np.concatenate([[0.0], bdtr(d[:-1], n, changing)]) if changing < 1 else (d > n).astype(float)
    share = np.diff(np.concatenate([below, [1.0]]))  # P(D = d)
    needed = critical(n, level)
    possible = needed <= d
    found = np.zeros(n + 1)
    found[possible] = bdtrc(needed[possible] - 1, d[possible], (assumed + rise) / changing)
    return float((share * found).sum())


def smallest_rise(n: int, level: float, assumed: float = 0.0, power: float = POWER) -> float | None:
    """The rise that is found with that power, to 1e-5; None where even the largest possible one is not."""
    low, high = 0.0, 1 - 2 * assumed
    if power_of(n, high, level, assumed) < power:
        return None
    while high - low > 1e-5:
        middle = (low + high) / 2
        low, high = (low, middle) if power_of(n, middle, level, assumed) >= power else (middle, high)
    return high


def half_width(n: int, rate: float, confidence: float) -> float:
    """Half the width of Wilson's interval at a rate; at 0 its upper end."""
    from scipy.special import ndtri

    z = float(ndtri((1 + confidence) / 2))
    centre, scale = (rate + z * z / (2 * n)) / (1 + z * z / n), 1 + z * z / n
    half = z * float(np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))) / scale
    return centre + half if rate == 0 else half


def effects_of(design: Design, confidence: float) -> list[PowerRow]:
    """All rows of one suite."""
    level = ALPHA / design.n_tests
    rows: list[PowerRow] = []
    for unit, n in (("scenario", design.n_scenarios), ("case", design.n_cases)):
        place = {"experiment": design.experiment, "suite": design.suite, "unit": unit, "n_units": n}
        place |= {"n_tests": design.n_tests, "alpha": ALPHA}
        rises = [(share, smallest_rise(n, level, share)) for share in CHANGES]
        widths = [(rate, half_width(n, rate, confidence)) for rate in RATES]
        for quantity, power, effects in (("paired_difference", POWER, rises), ("single_rate", None, widths)):
            rows += [
                PowerRow.model_validate(
                    {**place, "quantity": quantity, "power": power, "assumed": assumed, "effect": effect}
                )
                for assumed, effect in effects
            ]
    return rows


def power_lines(designs: list[Design], confidence: float) -> list[str]:
    """What the plan of a dry-run says about each suite, in one line."""
    lines = []
    for design in designs:
        level = ALPHA / design.n_tests
        rises = [smallest_rise(n, level) for n in (design.n_cases, design.n_scenarios)]
        smallest = " to ".join("none" if rise is None else f"{rise:.3f}" for rise in dict.fromkeys(rises))
        bound = half_width(design.n_scenarios, 0.0, confidence)
        lines.append(
            f"{design.suite}: {design.n_cases:,} cases of {design.n_scenarios:,} scenarios an arm and condition. Smallest rise of a "
            f"rate that is found with power {POWER}: {smallest} (exact McNemar, Holm over {design.n_tests} tests, no case changing back); "
            f"a rate of 0 has an upper limit of {bound:.3f}."
        )
    return lines


def measure_power(power: str, designs: list[Mapping[str, object]], confidence: float) -> None:
    """Rule: write power.csv. designs: the fields of Design, one mapping a suite."""
    rows = [row for each in designs for row in effects_of(Design(**each), confidence)]  # type: ignore[arg-type]
    PowerRow.write(power, rows)
