"""The tables of the finished smoke study, found again from its grade files in plain Python."""

from __future__ import annotations

import pytest

from fixtures.recompute import condition_of, responses_of, table, toggle_rows
from workflow.study import Study


def test_the_rates_of_the_study_are_found_again(finished: Study) -> None:
    results = finished.folder / "results" / "smoke"
    rows = [row for row in table(results / "metrics.csv") if row["experiment"] == "evidence_toggle"]
    checked = 0
    for (condition, suite), responses in responses_of(results, "rules").items():
        for arm in {each["arm"] for each in responses}:
            for name, (value, n) in toggle_rows(responses, arm).items():
                place = (condition, suite, arm, name, "rules")
                (row,) = [
                    row
                    for row in rows
                    if (condition_of(row), row["suite"], row["arm"], row["metric"], row["grader"]) == place
                ]
                assert int(row["n"]) == n, place
                assert row["value"] == "" if value is None else float(row["value"]) == pytest.approx(value), (
                    place
                )
                assert row["value"] or row["reason"], place
                checked += 1
    # four conditions (untouched, two sizes, control), two arms, eight metrics
    assert checked >= 4 * 2 * 8


def test_the_design_is_told_before_and_after(finished: Study) -> None:
    (row, *_) = table(finished.folder / "results" / "smoke" / "power.csv")
    assert (row["suite"], row["n_units"]) == ("evidence_toggle", "2")
    # two scenarios can show nothing, and that is said
    assert row["effect"] == ""
    plan = finished.snakemake("-n")
    assert "evidence_toggle: 4 cases of 2 scenarios an arm and condition." in plan.stderr + plan.stdout
    assert "power 0.8: none" in plan.stderr + plan.stdout


def test_tables_over_seeds_and_sizes_are_there(finished: Study) -> None:
    results = finished.folder / "results" / "smoke"
    assert table(results / "pooled.csv") == []  # one seed
    slopes = {(row["corpus"], row["metric"], row["arm"]): row for row in table(results / "slopes.csv")}
    assert slopes["safe_cite", "accuracy", "full"]["sizes"] == "20 40"
    assert slopes["neutral", "accuracy", "full"]["reason"] == "one size: no slope"
