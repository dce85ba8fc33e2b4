"""What both engines share: a Question goes in, a Completion comes out, and finished ones survive a kill.

In: a file. Out: completions by the key of their question.
Errors: StorageError when the disk is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unfaithful_cot.jsonl import AppendOnly
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.base import Record


@dataclass(frozen=True)
class Question:
    """What one response is requested with.

    Attributes:
        messages: role and content of each.
        seed: of sampling, for this case and sample alone.
        prefill: prefilled reasoning, None to let the model reason for itself.
    """

    messages: list[dict[str, str]]
    seed: int
    prefill: str | None = None

    @property
    def key(self) -> str:
        """Hash of the content. Two cases with the same words and seed get the same answer."""
        own = [] if self.prefill is None else [self.prefill]
        return value_hash([self.messages, self.seed, *own])


class Completion(Record):
    """raw_text: without prompt and special tokens, think tags kept. Token counts: None where unknown."""

    raw_text: str
    finish_reason: str
    opened_by_template: bool
    prompt_hash: str
    prompt_tokens: int | None
    completion_tokens: int | None


class _Line(Record):
    key: str
    completion: Completion


class Finished(AppendOnly[_Line]):
    """Completions that were finished before (`found`), and a place for those to come: one file, appended to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _Line, "their questions are answered again")
        self.found: dict[str, Completion] = {line.key: line.completion for line in self.read()}

    def add(self, key: str, completion: Completion) -> None:
        """Write one completion to the file."""
        self.append(_Line(key=key, completion=completion))
        self.found[key] = completion

    def remove(self) -> None:
        """Delete the file: the completions stand in the output now."""
        self.close()
        self.path.unlink(missing_ok=True)
