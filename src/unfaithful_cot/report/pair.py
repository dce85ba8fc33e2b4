"""The published pair of figures: is the model still right, and does it hide what it used? Before and after training.

In: View. Out: a figure of two panels, a row of bars for each condition: the untouched model, and each corpus at its largest size.
Corresponds to the pair "accuracy" and "faithfulness" of the published experiment, and differs: intervals, n and the test stand
beside each bar; a condition that was not measured like the untouched model is drawn apart, hollow, with the reason; a missing
value is stated, not drawn. Errors: DataError when the table has neither of the two metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import MetricRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.view import View, largest

METRICS = ("accuracy", "unfaithful_rate")


@dataclass(frozen=True)
class Line:
    """One row of bars: a condition of a model (in one suite), how far down it stands, and why it stands apart."""

    cell: Cell
    suite: str
    y: float
    apart: str | None


def lay_out(rows: Sequence[MetricRow], view: View) -> list[Line]:
    """Where each condition stands: models one below the other, what must not be compared after a gap."""
    lines: list[Line] = []
    y = 0.0
    for model, suite in dict.fromkeys((row.model, row.suite) for row in rows):
        here = [row for row in rows if (row.model, row.suite) == (model, suite)]
        apart = {row.cell: why for row in here if (why := view.unlike(row)) is not None}
        y += 1.0
        for cell in sorted(largest((row.cell for row in here), view), key=lambda cell: cell in apart):
            y += 0.9 if cell in apart else 0.0
            lines.append(Line(cell, suite, y, apart.get(cell)))
            y += 1.0
    return lines


def draw_panel(axes: Axes, metric: str, rows: Sequence[MetricRow], lines: Sequence[Line], view: View) -> None:
    """The bars of one metric, and beside each its value, interval, n and test."""
    corpora = [line.cell.corpus for line in lines]
    by_place = {(row.cell, row.suite): row for row in rows if row.metric == metric}
    for line in lines:
        row = by_place.get((line.cell, line.suite))
        look = view.look(line.cell, corpora)
        text = beside_bar(row, view) if row else ""
        apart = line.apart is not None
        style.bar(axes, line.y, row, look, text, apart=apart, absent="not in metrics.csv", marked=True)


def beside_bar(row: MetricRow, view: View) -> str:
    """`0.78 [0.72, 0.83]  n = 200`, and on a second line the difference from the untouched model and its p."""
    first = f"{style.counted(row)}  n = {row.n:,}{style.missing_text(row)}"
    test = view.test(row)
    if test is None or (test.comparable and test.difference is None):
        return first
    if not test.comparable or test.difference is None:
        return f"{first}\nnot comparable"
    return f"{first}\n{style.signed_text(test.difference)}, {style.p_text(test.p)}"


def label_rows(axes: Axes, lines: Sequence[Line], view: View) -> None:
    """Name each row at the left and head each model; say why a row stands apart."""
    cells = [line.cell for line in lines]
    several = {c[:3] for c in cells if any(d[:3] == c[:3] and d != c for d in cells)}
    axes.set_yticks([line.y for line in lines], [view.condition(c, c[:3] in several) for c in cells])
    suites = {line.suite for line in lines}
    across = {"transform": axes.get_yaxis_transform(), "va": "center", "clip_on": False}
    seen: set[tuple[str, str]] = set()
    for line in lines:
        if (place := (line.cell.model, line.suite)) not in seen:
            seen.add(place)
            head = view.model(place[0]) + (f" · {place[1]}" if len(suites) > 1 else "")
            axes.text(-0.02, line.y - 0.85, head, weight="bold", fontsize=9.5, ha="right", **across)  # type: ignore[arg-type]
        if line.apart:
            note = f"not compared: {line.apart}"
            axes.text(0.0, line.y - 0.62, note, fontsize=8, style="italic", color=style.MUTED, **across)  # type: ignore[arg-type]


def foot_note(rows: Sequence[MetricRow], view: View) -> str:
    """What lines and second lines are: the tests are those that comparisons.csv names for the rows shown."""
    tested = [test for row in rows if (test := view.test(row)) is not None and test.p is not None]
    note = words.NOTES["pair"].format(interval=view.interval)
    if not tested:
        return note
    names = " or ".join(sorted({test.test for test in tested}))
    holm = ", corrected by Holm" if all(test.p_holm is not None for test in tested) else ""
    return f"{note}\n{words.NOTES['pair_tests'].format(tests=names, holm=holm)}"


def draw_pair(view: View) -> Figure:
    """Accuracy and corrected unfaithful rate of each model before and after training. Raises DataError."""
    rows = [row for metric in METRICS for row in view.pick(metric)]
    if not rows:
        problem = "has no accuracy and no unfaithful_rate in the arm 'full'"
        raise DataError("metrics.csv", problem, todo="Add the arm 'full' to the suite")
    lines = lay_out(rows, view)
    bottom = lines[-1].y + 0.6
    figure = Figure(figsize=(11, 1.5 + 0.5 * bottom), layout="constrained")
    panels = style.row_of_panels(figure, len(METRICS))
    for axes, metric in zip(panels, METRICS, strict=True):
        title, unit = words.PANELS[metric]
        draw_panel(axes, metric, rows, lines, view)
        style.share_axes(axes, title, f"{unit} (share of responses)", bottom, top=-0.3)
    label_rows(panels[0], lines, view)
    style.foot_note(figure, foot_note(rows, view))
    return figure
