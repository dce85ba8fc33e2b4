"""How a CSV of a study is written and read: a class a table, an instance a row, a field a column.

In and out: a path, and instances of a subclass of TableRow (or a pandas table with its columns). A subclass decides the columns,
their order and types, and which may be empty; this module decides how a value is written: floats in full, True and False, and an
empty field for what does not exist.
Errors: DataError for a file that cannot be read, for a missing or an unknown column and, with file:line, for a value out of
its type; StorageError.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import BeforeValidator, Field, ValidationError

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError, known
from unfaithful_cot.records.base import Record

if TYPE_CHECKING:
    import pandas as pd


def _number(value: object) -> object:
    """None for NaN, in any form; everything else as it is."""
    missing = value == "nan" or (isinstance(value, float) and math.isnan(value))
    return None if missing else value


def _text(value: object) -> object:
    return "" if value is None else value


def _flag(value: object) -> object:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1)]
"""A name; never empty."""
Text = Annotated[str, BeforeValidator(_text)]
"""A text; empty where there is nothing to say."""
Count = Annotated[int, Field(ge=0)]
Number = Annotated[float | None, BeforeValidator(_number)]
"""A number, or None where it does not exist; never 0 in place of that."""
Share = Annotated[Annotated[float, Field(ge=0, le=1)] | None, BeforeValidator(_number)]
"""A rate or a probability in [0, 1], or None."""
Flag = Annotated[bool, Field(strict=True), BeforeValidator(_flag)]


class TableRow(Record):
    """A row of a CSV. `made_by`: the rule that makes the file; `needs_rows`: a file without a row is an error."""

    made_by: ClassVar[str]
    needs_rows: ClassVar[bool] = False

    @classmethod
    def columns(cls) -> list[str]:
        """Names of the columns, in the order of the file."""
        return list(cls.model_fields)

    @classmethod
    def frame(cls, rows: Iterable[Mapping[str, object] | Self]) -> pd.DataFrame:
        """A pandas table with the columns of the file. Mappings are not checked, and keys that are no column are left out."""
        import pandas as pd

        return pd.DataFrame([dict(row) for row in rows], columns=cls.columns())

    @classmethod
    def write(cls, path: Path | str, rows: Iterable[Self]) -> None:
        """Write the file whole or not at all."""
        columns = cls.columns()
        with jsonl.replacing(path) as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([getattr(row, name) for name in columns] for row in rows)

    @classmethod
    def write_frame(cls, path: Path | str, table: pd.DataFrame) -> None:
        """Write a pandas table, every row of it checked; its columns are those of the file, in any order."""
        values = table.astype(object).where(table.notna(), None)
        cls.write(path, (cls.model_validate(row) for row in values.to_dict("records")))

    @classmethod
    def read(cls, path: Path | str) -> list[Self]:
        """The rows of a file, in its order."""
        todo = f"Rerun: snakemake -R {cls.made_by}"
        try:
            with Path(path).open(encoding="utf-8", newline="") as file:
                lines = csv.reader(file)
                head = next(lines, [])
                cls._check_columns(path, head, todo)
                rows = [cls._row(f"{path}:{lines.line_num}", head, line, todo) for line in lines]
        except OSError as error:
            raise DataError(path, f"cannot be read ({error.strerror})", todo=todo) from None
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(path, f"is no CSV in UTF-8 ({error})", todo=todo) from None
        if cls.needs_rows and not rows:
            raise DataError(path, "has no rows", "At least one line under the heads", todo)
        return rows

    @classmethod
    def _check_columns(cls, path: Path | str, head: list[str], todo: str) -> None:
        columns = cls.columns()
        twice = [name for name in head if head.count(name) > 1]
        missing, foreign = sorted(set(columns) - set(head)), sorted(set(head) - set(columns))
        for found, what in (
            (missing, "has no column"),
            (twice, "has twice the column"),
            (foreign, "has a column"),
        ):
            if found:
                right = f"Columns: {', '.join(columns)}" if found is not foreign else known(found[0], columns)
                raise DataError(path, f"{what} '{found[0]}'", right, todo)

    @classmethod
    def _row(cls, where: str, head: list[str], line: list[str], todo: str) -> Self:
        if len(line) != len(head):
            raise DataError(where, f"has {len(line)} fields", f"{len(head)}, as in line 1", todo)
        texts = {name: text.strip() for name, text in zip(head, line, strict=True)}
        try:
            return cls.model_validate({name: text or None for name, text in texts.items()})
        except ValidationError as error:
            problem = error.errors()[0]
            name = str(problem["loc"][0])
            raise DataError(where, f"{name} is {texts[name]!r}", str(problem["msg"]), todo) from None
