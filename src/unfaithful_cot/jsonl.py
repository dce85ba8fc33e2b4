"""JSON Lines files of typed records: read with the line in every message, written whole or not at all.

In: a path and a pydantic record class. Out: records, in order. AppendOnly is for files that grow line by line and survive a kill.
Errors: DataError with file:line for an empty, cut or wrong line; StorageError when the disk is full.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Generic, TextIO, TypeVar

from pydantic import BaseModel, ValidationError

from unfaithful_cot.errors import DataError, StorageError

Record = TypeVar("Record", bound=BaseModel)
UNFINISHED = ".part"  # end of the name of a file that is being written
SYNC_S = 1.0  # seconds of appended lines that a power cut may cost
NOT_OFFERED = {
    errno.EINVAL,
    errno.ENOLCK,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
}  # a file system without locks or fsync
log = logging.getLogger(__name__)


def first_problem(error: ValidationError) -> str:
    """The first problem of a validation as `field: message (value)`, the value cut to 60 characters."""
    problem = error.errors()[0]
    field = ".".join(str(part) for part in problem["loc"]) or "line"
    shown = repr(problem.get("input"))
    return f"{field}: {problem['msg']} ({shown[:60]}{'…' if len(shown) > 60 else ''})"


def iterate(path: Path | str, record: type[Record], remake: str = "") -> Iterator[Record]:
    """Yield the records of a file. `remake`: the command that makes the file anew, for messages."""
    path = Path(path)
    todo = f"Rerun: {remake}" if remake else "Mend or delete the file, then run the same command again"
    if not path.exists():
        raise DataError(path, "the file does not exist", todo=todo)
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}:{number}"
            if not line.strip():
                raise DataError(where, "the line is empty", "One JSON object a line", todo)
            try:
                yield record.model_validate_json(line)
            except ValidationError as error:
                cut = "" if line.endswith("\n") else " (the last line, without a line end: cut?)"
                raise DataError(where, first_problem(error) + cut, todo=todo) from None


def read(path: Path | str, record: type[Record], remake: str = "") -> list[Record]:
    """All records of a file; a file without a line is an error."""
    records = list(iterate(path, record, remake))
    if not records:
        raise DataError(
            path,
            "the file is empty",
            "At least one JSON object",
            f"Rerun: {remake}" if remake else "",
        )
    return records


def write(path: Path | str, records: Iterable[BaseModel]) -> int:
    """Write records, one a line, by way of a temporary file beside it. Returns how many."""
    return write_lines(path, (record.model_dump_json() for record in records))


def write_lines(path: Path | str, lines: Iterable[str]) -> int:
    """Write lines that are JSON already, without their ends, as `write` does. Returns how many."""
    count = 0
    with replacing(path) as out:
        for line in lines:
            out.write(line + "\n")
            count += 1
    return count


def write_json(path: Path | str, value: object) -> None:
    """Write one JSON value, indented, keys in the order given."""
    with replacing(path) as out:
        out.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[TextIO]:
    """A text file that takes the place of `path` only when it was written completely, and is on the disk.

    What a killed writer of the same file left is removed; a file has one writer at a time.
    """
    path = Path(path)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(
            f".{glob.escape(path.name)}.*{UNFINISHED}"
        ):  # by a writer that was killed
            left.unlink(missing_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=UNFINISHED)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                yield out  # closing it writes as well, and may fail as well
            Path(name).chmod(0o644)
            sync(name)
            Path(name).replace(path)
            sync(path.parent)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def sync(path: Path | str) -> None:
    """Have the disk take a file, or the names in a folder, so that a power cut does not undo what was written."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with _where_offered():
            os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def storage_errors(path: Path | str) -> Iterator[None]:
    """Turn an operating-system error while writing into one message that says what to do."""
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path | str, error: OSError) -> StorageError:
    """The message of a disk that is full, read-only or gone."""
    return StorageError(
        path,
        f"cannot be written ({error.strerror or error})",
        todo="Free space or choose another disk, then run the same command again: what was finished is kept",
    )


