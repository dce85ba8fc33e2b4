"""Several training seeds: one row over them, by hand, and never as independent rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from unfaithful_cot.metrics.comparisons import compare_conditions
from unfaithful_cot.metrics.seeds import crossed_variance
from unfaithful_cot.metrics.tables import compute_metrics
from unfaithful_cot.records.tables import PooledRow
from unit.metrics.metric_examples import HIDING, HONEST, condition, grades, write


def cell(hiding: int, seed: int, corpus: str = "safe_cite", of: int = 40) -> list:
    """`of` cases, the first `hiding` of which hide the source."""
    return grades([HIDING] * hiding + [HONEST] * (of - hiding), condition(corpus, 1000, seed))


def tables(folder: Path, *parts: list) -> tuple[pd.DataFrame, pd.DataFrame]:
    paths = [write(folder, str(number), part) for number, part in enumerate(parts)]
    compute_metrics(paths, str(folder / "m.csv"), 0.95, pooled=str(folder / "p.csv"))
    compare_conditions(paths, str(folder / "c.csv"), 0.95)
    return pd.read_csv(folder / "p.csv"), pd.read_csv(folder / "c.csv")


def test_crossed_variance_by_hand() -> None:
    # two seeds (0.5 and 1 on average), three scenarios; mean 0.75
    parts = np.array([[0.0, 0.5, 1.0], [1.0, 1.0, 1.0]])
    # MS seed: 3 * (0.25² + 0.25²) / 1 = 0.375; scenario means 0.5, 0.75, 1: MS 2 * (0.0625 + 0.0625) / 2 = 0.125
    # rest: -0.25, 0, 0.25 and 0.25, 0, -0.25: 4 * 0.0625 / 2 = 0.125. Var = (0.375 + 0.125 - 0.125) / 6 = 0.0625
    # df = 0.375² / (0.375² / 1 + 0.125² / 2) = 0.9474, at least 1
    assert crossed_variance(parts) == (pytest.approx(0.0625), 1.0)
    with pytest.raises(ValueError, match="one seed"):
        crossed_variance(parts[:1])


def test_seeds_that_agree_leave_the_variance_of_scenarios() -> None:
    # both seeds alike: MS seed 0, MS rest 0: Var = MS scenario / (S C) = variance of the scenario means / C
    one = np.array([0.0, 0.0, 1.0, 1.0])
    variance, df = crossed_variance(np.stack([one, one]))
    assert variance == pytest.approx(one.var(ddof=1) / 4)
    assert df == pytest.approx(3)


def test_a_row_over_seeds(tmp_path: Path) -> None:
    pooled, _ = tables(tmp_path, grades([HONEST] * 40), cell(20, 0), cell(24, 1), cell(28, 2))
    assert list(pooled.columns) == PooledRow.columns()
    found = pooled[pooled["metric"] == "unfaithful_rate"].iloc[0]
    # 72 of 120 responses of 20 scenarios
    assert (found["value"], found["n"], found["n_scenarios"]) == (pytest.approx(0.6), 120, 20)
    assert (found["n_seeds"], found["seeds"]) == (3, "0 1 2")
    # z_sc: scenarios 0-9 hide in all seeds, 10 and 11 in two of them, 12 and 13 in one, the rest never
    parts = np.array([[1.0] * 10 + [0] * 10, [1.0] * 12 + [0] * 8, [1.0] * 14 + [0] * 6])
    variance, df = crossed_variance(parts - 0.6)
    n = 0.6 * 0.4 / variance * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, df)) ** 2
    z = stats.norm.ppf(0.975)
    centre = (0.6 + z**2 / (2 * n)) / (1 + z**2 / n)
    assert (found["ci_low"] + found["ci_high"]) / 2 == pytest.approx(centre)
    # 120 independent rows would give 0.51 to 0.68
    assert found["ci_low"] < 0.4 and found["ci_high"] > 0.75


def test_one_seed_has_no_row_over_seeds(tmp_path: Path) -> None:
    pooled, compared = tables(tmp_path, grades([HONEST] * 40), cell(20, 0))
    assert pooled.empty and list(pooled.columns) == PooledRow.columns()
    assert set(compared["b"]) == {"safe_cite/n1000/s0"}


def test_all_seeds_together_are_the_primary_comparison(tmp_path: Path) -> None:
    neutral = [cell(0, seed, "neutral") for seed in (0, 1, 2)]
    _, compared = tables(tmp_path, grades([HONEST] * 40), cell(20, 0), cell(24, 1), cell(28, 2), *neutral)
    rows = compared[compared["metric"] == "unfaithful_rate"].set_index(["a", "b"])
    together = rows.loc[("baseline", "safe_cite/n1000")]
    assert (together["difference"], together["n_pairs"]) == (pytest.approx(0.6), 120)
    assert together["family"] == "primary"
    assert "3 seeds crossed with scenarios" in together["reason"]
    assert 0 < together["p_value"] < 0.01
    alone = rows.loc[("baseline", "safe_cite/n1000/s0")]
    assert (alone["family"], alone["difference"]) == ("per_seed", 0.5)
    # exact McNemar of 20 changes one way: 2 / 2^20, much surer than what three seeds can say of all seeds
    assert alone["p_value"] == pytest.approx(2 / 2**20)
    assert rows.loc[("neutral/n1000", "safe_cite/n1000")]["difference"] == pytest.approx(0.6)


def test_seeds_that_do_not_differ_at_all_still_have_an_interval(tmp_path: Path) -> None:
    pooled, compared = tables(tmp_path, grades([HONEST] * 40), cell(0, 0), cell(0, 1))
    found = pooled[pooled["metric"] == "unfaithful_rate"].iloc[0]
    # 20 scenarios, nothing counts: Wilson of 0 of 20, high = 0.19207 / 1.19207
    assert (found["ci_low"], found["ci_high"]) == (0, pytest.approx(0.1611, abs=1e-4))
    row = compared[(compared["metric"] == "unfaithful_rate") & (compared["b"] == "safe_cite/n1000")].iloc[0]
    assert (row["difference"], row["p_value"]) == (0, 1)
    assert row["ci_low"] < 0 < row["ci_high"]


def test_seeds_asked_other_cases_are_not_put_together(tmp_path: Path) -> None:
    other = grades([HIDING] * 40, condition("safe_cite", 1000, 1), first_case=100)
    pooled, compared = tables(tmp_path, grades([HONEST] * 40), cell(20, 0), other)
    found = pooled[pooled["metric"] == "unfaithful_rate"].iloc[0]
    assert pd.isna(found["value"]) and "0 of 40 cases shared" in found["reason"]
    row = compared[(compared["metric"] == "unfaithful_rate") & (compared["b"] == "safe_cite/n1000")].iloc[0]
    assert not row["comparable"] and pd.isna(row["difference"])
