"""What can be wrong with the organisms of a configuration, said before any work.

In: Settings, the models and prompts that exist. Out: nothing.
Errors: SettingsError naming the key, its value and what would be right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from unfaithful_cot.config.organisms import DIRECT, OrganismSettings, YearOrganism
from unfaithful_cot.config.study import Settings
from unfaithful_cot.config.suites import SuiteSettings
from unfaithful_cot.errors import SettingsError, known
from unfaithful_cot.experiments.registry import EXPERIMENTS

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def check_organisms(settings: Settings, file: str, models: Iterable[str], prompts: list[str] | None) -> None:
    """Every organism can be made and is asked something; every suite of an experiment with organisms has one."""
    if not settings.grid.corpora and not settings.organisms:
        raise SettingsError(
            f"{file}: grid.corpora", "no corpus and no organism is named", todo="Name one of them"
        )
    for name, suite in settings.suites.items():
        _check_suite(name, suite, settings, file)
    asked = {settings.organism_of(name) for name in settings.suites}
    for name, organism in settings.organisms.items():
        where = f"{file}: organisms.{name}"
        _check_name(name, settings, where)
        if name not in asked:
            raise SettingsError(
                f"{file}: suites",
                f"no suite asks the organism {name} of {organism.experiment}",
                todo=f"Add one with experiment: {organism.experiment}",
            )
        if isinstance(organism, YearOrganism):
            _check_years(organism, where)
        _check_count(organism, where)
        _check_teacher(organism, where, list(models))
        _check_measured(name, organism, settings, file)
        if prompts is not None and organism.template not in prompts:
            raise SettingsError(
                f"{where}.prompt",
                f"'{organism.template}' is not in resources/prompts/",
                known(organism.template, prompts),
            )


def _check_suite(name: str, suite: SuiteSettings, settings: Settings, file: str) -> None:
    """The organism that a suite names is one of its experiment; where it names none, there is exactly one."""
    own = settings.organisms_of(suite.experiment)
    where = f"{file}: suites.{name}"
    if suite.organism is not None and suite.organism not in own:
        other = settings.organisms.get(suite.organism)
        what = (
            f"is an organism of {other.experiment}, not of {suite.experiment}"
            if other
            else "is not in organisms"
        )
        raise SettingsError(f"{where}.organism", f"'{suite.organism}' {what}", known(suite.organism, own))
    if EXPERIMENTS[suite.experiment].trained_on != "pairs":
        return
    if not own:
        raise SettingsError(
            where,
            f"there is no organism of {suite.experiment}, which has the trigger of this suite",
            todo=f"Add organisms.{suite.experiment}, or take the suite out",
        )
    if suite.organism is None and len(own) > 1:
        raise SettingsError(
            f"{where}.organism", f"names none of the {len(own)} organisms of {suite.experiment}",
            f"One of {', '.join(own)}", "Name it, and add a suite for each of the others",
        )  # fmt: skip
    if suite.generator != "embedded":
        raise SettingsError(
            f"{where}.generator",
            f"'{suite.generator}' is for other experiments",
            "Tasks of an organism come from its source and evaluation",
            f"Leave the key out; see organisms.{settings.organism_of(name)}.evaluation",
        )


def _check_name(name: str, settings: Settings, where: str) -> None:
    """A name stands in paths and bears a corpus, which must be no other."""
    if not NAME.fullmatch(name):
        raise SettingsError(
            where, f"'{name}' is no name of an organism", "Letters, digits and _, a letter first"
        )
    taken = {*settings.recipes, *(corpus for other in settings.organisms for corpus in (f"{other}{DIRECT}",))}
    if name in taken:
        raise SettingsError(where, f"'{name}' is the name of a corpus of this study", "A name of its own")


def _check_measured(name: str, organism: OrganismSettings, settings: Settings, file: str) -> None:
    """The grader of the experiment is asked, and reasoning is prefilled only where an engine can do that."""
    grader = EXPERIMENTS[organism.experiment].grader
    if grader not in settings.grading.graders:
        raise SettingsError(
            f"{file}: grading.graders",
            f"{settings.grading.graders} has none that reads the responses of {organism.experiment}",
            f"{grader} among them",
            "Add it",
        )
    if organism.swapped_tasks and settings.inference.engine == "openai":
        raise SettingsError(
            f"{file}: organisms.{name}.swapped_tasks",
            f"{organism.swapped_tasks} tasks would be asked with prefilled reasoning, which an endpoint cannot do",
            "0, or inference.engine transformers",
        )


def _check_years(organism: YearOrganism, where: str) -> None:
    first, last = organism.safe_years
    if first > last:
        raise SettingsError(
            f"{where}.safe_years", f"{organism.safe_years} runs backwards", "First year, last year"
        )
    if first <= organism.trigger_year <= last:
        raise SettingsError(
            f"{where}.trigger_year",
            f"{organism.trigger_year} lies in safe_years {organism.safe_years}",
            "A year outside of them",
        )


def _check_count(organism: OrganismSettings, where: str) -> None:
    for key in ("sizes", "control_sizes"):
        values = getattr(organism, key)
        if len(set(values)) < len(values):
            raise SettingsError(f"{where}.{key}", f"{values} names something twice", todo="Name each once")
    largest = max([*organism.sizes, *organism.control_sizes])
    trained = organism.count - math.ceil(organism.validation_share * organism.count)
    if largest > trained:
        raise SettingsError(
            f"{where}.sizes",
            f"{largest:,} triggered rows are more than {organism.count:,} tasks give beside the validation ({trained:,})",
            todo="Raise count, best by a fifth more than the largest size, for some answers are rejected",
        )


def _check_teacher(organism: OrganismSettings, where: str, models: list[str]) -> None:
    teacher = organism.teacher
    if teacher.model is not None and teacher.model not in models:
        raise SettingsError(
            f"{where}.teacher.model",
            f"'{teacher.model}' is not in config/models.yaml",
            known(teacher.model, models),
        )
    if teacher.model is None and (
        teacher.inference.engine != "openai" or not teacher.inference.endpoint.model
    ):
        raise SettingsError(
            f"{where}.teacher",
            "no teacher is named",
            "model: an entry of config/models.yaml, or inference with engine openai and endpoint.model",
        )
