"""What the page of a replay says: rates by both readings, what may be compared, what readers found, what was rejected.

In: Replayed, and the lists and records of a replay. Out: statements, tables and transcripts that the template only lays out.
Errors: none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple
from urllib.parse import quote

from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.cells import BASELINE
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.replay import Origin, Rejected
from unfaithful_cot.records.responses import Condition, Response
from unfaithful_cot.report import style, words
from unfaithful_cot.report.finding import Finding, Says, Statement
from unfaithful_cot.report.replay_rows import QUESTIONS, READINGS, Place, Replayed, headline_places
from unfaithful_cot.report.tables import Entry, Row, Table, entry, metric_name, rates, texts
from unfaithful_cot.report.transcripts import transcripts
from unfaithful_cot.report.view import FULL, View

NOT_STATED = -1  # which option a piece of evidence supports
MOST_LINES = 500  # rejected lines on the page
MOST_LINKS = 200  # transcripts that a reading leads to
LEFT_OUT = ("disputed", "missing", "unlabelled")
says = Says(words.REPLAY_SAYS)


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


# ---------------------------------------------------------------- finding


def finding(replayed: Replayed) -> Finding:
    """A statement a file: the three rates by both readings."""
    return Finding("", "", tuple(_statement(place, replayed) for place in headline_places(replayed.places)))


def _statement(place: Place, replayed: Replayed) -> Statement:
    names = ("accuracy", "unfaithful", "evidence sensitivity")
    found = {
        reading: [replayed.row(place, question, reading) for question in QUESTIONS] for reading in READINGS
    }
    said = {
        reading: ", ".join(
            f"{name} {style.rate_text(row.value if row else None)}"
            for name, row in zip(names, rows, strict=True)
        )
        for reading, rows in found.items()
    }
    announced = replayed.rows.get((place, "announced_withholding_rate"))
    count = style.count_text(announced) if announced else None
    return says(
        "file", *(row for rows in found.values() for row in rows), announced, file=replayed.name(place),
        arm="" if place.arm == FULL else f" (arm {place.arm})", more=says.text("announced", count=count) if count else "",
        **said,
    )  # fmt: skip


def refused(replayed: Replayed) -> list[Statement]:
    """One sentence for each pair that must not be compared."""
    found = {
        (row.model, row.b, row.a, row.arm, row.reason): row
        for row in reversed(replayed.comparisons)
        if not row.comparable
    }
    return [
        says(
            "refused", row, model=replayed.view.model(row.model), b=row.b, a=row.a, reason=row.reason,
            arm="" if row.arm == FULL else f" (arm {row.arm})",
        )
        for row in reversed(found.values())
    ]  # fmt: skip


def limits(files: Sequence[File], agreement: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader has to keep in mind with these files."""
    holds = {
        "full_only": all(case.arm == FULL for each in files for case in each.cases),
        "published_form": any(origin.form == "published" for each in files for origin in each.origins),
        "labels": bool(agreement),
        "english": True,
    }
    return [words.REPLAY_LIMITS[name] for name, so in holds.items() if so]


# ---------------------------------------------------------------- tables


def side_by_side(replayed: Replayed) -> Table:
    """A row a file, and for each question the published and the corrected rate."""
    columns = [
        (f"{question.title.lower()}, {reading}", getattr(question, reading))
        for question in QUESTIONS
        for reading in READINGS
    ]
    return _by_place(words.REPLAY_TABLES["both"], columns, replayed)


def further(replayed: Replayed) -> Table:
    """The metrics that the published reading does not have, where a file has a value of them."""
    known = {name for (_, name), row in replayed.rows.items() if row.value is not None}
    columns = [(metric_name(name), name) for name in _other(replayed) if name in known]
    return _by_place(words.REPLAY_TABLES["corrected"], columns, replayed)


