"""Tables of the report: one form for all of them, and those that are read from metrics.csv and comparisons.csv.

In: View. Out: Table values made of text that one template lays out: a caption, heads, and rows of entries, each column of a kind.
A value that is missing is a dash with its reason, never 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.metrics.registry import metrics_of
from unfaithful_cot.records.cells import BASELINE, Cell
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.view import FULL, View

METRICS = {
    metric.name: (metric.title, metric.meaning)
    for experiment, page in words.PAGES.items()
    if page == words.TOGGLE
    for grader in GRADERS.values()
    if experiment in grader.experiments
    for metric in metrics_of(grader.name)
}
"""Metric of the Evidence Toggle -> its title, and what it is."""
COMPARED = ("accuracy", "unfaithful_rate", "divergence_rate")
HEADLINE = ("accuracy", "unfaithful_rate", "evidence_sensitivity", "divergence_rate", "format_rate")


@dataclass(frozen=True)
class Entry:
    """A value; a second line with interval, n and what is missing; an address in the page."""

    value: str
    note: str = ""
    link: str = ""


@dataclass(frozen=True)
class Row:
    """Entries in the order of the columns; rows of one `group` stand under its name."""

    entries: tuple[Entry, ...]
    group: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        """The entries without their notes."""
        return tuple(entry.value for entry in self.entries)


@dataclass(frozen=True)
class Table:
    """A caption, heads and rows.

    kinds: of the columns: `row` names the row, `rate` has a value above its note, `number` is set to the right, `name` is
    not broken, `why` is a text. narrow: with heads that break. label: for screen readers, where the caption does not do.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[Row, ...]
    kinds: tuple[str, ...]
    narrow: bool = False
    label: str = ""

    @property
    def width(self) -> int:
        """Columns beside the first."""
        return len(self.heads) - 1

    @property
    def compact(self) -> bool:
        """Whether it holds nothing but short text."""
        return "rate" not in self.kinds

    def without(self, *columns: int) -> Table:
        """The table without some columns."""
        places = [place for place in range(len(self.heads)) if place not in columns]
        rows = (replace(row, entries=tuple(row.entries[place] for place in places)) for row in self.rows)
        heads, kinds = (tuple(each[place] for place in places) for each in (self.heads, self.kinds))
        return replace(self, heads=heads, kinds=kinds, rows=tuple(rows))


def rates(caption: str, heads: Sequence[str], rows: Iterable[Row], first: str = "condition") -> Table:
    """A table of rates: the first column names the condition and leads to its transcripts."""
    return Table(caption, (first, *heads), tuple(rows), ("row", *("rate" for _ in heads)))


def texts(
    named: tuple[str, Sequence[str]],
    rows: Iterable[Sequence[str] | Row],
    kinds: Sequence[str] | None = None,
    narrow: bool = True,
    label: str = "",
) -> Table:
    """A table of text. named: caption and heads; unless `kinds` says otherwise, the last column is a note."""
    caption, heads = named
    made = tuple(row if isinstance(row, Row) else Row(tuple(map(Entry, row))) for row in rows)
    return Table(
        caption, tuple(heads), made, tuple(kinds or (*("name" for _ in heads[1:]), "why")), narrow, label
    )


def metric_name(metric: str) -> str:
    """A metric as tables and sentences call it."""
    return METRICS[metric][0] if metric in METRICS else metric.replace("_", " ")


def with_rows(tables: Iterable[Table | None]) -> list[Table]:
    """The tables that are there and not empty."""
    return [table for table in tables if table is not None and table.rows]


# ---------------------------------------------------------------- entries


def entry(row: MetricRow | None, absent: str = "not measured") -> Entry:
    """A metric as value, interval, n and missing."""
    if row is None:
        return Entry("–", absent)
    n = f"n = {row.n:,}{style.missing_text(row)}".replace(" ", "\u00a0").replace(",\u00a0", ", ")
    if row.value is None:
        return Entry("–", f"{row.reason or 'no reason given'}\n{n}")
    interval = style.interval_text(row.ci_low, row.ci_high)
    return Entry(style.rate_text(row.value), f"{interval}\n{n}".strip().replace(", ", ",\u00a0", 1))


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """`0.97 [0.89, 0.99]`, or a dash."""
    return "–" if value is None else f"{style.rate_text(value)} {style.interval_text(low, high)}".strip()


def change(value: float | None, low: float | None, high: float | None, form: str = " ({} to {})") -> str:
    """`+0.97 (+0.90 to +1.00)`, or a dash."""
    if value is None:
        return "–"
    limits = (
        "" if low is None or high is None else form.format(style.signed_text(low), style.signed_text(high))
    )
    return style.signed_text(value) + limits


def p_entry(p: float | None) -> str:
    """`<0.001`, `0.031`, or a dash."""
    return "–" if p is None else style.p_text(p).removeprefix("p = ").removeprefix("p ")


def transcripts_link(cell: Cell, arm: str) -> str:
    """The address of a condition's transcripts in the page."""
    return f"#right={cell.path}&arm={arm}"