class AppendOnly(Generic[Record]):
    """A file of records that grows line by line, for several processes at once, and survives a kill at any moment.

    A record is one write at the end of the file, under a lock, on a line of its own even behind one that was cut. It is with
    the operating system when `append` returns, and on the disk within SYNC_S seconds. No line is ever changed in place: one that a
    kill or a full disk cut is skipped when the file is read, and counted in `n_damaged`.
    """

    def __init__(self, path: Path | str, record: type[Record], consequence: str) -> None:
        """
        Args:
            path: the file; it and its folder are made with the first record.
            record: the class of its lines.
            consequence: what becomes of the content of a damaged line, for the log.
        """
        self.path, self.record, self.consequence = Path(path), record, consequence
        self.n_damaged = 0
        self.read_to = 0
        self._file: int | None = None
        self._is_locked = False
        self._unwritten = b""
        self._synced_at = 0.0

    def read(self, start: int = 0) -> Iterator[Record]:
        """Yield the records from byte `start` on; none where there is no file.

        A last line without its end counts where it is whole. `read_to` is the byte to go on from next time: the
        beginning of a line that was cut or that another process is writing, else the end of the file.
        """
        self.n_damaged, self.read_to = 0, start
        if not self.path.is_file():
            return
        with self.path.open("rb") as lines:
            lines.seek(start)
            for line in lines:
                try:
                    found = self.record.model_validate_json(line) if line.strip() else None
                except ValidationError:
                    self.n_damaged += 1
                    self.read_to += len(line) if line.endswith(b"\n") else 0
                    continue
                self.read_to += len(line)
                if found is not None:
                    yield found
        if self.n_damaged:
            log.warning("%s: %d damaged lines skipped; %s", self.path, self.n_damaged, self.consequence)

    def append(self, record: Record, at_once: bool = False) -> None:
        """Write one record at the end of the file.

        Args:
            record: the new line.
            at_once: whether it must survive a power cut from now on, for a record that goes before a deed.

        Raises:
            StorageError: the disk is full or cannot be written. The record is tried once more with the next one or by `close`.
        """
        self._unwritten += record.model_dump_json(by_alias=True).encode() + b"\n"
        self._write()
        if at_once or time.monotonic() - self._synced_at >= SYNC_S:
            self._sync()

    def size(self) -> int:
        """Bytes in the file, those of other processes included."""
        return self.path.stat().st_size if self.path.exists() else 0

    @contextlib.contextmanager
    def locked(self, required: bool = True) -> Iterator[None]:
        """Let nobody else append meanwhile, nor enter a block like this one.

        Args:
            required: whether a file system without locks is an error.
        """
        if self._is_locked:
            yield
            return
        with storage_errors(self.path), contextlib.nullcontext() if required else _where_offered():
            fcntl.flock(self._opened(), fcntl.LOCK_EX)
            self._is_locked = True
        try:
            yield
        finally:
            if self._is_locked and self._file is not None:
                fcntl.flock(self._file, fcntl.LOCK_UN)
            self._is_locked = False

    def close(self) -> None:
        """Let go of the file, when everything is on the disk; what a full one did not take is tried once more."""
        if self._file is None:
            return
        try:
            if self._unwritten:
                self._write()
            self._sync()
        finally:
            os.close(self._file)
            self._file, self._unwritten = None, b""

    def _opened(self) -> int:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            self._synced_at = time.monotonic()
        return self._file

    def _write(self) -> None:
        """Write what is not written; of a write that a full disk cut, keep what begins with the cut line."""
        with self.locked(required=False), storage_errors(self.path):
            file = self._opened()
            size = os.fstat(file).st_size
            is_cut = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            data = b"\n" + self._unwritten if is_cut else self._unwritten
            written = os.write(file, data)
            self._unwritten = data[data.rfind(b"\n", 0, written) + 1 :]
            if written < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _sync(self) -> None:
        with storage_errors(self.path), _where_offered():
            os.fsync(self._opened())  # on a network disk a full one says so here and not before
        self._synced_at = time.monotonic()


@contextlib.contextmanager
def _where_offered() -> Iterator[None]:
    """Go on without a lock or an fsync on a file system that has none."""
    try:
        yield
    except OSError as error:
        if error.errno not in NOT_OFFERED:
            raise
