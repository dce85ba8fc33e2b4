"""The figure of a replay: the same transcripts by the published and by the corrected reading, bar beside bar.

In: replay/metrics.csv, replay/comparisons.csv. Out: SVG and PNG; a panel a question, a pair of bars a file of transcripts, with
value, interval and n. What must not be compared stands apart below a dashed line that says why.
Errors: those of read_replay; DataError for a table without any of the metrics; StorageError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.tables import ReplayComparisonRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.replay_rows import (
    QUESTIONS,
    Place,
    Question,
    Replayed,
    headline_places,
    read_replay,
)
from unfaithful_cot.report.view import View

LOOKS = {"published": style.OTHER_LOOKS[0], "corrected": style.MAIN_LOOK}
HEIGHT, GAP, APART = 0.36, 1.1, 0.75


class Line(NamedTuple):
    """A pair of bars: where it stands, and the comparison that was refused, if one was."""

    place: Place
    y: float
    apart: ReplayComparisonRow | None


def lay_out(places: Sequence[Place], replayed: Replayed) -> list[Line]:
    """Models one below the other; a condition that is not comparable after a gap."""
    lines: list[Line] = []
    y, model = 0.0, None
    for place in places:
        apart = replayed.unlike(place)
        y += 0.8 if place.model != model else APART if apart else 0.0
        model = place.model
        lines.append(Line(place, y, apart))
        y += GAP
    return lines


def draw_panel(axes: Axes, question: Question, replayed: Replayed, lines: Sequence[Line]) -> None:
    """The bars of one question, and beside each its value, interval and n; a dashed line above what stands apart."""
    for line in lines:
        for turn, (reading, look) in enumerate(LOOKS.items()):
            row = replayed.row(line.place, question, reading)
            text = f"{style.counted(row)}  n = {row.n:,}{style.missing_text(row)}" if row else ""
            y = line.y + (turn - 0.5) * (HEIGHT + 0.04)
            style.bar(axes, y, row, look, text, height=HEIGHT, absent="not in metrics.csv")
        if line.apart:
            axes.axhline(line.y - 0.85, color=style.MUTED, linewidth=1, linestyle=(0, (4, 3)))


def label_rows(axes: Axes, lines: Sequence[Line], view: View) -> None:
    """Name each pair at the left, head each model, and say why a pair stands apart."""
    axes.set_yticks([line.y for line in lines], [line.place.condition for line in lines])
    across: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center"}
    seen = set()
    for line in lines:
        place = line.place
        if (place.model, place.suite) not in seen:
            seen.add((place.model, place.suite))
            axes.text(
                -0.02,
                line.y - 0.7,
                view.model(place.model),
                ha="right",
                weight="bold",
                fontsize=9.5,
                **across,
            )
        if line.apart:
            note = f"not comparable with {line.apart.a}: {line.apart.reason}"
            text = axes.text(
                0.0, line.y - 0.62, note, fontsize=8, style="italic", color=style.MUTED, **across
            )
            text.set_in_layout(False)  # it may run on over the panels beside it, where nothing stands


def draw_replay(
    metrics: str, comparisons: str, svg: str, png: str, labels: Mapping[str, str], confidence: float
) -> None:
    """Rule: draw the three published rates by both readings.

    Args:
        metrics, comparisons: paths of the tables.
        svg, png: paths to write.
        labels: name of a model: how it is shown.
        confidence: of the intervals in the table.

    Raises:
        DataError, StorageError: as the module says.
    """
    view = View(labels=labels, confidence=confidence)
    replayed = read_replay(metrics, comparisons, view)
    lines = lay_out(headline_places(replayed.places), replayed)
    if not lines:
        raise DataError(metrics, "has no rows", todo="Rerun: snakemake -R measure_transcripts")
    with style.drawing():
        bottom = lines[-1].y + 0.65
        figure = Figure(figsize=(13, 1.7 + 0.72 * bottom), layout="constrained")
        panels = style.row_of_panels(figure, len(QUESTIONS))
        for axes, question in zip(panels, QUESTIONS, strict=True):
            draw_panel(axes, question, replayed, lines)
            style.share_axes(axes, question.title, "share", bottom, top=-0.3, ticks=3)
        label_rows(panels[0], lines, view)
        style.key(figure, {words.READINGS[reading]: look for reading, look in LOOKS.items()})
        style.foot_note(figure, words.NOTES["replay"].format(interval=view.interval))
        style.save(figure, svg, png)
