"""The dose curve: how the corrected unfaithful rate and the accuracy move with the number of documents.

In: metrics.csv, comparisons.csv. Out: one figure (SVG and PNG), two panels for each model over the number of documents on a
logarithmic axis, the untouched model at the left on a tick of its own, a line for each corpus. Each point is one
adapter with its value and interval; with several seeds the line goes through their mean. A missing value is a gap in the line
and a note below, never a point at 0. What must not be compared with the untouched model is a hollow point that no line reaches.
Errors: DataError when the table has no such metric.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cells import BASELINE
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import style
from unfaithful_cot.report.rows import pick, unlike_baseline

PANELS = {
    "unfaithful_rate": (
        "Unfaithful: cites public evidence only",
        "corrected unfaithful rate (share of responses)",
    ),
    "accuracy": ("Correct answers", "accuracy (share of responses)"),
}


@dataclass(frozen=True)
class Scale:
    """The axis: doublings above the smallest size, and the untouched model one step and a half to the left."""

    sizes: list[int]

    @property
    def baseline(self) -> float:
        """Where the untouched model stands."""
        return -1.2

    def place(self, n_documents: int) -> float:
        """Where a size stands; 0 documents is the untouched model."""
        return math.log2(n_documents / self.sizes[0]) if n_documents else self.baseline

    def apply(self, axes: Axes) -> None:
        """Ticks at the sizes that were run, and a mark where the axis is broken."""
        ends = self.place(self.sizes[-1])
        axes.set_xlim(self.baseline - 0.35, ends + 0.35)
        axes.set_xticks(
            [self.baseline, *map(self.place, self.sizes)], ["untouched", *(f"{n:,}" for n in self.sizes)]
        )
        gap = self.baseline / 2
        for shift in (-0.05, 0.05):
            x = [gap + shift - 0.05, gap + shift + 0.05]
            axes.plot(
                x,
                [-0.025, 0.025],
                transform=axes.get_xaxis_transform(),
                color=style.MUTED,
                linewidth=1.2,
                clip_on=False,
            )


def draw_corpus(
    axes: Axes,
    rows: list[MetricRow],
    baseline: MetricRow | None,
    scale: Scale,
    look: style.Look,
    shift: float,
    apart: Collection[MetricRow],
) -> None:
    """One corpus in one panel: a point and an interval for each adapter, a line through the means, dotted to the baseline.

    apart: what is not comparable with the baseline.
    """
    known = [row for row in rows if row.value is not None]
    seeds = sorted({row.seed for row in rows})
    for row in known:
        nudge = shift + 0.07 * (seeds.index(row.seed) - (len(seeds) - 1) / 2)
        x, y = scale.place(row.n_documents) + nudge, float(row.value or 0)
        style.interval(axes, x, y, row.ci_low, row.ci_high, across=False)
        axes.plot(
            x,
            y,
            look.marker,
            color=look.colour,
            markersize=7,
            markerfacecolor=style.PAPER if row in apart else look.colour,
            markeredgecolor=look.colour if row in apart else style.PAPER,
            markeredgewidth=0.8,
            zorder=6,
            clip_on=False,
        )
    joined = [row for row in rows if row not in apart]
    table = pd.DataFrame(
        {"n": [row.n_documents for row in joined], "value": [row.value for row in joined]}, dtype=float
    )
    known = [row for row in known if row not in apart]
    means = table.groupby("n")[
        "value"
    ].mean()  # a size whose values are all missing stays NaN: a gap in the line
    axes.plot(
        [scale.place(int(n)) + shift for n in means.index], means, color=look.colour, linewidth=2, zorder=3
    )
    if baseline is not None and baseline.value is not None and known:
        first = min(row.n_documents for row in known)
        ends = [scale.baseline, scale.place(first) + shift], [baseline.value, means[first]]
        axes.plot(*ends, color=look.colour, linewidth=1.4, linestyle=(0, (1, 2)), zorder=2)


def name_points(axes: Axes, rows: list[MetricRow], scale: Scale) -> None:
    """The mean value at each size but the last, whose value stands with the name of the corpus at the right."""
    for size in sorted({row.n_documents for row in rows})[:-1]:
        here = [row for row in rows if row.n_documents == size]
        mean = sum(float(row.value or 0) for row in here) / len(here)
        low = min(float(row.value or 0) if row.ci_low is None else row.ci_low for row in here)
        high = max(float(row.value or 0) if row.ci_high is None else row.ci_high for row in here)
        below = high > 0.9
        axes.annotate(
            style.rate_text(mean),
            (scale.place(size), low if below else high),
            (2, -6 if below else 6),
            textcoords="offset points",
            ha="right",
            va="top" if below else "bottom",
            fontsize=8.5,
        )


def draw_panel(
    axes: Axes,
    rows: list[MetricRow],
    scale: Scale,
    labels: Mapping[str, str],
    main_corpus: str,
    apart: Collection[MetricRow],
) -> None:
    """All corpora of one model and metric, each named at its last point."""
    corpora = list(dict.fromkeys(row.corpus for row in rows if row.corpus != BASELINE))
    untouched = next((row for row in rows if row.corpus == BASELINE), None)
    ends: list[tuple[float, str, style.Look]] = []
    for place, corpus in enumerate(corpora):
        here = sorted(
            (row for row in rows if row.corpus == corpus), key=lambda row: (row.n_documents, row.seed)
        )
        look = style.corpus_look(corpus, corpora, main_corpus)
        draw_corpus(axes, here, untouched, scale, look, 0.09 * (place - (len(corpora) - 1) / 2), apart)
        last = [row for row in here if row.value is not None]
        top = [float(row.value or 0) for row in last if row.n_documents == last[-1].n_documents]
        if top:
            mean = sum(top) / len(top)
            ends.append(
                (mean, f"{style.corpus_label(corpus, labels, main_corpus)}: {style.rate_text(mean)}", look)
            )
        if corpus == main_corpus:
            name_points(axes, last, scale)
    ends.sort(key=lambda end: end[:2])
    if untouched is not None and untouched.value is not None:
        style.interval(
            axes, scale.baseline, untouched.value, untouched.ci_low, untouched.ci_high, across=False
        )
        axes.plot(
            scale.baseline,
            untouched.value,
            "o",
            color=style.BASELINE_LOOK.colour,
            markersize=8,
            markeredgecolor=style.PAPER,
            zorder=6,
            clip_on=False,
        )
    for y, (_, name, look) in zip(spread([end[0] for end in ends]), ends, strict=True):
        beside = axes.get_yaxis_transform()
        axes.plot(1.02, y, look.marker, color=look.colour, markersize=6, transform=beside, clip_on=False)
        axes.text(1.045, y, name, transform=beside, va="center", fontsize=9)


def spread(heights: list[float], least: float = 0.085) -> list[float]:
    """Heights in rising order, pushed apart upwards so that labels do not overlap, then back below 1."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + least) if placed else height)
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i], 1.0 - least * (len(placed) - 1 - i))
    return placed


