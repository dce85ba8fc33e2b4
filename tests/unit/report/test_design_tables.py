"""Power, seeds and slopes as the report tells them."""

from __future__ import annotations

from pathlib import Path

from unfaithful_cot.records.tables import PooledRow, PowerRow, SlopeRow
from unfaithful_cot.report.measurement import pooled_table, power_table, slope_table
from unit.report.study_files import seen

LABELS = {"m": "Model M"}


def power(**given: object) -> PowerRow:
    plain = {"experiment": "evidence_toggle", "suite": "s", "quantity": "paired_difference", "unit": "case",
             "n_units": 200, "n_tests": 25, "alpha": 0.05, "power": 0.8, "assumed": 0.0, "effect": 0.062}  # fmt: skip
    return PowerRow(**(plain | given))


def pooled(**given: object) -> PooledRow:
    plain = {"experiment": "evidence_toggle", "grader": "rules", "model": "m", "corpus": "safe_cite", "n_documents": 1000, "n_seeds": 3, "seeds": "0 1 2", "suite": "s", "arm": "full",
             "metric": "unfaithful_rate", "value": 0.6, "ci_low": 0.4, "ci_high": 0.8, "n": 600, "n_scenarios": 100,
             "n_missing": 0, "reason": ""}  # fmt: skip
    return PooledRow(**(plain | given))


def slope(**given: object) -> SlopeRow:
    plain = {"experiment": "evidence_toggle", "grader": "rules", "n_scenarios": 100, "n_missing": 0, "model": "m", "corpus": "safe_cite", "suite": "s", "arm": "full", "metric": "accuracy", "slope": -0.1,
             "ci_low": -0.2, "ci_high": 0.05, "sizes": "500 1000", "n_seeds": 1, "n": 400, "method": "bootstrap over scenarios",
             "reason": ""}  # fmt: skip
    return SlopeRow(**(plain | given))


def test_a_row_a_unit_a_column_a_share() -> None:
    rows = [
        power(), power(assumed=0.05, effect=0.134), power(quantity="single_rate", power=None, effect=0.019),
        power(unit="scenario", n_units=100, effect=0.123), power(unit="scenario", n_units=100, assumed=0.05, effect=None),
    ]  # fmt: skip
    table = power_table(seen([], [], *rows))
    assert table.heads[3:5] == ("smallest rise, 0% fall by chance", "smallest rise, 5% fall by chance")
    assert table.rows[0].values == ("s", "200 cases (as if independent)", "25", "0.062", "0.134", "0.019")
    # nothing that can be found is said, not left out
    assert table.rows[1].values[1].startswith("100 scenarios") and table.rows[1].values[3:] == (
        "0.123",
        "none",
        "none",
    )


def test_seeds_are_told_with_their_interval_or_the_reason() -> None:
    table = pooled_table(
        seen([], [], pooled(), pooled(value=None, reason="1 of 3 seeds have no value"), labels=LABELS)
    )
    assert table.rows[0].values[0] == "safe_cite, 1,000"
    # what every row would say stands in the caption alone
    assert table.caption.endswith(": model Model M, suite s, arm full")
    assert table.heads == ("corpus, size", "metric", "value", "seeds", "n", "note")
    assert (
        "0.60" in table.rows[0].values[2]
        and "0.40" in table.rows[0].values[2]
        and table.rows[0].values[3] == "3 (0 1 2)"
    )
    assert table.rows[1].values[2] == "–" and table.rows[1].values[-1] == "1 of 3 seeds have no value"
    # metrics and arms beside the main ones stand in the file
    assert not pooled_table(
        seen([], [], pooled(metric="format_rate"), pooled(arm="relabelled"), labels=LABELS)
    ).rows


def test_a_slope_needs_two_sizes() -> None:
    table = slope_table(
        seen([], [], slope(), slope(corpus="neutral", sizes="1000", slope=None), labels=LABELS)
    )
    (row,) = table.rows
    assert row.values[2] == "−0.10 (−0.20 to +0.05)"
    assert row.values[-1] == "bootstrap over scenarios"


def test_the_report_shows_them(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "What this design can see" in text
    assert "Change with each doubling" in text
    assert "All training seeds" not in text  # one seed
