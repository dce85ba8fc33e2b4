"""The page of a replay: published and corrected figures, what may be compared, labels, rejected lines, transcripts.

In: every table and record file of a replay. Out: report.html, one file that opens from disk and asks no network; and the
same in a few lines on the console. Errors: DataError for a file that is missing or does not fit the others; StorageError.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.folder import split_name
from unfaithful_cot.grading.replay import read_rejected
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.replay import Origin, Rejected
from unfaithful_cot.records.responses import Response
from unfaithful_cot.report import replay_view, tables
from unfaithful_cot.report.finding import Statement
from unfaithful_cot.report.page import hash_table, read_all, read_picture, unreasoned, write_page
from unfaithful_cot.report.replay_rows import Replayed, read_replay
from unfaithful_cot.report.replay_view import File
from unfaithful_cot.report.view import View

SHOWN = 10  # rejected lines on the console
REMAKE = "snakemake -R load_transcripts"
SECTIONS = {
    "finding": "Finding", "comparable": "Comparable?", "tables": "Figures", "readings": "Where readings part",
    "agreement": "Labels", "rejected": "Rejected lines", "files": "Files", "transcripts": "Transcripts",
    "provenance": "Provenance", "limits": "Limits",
}  # fmt: skip


def write_replay(
    metrics: str, comparisons: str, readings: str, agreement: str, figure: str, cases: list[str], responses: list[str],
    origins: list[str], grades: list[str], rejected: list[str], sources: list[str], report: str, labels: Mapping[str, str],
    confidence: float,
) -> None:  # fmt: skip
    """Rule: write the page and say its content on the console.

    Args:
        metrics, comparisons, readings, agreement, figure, cases, responses, origins, grades, rejected: paths.
        sources: the files that were replayed.
        report: path to write.
        labels: name of a model: how it is shown.
        confidence: of the intervals in the tables.

    Raises:
        DataError, StorageError: as the module says.
    """
    view = View(labels=labels, confidence=confidence)
    replayed = read_replay(metrics, comparisons, view)
    left = read_rejected(rejected)
    files = read_files(cases, responses, origins, grades, left)
    matched, parted = _json(agreement), _json(readings)
    finding, refused = replay_view.finding(replayed), replay_view.refused(replayed)
    values = {
        "title": f"Replay of {sum(len(each.responses) for each in files):,} transcripts",
        "sections": SECTIONS,
        "interval": view.interval,
        "finding": finding,
        "refused": refused,
        "figure": read_picture(figure),
        "limits": [
            *unreasoned({each.address: each.responses for each in files}),
            *replay_view.limits(files, matched),
        ],
        "hashes": hash_table([*sources, metrics, comparisons, *grades]),
        **_tables(replayed, files, left, matched, parted),
    }
    write_page(report, "replay.html", replay_view.viewer(files, matched, view), values)
    say(files, left, finding.statements, refused, report)


def _tables(
    replayed: Replayed, files: Sequence[File], left: Sequence[Rejected], matched: list[Any], parted: list[Any]
) -> dict[str, object]:
    """What the page lays out as tables."""
    tests = replayed.comparisons
    alike = [row for row in tests if row.comparable]
    return {
        "side_by_side": replay_view.side_by_side(replayed),
        "further": replay_view.further(replayed),
        "undefined": replay_view.undefined(replayed),
        "compared": tables.comparisons(alike, replayed.view, "replay_comparisons"),
        "n_refused": len(tests) - len(alike),
        "readings": replay_view.readings_table(parted),
        "reading_links": list(replay_view.reading_links(parted)),
        "agreement": replay_view.agreement_table(matched),
        "disagreements": list(replay_view.disagreement_tables(matched)),
        "rejected": replay_view.rejected_table(left),
        "n_rejected": len(left),
        "kinds": replay_view.kinds_text(left),
        "files": replay_view.files_table(files, left),
        "instructions": replay_view.instructions(files),
    }


def read_files(
    cases: Sequence[str], responses: Sequence[str], origins: Sequence[str], grades: Sequence[str], rejected: Sequence[Rejected]
) -> list[File]:  # fmt: skip
    """What was read from each file of transcripts, its grades joined by name."""
    files = []
    for own_cases, own_responses, own_origins in zip(cases, responses, origins, strict=True):
        name = Path(own_origins).name.removesuffix(".jsonl")
        found = read_all([own_origins], Origin, REMAKE)
        judged = [
            path for path in grades if Path(path).name.removesuffix(".jsonl").rpartition(".")[0] == name
        ]
        path = found[0].file
        files.append(
            File(
                *split_name(name),
                path,
                read_all([own_cases], Case, REMAKE),
                read_all([own_responses], Response, REMAKE),
                found,
                read_all(judged, Grade, "snakemake -R grade_transcripts"),
                len(found) + sum(line.file == path for line in rejected),
            )
        )
    return files


def say(
    files: Sequence[File], rejected: Sequence[Rejected], found: Sequence[Statement], refused: Sequence[Statement], report: str
) -> None:  # fmt: skip
    """What was read, found, refused and rejected, in a few lines."""
    lines = [f"replay: {each.path}: {len(each.responses):,} of {each.lines:,} lines scored" for each in files]
    lines += [statement.text for statement in found]
    lines += [f"not comparable: {statement.text}" for statement in refused]
    if rejected:
        lines.append(f"rejected and not scored: {len(rejected):,} lines ({replay_view.kinds_text(rejected)})")
        lines += [f"  {each.file}:{each.line}: {each.kind}: {each.reason}" for each in rejected[:SHOWN]]
        if len(rejected) > SHOWN:
            lines.append(f"  and {len(rejected) - SHOWN:,} more: {Path(report).parent / 'rejected.csv'}")
    print(*lines, f"report: {report}", sep="\n", file=sys.stderr, flush=True)


def _json(path: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        todo = "Rerun: snakemake -R match_labels compare_readings"
        raise DataError(path, f"is no JSON ({error})", todo=todo) from None
    return found
