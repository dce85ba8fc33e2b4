"""What a reader needs to trust the figures: other graders, the power of the design, seeds and sizes, and what was compared with what.

In: the paths of agreement.csv, band.csv, power.csv, pooled.csv and slopes.csv, those that the study has, and the comparisons. Out: one value that
templates/measurement.html lays out; what a study does not have is empty, and its part of the page is left out. Errors: those of TableRow.read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unfaithful_cot.records.tables import AgreementRow, ComparisonRow, PooledRow, PowerRow, SlopeRow
from unfaithful_cot.report import design, graders
from unfaithful_cot.report.summary import Plain, Table


@dataclass(frozen=True)
class Measurement:
    """The parts of the section. `graded`: whether two graders were compared at all."""

    swaps: list[str]
    bands: list[Table]
    agreement: list[Plain]
    power: list[Plain]
    together: list[Plain]
    compared: str
    unlike: list[str]

    @property
    def graded(self) -> bool:
        """Whether two graders gave the same verdict on anything."""
        return bool(self.bands or self.agreement)


def measurement(
    tables: Mapping[str, str], tests: Sequence[ComparisonRow], labels: Mapping[str, str], main_corpus: str
) -> Measurement:
    """The section. tables: {name of a table without .csv: its path}."""
    band = graders.read_band(tables["band"]) if "band" in tables else []
    alike = AgreementRow.read(tables["agreement"]) if "agreement" in tables else []
    power = [design.power_table(PowerRow.read(tables["power"]))] if "power" in tables else []
    together = [design.pooled_table(PooledRow.read(tables["pooled"]), labels)] if "pooled" in tables else []
    together += [design.slope_table(SlopeRow.read(tables["slopes"]), labels)] if "slopes" in tables else []
    return Measurement(
        graders.band_sentences(band, labels, main_corpus),
        graders.band_tables(band, labels, main_corpus),
        with_rows([graders.agreement_table(alike), graders.agreement_table(alike, arms=True)]),
        with_rows(power),
        with_rows(together),
        compared(tests),
        unlike(tests, labels),
    )


def with_rows(tables: Sequence[Plain]) -> list[Plain]:
    """The tables that are not empty."""
    return [table for table in tables if table.rows]


def compared(tests: Sequence[ComparisonRow]) -> str:
    """How many comparisons are between conditions that were asked alike."""
    if not tests:
        return "No two conditions were compared."
    alike = sum(test.comparable for test in tests)
    share = "All" if alike == len(tests) else f"{alike:,} of"
    return (
        f"{share} {len(tests):,} comparisons are between conditions that were asked the same cases, with the same instruction, chat template, "
        "decoding, quantisation and engine."
    )


def unlike(tests: Sequence[ComparisonRow], labels: Mapping[str, str]) -> list[str]:
    """Each pair of conditions that must not be compared, once, with its reason."""
    found = dict.fromkeys(
        (labels.get(test.model, test.model), test.suite, test.b, test.a, test.reason or "no reason given")
        for test in tests
        if not test.comparable
    )
    return [f"{model}, {suite}: {b} and {a}: {reason}" for model, suite, b, a, reason in found]