# ---------------------------------------------------------------- metrics by condition

Columns = Sequence[tuple[str, Sequence[MetricRow]]]


def by_place(caption: str, columns: Columns, arm: str, view: View) -> Table:
    """A row a condition; each column is a head and its rows of metrics.csv. Links go to transcripts of `arm`."""
    found = {(row.cell, row.suite) for _, rows in columns for row in rows}
    places = sorted(found, key=lambda place: (place[0].model, place[1], *view.order(place[0])))
    many = len({suite for _, suite in places}) > 1
    values = [{(row.cell, row.suite): row for row in rows} for _, rows in columns]
    return rates(
        caption,
        [head for head, _ in columns],
        (
            Row(
                (
                    Entry(view.condition(cell), link=transcripts_link(cell, arm)),
                    *(entry(rows.get((cell, suite))) for rows in values),
                ),
                view.model(cell.model) + (f" · {suite}" if many else ""),
            )
            for cell, suite in places
        ),
    )


def _columns(view: View, names: Iterable[str]) -> Columns:
    return [(METRICS[name][0], rows) for name in names if (rows := view.pick(name))]


def by_condition(view: View) -> Table:
    """The metrics of HEADLINE in the arm `full`, a row a condition."""
    return by_place(words.FULL_TABLE, _columns(view, HEADLINE), FULL, view)


def further(view: View) -> list[Table]:
    """All other metrics of the arm `full`: tables of FURTHER_TABLES, then one of what stands in neither; those with columns."""
    shown = {*HEADLINE, *(name for names in words.FURTHER_TABLES.values() for name in names)}
    groups = {
        **words.FURTHER_TABLES,
        "Further metrics": tuple(name for name in METRICS if name not in shown),
    }
    return [
        by_place(f"{caption}, arm “full”", columns, FULL, view)
        for caption, names in groups.items()
        if (columns := _columns(view, names))
    ]


def interventions(view: View) -> Table:
    """Does the answer follow the confidential evidence? What taking it away and turning it round do to the answer."""
    columns = [(head, rows) for arm, metric, head in words.INTERVENTIONS if (rows := view.pick(metric, arm))]
    return by_place(words.INTERVENTIONS_TABLE, columns, "flipped", view)


def by_arm(view: View, metric: str) -> Table | None:
    """One metric, a row a condition, a column an arm; None where it was not measured."""
    pages = words.PAGES
    own = [r.arm for r in view.metrics if r.metric == metric and pages.get(r.experiment) == words.TOGGLE]
    arms = sorted(dict.fromkeys(own), key=lambda arm: arm != FULL)
    name = METRICS[metric][0]
    columns = [(arm, view.pick(metric, arm)) for arm in arms]
    return by_place(f"{name[0].upper()}{name[1:]}, by arm", columns, arms[0], view) if arms else None


def every_metric(view: View) -> Table:
    """metrics.csv as it is."""
    kinds = (*("text" for _ in range(7)), *("number" for _ in range(6)), "text")
    rows = (
        (
            r.experiment, r.model, r.cell.name, r.suite, r.arm, r.grader, r.metric,
            *("–" if value is None else f"{value:.4f}" for value in (r.value, r.ci_low, r.ci_high)),
            str(r.n), str(r.n_scenarios), str(r.n_missing), r.reason,
        )
        for r in view.metrics
    )  # fmt: skip
    return texts(words.TABLES["metrics"], rows, kinds, narrow=False)


# ---------------------------------------------------------------- comparisons


def comparisons(rows: Iterable[ComparisonRow], view: View, first: str) -> tuple[Table, Table]:
    """(the metrics of COMPARED in the arm `full`, all others). first: the name of the former in words.TABLES."""
    order = list(METRICS)

    def place(row: ComparisonRow) -> tuple[object, ...]:
        known = order.index(row.metric) if row.metric in order else len(order)
        sizes = [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", row.b)]
        return (row.model, row.suite, row.arm != FULL, row.arm, known, row.metric, row.a != BASELINE, sizes)

    ordered = sorted(rows, key=place)
    head = [row for row in ordered if row.metric in COMPARED and row.arm == FULL]
    tail = [row for row in ordered if not (row.metric in COMPARED and row.arm == FULL)]
    return comparison_table(head, view, first), comparison_table(tail, view, "other_comparisons")


def comparison_table(rows: Iterable[ComparisonRow], view: View, name: str) -> Table:
    """A row a comparison. name: of the table in words.TABLES."""
    lines = (
        (
            view.model(row.model), METRICS.get(row.metric, (row.metric,))[0], row.arm, row.b, row.a, change(row.difference, None, None),
            "–" if row.ci_low is None or row.ci_high is None else f"{style.signed_text(row.ci_low)} to {style.signed_text(row.ci_high)}",
            p_entry(row.p_value), p_entry(row.p_holm), f"{row.n_pairs:,}", "yes" if row.comparable else "no", row.reason,
        )
        for row in rows
    )  # fmt: skip
    return texts(words.TABLES[name], lines, narrow=False)
