"""metrics.csv, pooled.csv and slopes.csv: rates of each cell, over seeds, and against the number of documents.

In: grade files, and the cases that they are about. Out: tables of MetricRow, PooledRow and SlopeRow (records.tables); an empty field
is a value that does not exist, and `reason` says why. `n`: units in the denominator (responses; scenarios for evidence
sensitivity; those of them that the rate is given). Intervals: intervals.rate_interval, so that neither the variants of a scenario
nor the samples of a case count as independent.
Errors: those of frame.read_grades; StorageError.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from unfaithful_cot.metrics.frame import CONDITION, parts_of, read_grades, with_cases
from unfaithful_cot.metrics.intervals import rate_interval
from unfaithful_cot.metrics.interventions import with_interventions
from unfaithful_cot.metrics.paired import difference_interval
from unfaithful_cot.metrics.pooling import pooled_table
from unfaithful_cot.metrics.rates import Metric, measured
from unfaithful_cot.metrics.registry import METRICS, metrics_of
from unfaithful_cot.metrics.slopes import slope_table
from unfaithful_cot.metrics.units import Units, counts_of, units_of
from unfaithful_cot.records.tables import MetricRow, PooledRow, SlopeRow


def compute_metrics(
    grades: list[str],
    metrics: str,
    confidence: float,
    cases: Sequence[str] = (),
    pooled: str | None = None,
    slopes: str | None = None,
    swapped: Sequence[str] = (),
    samples: int | None = None,
) -> None:
    """Write metrics.csv, and where they are named pooled.csv and slopes.csv, from grade files.

    cases: case files; without them the metrics that need the right letter or the number of options are null.
    swapped: cases with prefilled reasoning, a file a cell. samples: as for read_grades.
    """
    table = with_interventions(with_cases(read_grades(grades, cases, swapped, samples), cases))
    MetricRow.write_frame(metrics, _metric_table(table, confidence))
    if pooled is not None:
        PooledRow.write_frame(pooled, pooled_table(table, confidence))
    if slopes is not None:
        SlopeRow.write_frame(slopes, slope_table(table, confidence))


def metric_table(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Every metric of every condition, suite and arm in a table of grades, baseline first."""
    return _metric_table(with_interventions(table), confidence)


def _metric_table(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    order = {key: place for place, key in enumerate(METRICS)}
    rows = [
        {**place, **metric_row(metric, part, confidence)}
        for place, part in parts_of(table, [*CONDITION, "suite", "arm", "grader"], sort=False)
        for metric in metrics_of(place["grader"])
    ]
    result = MetricRow.frame(rows)
    result["_baseline"] = result["corpus"] != "baseline"
    result["_metric"] = [order[key] for key in zip(result["grader"], result["metric"], strict=True)]
    by = ["experiment", "model", "_baseline", "corpus", "n_documents", "seed", "suite", "arm", "_metric"]
    return result.sort_values(by, kind="stable", ignore_index=True)[MetricRow.columns()]


def metric_row(metric: Metric, part: pd.DataFrame, confidence: float) -> dict[str, object]:
    """Value, interval and counts of a metric in one condition, suite and arm."""
    if metric.row is not None:
        return {"metric": metric.name, **metric.row(part, confidence)}
    units = units_of(metric, part)
    counts = counts_of([units])
    if not len(units.values):
        reason = units.reason or f"no response has a verdict for {metric.name}"
        return {"metric": metric.name, **measured(**counts, reason=reason)}
    limits = _interval(metric, units, part, confidence)
    value = float(units.values.mean())
    return {"metric": metric.name, **measured(value, *limits, **counts, reason=units.reason)}


def _interval(metric: Metric, units: Units, part: pd.DataFrame, confidence: float) -> tuple[float, float]:
    if metric.base is None:
        return rate_interval(units.values, units.scenarios, units.cases, confidence)
    without = units_of(metric._replace(values=metric.base, base=None), part).values
    having = units_of(metric._replace(base=None), part).values
    return difference_interval(without, having, units.scenarios, units.cases, confidence)[0]
