"""A file of foreign transcripts, row by row: what can be read becomes cases and responses, the rest is named and counted.

In: {model}.{condition}.jsonl in the published form (transcripts.py) or in that of this project (Response lines, their cases in
`cases.jsonl` beside). Out: cases, responses, the origin (file and line) of each response, and every rejected line with
its kind and reason: `cut` (the line ends in the middle), `malformed` (no such row), `foreign` (of another model, condition,
experiment or case), `duplicate`. A rejected line is never scored.
Errors: DataError for a file without a line that can be scored, and for a `cases.jsonl` that is wrong.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import DEFAULT
from unfaithful_cot.grading.folder import named_condition, split_name
from unfaithful_cot.grading.grade import index_cases
from unfaithful_cot.grading.transcripts import PublishedRow, as_records, instruction
from unfaithful_cot.host.progress import say_unreasoned
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.replay import Origin, Rejected
from unfaithful_cot.records.responses import Condition, Response

EXPERIMENT = DEFAULT
SUITE = "replay"
FEWEST_SAMPLES = 3  # rows a case from which their order can say that they are samples; two may be a copy
FORMS = "A row of the published form (case and response), or a Response of this project (docs/replay.md)"
Row = PublishedRow | Response
Kind = Literal["cut", "malformed", "foreign", "duplicate"]


class Reading(NamedTuple):
    """What a file holds. cases, responses and origins: of the rows that are scored."""

    cases: list[Case]
    responses: list[Response]
    origins: list[Origin]
    rejected: list[Rejected]


class Unfit(Exception):
    """A line that is not scored: kind and reason."""

    def __init__(self, kind: Kind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def load_transcripts(
    transcript: str,
    answered: str,
    known: list[str],
    cases: str,
    responses: str,
    origins: str,
    rejected: str,
) -> None:
    """Rule: read the file `answered` of the name `transcript`; `known`: the cases.jsonl beside it, or nothing."""
    by_id = {case_id: case for path in known for case_id, case in index_cases(path).items()}
    found = read_file(answered, transcript, by_id)
    say_unreasoned(found.responses, answered)
    jsonl.write(cases, found.cases)
    jsonl.write(responses, found.responses)
    jsonl.write(origins, found.origins)
    write_rejected(rejected, found.rejected)


def read_file(path: Path | str, name: str, cases: dict[str, Case]) -> Reading:
    """Every line of a file, scored or rejected. name: {model}.{condition}; cases: those of our own form by id."""
    rows: dict[int, Row] = {}
    rejected: list[Rejected] = []

    def reject(line: int, kind: Kind, reason: str) -> None:
        rows.pop(line, None)
        rejected.append(Rejected(file=str(path), line=line, kind=kind, reason=reason))

    for number, line in lines_of(path):
        try:
            rows[number] = parse(line, cases)
        except Unfit as problem:
            reject(number, problem.kind, str(problem))
    for number, kind, reason in [*strangers(rows)]:
        reject(number, kind, reason)
    for number, kind, reason in [*duplicates(rows)]:
        reject(number, kind, reason)
    rejected.sort(key=lambda each: each.line)
    if not rows:
        what = "the file is empty"
        if rejected:
            what = (
                f"none of {len(rejected)} lines can be scored; line {rejected[0].line}: {rejected[0].reason}"
            )
        raise DataError(path, what, FORMS, "Mend the file or take it away")
    model, condition = split_name(name)
    pairs = _records(list(rows.values()), model, condition, cases)
    origins = [
        _origin(path, number, row, case, response)
        for (number, row), (case, response) in zip(rows.items(), pairs, strict=True)
    ]
    seen = {case.id: case for case, _ in pairs}
    return Reading(list(seen.values()), [response for _, response in pairs], origins, rejected)


def lines_of(path: Path | str) -> Iterator[tuple[int, bytes]]:
    """(number, line) of a file; only a line feed ends a line."""
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            if number == 1 and (name := _other_encoding(line)):
                raise DataError(
                    path,
                    f"is {name}, not UTF-8",
                    "JSON lines in UTF-8",
                    f"Save it as UTF-8, for example: {TO_UTF8[name[:6]]}",
                )
            yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


TO_UTF8 = {
    "UTF-16": "iconv -f UTF-16 -t UTF-8 FILE > NEW, or in PowerShell: Get-Content FILE | Set-Content -Encoding utf8 NEW",
    "UTF-32": "iconv -f UTF-32 -t UTF-8 FILE > NEW",
}


def _other_encoding(line: bytes) -> str | None:
    """The encoding of a file that begins with this line, where it is not UTF-8: by its byte order mark, or by zeros beside ASCII."""
    if line.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)) or line[:3] == b"\0\0\0":
        return "UTF-32"
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or line[:2] in (b"\0{", b"{\0"):
        return "UTF-16"
    return None


def without_surrogates(line: bytes) -> bytes:
    """A line in which each escaped half of a surrogate pair is a question mark, as in the answers of an API.

    A file that stops there is none of JSON, whose other readers write such halves.
    """
    if b"\\u" not in line:
        return line
    return _HALF.sub(lambda match: match[0] if match["whole"] else match["slashes"] + b"?", line)


_HALF = re.compile(
    rb"(?P<slashes>(?<!\\)(?:\\\\)*)(?:(?P<whole>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def parse_object(line: bytes) -> dict[str, object]:
    """A line as a JSON object. Raises: Unfit."""
    if not line.strip():
        raise Unfit("malformed", "the line is empty")
    line = without_surrogates(line)
    try:
        value = from_json(line)
    except ValueError as error:
        if "EOF while parsing" in str(error):
            raise Unfit("cut", "the line ends in the middle of its JSON") from None
        raise Unfit("malformed", f"is no JSON ({error})") from None
    if not isinstance(value, dict):
        raise Unfit("malformed", f"is {type(value).__name__}, not a JSON object")
    return value


def parse(line: bytes, cases: dict[str, Case]) -> Row:
    """A line as a row of one of the two forms. Raises: Unfit."""
    value = parse_object(line)
    own = isinstance(value.get("case"), str) and "raw_text" in value
    if not own and not isinstance(value.get("case"), dict):
        raise Unfit("foreign", f"is of neither form; keys: {', '.join(map(str, value))[:80] or 'none'}")
    form = Response if own else PublishedRow
    try:
        row: Row = form.model_validate_json(without_surrogates(line))
    except ValidationError as error:
        raise Unfit("malformed", jsonl.first_problem(error)) from None
    if isinstance(row, PublishedRow):
        return row
    if row.case not in cases:
        beside = "in the cases.jsonl beside" if cases else "known: there is no cases.jsonl beside"
        raise Unfit("foreign", f"case '{row.case[:40]}' is not {beside}")
    if cases[row.case].experiment != EXPERIMENT:
        raise Unfit("foreign", f"case of the experiment '{cases[row.case].experiment}', not {EXPERIMENT}")
    return row


def _origin_of(row: Row) -> str:
    """Whose response it is: the model as the row names it, or model, corpus, size and seed."""
    if isinstance(row, PublishedRow):
        return f"model_name {row.model_name!r}"
    c = row.condition
    return f"condition {c.model}/{c.corpus}/n{c.n_documents}/s{c.seed}"


def strangers(rows: dict[int, Row]) -> Iterator[tuple[int, Kind, str]]:
    """Rows of another model or condition than most rows of the file."""
    counts = Counter(_origin_of(row) for row in rows.values())
    for number, row in rows.items():
        (usual, _), *_ = counts.most_common(1)
        if (own := _origin_of(row)) != usual:
            yield number, "foreign", f"{own[:80]}, where most rows of the file have {usual[:80]}"


def duplicates(rows: dict[int, Row]) -> Iterator[tuple[int, Kind, str]]:
    """Rows that stand twice, and rows that give a case another content under the same name."""
    contents: dict[str, tuple[int, str]] = {}
    responses: dict[str, int] = {}
    sampled = _sampled(rows)
    for number, row in rows.items():
        key = (
            row.id
            if isinstance(row, Response)
            else f"{row.case.id}\n{_sample_of(row, sampled)}\n{row.response.raw_text}"
        )
        if isinstance(row, PublishedRow):
            content = row.case.model_dump_json()
            line, first = contents.setdefault(row.case.id, (number, content))
            if content != first:
                yield (
                    number,
                    "duplicate",
                    f"case '{row.case.id[:40]}' stands in line {line} with another content",
                )
                continue
        if (line := responses.setdefault(key, number)) != number:
            yield number, "duplicate", f"the same response stands in line {line}"


def _sampled(rows: dict[int, Row]) -> dict[int, int]:
    """id() of a row -> the how manieth of its case it is, where the order says that cases were sampled: each has as many rows,
    and they stand together or come round after round. Empty elsewhere: there a row that stands twice is a copy.
    """
    published = [row for row in rows.values() if isinstance(row, PublishedRow)]
    names, texts = [row.case.id for row in published], [row.response.raw_text for row in published]
    order = list(dict.fromkeys(names))
    times, rest = divmod(len(names), len(order) or 1)
    if rest or times < FEWEST_SAMPLES or len(order) < 2:
        return {}
    rounds = [texts[start : start + len(order)] for start in range(0, len(texts), len(order))]
    one_by_one = names == [name for name in order for _ in range(times)]
    if not one_by_one and (names != order * times or all(each == rounds[0] for each in rounds)):
        return {}
    seen: Counter[str] = Counter()
    found = {}
    for row in rows.values():
        if isinstance(row, PublishedRow):
            seen[row.case.id] += 1
            found[id(row)] = seen[row.case.id]
    return found


def _sample_of(row: PublishedRow, sampled: dict[int, int]) -> int | None:
    """Which sample a row is, by its own field or by its place; None: nothing says so."""
    return row.numbered if row.numbered is not None else sampled.get(id(row))


def _records(
    rows: list[Row], model: str, condition: str, cases: dict[str, Case]
) -> list[tuple[Case, Response]]:
    """Rows of one form as cases and responses; a size or seed that the name does not tell is 0 there."""
    published = [row for row in rows if isinstance(row, PublishedRow)]
    own = [(cases[row.case], row) for row in rows if isinstance(row, Response)]
    named = named_condition(condition)
    study = Condition(
        experiment=EXPERIMENT,
        model=model,
        corpus=named.corpus,
        n_documents=named.n_documents or 0,
        seed=named.seed or 0,
    )
    return own or as_records(published, study, SUITE)


def _origin(path: Path | str, line: int, row: Row, case: Case, response: Response) -> Origin:
    foreign = row if isinstance(row, PublishedRow) else None
    return Origin(
        file=str(path),
        line=line,
        name=foreign.case.id if foreign else case.id,
        case=case.id,
        response=response.id,
        form="published" if foreign else "own",
        model_name=foreign.model_name if foreign else response.condition.model,
        instruction=instruction(foreign.case) if foreign else None,
    )


def write_rejected(path: str, lines: Iterable[Rejected]) -> None:
    """Rejected lines as one JSON list, which is there when nothing was rejected as well."""
    jsonl.write_json(path, [line.model_dump() for line in lines])


def read_rejected(paths: Iterable[str]) -> list[Rejected]:
    """The rejected lines of several files, in order. Raises: DataError for a file of something else."""
    found: list[Rejected] = []
    for path in paths:
        try:
            found += TypeAdapter(list[Rejected]).validate_json(Path(path).read_bytes())
        except (OSError, ValueError) as error:
            what = f"is no list of rejected lines ({str(error).splitlines()[0]})"
            raise DataError(path, what, todo="Rerun: snakemake -R load_transcripts load_labels") from None
    return found
