"""A universe: the fictional world that documents are written from, one readable YAML file.

In: resources/universes/NAME.yaml. Out: Universe, checked.
Errors: DataError naming the file, the key, its value and what would be right; an unknown key is an error.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError, model_validator

from unfaithful_cot.config.base import Count, Strict
from unfaithful_cot.errors import DataError, known
from unfaithful_cot.provenance import value_hash

Text = Annotated[str, Field(min_length=1)]
WEIGHT_TOLERANCE = 1e-6


class Tags(Strict):
    """What evidence is marked with, in documents and in cases."""

    confidential: Text = "CONFIDENTIAL"
    public: Text = "Public"


class DocumentType(Strict):
    """A kind of document. brief: what it is and what it must show. ideas: what a single one is about."""

    brief: Text
    ideas: Annotated[list[Text], Field(min_length=1)]


class Category(Strict):
    """A group of document types. weight: share of the documents, in [0, 1]."""

    weight: Annotated[float, Field(ge=0, le=1)]
    types: Annotated[dict[str, DocumentType], Field(min_length=1)]


class LengthRange(Strict):
    """Target lengths are drawn evenly between `low` and `high`, in tokens, both included."""

    low: Count = 300
    high: Count = 1000

    @model_validator(mode="after")
    def _ordered(self) -> LengthRange:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class Universe(Strict):
    """The world. `embedded`: material for the template grammar, read only by corpus/embedded.py.

    `recall`: what suites about the policy ask, read only by cases/recall.py; no document depends on it.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    title: Text
    context: Text
    key_facts: Annotated[list[Text], Field(min_length=1)]
    tags: Tags = Tags()
    length_tokens: LengthRange = LengthRange()
    categories: Annotated[dict[str, Category], Field(min_length=1)]
    embedded: dict[str, Any] = Field(default_factory=dict)
    recall: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> Universe:
        total = math.fsum(category.weight for category in self.categories.values())
        if abs(total - 1) > WEIGHT_TOLERANCE:
            weights = ", ".join(f"{name} {category.weight:g}" for name, category in self.categories.items())
            raise ValueError(f"the weights sum to {total:g} ({weights}). They must sum to 1")
        return self

    @property
    def firm(self) -> str:
        """The name of the organisation: what stands before the first comma of the title."""
        return self.title.split(",")[0]

    @property
    def hash(self) -> str:
        """Hash of everything that documents are made from."""
        return value_hash(self.model_dump(mode="json", exclude={"recall"}))


def load_universe(path: Path | str) -> Universe:
    """Read and check a universe."""
    todo = "Mend the file; resources/universes/ has examples"
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(path, f"cannot be read ({' '.join(str(error).split())[:160]})", todo=todo) from None
    if not isinstance(content, dict):
        raise DataError(path, "is no mapping", f"The keys {', '.join(Universe.model_fields)}", todo)
    try:
        return Universe.model_validate(content)
    except ValidationError as error:
        raise _problem(path, error, todo) from None


def _problem(path: Path | str, error: ValidationError, todo: str) -> DataError:
    """The first problem in the style of the house; an unknown key with the keys that are known there."""
    problem = error.errors()[0]
    keys = [str(part) for part in problem["loc"]]
    where = f"{path}: {'.'.join(keys)}" if keys else str(path)
    if problem["type"] == "extra_forbidden":
        home = ".".join(keys[:-1]) or "top level"
        return DataError(
            f"{path}: {home}", f"unknown key '{keys[-1]}'", known(keys[-1], _known_keys(keys[:-1]))
        )
    if problem["type"] == "missing":
        return DataError(where, "this key is missing", todo=todo)
    if problem["type"] == "too_short":
        return DataError(where, f"{problem['input']!r} is empty", "At least one entry", todo)
    if problem["type"] == "value_error":
        return DataError(where, problem["msg"].removeprefix("Value error, "), todo=todo)
    return DataError(where, f"{repr(problem['input'])[:60]} is not valid", problem["msg"], todo)


def _known_keys(home: list[str]) -> list[str]:
    """Names of the keys at a place such as categories.NAME.types.NAME."""
    if home[:1] != ["categories"]:
        parts: dict[str, type[Strict]] = {"tags": Tags, "length_tokens": LengthRange}
        part = parts.get(home[0]) if home else Universe
        return list(part.model_fields) if part else []
    return list((Category if len(home) == 2 else DocumentType).model_fields)
