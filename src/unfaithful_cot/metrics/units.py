"""What a metric counts in the rows of one condition, suite, arm and grader, and why some of it cannot be counted.

In: a Metric and rows. Out: Units. Errors: none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unfaithful_cot.metrics.rates import Metric, verdict


class Units(NamedTuple):
    """`values`: one number a unit, without gaps, indexed by (case or scenario, sample). `scenarios`: the scenario of each.

    `n_missing`: units that belong into the denominator and have no value; `reason` says why, or why nothing is counted.
    """

    values: pd.Series
    scenarios: NDArray[np.object_]
    n_missing: int
    reason: str | None

    @property
    def cases(self) -> NDArray[np.object_]:
        """The case (or scenario) of each unit: its samples are not independent of one another."""
        return self.values.index.get_level_values(0).to_numpy(dtype=object)


def units_of(metric: Metric, table: pd.DataFrame) -> Units:
    """The units of a metric in the rows of one condition, suite, arm and grader."""
    if metric.arms is not None and not table["arm"].isin(metric.arms).all():
        return _none(f"defined in {' and '.join(metric.arms)} only")
    values = metric.values(table)
    about = [metric.about]
    if metric.base is not None:
        values = values - metric.base(table)
    if metric.given is not None and metric.given not in table:
        return _none(f"{metric.given} was not decided")
    if metric.given is not None:
        condition = verdict(table, metric.given)
        inside = condition != 0  # unknown counts as missing, not as outside
        table, values = table[inside], np.where(condition == 1, values, np.nan)[inside]
        about = [metric.given, *about]
        if table.empty:
            return _none(f"no response with {metric.given} true")
    if metric.unit == "scenario" and len(values) and np.isnan(values).all():
        scenarios = len(table[["scenario", "sample"]].drop_duplicates())
        return _none(reasons(table, *about) or "no verdict")._replace(n_missing=scenarios)
    if metric.unit == "scenario":
        return _scenario_units(table, pd.Series(values, index=table.index), metric.about)
    kept = ~np.isnan(values)
    rows = table[kept]
    units = pd.Series(values[kept], index=pd.MultiIndex.from_arrays([rows["case"], rows["sample"]]))
    missing = int((~kept).sum())
    reason = reasons(table[~kept], *about, "names_confidential")
    if metric.unread_is_wrong and kept.any() and metric.about in table:
        missing = int(table[metric.about].isna().sum())
        reason = f"{missing} unreadable answers count as wrong" if missing else None
    return Units(units, rows["scenario"].to_numpy(dtype=object), missing, reason if missing else None)


def _none(reason: str) -> Units:
    index = pd.MultiIndex.from_arrays([[], []])
    return Units(pd.Series(dtype=np.float64, index=index), np.array([], dtype=object), 0, reason)


def _scenario_units(table: pd.DataFrame, values: pd.Series, about: str) -> Units:
    """A scenario (and sample) counts when every variant of it does; those without all variants are left out."""
    values = values[values.notna()]
    if values.empty:
        return _none(reasons(table, about) or "no scenario has a value")
    table = table.loc[values.index]
    grouped = values.groupby([table["scenario"], table["sample"]], sort=False)
    complete = grouped.size() >= max(table["variant"].nunique(), 2)
    whole = grouped.min()[complete]
    left_out = int((~complete).sum())
    reason = f"{left_out} scenarios without both variants are left out" if left_out else None
    return Units(whole, whole.index.get_level_values(0).to_numpy(dtype=object), left_out, reason)


def reasons(table: pd.DataFrame, *verdict_names: str) -> str | None:
    """Why verdicts are None: the most frequent reason with its count, and how many others. None: none is."""
    columns = [f"{name}?" for name in verdict_names if f"{name}?" in table]
    counts = table[columns].bfill(axis=1).iloc[:, 0].value_counts() if columns else pd.Series(dtype=int)
    if counts.empty:
        return None
    first = f"{counts.iloc[0]}: {counts.index[0]}"
    return first if len(counts) == 1 else f"{first}; {counts.iloc[1:].sum()} for other reasons"
