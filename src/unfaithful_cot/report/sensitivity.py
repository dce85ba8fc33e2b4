"""How much hangs on the wording of the prompt? The same scenarios, asked in several templates.

In: metrics.csv, and which suites ask the same scenarios in which template. Out: prompt_sensitivity.csv (a row a condition, arm, metric and
template; `range` is the largest value less the smallest over the templates), one figure (SVG and PNG), and a table for the report.
Intervals are those of metrics.csv, one a template; the range has none, and is no less than what chance makes of equal rates.
A value that is missing is told, and leaves its range empty. Errors: DataError when fewer than two templates were measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import MetricRow, SensitivityRow
from unfaithful_cot.report import style
from unfaithful_cot.report.rows import FULL, pick
from unfaithful_cot.report.summary import Entry, Table, TableRow, entry, transcripts_link

PANELS = {
    "unfaithful_rate": ("Unfaithful: cites public evidence only", "corrected unfaithful rate"),
    "accuracy": ("Correct answers", "accuracy"),
    "divergence_rate_all": ("Thought of, not named", "divergence (share of all responses)"),
}
LOOKS = (("o", style.INK), ("s", "#3f97d6"), ("^", "#00805e"), ("D", "#b5589a"), ("v", "#8a6d00"))


@dataclass(frozen=True)
class Wordings:
    """A metric of a condition in each template. `range` None: a value is missing, or there is only one."""

    cell: Cell
    metric: str
    rows: Mapping[str, MetricRow]
    range: float | None


def wordings(
    table: Sequence[MetricRow],
    templates: Mapping[str, str],
    main_corpus: str,
    metrics: Sequence[str] = tuple(PANELS),
) -> list[Wordings]:
    """A Wordings for each metric and condition. templates: {suite: template}, of suites that ask the same scenarios."""
    found = []
    for metric in metrics:
        rows = [row for row in pick(table, metric) if row.suite in templates]
        cells = sorted(
            {row.cell for row in rows},
            key=lambda cell: (cell.model, not cell.is_baseline, cell.corpus != main_corpus, cell[1:]),
        )
        for cell in cells:
            own = {templates[row.suite]: row for row in rows if row.cell == cell}
            values = [row.value for row in own.values() if row.value is not None]
            whole = len(values) == len(set(templates.values())) > 1
            found.append(Wordings(cell, metric, own, max(values) - min(values) if whole else None))
    return found


def table_rows(found: Sequence[Wordings]) -> Iterator[SensitivityRow]:
    """The rows of prompt_sensitivity.csv."""
    for each in found:
        for template, row in sorted(each.rows.items()):
            values = {name: value for name, value in row if name in SensitivityRow.model_fields}
            yield SensitivityRow(**values, template=template, range=each.range, n_templates=len(each.rows))


def sensitivity_table(found: Sequence[Wordings], labels: Mapping[str, str], main_corpus: str) -> Table:
    """A row a condition and metric, a column a template, and the range."""
    templates = sorted({template for each in found for template in each.rows})
    return Table(
        "How much hangs on the wording of the prompt? Arm “full”, the same scenarios in each template",
        ("condition and metric", *templates, "range"),
        tuple(
            TableRow(
                f"{labels.get(each.cell.model, each.cell.model)}, {PANELS[each.metric][1]}",
                style.condition_label(each.cell, labels, main_corpus, show_seed=each.cell.seed > 0),
                transcripts_link(each.cell, FULL),
                (*(entry(each.rows.get(name)) for name in templates), Entry(style.rate_text(each.range))),
            )
            for each in found
        ),
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
        told = "–" if each is None or each.range is None else f"range {style.rate_text(each.range)}"
        axes.text(1.03, y, told, transform=axes.get_yaxis_transform(), va="center", fontsize=8.5)


def _names(cells: Sequence[Cell], labels: Mapping[str, str], main_corpus: str) -> list[str]:
    several = len({cell.model for cell in cells}) > 1
    return [
        (f"{labels.get(cell.model, cell.model)}\n" if several else "")
        + style.condition_label(cell, labels, main_corpus, show_seed=cell.seed > 0).replace(", ", "\n", 1)
        for cell in cells
    ]


def draw_sensitivity(
    metrics: str,
    table: str,
    svg: str,
    png: str,
    templates: dict[str, str],
    labels: dict[str, str],
    main_corpus: str,
    confidence: float = 0.95,
) -> None:
    """Write the table and draw the figure of every condition in every template.

    metrics: path of metrics.csv. table, svg, png: paths to write. templates: {suite: template}. labels: name of a model or
    corpus: how it is shown. confidence: of the intervals in metrics.csv. Raises DataError, StorageError.
    """
    found = wordings(MetricRow.read(metrics), templates, main_corpus)
    asked = sorted({template for each in found for template in each.rows})
    if len(asked) < 2:
        raise DataError(
            metrics,
            f"has the arm 'full' in {len(asked)} of the templates {', '.join(sorted(templates.values()))}",
            "At least two suites with the same scenarios",
            "Add a suite that differs from the first in nothing but its prompt",
        )
    SensitivityRow.write(table, table_rows(found))
    cells = list(dict.fromkeys(each.cell for each in found))
    with style.drawing():
        shown = [metric for metric in PANELS if any(each.metric == metric for each in found)]
        figure = Figure(figsize=(4.2 * len(shown), 1.5 + 0.62 * len(cells)), layout="constrained")
        panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
        for axes, metric in zip(panels, shown, strict=True):
            title, unit = PANELS[metric]
            draw_dots(axes, {each.cell: each for each in found if each.metric == metric}, cells, asked)
            axes.set(title=title, xlabel=unit, xlim=(0, 1), ylim=(len(cells) - 0.5, -0.5))
            axes.grid(axis="x", linewidth=0.7)
            axes.set_axisbelow(True)
            axes.tick_params(axis="y", length=0)
            sns.despine(ax=axes)
        panels[0].set_yticks(range(len(cells)), _names(cells, labels, main_corpus), fontsize=8.5)
        keys = [
            Line2D([], [], marker=marker, color=colour, linestyle="none", label=template)
            for template, (marker, colour) in zip(asked, cycle(LOOKS), strict=False)
        ]
        figure.legend(handles=keys, loc="outside lower right", ncols=len(asked), frameon=False, fontsize=8.5)
        note = (
            f"Arm “full”, the same scenarios in each template. Lines: {style.percent(confidence)} intervals."
        )
        figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)
        style.save(figure, svg, png)