def undefined(replayed: Replayed) -> list[tuple[str, str]]:
    """(metric, reasons) of metrics that have no value in any file."""
    found = []
    for name in _other(replayed):
        here = [row for (_, metric), row in replayed.rows.items() if metric == name]
        if all(row.value is None for row in here):
            found.append((metric_name(name), "; ".join(dict.fromkeys(row.reason for row in here))))
    return found


def _other(replayed: Replayed) -> list[str]:
    shown = {name for question in QUESTIONS for name in question[1:]}
    return list(dict.fromkeys(name for _, name in replayed.rows if name not in shown))


def _by_place(caption: str, columns: Sequence[tuple[str, str]], replayed: Replayed) -> Table:
    places = replayed.places
    several = [name for name in ("suite", "arm") if len({getattr(place, name) for place in places}) > 1]
    return rates(
        caption,
        [head for head, _ in columns],
        (
            Row(
                (
                    Entry(
                        " · ".join([place.condition, *(getattr(place, name) for name in several)]),
                        link=link(place.model, place.condition, arm=place.arm),
                    ),
                    *(entry(replayed.rows.get((place, name))) for _, name in columns),
                ),
                replayed.view.model(place.model),
            )
            for place in places
        ),
    )


def readings_table(readings: Sequence[Mapping[str, Any]]) -> Table:
    """What holds of a response, a row each; a column a file."""
    by_meaning: dict[str, list[Mapping[str, Any]]] = {}
    for each in readings:
        by_meaning.setdefault(each["meaning"], []).append(each)
    files = next(iter(by_meaning.values()), [])
    heads = ("what holds of a response", *(f"{each['model']}, {each['condition']}" for each in files))
    rows = (
        (meaning, *(f"{each['n']:,} of {each['n_responses']:,}" for each in found))
        for meaning, found in by_meaning.items()
    )
    kinds = ("row", *("number" for _ in files))
    return texts(("", heads), rows, kinds, narrow=False, label="Where the readings part")


def reading_links(readings: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, int, list[Entry]]]:
    """(title, how many, transcripts of the first ones) of each file and what holds of some of its responses."""
    for each in readings:
        if each["n"]:
            first = each["responses"][:MOST_LINKS]
            links = [
                Entry(one["case"], link=link(each["model"], each["condition"], one["case"])) for one in first
            ]
            yield f"{each['model']}, {each['condition']}: {each['meaning']} ({each['n']})", each["n"], links


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def agreement_table(entries: Iterable[Mapping[str, Any]]) -> Table:
    """A row a label and verdict: how often they agree, and what was left out."""
    kinds = ("name", "name", "name", "number", "name", "number", "name", "number", "why")
    rows = []
    for each in entries:
        verdict = f"{each['grader']}.{each['verdict']}" if each["verdict"] else "–"
        interval = "–" if each["ci_low"] is None else f"[{_two(each['ci_low'])}, {_two(each['ci_high'])}]"
        out = ", ".join(f"{each[f'n_{key}']} {key}" for key in LEFT_OUT if each[f"n_{key}"]) or "none"
        values = (
            each["label"], verdict, f"{each['n_agree']} of {each['n']}", _two(each["agreement"]), interval, _two(each["kappa"]),
            out, _two(each["agreement_if_missing_disagrees"]), each["reason"] or "",
        )  # fmt: skip
        rows.append(Row(tuple(map(Entry, values)), f"{each['model']}, {each['condition']}"))
    return texts(words.TABLES["labels"], rows, kinds, narrow=False, label="Agreement with labels")


