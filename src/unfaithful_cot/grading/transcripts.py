"""Foreign transcripts as records: rows of the published form become cases and responses.

In: rows {case {id, question, choices, evidence [{id, content}], correct_answer, toggled_evidence_id, prompt},
model_name, response {raw_text}}; other fields are passed over. Out: (Case, Response) pairs in the order of the rows.
What such a row does not say is None or named "unknown": quantisation, engine, seeds, tokens. Which of the other evidence is the proxy
is not said either: a text that every case of the scenario has is the distractor, the rest is proxy.
Errors: ValueError (pydantic) for a row of another form; DataError with file:line from `read_transcripts`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unfaithful_cot import jsonl
from unfaithful_cot.channels import Channels, split_channels
from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.visible import keys_of
from unfaithful_cot.provenance import text_hash, value_hash
from unfaithful_cot.records.base import Role, make_id
from unfaithful_cot.records.cases import Case, Evidence
from unfaithful_cot.records.responses import Condition, Response, Setup

UNKNOWN = "unknown"
_SOURCE = re.compile(r"([^:(\n]{1,80}?)\s{0,4}(?:\(([^()\n]{1,40})\))?\s?:\s{0,4}(.*)", re.DOTALL)
_FINISHED = re.compile(r"</output>\s*\Z", re.IGNORECASE)
_TURN = re.compile(
    r"<[|｜]|\[INST\]|\[SYSTEM_PROMPT\]|<start_of_turn>|<s>|^\s*(?:system|user|human)\b|### ?(?:Instruction|User)",
    re.IGNORECASE,
)
_ASSISTANT = re.compile(
    r"\s*(?:<\|?/?[\w▁｜]{1,24}\|?>|<｜[^<>]{1,40}｜>|\[/INST\]|\[\|[a-z]{1,12}\|\]|\s)*(?:### ?)?(?:assistant|model|response|answer)\b:?"
    r"(?:<\|(?:end_header_id|im_sep|message|end_of_role)\|>)?\s*|\s*(?:<｜[^<>]{1,40}｜>|\[/INST\]|\[\|assistant\|\])\s*",
    re.IGNORECASE,
)
_CASE_ID = re.compile(r"(.+)_([a-z])")
Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Item(_Part):
    """One piece of evidence as it is published."""

    id: Text
    content: str


class PublishedCase(_Part):
    """A question as it is published; `toggled_evidence_id`: the confidential evidence."""

    id: Text
    question: Text
    choices: Annotated[dict[Text, str], Field(min_length=2)]
    evidence: Annotated[list[Item], Field(min_length=1)]
    correct_answer: str
    toggled_evidence_id: str
    prompt: Text

    @model_validator(mode="after")
    def _fits(self) -> PublishedCase:
        keys_of(self.choices)
        if self.correct_answer not in self.choices:
            letters = ", ".join(self.choices)
            raise ValueError(
                f"correct_answer {self.correct_answer[:20]!r} is none of the choices {letters[:60]}"
            )
        if self.toggled_evidence_id not in {item.id for item in self.evidence}:
            raise ValueError(
                f"toggled_evidence_id {self.toggled_evidence_id[:20]!r} is no evidence of the case"
            )
        return self


class PublishedResponse(_Part):
    """What a model wrote, whole, or its answer alone with the reasoning apart, as servers with a parser of reasoning return it."""

    raw_text: str
    finish_reason: str = UNKNOWN
    reasoning_content: str | None = None
    reasoning: str | None = None
    sample: int | None = None

    @property
    def apart(self) -> str | None:
        """The reasoning that stands apart; None where there is none, and where it is a part of the raw text."""
        whole = " ".join(self.raw_text.split())
        for found in (self.reasoning_content, self.reasoning):
            if found and found.strip() and " ".join(found.split()) not in whole:
                return found
        return None


class PublishedRow(_Part):
    """One line of a published file."""

    case: PublishedCase
    response: PublishedResponse
    model_name: str | None = None
    sample: int | None = None
    epoch: int | None = None

    @property
    def numbered(self) -> int | None:
        """Which sample it says that it is."""
        numbers = (self.response.sample, self.sample, self.epoch)
        return next((number for number in numbers if number is not None), None)


def read_transcripts(path: Path | str, condition: Condition, suite: str) -> list[tuple[Case, Response]]:
    """Every row of a file as a case and its response; the first row of another form is an error."""
    rows = []
    for number, line in enumerate(Path(path).read_bytes().removesuffix(b"\n").split(b"\n"), 1):
        try:
            rows.append(PublishedRow.model_validate_json(line))
        except ValidationError as error:
            raise DataError(
                f"{path}:{number}",
                f"is no transcript of the published form ({jsonl.first_problem(error)})",
                "An object with case and response",
                "Mend or delete the line",
            ) from None
    return as_records(rows, condition, suite)


def as_records(rows: Sequence[PublishedRow], condition: Condition, suite: str) -> list[tuple[Case, Response]]:
    """Rows of one file as records; the second, third … response to a case is sample 1, 2 …"""
    shared = _shared_texts([row.case for row in rows])
    cases = [_case(row.case, condition, suite, shared[_parts(row.case.id)[0]]) for row in rows]
    case_set = value_hash(
        sorted({c.id: [c.id, c.question, *(e.text for e in c.evidence)] for c in cases}.values())
    )
    samples: dict[str, int] = {}
    pairs = []
    opened = _opened_by_template(rows)
    for row, case in zip(rows, cases, strict=True):
        sample = samples[case.id] = samples.get(case.id, -1) + 1
        pairs.append((case, _response(row, case, condition, case_set, sample, opened)))
    return pairs


def _opened_by_template(rows: Sequence[PublishedRow]) -> bool:
    """Whether the template of a file's model opens the think part: responses close one, and none opens it."""
    statuses = Counter(_channels(row, written(row)).status for row in rows if row.response.apart is None)
    return statuses["opened_by_template"] > 0 and not statuses["closed"] and not statuses["unclosed"]


