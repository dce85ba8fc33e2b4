"""What a grader found in a response, with the text that shows it."""

from __future__ import annotations

from typing import Literal

from unfaithful_cot.records.base import Record
from unfaithful_cot.records.responses import Condition, Setup


class Span(Record):
    """Where a verdict was read: characters [start, end) of a channel."""

    channel: Literal["think", "answer"]
    start: int
    end: int
    text: str


class Grade(Record):
    """One verdict on one response: a value with the spans that justify it, or None and the reason.

    A verdict that something is absent has no span; `reason` then says what was searched.
    """

    id: str
    response: str
    case: str
    scenario: str
    suite: str
    arm: str
    variant: str
    sample: int
    condition: Condition
    setup: Setup
    grader: str
    grader_version: str
    verdict: str
    value: bool | str | None
    spans: list[Span]
    reason: str | None


class JudgeAnswer(Record):
    """What a judge was asked about one channel of a response, and what it said, word for word.

    `verdicts`: the questions; `labels`: ID of the case -> ID shown; `request`: key in the cache of answers; `model`: as the
    API names it; `problem`: why nothing was asked, or why no verdict could be read from `text`.
    """

    id: str
    response: str
    case: str
    grader: str
    rubric: str
    rubric_hash: str
    channel: Literal["think", "answer"]
    verdicts: list[str]
    labels: dict[str, str]
    prompt_hash: str | None = None
    request: str | None = None
    model: str | None = None
    text: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    problem: str | None = None