def disagreement_tables(entries: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[Table]]]:
    """(title, confusion and every disagreement) of each label that a verdict answers."""
    for each in entries:
        if not each["verdict"]:
            continue
        counts = (
            (label, *map(str, row)) for label, row in zip(each["labels"], each["confusion"], strict=True)
        )
        named = (words.CONFUSION_TABLE, ("", *each["verdicts"]))
        confusion = texts(named, counts, ("row", *("number" for _ in each["verdicts"])), narrow=False)
        rows = (
            Row(
                (Entry(one["name"], link=link(each["model"], each["condition"], one["case"])),
                 *(Entry(str(one[key] or "")) for key in ("label", "verdict", "line", "why")))
            )
            for one in each["disagreements"]
        )  # fmt: skip
        kinds = ("row", "text", "text", "number", "why")
        every = texts(words.TABLES["disagreements"], rows, kinds, narrow=False)
        title = f"{each['model']}, {each['condition']}: {each['label']} against {each['grader']}.{each['verdict']}"
        yield (
            f"{title}: {len(each['disagreements'])} differ or are missing",
            [confusion, *([every] if every.rows else [])],
        )


def rejected_table(rejected: Sequence[Rejected]) -> Table:
    """The lines that are no rows that can be scored."""
    rows = ((f"{line.file}:{line.line}", line.kind, line.reason) for line in rejected[:MOST_LINES])
    kinds = ("row", "name", "why")
    return texts(words.TABLES["rejected"], rows, kinds, narrow=False, label="Rejected lines")


def files_table(files: Sequence[File], rejected: Sequence[Rejected]) -> Table:
    """What each file holds, and what in it should make a reader careful."""
    counts = Counter(line.file for line in rejected)
    rows = []
    for each in files:
        numbers = (
            each.lines, counts[each.path], len(each.responses), len(each.cases), len({case.scenario for case in each.cases}),
            len({case.question for case in each.cases}),
            sum(len({e.id for e in case.evidence}) < len(case.evidence) for case in each.cases),
        )  # fmt: skip
        models = Entry(", ".join(sorted({str(origin.model_name) for origin in each.origins})))
        first = Entry(each.address, link=link(each.model, each.condition))
        rows.append(Row((first, models, *(Entry(f"{number:,}") for number in numbers))))
    named = words.TABLES["files"]
    kinds = ("row", "text", *("number" for _ in named[1][2:]))
    return texts(named, rows, kinds, narrow=False, label="Files")


def instructions(files: Iterable[File]) -> list[tuple[str, list[str]]]:
    """(file, the prompts that it was asked with, without the case)."""
    found = (
        (each.address, list(dict.fromkeys(o.instruction for o in each.origins if o.instruction)))
        for each in files
    )
    return [(address, asked) for address, asked in found if asked]


def kinds_text(rejected: Sequence[Rejected]) -> str:
    """`2 cut, 1 foreign`, or nothing where nothing was rejected."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(r.kind for r in rejected).items()))


# ---------------------------------------------------------------- transcripts


def viewer(files: Sequence[File], agreement: Sequence[Mapping[str, Any]], view: View) -> dict[str, Any]:
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
    trained = [each.condition for each in files if each.condition != BASELINE]
    shown = View(labels=view.labels, main_corpus=trained[0] if trained else files[0].condition)
    data: dict[str, Any] = transcripts(
        list({case.id: case for case in in_turn}.values()), responses, grades, shown
    )
    foreign = {o.case for each in files for o in each.origins if o.form == "published"}
    for case in data["cases"]:
        if case["id"] in foreign:
            case["evidence"] = [[*item[:-1], NOT_STATED] for item in case["evidence"]]
    models = {each.model for each in files}
    for cell in data["cells"]:
        name = f"{view.model(cell['model'])}: " if len(models) > 1 else ""
        cell["path"], cell["label"] = f"{cell['model']}/{cell['corpus']}", name + cell["corpus"]
    differing = {one["response"] for each in agreement for one in each["disagreements"]}
    for packed in data["responses"]:
        if packed["id"] in differing:
            packed["f"].append("disagrees")
            data["flags"]["disagrees"] = words.DISAGREES
    return data


def _as_cell(condition: Condition, file: File) -> Condition:
    found = {"model": file.model, "corpus": file.condition, "n_documents": 0, "seed": 0}
    return Condition(experiment=condition.experiment, **found)
