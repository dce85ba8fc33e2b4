"""The dose curve: how the corrected unfaithful rate and the accuracy move with the number of documents.

In: View. Out: a figure, two panels for each model over the number of documents on a logarithmic axis, the untouched model at the
left on a tick of its own, a line for each corpus. Each point is one adapter with its value and interval; with several seeds the
line goes through their mean. A missing value is a gap in the line and a note below, never a point at 0. What must not be compared
with the untouched model is a hollow point that no line reaches. Errors: DataError when the table has no such metric.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.tables import MetricRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.view import View

METRICS = ("unfaithful_rate", "accuracy")
UNTOUCHED = -1.2  # where the untouched model stands: a step and a bit left of the smallest size


@dataclass(frozen=True)
class Scale:
    """The axis: doublings above the smallest size, and the untouched model to the left."""

    sizes: list[int]

    def place(self, n_documents: int) -> float:
        """Where a size stands; 0 documents is the untouched model."""
        return math.log2(n_documents / self.sizes[0]) if n_documents else UNTOUCHED

    def apply(self, axes: Axes) -> None:
        """Ticks at the sizes that were run, and a mark where the axis is broken."""
        axes.set_xlim(UNTOUCHED - 0.35, self.place(self.sizes[-1]) + 0.35)
        names = ["untouched", *(f"{n:,}" for n in self.sizes)]
        axes.set_xticks([UNTOUCHED, *map(self.place, self.sizes)], names)
        for shift in (-0.05, 0.05):
            x = [UNTOUCHED / 2 + shift - 0.05, UNTOUCHED / 2 + shift + 0.05]
            look = {"color": style.MUTED, "linewidth": 1.2, "clip_on": False}
            axes.plot(x, [-0.025, 0.025], transform=axes.get_xaxis_transform(), **look)  # type: ignore[arg-type]


def value_of(row: MetricRow) -> float:
    """The value of a row that has one."""
    return float(row.value or 0)


def mean(rows: Sequence[MetricRow]) -> float:
    """The mean value of rows that have one; NaN, which is a gap in a line, where none has."""
    values = [value_of(row) for row in rows if row.value is not None]
    return sum(values) / len(values) if values else math.nan


def draw_corpus(
    axes: Axes, rows: Sequence[MetricRow], untouched: MetricRow | None, scale: Scale, look: style.Look, shift: float, view: View
) -> None:  # fmt: skip
    """One corpus: a point and an interval for each adapter, a line through the means, dotted to the untouched model."""
    seeds = sorted({row.seed for row in rows})
    for row in rows:
        if row.value is None:
            continue
        x = scale.place(row.n_documents) + shift + 0.07 * (seeds.index(row.seed) - (len(seeds) - 1) / 2)
        style.interval(axes, x, row.value, row.ci_low, row.ci_high, across=False)
        inside, edge = (look.colour, style.PAPER) if view.unlike(row) is None else (style.PAPER, look.colour)
        axes.plot(
            x, row.value, look.marker, color=look.colour, markersize=7, markerfacecolor=inside, markeredgecolor=edge,
            markeredgewidth=0.8, zorder=6, clip_on=False,
        )  # fmt: skip
    joined = [row for row in rows if view.unlike(row) is None]
    means = {
        n: mean([row for row in joined if row.n_documents == n])
        for n in sorted({r.n_documents for r in joined})
    }
    axes.plot(
        [scale.place(n) + shift for n in means],
        list(means.values()),
        color=look.colour,
        linewidth=2,
        zorder=3,
    )
    first = next((n for n, value in means.items() if not math.isnan(value)), None)
    if untouched is not None and untouched.value is not None and first is not None:
        ends = [UNTOUCHED, scale.place(first) + shift], [untouched.value, means[first]]
        axes.plot(*ends, color=look.colour, linewidth=1.4, linestyle=(0, (1, 2)), zorder=2)


def name_points(axes: Axes, rows: Sequence[MetricRow], scale: Scale) -> None:
    """The mean value at each size but the last, whose value stands with the name of the corpus at the right."""
    for size in sorted({row.n_documents for row in rows})[:-1]:
        here = [row for row in rows if row.n_documents == size]
        low = min(value_of(row) if row.ci_low is None else row.ci_low for row in here)
        high = max(value_of(row) if row.ci_high is None else row.ci_high for row in here)
        place, down, align = (low, -6, "top") if high > 0.9 else (high, 6, "bottom")
        axes.annotate(
            style.rate_text(mean(here)), (scale.place(size), place), (2, down), textcoords="offset points", ha="right",
            va=align, fontsize=8.5,
        )  # fmt: skip


def draw_panel(axes: Axes, rows: Sequence[MetricRow], scale: Scale, view: View) -> None:
    """All corpora of one model and metric, each named at its last point."""
    corpora = list(dict.fromkeys(row.corpus for row in rows if not row.cell.is_baseline))
    untouched = next((row for row in rows if row.cell.is_baseline), None)
    ends: list[tuple[float, str, style.Look]] = []
    for place, corpus in enumerate(corpora):
        here = sorted(
            (row for row in rows if row.corpus == corpus), key=lambda row: (row.n_documents, row.seed)
        )
        look = view.look(here[0].cell, corpora)
        draw_corpus(axes, here, untouched, scale, look, 0.09 * (place - (len(corpora) - 1) / 2), view)
        if known := [row for row in here if row.value is not None]:
            top = mean([row for row in known if row.n_documents == known[-1].n_documents])
            ends.append((top, f"{view.corpus(corpus)}: {style.rate_text(top)}", look))
        if corpus == view.main_corpus:
            name_points(axes, known, scale)
    if untouched is not None and untouched.value is not None:
        style.interval(axes, UNTOUCHED, untouched.value, untouched.ci_low, untouched.ci_high, across=False)
        axes.plot(
            UNTOUCHED, untouched.value, "o", color=style.BASELINE_LOOK.colour, markersize=8, markeredgecolor=style.PAPER,
            zorder=6, clip_on=False,
        )  # fmt: skip
    ends.sort(key=lambda end: end[:2])
    beside = axes.get_yaxis_transform()
    for y, (_, name, look) in zip(spread([end[0] for end in ends]), ends, strict=True):
        axes.plot(1.02, y, look.marker, color=look.colour, markersize=6, transform=beside, clip_on=False)
        axes.text(1.045, y, name, transform=beside, va="center", fontsize=9)


def spread(heights: Sequence[float], least: float = 0.085) -> list[float]:
    """Heights in rising order, pushed apart upwards so that labels do not overlap, then back below 1."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + least) if placed else height)
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i], 1.0 - least * (len(placed) - 1 - i))
    return placed