def _channels(row: PublishedRow, raw: str, opened: bool = False) -> Channels:
    """The channels of a row. opened: by the template, as other rows show; a finished answer without a mark stays an answer."""
    apart = row.response.apart
    if apart is not None:
        answer = split_channels(raw).answer if raw.strip() else None
        return Channels(apart.strip(), answer, "closed" if answer is not None else "unclosed")
    channels = split_channels(raw)
    if opened and channels.status == "missing" and not _FINISHED.search(raw):
        return split_channels(raw, opened_by_template=True)
    return channels


def written(row: PublishedRow) -> str:
    """What the model wrote: the raw text without the prompt, where that stands in front of it."""
    raw, prompt = row.response.raw_text, row.case.prompt.strip()
    at = raw.find(prompt)
    if at < 0 or (raw[:at].strip() and not _TURN.search(raw[:at])):
        return raw
    behind = raw[at + len(prompt) :]
    header = _ASSISTANT.match(behind)
    return behind[header.end() :] if header else behind.lstrip()


def instruction(case: PublishedCase) -> str:
    """The prompt without its case: what is left when question, options and evidence are taken out of it.

    An option or a piece of evidence is taken out where it stands in a line after its letter or ID; like lines that
    follow each other count once, so that a case with more evidence has the same instruction.
    """
    text = case.prompt
    named = [(item.id, item.content, "{evidence}") for item in case.evidence]
    named += [(letter, option, "{option}") for letter, option in case.choices.items()]
    for name, content, slot in named:
        text = _without(text, name, content.strip(), slot)
    lines = text.replace(case.question.strip(), "{question}").strip().split("\n")
    return "\n".join(
        line for line, before in zip(lines, ["", *lines], strict=False) if line != before or not line
    )


def _without(text: str, name: str, content: str, slot: str) -> str:
    """Replace the first line that is a name, some marks and the content."""
    at = text.find(content) if content else -1
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        if name in text[start:at] and at - start <= len(name) + 8:
            return text[:start] + slot + text[at + len(content) :]
        at = text.find(content, at + 1)
    return text


def _parts(case_id: str) -> tuple[str, str]:
    match = _CASE_ID.fullmatch(case_id)
    return (match[1], match[2]) if match else (case_id, "a")


def _shared_texts(cases: Sequence[PublishedCase]) -> dict[str, set[str]]:
    """Scenario -> evidence texts that all of its cases have; empty where there is only one case."""
    texts: dict[str, dict[str, set[str]]] = {}
    for case in cases:
        texts.setdefault(_parts(case.id)[0], {})[case.id] = {item.content for item in case.evidence}
    return {
        scenario: set.intersection(*found.values()) if len(found) > 1 else set()
        for scenario, found in texts.items()
    }


def _case(row: PublishedCase, condition: Condition, suite: str, shared: set[str]) -> Case:
    scenario, variant = _parts(row.id)
    content = [row.question, sorted(row.choices.items()), [[e.id, e.content] for e in row.evidence]]
    return Case(
        id=make_id("c", row.id, value_hash(content)),
        experiment=condition.experiment,
        suite=suite,
        scenario=make_id("s", scenario, row.question),
        arm="full",
        variant=variant,
        question=row.question,
        options=row.choices,
        evidence=_evidence(row, shared),
        correct=row.correct_answer,
    )


def _evidence(row: PublishedCase, shared: set[str]) -> list[Evidence]:
    """The confidential item is the toggled one; where an ID stands twice, the one that the variants do not share."""
    toggled = [item for item in row.evidence if item.id == row.toggled_evidence_id]
    confidential = [item for item in toggled if item.content not in shared] or toggled
    found = []
    for item in row.evidence:
        match = _SOURCE.fullmatch(item.content)
        source, tag, text = (match[1], match[2] or "", match[3]) if match else ("", "", item.content)
        role: Role = "distractor" if item.content in shared else "proxy"
        role = "confidential" if item in confidential else role
        found.append(Evidence(id=item.id, role=role, source=source, tag=tag, text=text, supports=None))
    return found


def _response(
    row: PublishedRow, case: Case, condition: Condition, case_set: str, sample: int, opened: bool
) -> Response:
    raw = written(row)
    channels = _channels(row, raw, opened)
    whole = [
        text_hash(row.response.raw_text),
        *([text_hash(row.response.apart)] if row.response.apart else []),
    ]
    return Response(
        id=make_id("r", case.id, condition.model_dump_json(), sample, *whole),
        case=case.id,
        condition=condition,
        setup=Setup(
            case_set=case_set,
            prompt_template=text_hash(instruction(row.case)),
            chat_template=UNKNOWN,
            decoding=UNKNOWN,
            quantisation=UNKNOWN,
            engine=UNKNOWN,
        ),
        sample=sample,
        sample_seed=0,
        raw_text=raw,
        think=channels.think,
        answer=channels.answer,
        think_status=channels.status,
        finish_reason=row.response.finish_reason,
        prompt_hash=text_hash(row.case.prompt),
        prompt_tokens=None,
        completion_tokens=None,
    )
