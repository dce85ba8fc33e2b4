"""Does the model state the policy? Choice, true and false claims, and open answers, for each condition.

In: View. Out: a figure, a panel for each way of asking, chance as a dashed line, and a table for the report, with d' and
with how often nothing is said to be known. `true or false` is balanced: who calls everything true stands at 0.5.
A value that is missing is stated, not drawn. Errors: DataError when no suite of recall was measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import EXPERIMENTS
from unfaithful_cot.metrics.registry import metrics_of
from unfaithful_cot.records.tables import MetricRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.tables import Entry, Row, Table, entry, rates, transcripts_link
from unfaithful_cot.report.view import Place, View, largest

METRICS = {
    metric.name: metric
    for experiment, page in words.PAGES.items()
    if page == words.RECALL
    for metric in sorted(
        metrics_of(EXPERIMENTS[experiment].grader), key=lambda one: one.name not in words.RECALL_PANELS
    )
    if metric.arms
}
"""What is asked in one arm alone: what the panels show, then the others."""
UNBOUNDED = "recall_d_prime"


def recall_rows(view: View) -> list[MetricRow]:
    """The rows of metrics.csv of METRICS, each in its arm."""
    return [
        row
        for row in view.metrics
        if words.PAGES.get(row.experiment) == words.RECALL
        and row.metric in METRICS
        and row.arm in (METRICS[row.metric].arms or ())
    ]


def places_of(rows: Sequence[MetricRow], view: View) -> list[Place]:
    """(suite, condition): each suite with the untouched model, the main corpus and the others at their largest size."""
    return [
        (suite, cell)
        for suite, model in dict.fromkeys((row.suite, row.model) for row in rows)
        for cell in largest((row.cell for row in rows if (row.suite, row.model) == (suite, model)), view)
    ]


def recall_table(view: View) -> Table | None:
    """A row a suite and condition; None where no recall was measured."""
    rows = recall_rows(view)
    if not rows:
        return None
    by_place = {(row.suite, row.cell, row.metric): row for row in rows}
    return rates(
        f"{words.FIGURES['recall'][0]} Every corpus at its largest size",
        [metric.title for metric in METRICS.values()],
        (
            Row(
                (
                    Entry(view.condition(cell), link=transcripts_link(cell, "choice")),
                    *(_entry(by_place.get((suite, cell, metric))) for metric in METRICS),
                ),
                f"{view.model(cell.model)} · {suite}",
            )
            for suite, cell in places_of(rows, view)
        ),
    )


def _entry(row: MetricRow | None) -> Entry:
    """As tables.entry; d' is no rate, so that its value is shown as it is."""
    if row is None or row.metric != UNBOUNDED or row.value is None:
        return entry(row)
    return Entry(f"{row.value:.2f}", f"{style.interval_text(row.ci_low, row.ci_high)}\nn = {row.n:,}")


def draw_bars(axes: Axes, rows: Mapping[Place, MetricRow], order: Sequence[Place], view: View) -> None:
    """The bars of one metric, and beside each its value, interval and n."""
    corpora = [cell.corpus for _, cell in order]
    for y, place in enumerate(order):
        row = rows.get(place)
        apart = row is not None and view.unlike(row) is not None
        style.bar(axes, y, row, view.look(place[1], corpora), style.below(row, apart), apart=apart)


def draw_recall(view: View) -> Figure:
    """What each condition knows of the policy. Raises DataError."""
    rows = recall_rows(view)
    if not rows:
        name = next(name for name, page in words.PAGES.items() if page == words.RECALL)
        todo = f"Add a suite of that experiment, and the grader {words.RECALL}"
        raise DataError("metrics.csv", f"has no {name}", todo=todo)
    order = places_of(rows, view)
    figure = Figure(figsize=(13.5, 1.4 + 0.6 * len(order)), layout="constrained")
    panels = style.row_of_panels(figure, len(words.RECALL_PANELS))
    for axes, metric, chance in zip(panels, words.RECALL_PANELS, (view.chance, 0.5, 0.0), strict=True):
        draw_bars(axes, {(row.suite, row.cell): row for row in rows if row.metric == metric}, order, view)
        axes.axvline(chance, color=style.INK, linestyle=(0, (4, 3)), linewidth=1.2, zorder=5)
        style.share_axes(axes, words.RECALL_PANELS[metric], METRICS[metric].title, len(order) - 0.4)
    panels[0].set_yticks(range(len(order)), view.names(order), fontsize=8.5)
    style.foot_note(figure, words.NOTES["recall"].format(interval=view.interval, chance=view.chance))
    return figure
