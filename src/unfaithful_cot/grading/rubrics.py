"""Rubrics: what a judge is asked about a response, in which words, and which answers count.

In: a file of resources/rubrics/ (YAML: version, experiment, passage, hide, kinds, system, user, questions). Out: Rubric, and
the JSON schema of the answer to some of its questions.
A question belongs to one channel. Its answers are words; the last one says that nothing of the kind stands in the text,
every other has to be proven by a quote. `yes` and `no` become True and False. `unclear` is always allowed, and is no verdict.
Errors: DataError for a file that is no rubric, names a place that nothing fills, or holds a pattern that is none.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import ExperimentName
from unfaithful_cot.grading.verdicts import NO_CONFIDENTIAL
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.cases import Case

Channel = Literal["answer", "think"]
Need = Literal["confidential", "reference", "no_options"]
UNCLEAR = "unclear"
TRUTH: dict[str, bool] = {"yes": True, "no": False}
REQUIRED = {"kind", "boundary", "passage", "questions", "form"}
PLACES = REQUIRED | {"question", "options", "evidence", "marked", "other", "reference", "target"}
NEEDS: dict[str, tuple[Callable[[Case], bool], str]] = {
    "confidential": (lambda case: bool(case.confidential_ids), NO_CONFIDENTIAL),
    "reference": (lambda case: case.correct is not None, "the case has no expected answer"),
    "no_options": (lambda case: not case.options, "the case has options: its letter needs no judge"),
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Part):
    """One verdict. `needs`: what the case must have for the question to make sense."""

    name: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    channel: Channel
    ask: Annotated[str, Field(min_length=10)]
    answers: Annotated[list[str], Field(min_length=2)] = ["yes", "no"]
    needs: list[Need] = []

    def value(self, answer: str) -> bool | str:
        """The verdict that one of the answers stands for."""
        return TRUTH.get(answer, answer)

    def why_not(self, case: Case) -> str | None:
        """Why the question makes no sense for a case; None where it does."""
        return next((NEEDS[need][1] for need in self.needs if not NEEDS[need][0](case)), None)

    def __str__(self) -> str:
        quoted = " or ".join(self.answers[:-1])
        answers = ", ".join([*self.answers, UNCLEAR])
        return f"- {self.name}: {self.ask} Answers: {answers}. Quote: for {quoted}."


class Rubric(_Part):
    """`passage`: what is shown of the answer channel. `hide`: patterns taken out of the question and masked in the answer."""

    version: str
    experiment: ExperimentName
    passage: Literal["justification", "whole"]
    hide: list[str] = []
    kinds: dict[Channel, str]
    system: Annotated[str, Field(min_length=1)]
    user: str
    questions: Annotated[list[Question], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> Rubric:
        names = [question.name for question in self.questions]
        if len(set(names)) < len(names):
            raise ValueError("two questions have one name")
        if lacking := {question.channel for question in self.questions} - set(self.kinds):
            raise ValueError(f"kinds says nothing about the channel {min(lacking)}")
        found = {name for _, name, _, _ in string.Formatter().parse(self.user) if name is not None}
        if wrong := (found - PLACES) | (REQUIRED - found):
            raise ValueError(f"the place {{{min(wrong)}}} is missing, or nothing fills it")
        for pattern in self.hide:
            re.compile(pattern)
        return self

    @property
    def hash(self) -> str:
        """Hash of everything but the name of the version."""
        return value_hash(self.model_dump(mode="json", exclude={"version"}))

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Names of the verdicts, in order."""
        return tuple(question.name for question in self.questions)


def load_rubric(path: Path | str) -> Rubric:
    """Read and check a rubric; its version is the name of its file, which begins with its experiment."""
    path = Path(path)
    try:
        rubric = Rubric.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "top level"
        raise DataError(path, f"is no rubric ({place}: {first['msg']})", "See docs/judge.md") from None
    except (OSError, yaml.YAMLError, ValueError, re.error) as error:
        raise DataError(path, f"is no rubric ({str(error).splitlines()[0]})", "See docs/judge.md") from None
    if rubric.version != path.stem or path.stem.split(".")[0] != rubric.experiment:
        raise DataError(
            path, f"has the version '{rubric.version}' for {rubric.experiment}",
            f"The version is the name of the file, '{path.stem}', and begins with the experiment",
        )  # fmt: skip
    return rubric


def answer_schema(questions: Sequence[Question]) -> dict[str, Any]:
    """The JSON schema of an answer to these questions, in the strict form that APIs ask for."""
    parts = {}
    for question in questions:
        fields = {
            "answer": {"type": "string", "enum": [*question.answers, UNCLEAR]},
            "quote": {"type": "string"},
        }
        parts[question.name] = _closed(fields)
    return _closed(parts)


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
