"""What every record is: immutable, with an id, and nothing that is not declared.

A record is one JSON line. It carries the ids of what it was made from; units stand in names; a value that is missing is
None, beside the reason.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from unfaithful_cot.provenance import value_hash

Role = Literal["confidential", "proxy", "distractor"]

ThinkStatus = Literal[
    "closed", "opened_by_template", "missing", "unclosed", "prefilled", "prefilled_reopened"
]


class Record(BaseModel):
    """Immutable; an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def make_id(prefix: str, *parts: object) -> str:
    """`{prefix}_{12 hexadecimal digits}` of the parts: the same parts, the same id."""
    return f"{prefix}_{value_hash([str(part) for part in parts])[:12]}"
