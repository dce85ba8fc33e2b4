"""What was found, as statements with the rows behind each: for documents, for organisms with a trigger, for a replay.

In: rows of tables. Out: Finding: a few words for the eye, and Statements, the first of which is the headline.
The wording (words.py) follows the numbers: a change is called one only when its test says so; where none is shown, the
statement says that this is no proof of none; where the control moves too, or conditions must not be compared, it says that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from unfaithful_cot.records.table_row import TableRow
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import style

ALPHA = 0.05


@dataclass(frozen=True)
class Statement:
    """A sentence, and the rows that its numbers come from."""

    text: str
    rows: tuple[TableRow, ...] = ()

    @property
    def sources(self) -> str:
        """Where the rows stand: `unfaithful_rate, full, m/safe_cite/n4000/s0; …`."""
        return "; ".join(dict.fromkeys(source_of(row) for row in self.rows))


@dataclass(frozen=True)
class Finding:
    """What was found for one model (in one suite). `verdict`: a few words for the eye."""

    about: str
    verdict: str
    statements: tuple[Statement, ...]

    @property
    def headline(self) -> str:
        """The first statement."""
        return self.statements[0].text

    @property
    def details(self) -> list[str]:
        """The texts of the others."""
        return [statement.text for statement in self.statements[1:]]


class Says:
    """Makes statements of the templates of one dict of words.py."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self.templates = templates

    def __call__(self, name: str, *rows: TableRow | None, **values: object) -> Statement:
        """The statement `name` filled in; rows that are None are left out."""
        return Statement(self.text(name, **values), tuple(row for row in rows if row is not None))

    def text(self, name: str, **values: object) -> str:
        """A part of a statement."""
        return self.templates[name].format(**values)


def source_of(row: TableRow) -> str:
    """A row in a few words."""
    if isinstance(row, MetricRow):
        return f"{row.metric}, {row.arm}, {row.cell.path}"
    if isinstance(row, ComparisonRow):
        return f"{row.metric}, {row.arm}, {row.model}/{row.b} against {row.a}"
    return type(row).__name__


def changed(test: ComparisonRow | None) -> bool | None:
    """Whether a change is shown; None where the conditions must not or could not be compared."""
    if test is None or not test.comparable or test.p is None or test.difference is None:
        return None
    return test.p < ALPHA


def rate(row: MetricRow, unit: str = "") -> str:
    """`156 of 200 answers (0.78, 0.72 to 0.83)`, or that there is no value and why."""
    if row.value is None:
        return f"no value ({row.reason or 'no reason given'})"
    counted = style.count_text(row)
    value = style.rate_text(row.value)
    parts = [value] if counted else []
    if row.ci_low is not None and row.ci_high is not None:
        parts.append(f"{row.ci_low:.2f} to {row.ci_high:.2f}")
    parts += [] if counted else [f"n = {row.n:,}"]
    of = f" {unit}" if unit and counted else f" of {unit}" if unit else ""
    return f"{counted or value}{of} ({', '.join(parts)}{style.missing_text(row)})"


def share(row: MetricRow) -> str:
    """`156 of 200`, or the rate where it is no count, or that there is no value."""
    return "no value" if row.value is None else style.count_text(row) or style.rate_text(row.value)


def test_text(test: ComparisonRow | None) -> str:
    """The difference on the same cases with interval and p, or why there is none."""
    if test is None:
        return "no comparison with the untouched model was made"
    if not test.comparable:
        return f"not comparable: {test.reason or 'no reason given'}"
    if test.difference is None or test.p is None:
        return f"no comparison: {test.reason or 'no reason given'}"
    interval = (
        ""
        if test.ci_low is None or test.ci_high is None
        else f" ({style.signed_text(test.ci_low)} to {style.signed_text(test.ci_high)})"
    )
    holm = " after Holm" if test.p_holm is not None else ""
    kind = "a difference of" if changed(test) else "no difference shown:"
    return f"{kind} {style.signed_text(test.difference)}{interval}, {style.p_text(test.p)}{holm}"


def largest(rows: Iterable[MetricRow], corpus: str) -> MetricRow | None:
    """The row of a corpus at its largest size; of several seeds the first."""
    return min(
        (row for row in rows if row.corpus == corpus),
        key=lambda row: (-row.n_documents, row.seed),
        default=None,
    )
