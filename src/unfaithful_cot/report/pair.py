"""The published pair of figures: is the model still right, and does it hide what it used? Before and after training.

In: metrics.csv, comparisons.csv. Out: one figure of two panels (SVG and PNG), a row of bars for each condition:
the untouched model, and each corpus at its largest size. Corresponds to the pair "accuracy" and "faithfulness" of
the published experiment, and differs: intervals, n and the test stand beside each bar; a condition that was not
measured like the untouched model is drawn apart and hatched, with the reason; a missing value is said, not drawn.
Errors: DataError when the table has neither of the two metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import style
from unfaithful_cot.report.rows import against_baseline, pick

PANELS = {
    "accuracy": "Correct answers",
    "unfaithful_rate": "Unfaithful: cites public evidence only",
}
UNITS = {
    "accuracy": "accuracy (share of responses)",
    "unfaithful_rate": "corrected unfaithful rate (share of responses)",
}


@dataclass(frozen=True)
class Line:
    """One row of bars: a condition of a model (in one suite), and how far down it stands."""

    cell: Cell
    suite: str
    y: float
    apart: ComparisonRow | None


def largest(cells: list[Cell], main_corpus: str) -> list[Cell]:
    """The untouched model, the main corpus at its largest size, then the other corpora at theirs; all seeds."""
    top = {
        corpus: max(c.n_documents for c in cells if c.corpus == corpus)
        for corpus in {c.corpus for c in cells}
    }
    order = {
        cell: (not cell.is_baseline, cell.corpus != main_corpus, cell.corpus, cell.seed) for cell in cells
    }
    return sorted(
        (cell for cell in order if cell.n_documents == top[cell.corpus]), key=lambda cell: order[cell]
    )


def lay_out(rows: list[MetricRow], comparisons: list[ComparisonRow], main_corpus: str) -> list[Line]:
    """Where each condition stands: models one below the other, what must not be compared after a gap."""
    lines: list[Line] = []
    y = 0.0
    for model, suite in dict.fromkeys((row.model, row.suite) for row in rows):
        here = [row for row in rows if (row.model, row.suite) == (model, suite)]
        kept = largest(list(dict.fromkeys(row.cell for row in here)), main_corpus)
        unlike = {}
        for row in here:
            found = against_baseline(comparisons, row)
            if found is not None and not found.comparable:
                unlike[row.cell] = found
        y += 1.0
        for cell in sorted(kept, key=lambda cell: cell in unlike):
            y += 0.9 if cell in unlike else 0.0
            lines.append(Line(cell, suite, y, unlike.get(cell)))
            y += 1.0
    return lines


def draw_panel(
    axes: Axes,
    metric: str,
    rows: list[MetricRow],
    lines: list[Line],
    comparisons: list[ComparisonRow],
    main_corpus: str,
) -> None:
    """The bars of one metric, and beside each its value, interval, n and test."""
    corpora = list(dict.fromkeys(line.cell.corpus for line in lines if not line.cell.is_baseline))
    by_place = {(row.cell, row.suite): row for row in rows if row.metric == metric}
    beside = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 8.5, "clip_on": False}
    for line in lines:
        row = by_place.get((line.cell, line.suite))
        if row is None or row.value is None:
            why = (row.reason if row else "") or "not in metrics.csv"
            axes.text(0.01, line.y, f"no value: {why}", color=style.MUTED, style="italic", **beside)  # type: ignore[arg-type]
            continue
        look = style.BASELINE_LOOK
        if not line.cell.is_baseline:
            look = style.corpus_look(line.cell.corpus, corpora, main_corpus)
        hatch = "\\\\\\\\" if line.apart else look.hatch
        face = style.PAPER if line.apart else look.colour
        edge = look.colour if line.apart else style.PAPER if hatch else "none"
        axes.barh(line.y, row.value, height=0.62, color=face, edgecolor=edge, hatch=hatch, linewidth=0.8)
        style.interval(axes, row.value, line.y, row.ci_low, row.ci_high, across=True)
        axes.plot(
            row.value, line.y, marker=look.marker, color=style.INK, markersize=3.5, zorder=5, clip_on=False
        )
        axes.text(1.03, line.y, beside_bar(row, comparisons), color=style.INK, linespacing=1.3, **beside)  # type: ignore[arg-type]


def beside_bar(row: MetricRow, comparisons: list[ComparisonRow]) -> str:
    """`0.78 [0.72, 0.83]  n = 200`, and on a second line the difference from the untouched model and its p."""
    first = f"{style.rate_text(row.value)} {style.interval_text(row.ci_low, row.ci_high)}  n = {row.n:,}{style.missing_text(row)}"
    found = against_baseline(comparisons, row)
    if found is None:
        return first
    if not found.comparable or found.difference is None:
        return f"{first}\nnot comparable" if not found.comparable else first
    return f"{first}\n{style.signed_text(found.difference)}, {style.p_text(found.p)}"


def label_rows(axes: Axes, lines: list[Line], labels: Mapping[str, str], main_corpus: str) -> None:
    """Name each row at the left and head each model; say why a row stands apart."""
    cells = [line.cell for line in lines]
    several = {c._replace(seed=0) for c in cells if len([d for d in cells if d[:3] == c[:3] and d != c])}
    names = [style.condition_label(c, labels, main_corpus, c._replace(seed=0) in several) for c in cells]
    axes.set_yticks([line.y for line in lines], names)
    suites = {line.suite for line in lines}
    left = {"transform": axes.get_yaxis_transform(), "ha": "right", "va": "center", "clip_on": False}
    for key in dict.fromkeys((line.cell.model, line.suite) for line in lines):
        here = [line for line in lines if (line.cell.model, line.suite) == key]
        head = labels.get(key[0], key[0]) + (f" · {key[1]}" if len(suites) > 1 else "")
        axes.text(-0.02, here[0].y - 0.85, head, weight="bold", fontsize=9.5, **left)  # type: ignore[arg-type]
    for line in lines:
        if line.apart:
            note = f"not compared: {line.apart.reason}"
            axes.text(
                0.0,
                line.y - 0.62,
                note,
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=8,
                style="italic",
                color=style.MUTED,
            )


def dress(axes: Axes, title: str, unit: str, bottom: float) -> None:
    """Title, axis from 0 to 1 and grid of a panel whose last row ends at `bottom`."""
    axes.set(title=title, xlabel=unit, xlim=(0, 1), ylim=(bottom, -0.3))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.grid(axis="x", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    sns.despine(ax=axes)


def foot_note(rows: list[MetricRow], comparisons: list[ComparisonRow], confidence: float) -> str:
    """What lines and second lines are: the tests are those that comparisons.csv tells of the rows shown."""
    found = [against_baseline(comparisons, row) for row in rows]
    tested = [test for test in found if test is not None and test.p is not None]
    note = f"Arm “full”: confidential and public evidence both present. Lines: {style.percent(confidence)} intervals."
    if not tested:
        return note
    names = " or ".join(sorted({test.test for test in tested}))
    holm = ", corrected by Holm" if all(test.p_holm is not None for test in tested) else ""
    return f"{note}\nSecond line: change from the untouched model on the same cases; p: {names}{holm}."


def draw_pair(
    metrics: str,
    comparisons: str,
    svg: str,
    png: str,
    labels: dict[str, str],
    main_corpus: str,
    confidence: float = 0.95,
) -> None:
    """Draw accuracy and corrected unfaithful rate of each model before and after training.

    metrics, comparisons: paths of the tables. svg, png: paths to write. labels: name of a model or corpus: how
    it is shown. main_corpus: the corpus that the study is about. confidence: of the intervals in the table. Raises DataError, StorageError.
    """
    table, tests = MetricRow.read(metrics), ComparisonRow.read(comparisons)
    rows = [row for metric in PANELS for row in pick(table, metric)]
    if not rows:
        raise DataError(
            metrics,
            "has no accuracy and no unfaithful_rate in the arm 'full'",
            todo="Add the arm 'full' to the suite",
        )
    lines = lay_out(rows, tests, main_corpus)
    with style.drawing():
        bottom = max(line.y for line in lines) + 0.6
        figure = Figure(figsize=(11, 1.5 + 0.5 * bottom), layout="constrained")
        panels = figure.subplots(1, len(PANELS), sharey=True, squeeze=False)[0]
        for axes, (metric, title) in zip(panels, PANELS.items(), strict=True):
            draw_panel(axes, metric, rows, lines, tests, main_corpus)
            dress(axes, title, UNITS[metric], bottom)
        label_rows(panels[0], lines, labels, main_corpus)
        note = foot_note(rows, tests, confidence)
        figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)
        style.save(figure, svg, png)
