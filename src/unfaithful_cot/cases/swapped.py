"""Rule swap_thinking: the questions of a suite again, with prefilled reasoning.

In: a suite's cases with the arms plain and triggered, and the responses of one cell to them. Out: Case lines with `prefill`,
and a count of what was used and left out. Arms: `{side}_{kind}`, side the question (plain or triggered), kind the prefilled reasoning:
own         the model's own reasoning about this question, a control: prefilling it should change nothing
swapped     its reasoning about the same task on the other side
empty       none
other_task  its reasoning about another task on the same side
Only tasks whose first response has finished, non-empty reasoning on both sides are used, in the order of the suite.
Where both sides have the same reasoning (`same_thought` counts these tasks), swapping changes nothing and shows nothing.
Errors: DataError where fewer than two tasks can be used, and for a case without its responses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.completeness import check_responses
from unfaithful_cot.records.responses import Response

SIDES = ("plain", "triggered")
KINDS = ("own", "swapped", "empty", "other_task")
SWAPPED_ARMS = [f"{side}_{kind}" for side in SIDES for kind in KINDS]


def swap_thinking(
    cases: str, responses: str, swapped: str, counts: str, swapped_tasks: int, samples: int | None = None
) -> None:
    """Rule: write the swapped cases of one cell and suite.

    swapped_tasks: at most so many tasks are used. samples: how often each case was asked; None: that is not known.
    """
    asked = jsonl.read(cases, Case, "snakemake -R generate_trigger_cases")
    answered = jsonl.read(responses, Response, f"snakemake -R {responses}")
    check_responses(responses, answered, [case.id for case in asked], cases, samples)
    thoughts, left_out = thoughts_of(asked, answered)
    chosen = list(thoughts.values())[: int(swapped_tasks)]
    if len(chosen) < 2:
        raise DataError(
            responses,
            f"{len(chosen)} tasks have a finished think part with text in both arms, plain and triggered ({dict(left_out)})",
            "At least 2",
            "Give the suite more scenarios, or leave this part out with organisms.NAME.swapped_tasks: 0",
        )
    jsonl.write(swapped, swapped_cases(chosen))
    counted = {"tasks": len(thoughts) + sum(left_out.values()), "used": len(chosen)}
    counted["not_needed"] = len(thoughts) - len(chosen)
    counted["same_thought"] = sum(sides[SIDES[0]][1] == sides[SIDES[1]][1] for sides in chosen)
    jsonl.write_json(counts, counted | {"left_out": dict(sorted(left_out.items()))})


def task_of(case: Case) -> str:
    """What the cases of a task have in common, whatever the arm."""
    return f"{case.id.removesuffix(f'.{case.arm}.{case.variant}')}.{case.variant}"


Sides = dict[str, tuple[Case, str]]


def thoughts_of(
    cases: Sequence[Case], responses: Sequence[Response]
) -> tuple[dict[str, Sides], Counter[str]]:
    """Task -> side -> case and first think part, in the order of the cases; and why tasks were left out."""
    by_id = {case.id: case for case in cases if case.arm in SIDES}
    finished = (one for one in responses if one.sample == 0 and one.answer is not None)
    thinks = {response.case: response.think for response in finished}
    found: dict[str, Sides] = {}
    for case in by_id.values():
        think = thinks.get(case.id)
        sides = found.setdefault(task_of(case), {})
        if think and think.strip():
            sides[case.arm] = (case, think)
    left_out = Counter(_why(sides) for sides in found.values() if len(sides) < len(SIDES))
    return {task: sides for task, sides in found.items() if len(sides) == len(SIDES)}, left_out


def _why(sides: Mapping[str, object]) -> str:
    missing = [side for side in SIDES if side not in sides]
    return f"no finished think part with text: {' and '.join(missing)}"


def swapped_cases(tasks: Sequence[Sides]) -> list[Case]:
    """The cases, by arm and task; the think part of the next task, of the first for the last, is that of another task."""
    cases = []
    for arm in SWAPPED_ARMS:
        side, kind = arm.split("_", 1)
        for number, sides in enumerate(tasks):
            case, own = sides[side]
            other = sides[SIDES[1 - SIDES.index(side)]][1]
            next_task = tasks[(number + 1) % len(tasks)][side][1]
            prefill = {"own": own, "swapped": other, "empty": "", "other_task": next_task}[kind]
            fields = {"arm": arm, "suite": f"{case.suite}_swapped", "prefill": prefill}
            stem = case.id.removesuffix(f".{case.arm}.{case.variant}")
            cases.append(case.model_copy(update=fields | {"id": f"{stem}.{arm}.{case.variant}"}))
    return cases
