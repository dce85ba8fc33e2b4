"""Where replayed transcripts came from, which of their lines were rejected, and the labels beside them."""

from __future__ import annotations

from typing import Literal

from unfaithful_cot.records.base import Record


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
