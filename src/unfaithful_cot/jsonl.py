"""JSON Lines files of typed records: read with the line in every message, written whole or not at all.

In: a path and a pydantic record class. Out: records, in order.
Errors: DataError with file:line for an empty, cut or wrong line; StorageError when the disk is full.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO, TypeVar

from pydantic import BaseModel, ValidationError

from unfaithful_cot.errors import DataError, StorageError

Record = TypeVar("Record", bound=BaseModel)
UNFINISHED = ".part"  # end of the name of a file that is being written


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
    """A text file that takes the place of `path` only when it was written completely.

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
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


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
