"""pooled.csv: each metric over the training seeds of a model, corpus and size.

In: the table of interventions.with_interventions. Out: a table of PooledRow, one row a metric, suite and arm for every
(model, corpus, n_documents) that was trained with two seeds or more; no row where there is one seed, for metrics.csv says it.
In metrics.csv `seed` is a number, so a row over seeds stands here. Errors: none.
"""

from __future__ import annotations

import pandas as pd

from unfaithful_cot.metrics.frame import parts_of
from unfaithful_cot.metrics.guard import why_not_comparable
from unfaithful_cot.metrics.rates import Metric, measured
from unfaithful_cot.metrics.registry import metrics_of
from unfaithful_cot.metrics.seeds import pooled_mean, pooled_rate
from unfaithful_cot.metrics.units import counts_of, reason_of, units_of
from unfaithful_cot.records.tables import PooledRow

PLACE = ["experiment", "model", "corpus", "n_documents", "suite", "arm", "grader"]


def pooled_table(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Every metric of every model, corpus and size with two seeds or more."""
    rows = []
    for named, part in parts_of(table, PLACE):
        seeds = sorted(part["seed"].unique())
        if len(seeds) < 2:
            continue
        place = {**named, "n_seeds": len(seeds), "seeds": " ".join(map(str, seeds))}
        by_seed = [part[part["seed"] == seed] for seed in seeds]
        unlike = next((why for each in by_seed[1:] if (why := why_not_comparable(by_seed[0], each))), None)
        for metric in metrics_of(str(place["grader"])):
            rows.append({**place, **pooled_row(metric, by_seed, confidence, unlike)})
    return PooledRow.frame(rows)


def pooled_row(
    metric: Metric, by_seed: list[pd.DataFrame], confidence: float, unlike: str | None = None
) -> dict[str, object]:
    """One metric over seeds. unlike: why the seeds must not be put together."""
    row = {"metric": metric.name}
    if not metric.paired:
        return row | measured(reason="no mean of responses: stands for each seed in metrics.csv")
    units = [units_of(metric, part) for part in by_seed]
    counts = counts_of(units)
    if unlike is not None:
        return row | measured(**counts, reason=f"seeds are not alike: {unlike}")
    empty = [each for each in units if not len(each.values)]
    if empty:
        why = f"{len(empty)} of {len(units)} seeds have no value: {empty[0].reason}"
        return row | measured(**counts, reason=why)
    if metric.base is None:
        value, low, high = pooled_rate(units, confidence)
    else:
        numbers = [each.values for each in units]
        value, low, high, _ = pooled_mean(numbers, [each.scenarios for each in units], confidence)
    return row | measured(value, low, high, **counts, reason=reason_of(units))
