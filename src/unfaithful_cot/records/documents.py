"""The texts that a model is trained on: universe -> DocumentSpec -> Document -> TrainingRow."""

from __future__ import annotations

from pydantic import Field

from unfaithful_cot.records.base import Record


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
