"""Whether rows were lost between two jobs: every case has its responses, every response its verdicts.

A line that is gone leaves no trace in a JSON Lines file, and the tables that are made from the rest look whole. So each
job that reads a file counts it against the file that it was made from. An answer that failed is a row with None and the
reason; it is not lost. Errors: DataError with the file, both counts, the first row that is missing and what to rerun.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.responses import Response


def remake(path: Path | str) -> str:
    """What makes one file anew, and what depends on it."""
    return f"Rerun: snakemake -R {path}"


def check_rows(
    path: Path | str,
    found: Collection[tuple[str, int]],
    cases: Iterable[str],
    asked_in: Path | str,
    samples: int | None = None,
    rows: str = "responses",
) -> None:
    """Every case has its rows.

    Args:
        path: the file that was read.
        found: case and number of the sample of each of its responses.
        cases: ids of the cases that were asked.
        asked_in: the file of the cases, for the message.
        samples: how often each was asked; None where that is not known: at least once.
        rows: what the rows are.

    Raises:
        DataError: one is missing, or one is of a case that was not asked.
    """
    known = dict.fromkeys(cases)
    if strays := sorted({case for case, _ in found} - known.keys()):
        raise DataError(
            path,
            f"has {rows} to '{strays[0]}', which is not in {asked_in}",
            "Cases that were asked",
            remake(asked_in),
        )
    have = {(case, sample if samples else 0) for case, sample in found}
    wanted = [(case, sample) for case in known for sample in range(samples or 1)]
    lost = [each for each in wanted if each not in have]
    if not lost:
        return
    case, sample = lost[0]
    first = f"'{case}'" if (samples or 1) == 1 else f"sample {sample} of '{case}'"
    raise DataError(
        path,
        f"holds {len(wanted) - len(lost):,} of {len(wanted):,} {rows}: {first} has none"
        + (f", nor have {len(lost) - 1:,} more" if lost[1:] else ""),
        f"One for each case of {asked_in}"
        + (f" and each of {samples} samples" if (samples or 1) > 1 else ""),
        remake(path),
    )


def check_responses(
    path: Path | str,
    responses: Iterable[Response],
    cases: Iterable[str],
    asked_in: Path | str,
    samples: int | None = None,
) -> None:
    """Every case has its responses; the arguments are those of check_rows."""
    check_rows(path, {(each.case, each.sample) for each in responses}, cases, asked_in, samples)


def check_verdicts(path: Path | str, counts: Mapping[str, int]) -> None:
    """Every response of a file of grades has as many verdicts as the others. counts: of verdicts by response."""
    most = max(counts.values(), default=0)
    short = [response for response, count in counts.items() if count < most]
    if short:
        raise DataError(
            path,
            f"response '{short[0]}' has {counts[short[0]]} of {most} verdicts"
            + (f", and {len(short) - 1:,} more have too few" if short[1:] else ""),
            "All verdicts of the grader on each response, None where one cannot be read",
            remake(path),
        )


def check_count(path: Path | str, found: int, counted: int, rows: str, by: Path | str) -> None:
    """A file has as many rows as were counted when it was written. by: what says so."""
    if found != counted:
        raise DataError(
            path, f"holds {found:,} {rows}, {counted:,} were written", f"As many as {by} says", remake(path)
        )


def counted(path: Path | str, *keys: str) -> int:
    """A count in a JSON file, below these keys. Raises: DataError where it is not there."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        for key in keys:
            value = value[key]
        return int(value)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            path,
            f"has no count {'.'.join(keys)} ({type(error).__name__})",
            "The account that was written beside the rows",
            remake(path),
        ) from None
