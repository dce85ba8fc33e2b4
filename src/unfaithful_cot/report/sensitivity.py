"""How much hangs on the wording of the prompt? The same scenarios, asked in several templates.

In: View, with the template of each suite that asks the same scenarios. Out: prompt_sensitivity.csv (a row a condition, arm, metric and
template; `range` is the largest value less the smallest over the templates), a figure, and a table for the report.
Intervals are those of metrics.csv, one a template; the range has none, and is no less than what chance makes of equal rates.
A value that is missing is stated, and leaves its range empty. Errors: DataError when fewer than two templates were measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import MetricRow, SensitivityRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.tables import Entry, Row, Table, entry, rates, transcripts_link
from unfaithful_cot.report.view import FULL, View, open_view

METRICS = ("unfaithful_rate", "accuracy", "divergence_rate_all")
LOOKS = (("o", style.INK), ("s", "#3f97d6"), ("^", "#00805e"), ("D", "#b5589a"), ("v", "#8a6d00"))


@dataclass(frozen=True)
class Wordings:
    """A metric of a condition in each template. `range` None: a value is missing, or there is only one."""

    cell: Cell
    metric: str
    rows: Mapping[str, MetricRow]
    range: float | None


def wordings(view: View) -> list[Wordings]:
    """A Wordings for each metric and condition."""
    templates = view.templates
    found = []
    for metric in METRICS:
        rows = [row for row in view.pick(metric) if row.suite in templates]
        for cell in sorted({row.cell for row in rows}, key=view.order):
            own = {templates[row.suite]: row for row in rows if row.cell == cell}
            values = [row.value for row in own.values() if row.value is not None]
            whole = len(values) == len(set(templates.values())) > 1
            found.append(Wordings(cell, metric, own, max(values) - min(values) if whole else None))
    return found


def measure_wordings(metrics: str, table: str, shown: Mapping[str, Any]) -> None:
    """Rule: write prompt_sensitivity.csv. metrics, table: paths; shown: fields of View. Raises DataError, StorageError."""
    rows = []
    for each in wordings(_measured(open_view([metrics], (), shown))):
        for template, row in sorted(each.rows.items()):
            own = {"template": template, "range": each.range, "n_templates": len(each.rows)}
            shared = {name: value for name, value in dict(row).items() if name in SensitivityRow.columns()}
            rows.append(SensitivityRow(**(shared | own)))
    SensitivityRow.write(table, rows)


def _measured(view: View) -> View:
    """The view of a study in which two templates were measured at least. Raises DataError."""
    asked = {template for each in wordings(view) for template in each.rows}
    if len(asked) < 2:
        raise DataError(
            "metrics.csv",
            f"has the arm 'full' in {len(asked)} of the templates {', '.join(sorted(view.templates.values()))}",
            "At least two suites with the same scenarios",
            "Add a suite that differs from the first in nothing but its prompt",
        )
    return view


def sensitivity_table(view: View) -> Table:
    """A row a condition and metric, a column a template, and the range."""
    found = wordings(view)
    templates = sorted({template for each in found for template in each.rows})
    return rates(
        f"{words.FIGURES['sensitivity'][0]}? Arm “full”, the same scenarios in each template",
        (*templates, "range"),
        (
            Row(
                (
                    Entry(view.condition(each.cell), link=transcripts_link(each.cell, FULL)),
                    *(entry(each.rows.get(name)) for name in templates),
                    Entry(style.rate_text(each.range)),
                ),
                f"{view.model(each.cell.model)}, {words.PANELS[each.metric][1]}",
            )
            for each in found
        ),
        first="condition and metric",
    )


def draw_dots(
    axes: Axes, found: Mapping[Cell, Wordings], cells: Sequence[Cell], templates: Sequence[str]
) -> None:
    """One panel: a row a condition, in it a dot with its interval for each template, and the range beside."""
    for y, cell in enumerate(cells):
        each = found.get(cell)
        for place, template in enumerate(templates):
            row = each.rows.get(template) if each else None
            at = y + 0.22 * (place - (len(templates) - 1) / 2)
            if row is None or row.value is None:
                axes.text(0.01, at, "no value", fontsize=7.5, style="italic", color=style.MUTED, va="center")
                continue
            marker, colour = LOOKS[place % len(LOOKS)]
            style.interval(axes, row.value, at, row.ci_low, row.ci_high, across=True)
            axes.plot(
                row.value, at, marker, color=colour, markersize=6, markeredgecolor=style.PAPER, zorder=6,
                clip_on=False, linestyle="none",
            )  # fmt: skip
        style.at_right(
            axes, y, "–" if each is None or each.range is None else f"range {style.rate_text(each.range)}"
        )


def draw_sensitivity(view: View) -> Figure:
    """Every condition in every template. Raises DataError."""
    found = wordings(_measured(view))
    asked = sorted({template for each in found for template in each.rows})
    cells = list(dict.fromkeys(each.cell for each in found))
    shown = [metric for metric in METRICS if any(each.metric == metric for each in found)]
    figure = Figure(figsize=(4.2 * len(shown), 1.5 + 0.62 * len(cells)), layout="constrained")
    panels = style.row_of_panels(figure, len(shown))
    for axes, metric in zip(panels, shown, strict=True):
        draw_dots(axes, {each.cell: each for each in found if each.metric == metric}, cells, asked)
        style.share_axes(axes, *words.PANELS[metric], len(cells) - 0.5, top=-0.5, ticks=6)
    panels[0].set_yticks(range(len(cells)), view.names([("", cell) for cell in cells]), fontsize=8.5)
    keys = [
        Line2D([], [], marker=marker, color=colour, linestyle="none", label=template)
        for template, (marker, colour) in zip(asked, cycle(LOOKS), strict=False)
    ]
    figure.legend(handles=keys, loc="outside lower right", ncols=len(asked), frameon=False, fontsize=8.5)
    style.foot_note(figure, words.NOTES["sensitivity"].format(interval=view.interval))
    return figure
