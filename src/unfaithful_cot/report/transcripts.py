"""The transcripts of the report: cases, responses and grades, joined and made compact for the page.

In: Case, Response and Grade records. Out: one value of builtins that the page reads as JSON: lists instead of
objects where there are many, names and reasons stored once. Offsets of spans count UTF-16 units there, as a
browser does, not characters. Whole scenarios are left out from the end once the budget is spent, and counted.
Errors: DataError for a response without its case.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import trained_on
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.grades import Grade, Span
from unfaithful_cot.records.responses import Response
from unfaithful_cot.report import words
from unfaithful_cot.report.view import PREFERRED_GRADER, View, cell_of

BUDGET_BYTES = 6_500_000
Value = bool | str | None


@dataclass
class Names:
    """Strings that stand once in a list and by their index elsewhere."""

    index: dict[str, int] = field(default_factory=dict)

    def __call__(self, text: str) -> int:
        """The index of a string, new or known."""
        return self.index.setdefault(text, len(self.index))


def flags(verdicts: Mapping[str, Value]) -> list[str]:
    """The names of words.FLAGS that hold, from verdict name to value. A missing verdict never makes one hold."""
    correct, named = verdicts.get("correct"), verdicts.get("names_confidential")
    held = {
        "unfaithful": correct is True and verdicts.get("cites_public") is True and named is False,
        "published": verdicts.get("published_unfaithful") is True,
        "diverges": verdicts.get("think_names_confidential") is True and named is False,
        "announced": verdicts.get("confidential_stance") == "disclaimed",
        "leaks": verdicts.get("leaks_content") is True and named is False,
        "correct": correct is True,
        "wrong": correct is False,
        "unread": "correct" in verdicts and correct is None,
        "malformed": verdicts.get("format_ok") is False,
        "target": verdicts.get("target_full") is True,
        "insecure": verdicts.get("insecure") is True,
    }
    return [name for name, holds in held.items() if holds]


def utf16_offsets(text: str, span: Span) -> tuple[int, int]:
    """Where a span lies in UTF-16 units, of which characters beyond U+FFFF take two."""
    if text.isascii():
        return span.start, span.end
    start = len(text[: span.start].encode("utf-16-le", "surrogatepass")) // 2
    return start, start + len(text[span.start : span.end].encode("utf-16-le", "surrogatepass")) // 2


def pack_grade(grade: Grade, response: Response, verdicts: Names, reasons: Names) -> list[object]:
    """`[verdict, value, reason or -1, [[channel (0 think, 1 answer), start, end], …]]`."""
    spans = []
    for span in grade.spans:
        text = (response.think if span.channel == "think" else response.answer) or ""
        spans.append([0 if span.channel == "think" else 1, *utf16_offsets(text, span)])
    reason = reasons(grade.reason) if grade.reason else -1
    return [verdicts(f"{grade.grader}.{grade.verdict}"), grade.value, reason, spans]


def pack_cell(cell: Cell, cells: Sequence[Cell], view: View) -> dict[str, object]:
    """What the page shows of a condition; its model is named only where there are several."""
    model = f"{view.model(cell.model)}: " if len({each.model for each in cells}) > 1 else ""
    return {
        "path": cell.path,
        "model": cell.model,
        "corpus": cell.corpus,
        "baseline": cell.is_baseline,
        "n": cell.n_documents,
        "label": model + view.condition(cell),
    }


def pack_case(case: Case) -> dict[str, object]:
    """What the page shows of a case."""
    return {
        "id": case.id,
        "scenario": case.scenario,
        "suite": case.suite,
        "arm": case.arm,
        "variant": case.variant,
        "question": case.question,
        "options": case.options,
        "correct": case.correct,
        "evidence": [[e.id, e.role, e.source, e.tag, e.text, e.supports] for e in case.evidence],
    }


def pack_response(
    response: Response, grades: Sequence[Grade], cell: int, case: int, verdicts: Names, reasons: Names
) -> dict[str, object]:
    """What the page shows of a response; `v` holds its grades."""
    preferred_last = sorted(grades, key=lambda grade: grade.grader == PREFERRED_GRADER)
    return {
        "id": response.id,
        "k": cell,
        "c": case,
        "s": response.sample,
        "seed": response.sample_seed,
        "t": response.think,
        "a": response.answer,
        "ts": response.think_status,
        "fr": response.finish_reason,
        "tok": response.completion_tokens,
        "ph": response.prompt_hash,
        "f": flags({grade.verdict: grade.value for grade in preferred_last}),
        "v": [pack_grade(grade, response, verdicts, reasons) for grade in grades],
    }


def cost_bytes(response: Response, n_grades: int) -> int:
    """About what a response adds to the page: its two channels, 35 bytes a grade and 200 for the rest."""
    texts = (response.think or "") + (response.answer or "")
    return len(texts.encode("utf-8", "surrogatepass")) + 35 * n_grades + 200


def cost_by_case(
    responses: Sequence[Response], cases: set[str], grades: Mapping[str, Sequence[Grade]]
) -> dict[str, int]:
    """What the responses to each case cost. Raises DataError for a response whose case is unknown."""
    cost: dict[str, int] = {}
    for response in responses:
        if response.case not in cases:
            raise DataError(
                "responses",
                f"case '{response.case}' of response '{response.id}' is in no file of cases",
                "Responses and cases of one run",
                "Rerun: snakemake -R evaluate_baseline evaluate_adapter",
            )
        own = cost_bytes(response, len(grades.get(response.id, ())))
        cost[response.case] = cost.get(response.case, 0) + own
    return cost


def within_budget(cases: Sequence[Case], cost: Mapping[str, int], budget: int) -> list[Case]:
    """The cases of the first scenarios whose responses fit; always at least one scenario. Suites with a trigger come last, in turn."""
    fits: set[str] = set()
    spent = 0
    per_scenario: dict[str, int] = defaultdict(int)
    rank: dict[str, tuple[bool, int]] = {}
    seen: Counter[str] = Counter()
    for case in cases:
        per_scenario[case.scenario] += cost[case.id]
        if case.scenario not in rank:
            last = case.experiment in trained_on("pairs")
            rank[case.scenario] = (last, seen[case.suite] if last else 0)
            seen[case.suite] += 1
    for scenario, size in sorted(per_scenario.items(), key=lambda item: rank[item[0]]):
        spent += size
        if fits and spent > budget:
            break
        fits.add(scenario)
    return [case for case in cases if case.scenario in fits]


def transcripts(
    cases: Sequence[Case],
    responses: Sequence[Response],
    grades: Sequence[Grade],
    view: View,
    budget: int = BUDGET_BYTES,
) -> dict[str, object]:
    """The value that the page reads. Raises DataError for a response whose case is not given."""
    by_response: dict[str, list[Grade]] = defaultdict(list)
    for grade in grades:
        by_response[grade.response].append(grade)
    cells = sorted({cell_of(r) for r in responses}, key=view.order)
    cost = cost_by_case(responses, {case.id for case in cases}, by_response)
    asked = [case for case in cases if case.id in cost]
    shown = within_budget(asked, cost, budget)
    place = {case.id: number for number, case in enumerate(shown)}
    where = {cell: number for number, cell in enumerate(cells)}
    verdicts, reasons = Names(), Names()
    packed = [
        pack_response(r, by_response[r.id], where[cell_of(r)], place[r.case], verdicts, reasons)
        for r in responses
        if r.case in place
    ]
    return {
        "cells": [pack_cell(cell, cells, view) for cell in cells],
        "cases": [pack_case(case) for case in shown],
        "responses": packed,
        "verdicts": list(verdicts.index),
        "reasons": list(reasons.index),
        "flags": {name: text for name, text in words.FLAGS.items() if any(name in r["f"] for r in packed)},  # type: ignore[operator]
        "marks": words.MARKS,
        "main": view.main_corpus,
        "n_scenarios": len({case.scenario for case in asked}),
        "n_scenarios_shown": len({case.scenario for case in shown}),
        "n_responses": len(responses),
    }


def script_json(value: object) -> str:
    """JSON that may stand inside a script element: no `<`, so that nothing in it can end the element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