def missing_note(rows: list[MetricRow]) -> str:
    """What is not drawn and why; empty when nothing is missing."""
    gone = [
        f"{row.metric} of {row.cell.path} ({row.reason or 'no reason given'})"
        for row in rows
        if row.value is None
    ]
    return f"Not drawn, no value: {'; '.join(gone)}." if gone else ""


def foot_note(rows: list[MetricRow], confidence: float, apart: Mapping[MetricRow, str]) -> str:
    """What a point is, its n, the intervals, what is not drawn, and what stands apart."""
    counts = sorted({row.n for row in rows if row.value is not None}) or [0]
    n = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    intervals = f"vertical lines: {style.percent(confidence)} intervals"
    why = "; ".join(sorted(set(apart.values())))
    hollow = f"Hollow: not comparable with the untouched model ({why})." if apart else ""
    told = [
        f"Arm “full”. Each point: one adapter, n = {n} responses; {intervals}.",
        missing_note(rows),
        hollow,
    ]
    return "\n".join(line for line in told if line)


def draw_dose(
    metrics: str,
    comparisons: str,
    svg: str,
    png: str,
    labels: dict[str, str],
    main_corpus: str,
    confidence: float = 0.95,
) -> None:
    """Draw both rates over the number of documents, for each model.

    metrics, comparisons: paths of the tables. svg, png: paths to write. labels: name of a model or corpus: how it is shown.
    main_corpus: the corpus that the study is about. confidence: of the intervals in the table. Raises DataError, StorageError.
    """
    table = MetricRow.read(metrics)
    rows = [row for metric in PANELS for row in pick(table, metric)]
    sizes = sorted({row.n_documents for row in rows if row.n_documents})
    if not sizes:
        raise DataError(
            metrics,
            "has no unfaithful_rate and no accuracy of a trained model in the arm 'full'",
            todo="Add a corpus with its sizes to grid.corpora",
        )
    apart = unlike_baseline(ComparisonRow.read(comparisons), rows)
    models = list(dict.fromkeys((row.model, row.suite) for row in rows))
    suites = len({suite for _, suite in models}) > 1
    scale = Scale(sizes)
    with style.drawing():
        figure = Figure(
            figsize=(12, 0.6 + 3.6 * len(models)), layout=ConstrainedLayoutEngine(hspace=0.08, wspace=0.04)
        )
        grid = figure.subplots(len(models), len(PANELS), sharex=True, sharey=True, squeeze=False)
        for line, (model, suite) in zip(grid, models, strict=True):
            for axes, (metric, (title, unit)) in zip(line, PANELS.items(), strict=True):
                here = [row for row in rows if (row.metric, row.model, row.suite) == (metric, model, suite)]
                draw_panel(axes, here, scale, labels, main_corpus, apart)
                whose = f"{labels.get(model, model)}, {suite}" if suites else labels.get(model, model)
                name = f"{whose}\n{title}" if len(models) > 1 else title
                axes.set(title=name, ylim=(-0.02, 1.02), ylabel=unit)
                axes.tick_params(labelbottom=True, labelleft=True)
                axes.grid(axis="y", linewidth=0.7)
                axes.set_axisbelow(True)
                sns.despine(ax=axes)
        for axes in grid.flat:
            scale.apply(axes)
        for axes in grid[-1]:
            axes.set_xlabel("documents trained on (log axis)")
        note = foot_note(rows, confidence, apart)
        figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)
        style.save(figure, svg, png)
