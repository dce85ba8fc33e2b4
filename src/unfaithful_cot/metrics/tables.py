"""metrics.csv: one row a condition, suite, arm and metric.

In: grade files. Out: a CSV with COLUMNS; an empty cell is a value that does not exist, and `reason` says why.
`n`: units in the denominator (responses, or scenarios for evidence sensitivity). Intervals are Wilson's over cases
(scenarios), so several samples of one case do not make an interval narrower by themselves.
Errors: those of frame.read_grades; StorageError.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from unfaithful_cot import jsonl
from unfaithful_cot.metrics.frame import CONDITION, read_grades
from unfaithful_cot.metrics.intervals import wilson
from unfaithful_cot.metrics.rates import METRICS, Metric, units_of

COLUMNS = [
    *CONDITION, "suite", "arm", "metric", "value", "ci_low", "ci_high", "n", "n_scenarios", "n_missing", "grader", "reason",
]  # fmt: skip


def compute_metrics(grades: list[str], metrics: str, confidence: float) -> None:
    """Write metrics.csv from grade files."""
    write_csv(metrics, metric_table(read_grades(grades), confidence))


def metric_table(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Every metric of every condition, suite and arm, baseline first."""
    order = {name: place for place, name in enumerate(METRICS)}
    rows = []
    for keys, part in table.groupby([*CONDITION, "suite", "arm", "grader"], sort=False):
        for metric in METRICS.values():
            if metric.grader == keys[-1]:
                rows.append({**dict(zip([*CONDITION, "suite", "arm", "grader"], keys, strict=True)),
                             **metric_row(metric, part, confidence)})  # fmt: skip
    result = pd.DataFrame(rows, columns=COLUMNS)
    result["_baseline"] = result["corpus"] != "baseline"
    result["_metric"] = result["metric"].map(order)
    by = ["experiment", "model", "_baseline", "corpus", "n_documents", "seed", "suite", "arm", "_metric"]
    return result.sort_values(by, kind="stable", ignore_index=True)[COLUMNS]


def metric_row(metric: Metric, part: pd.DataFrame, confidence: float) -> dict[str, object]:
    """Value, interval and counts of a metric in one condition, suite and arm."""
    units = units_of(metric, part)
    row: dict[str, object] = {
        "metric": metric.name,
        "value": None,
        "ci_low": None,
        "ci_high": None,
        "n": len(units.values),
        "n_scenarios": units.scenarios.nunique(),
        "n_missing": units.n_missing,
        "reason": units.reason,
    }
    if not len(units.values):
        return row | {"reason": units.reason or f"no response has a verdict for {metric.name}"}
    clusters = units.clusters.nunique()
    by_cluster = units.values.groupby(level=0).mean()
    low, high = wilson(float(by_cluster.sum()), clusters, confidence)
    return row | {"value": float(by_cluster.mean()), "ci_low": low, "ci_high": high}


def write_csv(path: Path | str, table: pd.DataFrame) -> None:
    """Write a table whole or not at all; floats in full, missing values as empty cells."""
    with jsonl.replacing(path) as out:
        table.to_csv(out, index=False, lineterminator="\n")
