"""The page of a replay: published and corrected figures, what may be compared, labels, rejected lines, transcripts.

In: every table and record file of a replay. Out: report.html, one file that opens from disk and asks no network; and the
same in a few lines on the console. Errors: DataError for a file that is missing or does not fit the others; StorageError.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.folder import split_name
from unfaithful_cot.grading.replay import read_rejected
from unfaithful_cot.provenance import file_hash, versions
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.replay import Origin, Rejected
from unfaithful_cot.records.responses import Response
from unfaithful_cot.records.tables import ComparisonRow
from unfaithful_cot.report import replay_rows, replay_view, style, summary
from unfaithful_cot.report.replay_view import File
from unfaithful_cot.report.report import inline_svg, render
from unfaithful_cot.report.transcripts import script_json

SHOWN = 10  # rejected lines on the console
FIGURE = "Published and corrected reading, side by side"
REMAKE = "snakemake -R load_transcripts"


def write_replay(
    metrics: str,
    comparisons: str,
    readings: str,
    agreement: str,
    figure: str,
    cases: list[str],
    responses: list[str],
    origins: list[str],
    grades: list[str],
    rejected: list[str],
    sources: list[str],
    report: str,
    labels: dict[str, str],
    confidence: float,
) -> None:
    """Rule: write the page and say its content on the console. All arguments up to `report` are paths.

    sources: the files that were replayed. labels: name of a model: how it is shown. Raises DataError, StorageError.
    """
    rows, tests = replay_rows.read_metrics(metrics), ComparisonRow.read(comparisons)
    left = read_rejected(rejected)
    files = read_files(cases, responses, origins, grades, left)
    matched = replay_view.with_links(_json(agreement), "disagreements")
    parted = replay_view.with_links(_json(readings), "responses")
    places = replay_rows.places_of(rows)
    told = [replay_view.finding(place, rows, labels) for place in replay_rows.headline_places(places)]
    refused = replay_view.refused(tests, labels)
    page = render(
        "replay.html",
        title=f"Replay of {sum(len(each.responses) for each in files):,} transcripts",
        interval=style.percent(confidence),
        findings=told,
        refused=refused,
        figure=inline_svg(_text(figure), "replay", FIGURE),
        figure_title=FIGURE,
        side_by_side=replay_view.side_by_side(places, rows, labels),
        further=replay_view.further(places, rows, labels),
        undefined=replay_view.undefined(rows),
        definitions=list(summary.METRICS.values()),
        compared=summary.comparisons([row for row in tests if row.comparable], labels),
        n_refused=len([row for row in tests if not row.comparable]),
        readings=by_kind(parted),
        agreement=matched,
        files=replay_view.files_table(files, left),
        rejected=left,
        kinds=replay_view.kinds(left),
        data=Markup(script_json(replay_view.viewer(files, matched, labels))),
        hashes=[(path, file_hash(path)) for path in [*sources, metrics, comparisons, *grades]],
        versions=versions(),
        limits=replay_view.limits(files, matched),
    )
    with jsonl.replacing(report) as out:
        out.write(page)
    say(files, left, told, refused, report)


def by_kind(readings: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """{meaning: an entry a file}."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in readings:
        found.setdefault(each["meaning"], []).append(each)
    return found


def read_files(
    cases: Sequence[str],
    responses: Sequence[str],
    origins: Sequence[str],
    grades: Sequence[str],
    rejected: Sequence[Rejected],
) -> list[File]:
    """What was read from each file of transcripts, its grades joined by name."""
    files = []
    for own_cases, own_responses, own_origins in zip(cases, responses, origins, strict=True):
        name = Path(own_origins).name.removesuffix(".jsonl")
        model, condition = split_name(name)
        found = list(jsonl.iterate(own_origins, Origin, REMAKE))
        judged = [
            path for path in grades if Path(path).name.removesuffix(".jsonl").rpartition(".")[0] == name
        ]
        path = found[0].file
        files.append(
            File(
                model,
                condition,
                path,
                list(jsonl.iterate(own_cases, Case, REMAKE)),
                list(jsonl.iterate(own_responses, Response, REMAKE)),
                found,
                [
                    grade
                    for each in judged
                    for grade in jsonl.iterate(each, Grade, "snakemake -R grade_transcripts")
                ],
                len(found) + sum(line.file == path for line in rejected),
            )
        )
    return files


def say(
    files: Sequence[File],
    rejected: Sequence[Rejected],
    told: Sequence[str],
    refused: Sequence[str],
    report: str,
) -> None:
    """What was read, found, refused and rejected, in a few lines."""
    lines = [f"replay: {each.path}: {len(each.responses):,} of {each.lines:,} lines scored" for each in files]
    lines += told
    lines += [f"not comparable: {sentence}" for sentence in refused]
    if rejected:
        lines.append(f"rejected and not scored: {len(rejected):,} lines ({replay_view.kinds(rejected)})")
        lines += [f"  {each.file}:{each.line}: {each.kind}: {each.reason}" for each in rejected[:SHOWN]]
        if len(rejected) > SHOWN:
            lines.append(f"  and {len(rejected) - SHOWN:,} more: {Path(report).parent / 'rejected.csv'}")
    print(*lines, f"report: {report}", sep="\n", file=sys.stderr, flush=True)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(
            path, f"cannot be read ({error.strerror})", todo="Rerun: snakemake -R draw_replay"
        ) from None


def _json(path: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(_text(path))
    except ValueError as error:
        raise DataError(
            path, f"is no JSON ({error})", todo="Rerun: snakemake -R match_labels compare_readings"
        ) from None
    return found
