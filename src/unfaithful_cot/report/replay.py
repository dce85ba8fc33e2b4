"""The figure of a replay: the same transcripts by the published and by the corrected reading, bar beside bar.

In: replay/metrics.csv, replay/comparisons.csv. Out: SVG and PNG; a panel a question, a pair of bars a file of transcripts, with
value, interval and n. What must not be compared stands apart below a dashed line that says why.
Errors: those of rows.read_rows; DataError for a table without any of the metrics; StorageError.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import style
from unfaithful_cot.report.replay_rows import (
    QUESTIONS,
    Place,
    Question,
    headline_places,
    places_of,
    read_metrics,
    unlike,
)

READINGS = {
    "published": (style.OTHER_LOOKS[0], "published reading"),
    "corrected": (style.MAIN_LOOK, "corrected reading"),
}
HEIGHT, GAP, APART = 0.36, 1.1, 0.75


class Line(NamedTuple):
    """A pair of bars: where it stands, and the comparison that was refused, if one was."""

    place: Place
    y: float
    apart: ComparisonRow | None


def lay_out(places: Sequence[Place], comparisons: Sequence[ComparisonRow]) -> list[Line]:
    """Models one below the other; a condition that is not comparable after a gap."""
    lines: list[Line] = []
    y, model = 0.0, None
    for place in places:
        apart = unlike(comparisons, place)
        y += 0.8 if place.model != model else APART if apart else 0.0
        model = place.model
        lines.append(Line(place, y, apart))
        y += GAP
    return lines


def draw_panel(
    axes: Axes, question: Question, rows: dict[tuple[Place, str], MetricRow], lines: Sequence[Line]
) -> None:
    """The bars of one question, and beside each its value, interval and n."""
    beside = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 8.5, "clip_on": False}
    for line in lines:
        for turn, (reading, (look, _)) in enumerate(READINGS.items()):
            row = rows.get((line.place, getattr(question, reading)))
            y = line.y + (turn - 0.5) * (HEIGHT + 0.04)
            if row is None or row.value is None:
                why = (row.reason if row else "") or "not in metrics.csv"
                axes.text(0.01, y, f"no value: {why}", color=style.MUTED, style="italic", **beside)  # type: ignore[arg-type]
                continue
            axes.barh(
                y,
                row.value,
                height=HEIGHT,
                color=look.colour,
                edgecolor=style.PAPER,
                hatch=look.hatch,
                linewidth=0.6,
            )
            style.interval(axes, row.value, y, row.ci_low, row.ci_high, across=True)
            told = f"{style.rate_text(row.value)} {style.interval_text(row.ci_low, row.ci_high)}"
            axes.text(1.03, y, f"{told}  n = {row.n:,}{style.missing_text(row)}", color=style.INK, **beside)  # type: ignore[arg-type]


def part_rows(axes: Axes, lines: Sequence[Line]) -> None:
    """A dashed line across a panel above what must not be compared with what stands before it."""
    for line in lines:
        if line.apart:
            axes.axhline(line.y - 0.85, color=style.MUTED, linewidth=1, linestyle=(0, (4, 3)))


def label_rows(axes: Axes, lines: Sequence[Line], labels: dict[str, str]) -> None:
    """Name each pair at the left, head each model, and say why a pair stands apart."""
    axes.set_yticks([line.y for line in lines], [line.place.condition for line in lines])
    across = axes.get_yaxis_transform()
    seen = set()
    for line in lines:
        place = line.place
        if (place.model, place.suite) not in seen:
            seen.add((place.model, place.suite))
            head = labels.get(place.model, place.model)
            axes.text(
                -0.02,
                line.y - 0.7,
                head,
                transform=across,
                ha="right",
                va="center",
                weight="bold",
                fontsize=9.5,
            )
        if line.apart:
            note = f"not comparable with {line.apart.a}: {line.apart.reason}"
            look = {"va": "center", "fontsize": 8, "style": "italic", "color": style.MUTED}
            told = axes.text(0.0, line.y - 0.62, note, transform=across, **look)  # type: ignore[arg-type]
            told.set_in_layout(False)  # it may run on over the panels beside it, where nothing stands


def draw_replay(
    metrics: str, comparisons: str, svg: str, png: str, labels: dict[str, str], confidence: float
) -> None:
    """Draw the three published rates by both readings.

    metrics, comparisons: paths of the tables. svg, png: paths to write. labels: name of a model: how it is shown.
    confidence: of the intervals in the table. Raises DataError, StorageError.
    """
    rows, tests = read_metrics(metrics), ComparisonRow.read(comparisons)
    lines = lay_out(headline_places(places_of(rows)), tests)
    if not lines:
        raise DataError(metrics, "has no rows", todo="Rerun: snakemake -R measure_transcripts")
    with style.drawing():
        bottom = lines[-1].y + 0.65
        figure = Figure(figsize=(13, 1.7 + 0.72 * bottom), layout="constrained")
        panels = figure.subplots(1, len(QUESTIONS), sharey=True, squeeze=False)[0]
        for axes, question in zip(panels, QUESTIONS, strict=True):
            draw_panel(axes, question, rows, lines)
            part_rows(axes, lines)
            axes.set(title=question.title, xlabel="share", xlim=(0, 1), ylim=(bottom, -0.3))
            axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
            axes.grid(axis="x", linewidth=0.7)
            axes.set_axisbelow(True)
            axes.tick_params(axis="y", length=0)
            sns.despine(ax=axes)
        label_rows(panels[0], lines, labels)
        keys = [
            Patch(facecolor=look.colour, hatch=look.hatch, edgecolor=style.PAPER, label=text)
            for look, text in READINGS.values()
        ]
        figure.legend(handles=keys, loc="outside upper left", ncols=2, frameon=False, fontsize=9)
        note = (
            f"Lines: {style.percent(confidence)} intervals. n: responses (evidence sensitivity: scenarios)."
        )
        figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)
        style.save(figure, svg, png)