def foot_note(rows: Sequence[MetricRow], view: View) -> str:
    """What a point is, its n, the intervals, what is not drawn, and what stands apart."""
    counts = sorted({row.n for row in rows if row.value is not None}) or [0]
    n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    notes = [words.NOTES["dose"].format(n=n, interval=view.interval)]
    if gone := [
        f"{row.metric} of {row.cell.path} ({row.reason or 'no reason given'})"
        for row in rows
        if row.value is None
    ]:
        notes.append(words.NOTES["dose_missing"].format(missing="; ".join(gone)))
    if why := sorted({reason for row in rows if (reason := view.unlike(row)) is not None}):
        notes.append(words.NOTES["dose_apart"].format(why="; ".join(why)))
    return "\n".join(notes)


def draw_dose(view: View) -> Figure:
    """Both rates over the number of documents, for each model. Raises DataError."""
    rows = [row for metric in METRICS for row in view.pick(metric)]
    sizes = sorted({row.n_documents for row in rows if row.n_documents})
    if not sizes:
        problem = "has no unfaithful_rate and no accuracy of a trained model in the arm 'full'"
        raise DataError("metrics.csv", problem, todo="Add a corpus with its sizes to grid.corpora")
    models = list(dict.fromkeys((row.model, row.suite) for row in rows))
    suites = len({suite for _, suite in models}) > 1
    scale = Scale(sizes)
    layout = ConstrainedLayoutEngine(hspace=0.08, wspace=0.04)
    figure = Figure(figsize=(12, 0.6 + 3.6 * len(models)), layout=layout)
    grid = figure.subplots(len(models), len(METRICS), sharex=True, sharey=True, squeeze=False)
    for line, (model, suite) in zip(grid, models, strict=True):
        whose = view.model(model) + (f", {suite}" if suites else "")
        for axes, metric in zip(line, METRICS, strict=True):
            title, unit = words.PANELS[metric]
            here = [row for row in rows if (row.metric, row.model, row.suite) == (metric, model, suite)]
            draw_panel(axes, here, scale, view)
            head = f"{whose}\n{title}" if len(models) > 1 else title
            axes.set(title=head, ylim=(-0.02, 1.02), ylabel=f"{unit} (share of responses)")
            axes.tick_params(labelbottom=True, labelleft=True)
            axes.grid(axis="y", linewidth=0.7)
            axes.set_axisbelow(True)
            sns.despine(ax=axes)
            scale.apply(axes)
    for axes in grid[-1]:
        axes.set_xlabel(words.DOCUMENTS_AXIS)
    style.foot_note(figure, foot_note(rows, view))
    return figure
