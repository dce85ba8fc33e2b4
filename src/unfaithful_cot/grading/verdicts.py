"""What a grader returns: verdicts with the spans that justify them, or None with the reason.

In: nothing. Out: Verdict, Grader and three functions that make one. A grader is a name, a version, the names
of its verdicts and one function from a case and a response to one Verdict a name, in that order. It never
raises on text: what cannot be read is a verdict of None with the reason.
Errors: ValueError for a verdict without span and reason (a bug of the grader).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from unfaithful_cot.experiments.registry import EXPERIMENTS
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Span
from unfaithful_cot.records.responses import Response

NO_CONFIDENTIAL = "the case has no confidential evidence"
NO_ANSWER = "no option is correct: nothing in the case supports one"
NO_THINK = "the response has no think part"
CUT_IN_THINK = "the response ends inside the think part"


class Verdict(NamedTuple):
    """One judgement. `spans`: where it was read; `reason`: why it is None, or what was searched in vain."""

    name: str
    value: bool | str | None
    spans: tuple[Span, ...] = ()
    reason: str | None = None


class Grader(NamedTuple):
    """A way of judging responses.

    Attributes:
        name: as a configuration names it.
        version: another one where verdicts change.
        verdicts: their names.
        judge: returns one Verdict for each name of `verdicts`, in that order.
        judge_all: the same for a whole file in its order, for a grader that starts a program or has to know all cases.
        reads: experiments whose responses it reads, besides those that declare it.
    """

    name: str
    version: str
    verdicts: tuple[str, ...]
    judge: Callable[[Case, Response], list[Verdict]]
    judge_all: Callable[[Sequence[tuple[Case, Response]]], Iterable[list[Verdict]]] | None = None
    reads: tuple[str, ...] = ()

    @property
    def experiments(self) -> tuple[str, ...]:
        """Those whose responses it reads; a study applies it to their suites alone."""
        return tuple(n for n, one in EXPERIMENTS.items() if n in self.reads or self.name in one.graders)


def found(name: str, value: bool | str, spans: Sequence[Span], otherwise: str | None = None) -> Verdict:
    """A value with its spans. `otherwise`: the reason to give where there is no span."""
    reason = None if spans else otherwise
    if not spans and not reason:
        raise ValueError(f"verdict {name} = {value!r} has neither a span nor a reason")
    return Verdict(name, value, tuple(spans), reason)


def present(name: str, spans: Sequence[Span], searched: str) -> Verdict:
    """True with the spans, or False with what was searched."""
    return Verdict(name, True, tuple(spans)) if spans else Verdict(name, False, (), searched)


def missing(name: str, reason: str) -> Verdict:
    """None, and why."""
    return Verdict(name, None, (), reason)
