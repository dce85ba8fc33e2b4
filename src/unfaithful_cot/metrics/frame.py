"""Grade files as one table: a row for each response and grader, a column for each verdict.

In: paths of grades/{cell}/{suite}.{grader}.jsonl. Out: a pandas DataFrame with the columns KEYS, one column a verdict
(True, False, a string, or None) and one column `{verdict}?` with the reason where a verdict is None.
Lines are read one by one and only these fields are kept, so memory grows with responses, not with spans.
Errors: DataError for a wrong line, for a verdict that stands twice, for a case without its grades and for no grades at all.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.completeness import check_rows, check_verdicts, remake
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Setup

CONDITION = ["experiment", "model", "corpus", "n_documents", "seed"]
SWAPPED = "/swapped/"  # the folder of cases with prefilled reasoning, {cell}/{suite}.jsonl in it
Asked = dict[tuple[str, str, str], tuple[str, list[str]]]
"""(experiment, suite, whose they are) -> file and ids of the cases"""
KEYS = [*CONDITION, "suite", "arm", "scenario", "variant", "case", "sample", "response", "grader", "setup"]


def read_grades(
    paths: Sequence[str], cases: Sequence[str] = (), own: Sequence[str] = (), samples: int | None = None
) -> pd.DataFrame:
    """One row for each response and grader, in the order of the files.

    Args:
        paths: files of grades.
        cases: files of the cases that they must be complete for; suites that stand in none of them are not looked at.
        own: the same of cases that some of the files have to themselves: those of a cell, below a folder `swapped`, and
            those beside the grades of a teacher.
        samples: how often each case was asked; None where that is not known.
    """
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    setups: dict[str, Setup] = {}
    asked = _asked(cases, own)
    for path in paths:
        before, counts = len(rows), Counter[str]()
        for number, grade in enumerate(jsonl.iterate(path, Grade, "snakemake -R grade_responses"), 1):
            row = rows.get((grade.response, grade.grader))
            if row is None:
                row = rows[(grade.response, grade.grader)] = _keys(grade, setups)
            if grade.verdict in row:
                raise DataError(
                    f"{path}:{number}",
                    f"verdict {grade.verdict} of response {grade.response} by {grade.grader} stands there twice",
                    "One line a verdict",
                    "Name each grade file once; rerun: snakemake -R grade_responses",
                )
            row[sys.intern(grade.verdict)] = grade.value
            if grade.value is None:
                row[sys.intern(f"{grade.verdict}?")] = sys.intern(grade.reason or "no reason given")
            counts[grade.response] += 1
        if asked:
            check_verdicts(path, counts)
            _check_answered(path, list(islice(rows.values(), before, None)), asked, samples)
    if not rows:
        raise DataError(
            ", ".join(map(str, paths)) or "grades", "there are no grades", todo="Run: snakemake grade"
        )
    return pd.DataFrame(list(rows.values()))


def _asked(cases: Sequence[str], own: Sequence[str]) -> Asked:
    """The cases of these files. Whose they are: a cell, the folder of a teacher, nothing where all are asked the same."""
    found: Asked = {}
    for path in [*cases, *own]:
        folder = str(Path(path).parent)
        owner = "" if path in cases else folder.rpartition(SWAPPED)[2]
        for case in jsonl.read(path, Case, f"snakemake -R {path}"):
            found.setdefault((case.experiment, case.suite, owner), (path, []))[1].append(case.id)
    return found


def _check_answered(path: str, rows: Sequence[dict[str, Any]], asked: Asked, samples: int | None) -> None:
    """Every case that a file of grades is about has its rows."""
    if not rows:
        raise DataError(path, "the file is empty", "At least one grade", remake(path))
    place = rows[0]
    owners = Cell(*(place[name] for name in Cell._fields)).path, str(Path(path).parent), ""
    keys = [(place["experiment"], place["suite"], owner) for owner in owners]
    if key := next((key for key in keys if key in asked), None):
        file, cases = asked[key]
        found = {(row["case"], row["sample"]) for row in rows}
        check_rows(path, found, cases, file, samples, "graded responses")


def with_cases(table: pd.DataFrame, cases: Sequence[str]) -> pd.DataFrame:
    """The table with the columns `correct_letter` and `n_options` of each row's case; unchanged without case files.

    Raises: DataError for a wrong line of a case file. A case that stands in none of them has neither.
    """
    if not cases:
        return table
    known = read_cases(cases)
    letters = {name: case.correct for name, case in known.items() if case.options}
    options = {name: len(case.options) for name, case in known.items() if case.options}
    return table.assign(correct_letter=table["case"].map(letters), n_options=table["case"].map(options))


def read_cases(paths: Sequence[str]) -> dict[str, Case]:
    """The cases of these files by their ids. Raises: DataError for a wrong line."""
    return {
        case.id: case for path in paths for case in jsonl.iterate(path, Case, "snakemake -R generate_cases")
    }


def parts_of(
    table: pd.DataFrame, columns: list[str], sort: bool = True
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The rows that are alike in these columns, with their values by name; in the order of the rows where not sorted."""
    for values, part in table.groupby(columns, sort=sort):
        yield dict(zip(columns, values, strict=True)), part


def _keys(grade: Grade, setups: dict[str, Setup]) -> dict[str, Any]:
    condition = grade.condition.model_dump(include=set(CONDITION))
    values = {name: grade.__dict__[name] for name in KEYS if name in grade.__dict__ and name != "setup"}
    setup = setups.setdefault(grade.setup.model_dump_json(), grade.setup)
    return {
        key: sys.intern(value) if isinstance(value, str) else value
        for key, value in {**condition, **values, "setup": setup}.items()
    }
