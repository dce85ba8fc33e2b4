"""Answers that were paid for: an append-only JSONL file, one line an answer, keyed by the content of its request.

In: a folder; the file in it is `answers.jsonl`. Out: answers by key. Each answer is one write at the end of the
file, handed to the operating system before the next step, so that a killed run keeps it and several processes may
share a folder. A line that a kill or a full disk cut is skipped, counted in the log, and never mended in place:
the next answer starts on a line of its own.
Two servers may know different models by one name, so an answer says which server gave it, and only that server's
requests find it. Lines from before this was noted name none and are found by all.
Errors: StorageError when the disk is full or the folder cannot be written.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Set
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from unfaithful_cot.jsonl import storage_errors
from unfaithful_cot.records.base import Record

FILE = "answers.jsonl"
log = logging.getLogger(__name__)


class Answer(Record):
    """What an API said. `key`: of the request. `reasoning`: a think part that the API returned apart, else None.

    finish_reason: stop, length (cut at max_tokens) or content_filter. Tokens are None where the API counted none.
    `model`: as the API names it. `server`: host and path of the API, None in lines of older versions. batched: came by
    Batch mode, at half the price.
    """

    key: str
    text: str
    finish_reason: str
    reasoning: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str | None = None
    server: str | None = None
    batched: bool = False


class Lines:
    """The end of a JSONL file that several processes may write to, each line in one write of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._out: BinaryIO | None = None

    def append(self, line: str) -> None:
        """Write one line at the end of the file, on a line of its own even behind one that was cut."""
        with storage_errors(self.path):
            if self._out is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._out = self.path.open("ab", buffering=0)
            data = (b"" if self._ends_with_newline() else b"\n") + line.encode() + b"\n"
            if self._out.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Let go of the file."""
        if self._out is not None:
            self._out.close()
            self._out = None

    def _ends_with_newline(self) -> bool:
        with self.path.open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return True
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"


class AnswerCache:
    """The answers of one folder. `n_damaged`: lines that the last load skipped."""

    def __init__(self, folder: Path | str) -> None:
        self.path = Path(folder) / FILE
        self.n_damaged = 0
        self._lines = Lines(self.path)

    def load(self, wanted: Set[str], server: str | None = None) -> dict[str, Answer]:
        """The answers to the wanted keys, of one server (None: of any); of two with one key the first.

        An answer that names no server is taken where the server's own is missing.
        """
        found: dict[str, Answer] = {}
        unnamed: dict[str, Answer] = {}
        self.n_damaged = 0
        if not wanted or not self.path.exists():
            return found
        with self.path.open("rb") as lines:
            for line in lines:
                if not line.strip():
                    continue
                try:
                    answer = Answer.model_validate_json(line)
                except ValidationError:
                    self.n_damaged += 1
                    continue
                if answer.key in wanted and (server is None or answer.server in (server, None)):
                    (found if answer.server else unnamed).setdefault(answer.key, answer)
        if self.n_damaged:
            log.warning(
                "%s: %d damaged lines skipped; what they answered is asked again", self.path, self.n_damaged
            )
        return unnamed | found

    def append(self, answer: Answer) -> None:
        """Write one answer at the end of the file."""
        self._lines.append(answer.model_dump_json())

    def close(self) -> None:
        """Let go of the file."""
        self._lines.close()
