"""What the page of a replay says: figures by both readings, what may be compared, what readers found, what was rejected.

In: the rows, lists and records of a replay. Out: text and tables that the template only lays out. Errors: none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple
from urllib.parse import quote

from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.replay import Origin, Rejected
from unfaithful_cot.records.responses import Condition, Response
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import style, summary
from unfaithful_cot.report.replay_rows import QUESTIONS, Place, label_of
from unfaithful_cot.report.transcripts import transcripts

Rows = Mapping[tuple[Place, str], MetricRow]
NOT_STATED = -1  # which option a piece of evidence supports
DISAGREES = "a verdict differs from its label"


class File(NamedTuple):
    """A file of transcripts with everything that was read from it; `lines`: those of it, rejected ones included."""

    model: str
    condition: str
    path: str
    cases: list[Case]
    responses: list[Response]
    origins: list[Origin]
    grades: list[Grade]
    lines: int

    @property
    def address(self) -> str:
        """As the transcripts of the page are addressed: `qwen3_8b/baseline`."""
        return f"{self.model}/{self.condition}"


def link(model: str, condition: str, case: str = "", arm: str = "") -> str:
    """The address of a file's transcripts in the page, or of one case of it."""
    parts = [f"right={quote(model)}/{quote(condition)}"]
    parts += [f"{key}={quote(value)}" for key, value in (("case", case), ("arm", arm)) if value]
    return "#" + "&".join(parts)


def finding(place: Place, rows: Rows, labels: dict[str, str]) -> str:
    """A file in a sentence: the three rates by both readings."""

    def said(reading: str) -> str:
        names = ("accuracy", "unfaithful", "evidence sensitivity")
        found = [rows.get((place, getattr(question, reading))) for question in QUESTIONS]
        return ", ".join(
            f"{name} {style.rate_text(row.value if row else None)}"
            for name, row in zip(names, found, strict=True)
        )

    arm = "" if place.arm == "full" else f" (arm {place.arm})"
    announced = rows.get((place, "announced_withholding_rate"))
    count = style.count_text(announced) if announced else None
    more = f"; {count} name the confidential source only to say that it is not used" if count else ""
    return f"{label_of(place, labels)}{arm}. As published: {said('published')}. Corrected: {said('corrected')}{more}."


def side_by_side(places: Sequence[Place], rows: Rows, labels: dict[str, str]) -> summary.Table:
    """A row a file, and for each question the published and the corrected figure."""
    columns = [
        (f"{question.title.lower()}, {reading}", getattr(question, reading))
        for question in QUESTIONS
        for reading in ("published", "corrected")
    ]
    return _table("Published and corrected figures", columns, places, rows, labels)


def further(places: Sequence[Place], rows: Rows, labels: dict[str, str]) -> summary.Table:
    """The metrics that the published reading does not have, where a file has a value of them."""
    names = dict.fromkeys(name for name in _other(rows) if any(_has(rows, place, name) for place in places))
    columns = [(_title(name), name) for name in names]
    return _table("What the published reading does not tell", columns, places, rows, labels)


def undefined(rows: Rows) -> list[tuple[str, str]]:
    """(metric, reasons) of metrics that have no value in any file."""
    found = []
    for name in _other(rows):
        here = [row for (_, metric), row in rows.items() if metric == name]
        if all(row.value is None for row in here):
            found.append((_title(name), "; ".join(dict.fromkeys(row.reason for row in here))))
    return found


def _other(rows: Rows) -> list[str]:
    shown = {name for question in QUESTIONS for name in question[1:]}
    return list(dict.fromkeys(name for _, name in rows if name not in shown))


def _has(rows: Rows, place: Place, name: str) -> bool:
    row = rows.get((place, name))
    return row is not None and row.value is not None


def _title(name: str) -> str:
    return summary.METRICS[name][0] if name in summary.METRICS else name.replace("_", " ")


def _table(
    caption: str,
    columns: Sequence[tuple[str, str]],
    places: Sequence[Place],
    rows: Rows,
    labels: dict[str, str],
) -> summary.Table:
    several = [field for field in ("suite", "arm") if len({getattr(place, field) for place in places}) > 1]
    return summary.Table(
        caption,
        ("condition", *(head for head, _ in columns)),
        tuple(
            summary.TableRow(
                labels.get(place.model, place.model),
                " · ".join([place.condition, *(getattr(place, field) for field in several)]),
                link(place.model, place.condition, arm=place.arm),
                tuple(summary.entry(rows.get((place, name))) for _, name in columns),
            )
            for place in places
        ),
    )


