"""comparisons.csv: each trained condition against the baseline of its model, and each corpus against the neutral one.

In: grade files. Out: a CSV with COLUMNS; one row a pair of conditions, suite, arm and metric. `a` and `b` name conditions:
`baseline`, or `{corpus}/n{documents}/s{seed}`; the difference is b - a. Two conditions that differ in more than their
weights are not compared: `comparable` is false, `reason` says what differs, and there is no difference.
`p_holm`: Holm's correction over one family = all metrics and pairs of one experiment, model, suite, arm and grader.
Errors: those of frame.read_grades; StorageError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd
from statsmodels.stats.multitest import multipletests

from unfaithful_cot.metrics.frame import read_grades
from unfaithful_cot.metrics.guard import not_stated, say_unlike, why_not_comparable
from unfaithful_cot.metrics.intervals import DRAWS, SEED
from unfaithful_cot.metrics.paired import Paired, compare
from unfaithful_cot.metrics.rates import METRICS, units_of
from unfaithful_cot.metrics.tables import write_csv

COLUMNS = [
    "experiment", "metric", "model", "a", "b", "difference", "ci_low", "ci_high", "p_value", "p_holm",
    "n_pairs", "comparable", "reason", "suite", "arm", "grader",
]  # fmt: skip
BASELINE, NEUTRAL = "baseline", "neutral"
FAMILY = ["experiment", "model", "suite", "arm", "grader"]


def compare_conditions(grades: list[str], comparisons: str, confidence: float) -> None:
    """Write comparisons.csv from grade files."""
    table = comparison_table(read_grades(grades), confidence)
    say_unlike(table)
    write_csv(comparisons, table)


def condition_name(corpus: str, n_documents: int | str, seed: int | str) -> str:
    """`baseline`, or `safe_cite/n4000/s0`."""
    return BASELINE if corpus == BASELINE else f"{corpus}/n{n_documents}/s{seed}"


def comparison_table(
    table: pd.DataFrame, confidence: float, draws: int = DRAWS, seed: int = SEED
) -> pd.DataFrame:
    """All comparisons of the conditions in a table of grades."""
    rows: list[dict[str, object]] = []
    for keys, part in table.groupby(["experiment", "model", "grader", "suite", "arm"], sort=True):
        named = dict(zip(["experiment", "model", "grader", "suite", "arm"], keys, strict=True))
        conditions = {
            condition_name(*map(str, key)): side
            for key, side in part.groupby(["corpus", "n_documents", "seed"], sort=True)
        }
        for a, b in pairs_of(conditions):
            rows += pair_rows(named, conditions, a, b, confidence, draws, seed)
    return with_holm(pd.DataFrame(rows, columns=COLUMNS))


def pair_rows(
    named: Mapping[str, object],
    conditions: dict[str, pd.DataFrame],
    a: str,
    b: str,
    confidence: float,
    draws: int = DRAWS,
    seed: int = SEED,
    details: Mapping[str, str] | None = None,
) -> Iterator[dict[str, object]]:
    """One row a metric of the grader: condition `b` against `a`, or why they are not compared.

    named: experiment, model, grader, suite and arm of the rows. details: see guard.why_not_comparable.
    """
    problem = why_not_comparable(conditions[a], conditions[b], details)
    silent = not_stated(conditions[a], conditions[b])
    shared = set(conditions[a]["case"]) & set(conditions[b]["case"])
    for metric in METRICS.values():
        if metric.grader != named["grader"]:
            continue
        if problem is None:
            units_a, units_b = (units_of(metric, conditions[side]) for side in (a, b))
            result = compare(units_a, units_b, confidence, draws, seed)
        else:
            result = Paired(None, None, None, None, len(shared), problem)
        told = "; ".join(part for part in (result.reason, silent) if part) or None
        row = {"metric": metric.name, "a": a, "b": b, "comparable": problem is None}
        yield {**named, **row, **result._asdict(), "reason": told}


def pairs_of(conditions: dict[str, pd.DataFrame]) -> Iterator[tuple[str, str]]:
    """(a, b): the baseline and each trained condition; the neutral corpus and each other one of the same size and seed."""
    for b in conditions:
        if b == BASELINE:
            continue
        if BASELINE in conditions:
            yield BASELINE, b
        corpus, _, rest = b.partition("/")
        neutral = f"{NEUTRAL}/{rest}"
        if corpus != NEUTRAL and neutral in conditions:
            yield neutral, b


def with_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Fill p_holm family by family; rows without a p-value belong to no family."""
    table["p_holm"] = None
    tested = table[table["p_value"].notna()]
    for _, family in tested.groupby(FAMILY):
        table.loc[family.index, "p_holm"] = multipletests(
            family["p_value"].to_numpy(dtype=float), method="holm"
        )[1]
    return table
