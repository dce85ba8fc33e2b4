"""band.csv: how far a rate moves when one grader is swapped for another.

In: the table of grader_agreement.comparable. Out: a table of BandRow, one row a condition, suite, arm and metric that two graders
or more can give. `value` is that of the grader in metrics.csv; low and high are the least and the largest value.
How a grader is swapped: where it has a metric of its own for the same thing (`published_unfaithful_rate`), that one; else the
verdicts that it gives take the place of those of the same name, and the others, such as the letter of the answer, stay.
It has to give the verdict that the metric is about. Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from unfaithful_cot.metrics.frame import CONDITION, KEYS
from unfaithful_cot.metrics.interventions import with_interventions
from unfaithful_cot.metrics.rates import Metric
from unfaithful_cot.metrics.registry import METRICS, metrics_of
from unfaithful_cot.metrics.units import units_of
from unfaithful_cot.records.tables import BandRow

PLACE = [*CONDITION, "suite", "arm"]


class Reading(NamedTuple):
    """A metric by one grader, and the rows that it is counted in."""

    grader: str
    metric: Metric
    rows: pd.DataFrame


def band_table(table: pd.DataFrame) -> pd.DataFrame:
    """Every metric that two graders or more can give, in every condition, suite and arm."""
    rows: list[dict[str, Any]] = []
    by_grader = {
        str(name): part.dropna(axis="columns", how="all")
        for name, part in table.groupby("grader", sort=False)
    }
    for base in dict.fromkeys(metric.grader for metric in METRICS.values()):
        if base not in by_grader:
            continue
        own = with_interventions(by_grader[base])
        others = {name: part for name, part in by_grader.items() if name != base}
        exchanged = {name: swapped(own, part) for name, part in others.items()}
        for metric in metrics_of(base):
            readings = [Reading(base, metric, own)]
            for name, part in others.items():
                same = own_metric(metric, name)
                if same is not None:
                    readings.append(Reading(name, same, part))
                elif gives(part, metric):
                    readings.append(Reading(name, metric, exchanged[name]))
            if len(readings) > 1:
                rows += _rows(metric, readings)
    return BandRow.frame(rows)


def _rows(metric: Metric, readings: list[Reading]) -> Iterator[dict[str, Any]]:
    """One row a condition, suite and arm of the grader in metrics.csv."""
    parts = [dict(list(reading.rows.groupby(PLACE, sort=False))) for reading in readings]
    for place in parts[0]:
        values: dict[str, float | None] = {}
        for reading, part in zip(readings, parts, strict=True):
            if place in part:
                units = units_of(reading.metric, part[place]).values
                values[reading.grader] = float(units.mean()) if len(units) else None
        known = {name: value for name, value in values.items() if value is not None}
        if len(values) < 2:
            continue
        row = dict(zip(PLACE, place, strict=True)) | {"metric": metric.name, "grader": metric.grader}
        row |= {"value": values[metric.grader], "n_graders": len(known)}
        if known:
            low, high = min(known, key=lambda name: known[name]), max(known, key=lambda name: known[name])
            row |= {"low": known[low], "high": known[high], "low_grader": low, "high_grader": high}
        by_grader = ", ".join(
            f"{name} {'none' if value is None else f'{value:.4f}'}" for name, value in values.items()
        )
        silent = ", ".join(name for name in values if name not in known)
        yield row | {"values": by_grader, "reason": f"no value by {silent}" if silent else None}


def own_metric(metric: Metric, grader: str) -> Metric | None:
    """The metric of another grader that stands for the same thing."""
    return METRICS.get((grader, f"{grader}_{metric.name}"))


def gives(rows: pd.DataFrame, metric: Metric) -> bool:
    """Whether a grader can take the place of the one that a metric is counted by: it gives the verdict of the metric.

    A grader with metrics of its own, such as `published`, has its own definitions and takes no other's place.
    """
    if metric.row is not None or metrics_of(str(rows["grader"].iloc[0])):
        return False
    return metric.about in rows and bool(rows[metric.about].notna().any())


def swapped(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The rows of a grader with the verdicts of another in the place of those of the same name.

    Responses that the other one has not judged are left out.
    """
    given = [
        name
        for name in other
        if name not in KEYS and not str(name).endswith("?") and other[name].notna().any()
    ]
    columns = [name for name in other if name in given or str(name).removesuffix("?") in given]
    rows = own[own["response"].isin(other["response"])].drop(
        columns=[name for name in columns if name in own]
    )
    for name in given:
        rows = rows.drop(columns=[f"{name}?"], errors="ignore")
    return rows.merge(other[["response", *columns]], on="response", how="left")