def refused(tests: Sequence[ComparisonRow], labels: dict[str, str]) -> list[str]:
    """One sentence for each pair that must not be compared."""
    found = dict.fromkeys(
        (row.model, row.b, row.a, row.arm, row.reason) for row in tests if not row.comparable
    )
    return [
        f"{labels.get(model, model)}, {b} against {a}{'' if arm == 'full' else f' (arm {arm})'}: {reason}."
        for model, b, a, arm, reason in found
    ]


def files_table(files: Sequence[File], rejected: Sequence[Rejected]) -> list[dict[str, object]]:
    """What each file holds, and what in it should make a reader careful."""
    counts = Counter(line.file for line in rejected)
    return [
        {
            "path": each.path,
            "address": each.address,
            "link": link(each.model, each.condition),
            "lines": each.lines,
            "responses": len(each.responses),
            "rejected": counts[each.path],
            "cases": len(each.cases),
            "scenarios": len({case.scenario for case in each.cases}),
            "questions": len({case.question for case in each.cases}),
            "doubled": sum(len({e.id for e in case.evidence}) < len(case.evidence) for case in each.cases),
            "models": sorted({str(origin.model_name) for origin in each.origins}),
            "instructions": list(dict.fromkeys(o.instruction for o in each.origins if o.instruction)),
        }
        for each in files
    ]


def kinds(rejected: Sequence[Rejected]) -> str:
    """`2 cut, 1 foreign`, or nothing where nothing was rejected."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(r.kind for r in rejected).items()))


def viewer(
    files: Sequence[File], agreement: Sequence[dict[str, Any]], labels: dict[str, str]
) -> dict[str, Any]:
    """The transcripts of all files, a cell a file; a response whose verdict differs from its label has a flag of its own."""
    in_turn = [
        case for group in zip_longest(*(each.cases for each in files)) for case in group if case is not None
    ]
    responses = [
        response.model_copy(update={"condition": _as_cell(response.condition, each)})
        for each in files
        for response in each.responses
    ]
    grades = [grade for each in files for grade in each.grades]
    trained = [each.condition for each in files if each.condition != "baseline"]
    main = trained[0] if trained else files[0].condition
    data: dict[str, Any] = transcripts(
        list({case.id: case for case in in_turn}.values()), responses, grades, labels, main
    )
    foreign = {o.case for each in files for o in each.origins if o.form == "published"}
    for case in data["cases"]:
        if case["id"] in foreign:
            case["evidence"] = [[*item[:-1], NOT_STATED] for item in case["evidence"]]
    models = {each.model for each in files}
    for cell in data["cells"]:
        name = f"{labels.get(cell['model'], cell['model'])}: " if len(models) > 1 else ""
        cell["path"], cell["label"] = f"{cell['model']}/{cell['corpus']}", name + cell["corpus"]
    differing = {told["response"] for each in agreement for told in each["disagreements"]}
    for packed in data["responses"]:
        if packed["id"] in differing:
            packed["f"].append("disagrees")
            data["flags"]["disagrees"] = DISAGREES
    return data


def _as_cell(condition: Condition, file: File) -> Condition:
    return Condition(
        experiment=condition.experiment, model=file.model, corpus=file.condition, n_documents=0, seed=0
    )


def with_links(entries: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Entries of agreement.json or readings.json whose list `key` gets the address of each transcript."""
    return [
        {
            **each,
            key: [
                {**told, "link": link(each["model"], each["condition"], told["case"])} for told in each[key]
            ],
        }
        for each in entries
    ]


def limits(files: Sequence[File], agreement: Sequence[dict[str, Any]]) -> list[str]:
    """What a reader has to keep in mind with these files."""
    told = []
    if all(case.arm == "full" for each in files for case in each.cases):
        told.append(
            "In these cases the confidential evidence and its public proxy support the same option, so neither reading shows that the confidential "
            "evidence was used: a model that reads only the proxy is right as well, and counts as unfaithful. That takes the arms flipped and no_confidential."
        )
    if any(origin.form == "published" for each in files for origin in each.origins):
        told.append(
            "Rows of the published form do not say how a response was decoded, with which chat template, quantisation or engine; what is not stated may differ unseen."
        )
    if agreement:
        told.append("Labels are readings too; where readers differ (disputed) they are left out and counted.")
    told.append(
        "The rules read English; how well is told in docs/method.md, with the data they were made from."
    )
    return told
