"""A class a CSV: what is written is what is read, and what does not belong is named with its line."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from unfaithful_cot.config.documentation import TABLES
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.table_row import TableRow
from unfaithful_cot.records.tables import CategoryRow, ComparisonRow, MetricRow, ReplayMetricRow

ROOT = Path(__file__).resolve().parents[3]
ROW = MetricRow(
    experiment="evidence_toggle", model="m", corpus="safe_cite", n_documents=4000, seed=0, suite="s", arm="full",
    metric="accuracy", value=1 / 3, ci_low=None, ci_high=0.5, n=200, n_scenarios=100, n_missing=0, grader="rules",
    reason='a "quoted", cell',
)  # fmt: skip
COMPARISON = ComparisonRow(
    experiment="evidence_toggle", metric="accuracy", model="m", a="baseline", b="safe_cite/n4000/s0", difference=-0.1,
    ci_low=-0.2, ci_high=0.0, p_value=1.0, p_holm=None, n_pairs=200, comparable=False, reason="", suite="s", arm="full",
    grader="rules", family="per_seed", p_scenarios=0.5,
)  # fmt: skip


@pytest.mark.parametrize("row", [ROW, COMPARISON])
def test_what_is_written_is_what_is_read(tmp_path: Path, row: TableRow) -> None:
    path = tmp_path / "table.csv"
    type(row).write(path, [row, row])
    assert type(row).read(path) == [row, row]


def test_floats_are_written_in_full_and_missing_values_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    MetricRow.write(path, [ROW])
    assert path.read_text(encoding="utf-8").splitlines()[1] == (
        "evidence_toggle,m,safe_cite,4000,0,s,full,accuracy,0.3333333333333333,,0.5,200,100,0,rules,"
        '"a ""quoted"", cell"'
    )


def test_a_pandas_table_gives_the_same_bytes_whatever_the_order_of_its_columns(tmp_path: Path) -> None:
    MetricRow.write(tmp_path / "rows.csv", [ROW, ROW.model_copy(update={"value": None, "reason": ""})])
    frame = MetricRow.frame([ROW, dict(ROW) | {"value": np.nan, "reason": None, "n": np.int64(200)}])
    MetricRow.write_frame(tmp_path / "frame.csv", frame[frame.columns[::-1]])
    assert (tmp_path / "frame.csv").read_bytes() == (tmp_path / "rows.csv").read_bytes()


def test_the_category_stands_behind_the_arm() -> None:
    columns = CategoryRow.columns()
    assert columns[columns.index("arm") + 1] == "category" and sorted(columns) == sorted(
        CategoryRow.model_fields
    )
    assert ReplayMetricRow.columns() == [*MetricRow.columns(), "condition"]


def broken(folder: Path, old: str, new: str) -> Path:
    """The table of ROW with one text in the place of another."""
    path = folder / "metrics.csv"
    MetricRow.write(path, [ROW])
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",grader,", ",grade,", r"metrics\.csv: has no column 'grader'. Columns: experiment, model"),
        ("reason\n", "reason,valeu\n", r"metrics\.csv: has a column 'valeu'. Known: .* Did you mean 'value'\?"),
        (",arm,", ",suite,", r"metrics\.csv: has no column 'arm'"),
        ("reason\n", "reason,arm\n", r"metrics\.csv: has twice the column 'arm'"),
        ("0.3333333333333333", "a third", r"metrics\.csv:2: value is 'a third'. Input should be a valid number"),
        (",200,", ",200.5,", r"metrics\.csv:2: n is '200.5'. Input should be a valid integer"),
        (",200,", ",-1,", r"metrics\.csv:2: n is '-1'. Input should be greater than or equal to 0"),
        (",200,", ",,", r"metrics\.csv:2: n is ''. Input should be a valid integer"),
        (",rules,", ",,", r"metrics\.csv:2: grader is ''. Input should be a valid string"),
        (",200,100,", ",200100,", r"metrics\.csv:2: has 15 fields. 16, as in line 1"),
    ],
)  # fmt: skip
def test_what_does_not_belong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(DataError, match=message + r".*Rerun: snakemake -R compute_metrics"):
        MetricRow.read(broken(tmp_path, old, new))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_bytes(b"experiment,\xff\n")
    with pytest.raises(DataError, match=r"metrics\.csv: is no CSV in UTF-8"):
        MetricRow.read(tmp_path / "metrics.csv")


def test_every_table_names_a_rule_and_every_column_its_type() -> None:
    rules = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk")
    )
    for path, table in TABLES.items():
        assert re.search(rf"^(use )?rule .*\b{table.made_by}\b", rules, re.M), path
        assert table.columns() and sorted(table.columns()) == sorted(table.model_fields)


def test_every_csv_of_the_workflow_is_a_class() -> None:
    known = {Path(path).name for path in TABLES}
    files = [*(ROOT / "workflow" / "rules").glob("*.smk"), ROOT / "src/unfaithful_cot/plan/files.py"]
    named = {name for file in files for name in re.findall(r"\w+\.csv", file.read_text(encoding="utf-8"))}
    assert "metrics.csv" in named and named <= known
