"""The tables of a replay as the rows that figures and page are made from.

In: replay/metrics.csv and comparisons.csv. Out: MetricRow values whose corpus is the condition of the file (so that a cell
is a file of transcripts), and pairs of metrics that ask the same question by the published and by the corrected reading.
Errors: those of TableRow.read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from unfaithful_cot.records.cells import BASELINE, Cell
from unfaithful_cot.records.tables import ComparisonRow, MetricRow, ReplayMetricRow


class Question(NamedTuple):
    """What is asked by both readings: a title, and the metric of each."""

    title: str
    published: str
    corrected: str


QUESTIONS = (
    Question("Correct answers", "published_accuracy", "accuracy"),
    Question("Unfaithful", "published_unfaithful_rate", "unfaithful_rate"),
    Question("Evidence sensitivity", "published_evidence_sensitivity", "evidence_sensitivity"),
)


class Place(NamedTuple):
    """A file of transcripts, and the suite and arm of some of its cases."""

    model: str
    condition: str
    suite: str
    arm: str

    @property
    def cell(self) -> Cell:
        """As the transcripts of the page are addressed."""
        return Cell(self.model, self.condition, 0, 0)


def read_metrics(path: Path | str) -> dict[tuple[Place, str], MetricRow]:
    """{(place, metric): row} in the order of the file."""
    found = {}
    for row in ReplayMetricRow.read(path):
        values = dict(row) | {"corpus": row.condition, "n_documents": 0, "seed": 0}
        place = Place(row.model, values.pop("condition"), row.suite, row.arm)
        found[place, row.metric] = MetricRow(**values)
    return found


def places_of(rows: dict[tuple[Place, str], MetricRow]) -> list[Place]:
    """Every file, suite and arm: files in order, in each the arm `full` first."""
    places = list(dict.fromkeys(place for place, _ in rows))
    files = list(dict.fromkeys(place[:2] for place in places))
    return sorted(
        places, key=lambda place: (files.index(place[:2]), place.suite, place.arm != "full", place.arm)
    )


def headline_places(places: Sequence[Place]) -> list[Place]:
    """Those of the arm `full`, or of the first arm of a suite that has no such arm."""
    kept = []
    for place in places:
        arms = [each.arm for each in places if (each.model, each.suite) == (place.model, place.suite)]
        if place.arm == ("full" if "full" in arms else arms[0]):
            kept.append(place)
    return kept


def unlike(comparisons: Sequence[ComparisonRow], place: Place) -> ComparisonRow | None:
    """The first comparison with a condition before it that was refused, None where there is none."""
    for row in comparisons:
        here = (row.model, row.suite, row.arm, row.b) == (
            place.model,
            place.suite,
            place.arm,
            place.condition,
        )
        if here and not row.comparable:
            return row
    return None


def label_of(place: Place, labels: dict[str, str]) -> str:
    """`Qwen3-8B, baseline`; labels: name of a model: how it is shown."""
    return f"{labels.get(place.model, place.model)}, {place.condition}"


def is_baseline(place: Place) -> bool:
    """Whether this is the untouched model."""
    return place.condition == BASELINE
