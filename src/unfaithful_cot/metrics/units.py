"""What a metric counts in the rows of one condition, suite, arm and grader, and why some of it cannot be counted.

In: a Metric and rows. Out: Units. Plain arrays, because a study asks for some ten thousand of them. Errors: none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unfaithful_cot.metrics.intervals import Floats
from unfaithful_cot.metrics.rates import Metric, verdict

Names = NDArray[np.object_]
Flags = NDArray[np.bool_]


class Units(NamedTuple):
    """`values`: one number a unit, without gaps; cases, samples and scenarios run parallel.

    A unit's case is its scenario where scenarios are counted. `n_missing`: units that belong into the denominator and have no
    value; `reason` says why, or why nothing is counted.
    """

    values: Floats
    cases: Names
    samples: NDArray[np.int64]
    scenarios: Names
    n_missing: int
    reason: str | None


def counts_of(units: Sequence[Units]) -> dict[str, int]:
    """How many units stand in the denominator, over all of these together, in how many scenarios, and how many are missing."""
    return {
        "n": sum(len(each.values) for each in units),
        "n_scenarios": len({name for each in units for name in each.scenarios}),
        "n_missing": sum(each.n_missing for each in units),
    }


def reason_of(units: Sequence[Units]) -> str | None:
    """What is to be known of these units, each reason once."""
    return "; ".join(dict.fromkeys(each.reason for each in units if each.reason)) or None


def units_of(metric: Metric, table: pd.DataFrame) -> Units:
    """The units of a metric in the rows of one condition, suite, arm and grader."""
    if metric.arms is not None and not table["arm"].isin(metric.arms).all():
        return _none(f"defined in {' and '.join(metric.arms)} only")
    values, about = metric.values(table), [metric.about]
    inside = np.ones(len(table), dtype=bool)
    if metric.base is not None:
        values = values - metric.base(table)
    if metric.given is not None:
        if metric.given not in table:
            return _none(f"{metric.given} was not decided")
        condition = verdict(table, metric.given)
        inside = condition != 0  # unknown counts as missing, not as outside
        values, about = np.where(condition == 1, values, np.nan), [metric.given, *about]
        if not inside.any():
            return _none(f"no response with {metric.given} true")
    if metric.unit == "scenario":
        return _scenario_units(table, values, metric.about)
    counted = inside & ~np.isnan(values)
    missing = inside & ~counted
    n_missing = int(missing.sum())
    reason = reasons(table, *about, "names_confidential", where=missing) if n_missing else None
    if metric.unread_is_wrong and metric.about in table and counted.any():
        unread = int(table[metric.about].isna().to_numpy()[counted].sum())
        n_missing, note = n_missing + unread, f"{unread} unreadable answers count as wrong"
        reason = "; ".join([part for part in (reason, note) if part]) if unread else reason
    return Units(
        values[counted],
        _names(table, "case")[counted],
        table["sample"].to_numpy()[counted],
        _names(table, "scenario")[counted],
        n_missing,
        reason,
    )


def _names(table: pd.DataFrame, column: str) -> Names:
    return table[column].to_numpy(dtype=object)


def _none(reason: str | None) -> Units:
    nothing = np.array([], dtype=object)
    return Units(np.array([]), nothing, np.array([], dtype=np.int64), nothing, 0, reason)


def _scenario_units(table: pd.DataFrame, values: Floats, about: str) -> Units:
    """A scenario (and sample) counts when every variant of it does; those without all variants are left out."""
    rows = pd.DataFrame(
        {"scenario": _names(table, "scenario"), "sample": table["sample"].to_numpy(), "value": values}
    )
    variants = max(table["variant"].nunique(), 2)
    found = rows.groupby(["scenario", "sample"], sort=False)["value"].agg(["min", "count"]).reset_index()
    whole = found[found["count"] >= variants]
    left_out = len(found) - len(whole)
    unknown = reasons(table, about, where=np.isnan(values))
    why = unknown or f"{left_out} scenarios without both variants are left out"
    scenarios = whole["scenario"].to_numpy(dtype=object)
    samples = whole["sample"].to_numpy()
    return Units(whole["min"].to_numpy(), scenarios, samples, scenarios, left_out, why if left_out else None)


def reasons(table: pd.DataFrame, *verdict_names: str, where: Flags | None = None) -> str | None:
    """Why verdicts are None: the most frequent reason with its count, and how many others. None: none is.

    A row's reason is that of the first verdict named that has one. where: the rows that are asked about.
    """
    rows = np.arange(len(table)) if where is None else np.flatnonzero(where)
    found: list[Any] = [None] * len(rows)
    for name in reversed(verdict_names):
        if f"{name}?" in table:
            texts = _names(table, f"{name}?")[rows]
            found = [text if isinstance(text, str) else old for text, old in zip(texts, found, strict=True)]
    counts = Counter(text for text in found if text is not None).most_common()
    if not counts:
        return None
    first = f"{counts[0][1]}: {counts[0][0]}"
    others = sum(count for _, count in counts[1:])
    return f"{first}; {others} for other reasons" if others else first
