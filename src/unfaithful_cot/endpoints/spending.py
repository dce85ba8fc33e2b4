"""What a part of a study has cost at an API, so that `endpoint.max_usd` is never passed.

In: the amount that a request may cost at most, before it is sent; what it did cost, afterwards. Out: the sum.
The file is append-only, two lines a request: the highest price when it goes out, and the difference to the real one
when its answer is there. So the sum counts what is in flight, over all jobs and machines that share the file, and what a
killed run had in flight stays counted at its highest price, because the API may have billed it.
Money is counted when it is spent: an answer that lies in the cache already was paid for by whoever asked first, so it is
in that study's file and not in this one. Whoever deletes the file starts again at 0.
Errors: StorageError when the file cannot be written.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from unfaithful_cot.jsonl import storage_errors


class Ledger:
    """The sum of the lines of one file; with `path` None it is kept in memory only.

    ceiling_usd: None where there is none. A line that a kill cut counts as nothing.
    """

    def __init__(self, path: Path | str | None, ceiling_usd: float | None = None) -> None:
        self.path = Path(path) if path else None
        self.ceiling_usd = ceiling_usd
        self._file: IO[bytes] | None = None
        self._sum_usd = 0.0
        self._read_bytes = 0

    def total(self) -> float:
        """Dollars that are spent or in flight, lines of other processes included."""
        if self.path is not None and self.path.exists():
            if self.path.stat().st_size < self._read_bytes:  # deleted meanwhile, to start again
                self._sum_usd, self._read_bytes = 0.0, 0
            with self.path.open("rb") as lines:
                lines.seek(self._read_bytes)
                whole, newline, _ = lines.read().rpartition(b"\n")
            self._read_bytes += len(whole) + len(newline)
            self._sum_usd += sum(map(_amount, whole.split(b"\n")))
        return self._sum_usd

    def reserve(self, usd: float, note: str) -> bool:
        """Count a request that is about to be sent at its highest price; False where the ceiling would be passed.

        note: key of the request, or name of a batch.
        """
        with self._locked():
            if self.ceiling_usd is not None and self.total() + usd > self.ceiling_usd:
                return False
            self._write(usd, note)
        return True

    def settle(self, difference_usd: float, note: str) -> None:
        """Correct a reserved price by `difference_usd`: real less reserved, or less all of it where nothing was billed."""
        self._write(difference_usd, note)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, usd: float, note: str) -> None:
        if self.path is None:
            self._sum_usd += usd
            return
        with storage_errors(self.path):
            self._opened().write(json.dumps({"usd": round(usd, 9), "for": note}).encode() + b"\n")

    def _opened(self) -> IO[bytes]:
        if self._file is None and self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
            if self._file.tell():  # the end of a line that was cut
                with self.path.open("rb") as file:
                    file.seek(-1, os.SEEK_END)
                    if file.read(1) != b"\n":
                        self._file.write(b"\n")
        assert self._file is not None
        return self._file

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Nobody else looks and writes between looking and writing."""
        if self.path is None or self.ceiling_usd is None:
            yield
            return
        with storage_errors(self.path):
            file = self._opened()
            fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def _amount(line: bytes) -> float:
    """The dollars of a line; 0 for an empty or a damaged one."""
    try:
        return float(json.loads(line)["usd"]) if line else 0.0
    except (ValueError, KeyError, TypeError):
        return 0.0
