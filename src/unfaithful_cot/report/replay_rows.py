"""The tables of a replay: which files of transcripts were measured, by the published and by the corrected reading.

In: replay/metrics.csv and comparisons.csv. Out: Replayed: MetricRow values whose corpus is the condition of the file (so that a
cell is a file of transcripts), and pairs of metrics that ask the same question by both readings. Errors: those of TableRow.read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from unfaithful_cot.records.tables import MetricRow, ReplayComparisonRow, ReplayMetricRow
from unfaithful_cot.report.view import FULL, View


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
READINGS = ("published", "corrected")


class Place(NamedTuple):
    """A file of transcripts, and the suite and arm of some of its cases."""

    model: str
    condition: str
    suite: str
    arm: str


def headline_places(places: Iterable[Place]) -> list[Place]:
    """Those of the arm `full`, or of the first arm of a suite that has no such arm."""
    found = list(places)
    arms: dict[tuple[str, str], list[str]] = {}
    for place in found:
        arms.setdefault((place.model, place.suite), []).append(place.arm)
    return [
        place
        for place in found
        if place.arm == (FULL if FULL in (own := arms[place.model, place.suite]) else own[0])
    ]


@dataclass(frozen=True)
class Replayed:
    """A replay: a row for each place and metric, in the order of the file, and the comparisons."""

    rows: Mapping[tuple[Place, str], MetricRow] = field(default_factory=dict)
    comparisons: list[ReplayComparisonRow] = field(default_factory=list)
    view: View = field(default_factory=View)

    @property
    def places(self) -> list[Place]:
        """Every file, suite and arm: files in order, in each the arm `full` first."""
        places = list(dict.fromkeys(place for place, _ in self.rows))
        files = list(dict.fromkeys(place[:2] for place in places))
        return sorted(places, key=lambda p: (files.index(p[:2]), p.suite, p.arm != FULL, p.arm))

    def row(self, place: Place, question: Question, reading: str) -> MetricRow | None:
        """The row that answers a question by a reading."""
        return self.rows.get((place, getattr(question, reading)))

    def unlike(self, place: Place) -> ReplayComparisonRow | None:
        """The first comparison with a condition before it that was refused, None where there is none."""
        wanted = (place.model, place.suite, place.arm, place.condition)
        found = (each for each in self.comparisons if (each.model, each.suite, each.arm, each.b) == wanted)
        return next((each for each in found if not each.comparable), None)

    def name(self, place: Place) -> str:
        """`Qwen3-8B, baseline`."""
        return f"{self.view.model(place.model)}, {place.condition}"


def read_replay(metrics: str, comparisons: str, view: View) -> Replayed:
    """Both tables. Raises DataError."""
    rows = {}
    for row in ReplayMetricRow.read(metrics):
        values = dict(row)
        condition = values.pop("condition")
        place = Place(row.model, condition, row.suite, row.arm)
        rows[place, row.metric] = MetricRow(**(values | {"corpus": condition, "n_documents": 0, "seed": 0}))
    return Replayed(rows, ReplayComparisonRow.read(comparisons), view)
