"""Graders swapped, agreement and comparability as the report tells them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.tables import AgreementRow, BandRow
from unfaithful_cot.report.measurement import (
    agreement_table,
    band_statements,
    band_tables,
    compared,
    measurement,
    unlike,
)
from unfaithful_cot.report.report import write_report
from unit.report.study_files import build_study, seen

LABELS = {"m": "Model M"}


def alike(**given: object) -> AgreementRow:
    plain = {"experiment": "evidence_toggle", "suite": "s", "arm": "all", "verdict": "correct", "graders": "published rules",
             "n_graders": 2, "alpha": 0.914, "ci_low": 0.8, "ci_high": 1.0, "agreement_rate": 0.98, "n": 400, "n_scenarios": 100,
             "n_missing": 3, "values": "False 40, True 760", "reason": ""}  # fmt: skip
    return AgreementRow(**(plain | given))


def band(**given: object) -> BandRow:
    plain = {"experiment": "evidence_toggle", "model": "m", "corpus": "safe_cite", "n_documents": 1000, "seed": 0, "suite": "s",
             "arm": "full", "metric": "unfaithful_rate", "grader": "rules", "value": 0.93, "low": 0.93, "high": 0.955, "low_grader": "rules", "high_grader": "published",
             "n_graders": 2, "values": "rules 0.9300, published 0.9550", "reason": ""}  # fmt: skip
    return BandRow(**(plain | given))


def band_texts(*rows: BandRow) -> list[str]:
    return [statement.text for statement in band_statements(seen([], [], *rows, labels=LABELS))]


def test_agreement_is_told_with_interval_n_and_the_values_given() -> None:
    table = agreement_table(
        seen(
            [],
            [],
            alike(),
            alike(arm="full", alpha=None, ci_low=None, ci_high=None, reason="all values are alike"),
        )
    )
    assert table.heads == ("verdict", "graders", "alpha", "alike", "responses", "values given", "note")
    assert tuple(row.values for row in table.rows) == (
        ("the answer is right", "published, rules", "0.91 [0.80, 1.00]", "0.98", "400, 3 missing", "False 40, True 760", ""),
    )  # fmt: skip
    by_arm = agreement_table(
        seen([], [], alike(), alike(arm="full", alpha=None, reason="all values are alike")), arms=True
    )
    # undefined is a dash with its reason, never 0
    assert (
        by_arm.rows[0].values[0] == "full"
        and by_arm.rows[0].values[3] == "–"
        and by_arm.rows[0].values[-1] == "all values are alike"
    )


def test_a_band_is_its_ends_with_every_grader_below() -> None:
    rows = [
        band(),
        band(corpus="baseline", n_documents=0, low=0.0, high=0.0, values="rules 0.0000, published 0.0000"),
    ]
    (table,) = band_tables(seen([], [], *rows, labels=LABELS))
    assert [row.values[0] for row in table.rows] == ["untouched model", "safe_cite, 1,000 documents"]
    assert [row.values[1] for row in table.rows] == ["0.00", "0.93 to 0.96"]
    assert table.rows[1].entries[1].note == "rules 0.93\npublished 0.96"


def test_the_headline_of_the_largest_size_is_said_in_words() -> None:
    rows = [band(n_documents=500), band(), band(corpus="neutral")]
    (said,) = band_texts(*rows)
    assert said == (
        "Model M, s, safe_cite, 1,000 documents: unfaithful, corrected moves between 0.93 and 0.96 over 2 graders "
        "(rules 0.93, published 0.96)."
    )
    (still,) = band_texts(band(low=0.93, high=0.93))
    assert "does not move over 2 graders" in still
    (none,) = band_texts(band(value=None, low=None, high=None, values="rules none"))
    assert "has no value by any grader (rules none)" in none


def test_unlike_pairs_are_said_once_with_their_reason(comparison) -> None:
    apart = {"comparable": False, "reason": "0 of 100 cases shared, instruction differs", "difference": None}
    rows = [comparison(), comparison(**apart), comparison(metric="accuracy", **apart)]
    assert compared(seen([], rows)).startswith("1 of 3 comparisons")
    assert unlike(seen([], rows, labels=LABELS)) == [
        "Model M, s: safe_cite/n4000/s0 and baseline: 0 of 100 cases shared, instruction differs"
    ]
    assert (
        compared(seen([], rows[:1])).startswith("All 1 ") and unlike(seen([], rows[:1], labels=LABELS)) == []
    )
    assert compared(seen()) == "No two conditions were compared."


def test_what_a_study_does_not_have_is_left_out() -> None:
    empty = measurement(seen(labels=LABELS))
    assert not empty.graded and not empty.power and not empty.together


def test_a_table_that_is_no_band_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "band.csv").write_text("experiment,model\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"band\.csv: has no column 'arm'.*snakemake -R measure_agreement"):
        BandRow.read(tmp_path / "band.csv")


def test_the_report_shows_the_band_and_hides_what_is_not_there(report: Path, study, tmp_path: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "The same rates by one grader or another, evidence_toggle" in text
    assert re.search(r"unfaithful, corrected (does not move|moves between .*) over 2 graders", text)
    assert "All 270 comparisons" in text and 'class="apart"' not in text
    bare = tmp_path / "bare.html"
    write_report(**(study | {"report": str(bare), "tables": study["tables"][:2]}))
    text = bare.read_text(encoding="utf-8")
    assert "No two graders gave the same verdict" in text
    assert "Which effects could this study see?" not in text and "Seeds together" not in text


def test_unlike_conditions_stand_apart_in_the_report(study, tmp_path: Path) -> None:
    paths = build_study(tmp_path, scenarios=2, other_prompt=True)
    out = tmp_path / "report.html"
    write_report(**(study | paths | {"report": str(out)}))
    found = re.search(r'<div class="apart">.*?</div>', out.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    # 3 sizes of safe_cite and the control, each against the untouched model
    assert found[0].count("baseline: instruction differs") == 4
