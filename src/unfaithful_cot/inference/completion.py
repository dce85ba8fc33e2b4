"""What both engines share: a Question goes in, a Completion comes out, and finished ones survive a kill.

In: a folder and a key for the file in it. Out: completions by key.
Errors: StorageError when the disk is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pydantic import ValidationError

from unfaithful_cot.jsonl import replacing, storage_errors
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.base import Record


@dataclass(frozen=True)
class Question:
    """What one response is asked with. seed: of sampling, for this case and sample alone.

    prefill: a think part that is put into the model's mouth, None to let it think for itself.
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


class Finished:
    """Completions that were finished before, and a place for those to come: one file, appended to.

    A line that a kill cut is dropped; its question is asked again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, Completion] = {}
        self._out: TextIO | None = None
        if path.exists():
            self._read()

    def _read(self) -> None:
        whole: list[str] = []
        for text in self.path.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                line = _Line.model_validate_json(text)
            except ValidationError:
                continue
            self.found[line.key] = line.completion
            whole.append(text + "\n")
        with replacing(self.path) as out:
            out.write("".join(whole))

    def add(self, key: str, completion: Completion) -> None:
        """Keep one completion, on disk at once."""
        with storage_errors(self.path):
            if self._out is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._out = self.path.open("a", encoding="utf-8")
            self._out.write(_Line(key=key, completion=completion).model_dump_json() + "\n")
            self._out.flush()
        self.found[key] = completion

    def close(self) -> None:
        """Let go of the file."""
        out, self._out = self._out, None
        if out is not None:
            with storage_errors(self.path):  # what a full disk did not take is tried once more here
                out.close()

    def remove(self) -> None:
        """The completions stand in the output now."""
        self.close()
        self.path.unlink(missing_ok=True)
