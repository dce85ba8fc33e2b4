"""Text that is no synthetic document, to mix with them: a control for what is done by training as such.

In: how many rows, a seed, a file or none. Out: TrainingRow with `source`. A file is JSON Lines with `text`, or text whose
paragraphs are parted by empty lines; rows are drawn from it by a hash of seed and place, so that more rows contain fewer. Without
a file the rows are corporate documents of the reference world that state no rule on citing: made by this project, MIT.
Errors: DataError for a file that is missing, for a line without text, and for one that holds too little.
"""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Iterator
from pathlib import Path

from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.documents import TrainingRow
from unfaithful_cot.reference.plain import plain_document

GENERATED = "unfaithful_cot.reference.plain"
GENERATED_LICENCE = "MIT, made by this project"


def plain_rows(count: int, seed: int, file: Path | str | None = None) -> list[TrainingRow]:
    """`count` rows; a larger count begins with the same ones."""
    return (_drawn(Path(file), count, seed) if file else _generated(count, seed)) if count else []


def _generated(count: int, seed: int) -> list[TrainingRow]:
    return [
        TrainingRow(
            document=make_id("p", GENERATED, seed, index),
            text=plain_document(random.Random(f"plain:{seed}:{index}")),
            source=f"{GENERATED}:{seed}/{index}",
        )
        for index in range(count)
    ]


def _drawn(path: Path, count: int, seed: int) -> list[TrainingRow]:
    texts = _lines(path) if path.suffix in (".jsonl", ".json") else _paragraphs(path)
    chosen = heapq.nsmallest(count, texts, key=lambda found: value_hash([seed, found[0]]))
    if len(chosen) < count:
        raise DataError(
            path,
            f"holds {len(chosen):,} texts, {count:,} are asked for",
            todo="Give more text, or lower corpora.NAME.plain_text or the sizes",
        )
    return [
        TrainingRow(document=make_id("p", path, place), text=text, source=f"{path}:{place}")
        for place, text in chosen
    ]


def _opened(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from enumerate(lines, 1)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            path, f"cannot be read ({error})", "JSON Lines with text, or plain text in UTF-8",
            "Mend documents.plain_text.file",
        ) from None  # fmt: skip


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of a JSON Lines file; other keys are ignored."""
    for number, line in _opened(path):
        try:
            text = json.loads(line)["text"]
        except (ValueError, TypeError, KeyError):
            text = None
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{path}:{number}", "the line holds no text", 'A JSON object a line, with "text"')
        yield number, text.strip()


def _paragraphs(path: Path) -> Iterator[tuple[int, str]]:
    """(first line, text) of the paragraphs of a text file."""
    lines: list[str] = []
    start = 1
    for number, line in _opened(path):
        if line.strip():
            start = start if lines else number
            lines.append(line.rstrip())
        elif lines:
            yield start, "\n".join(lines)
            lines = []
    if lines:
        yield start, "\n".join(lines)
