"""What a check found: a row of the table that `snakemake preflight` prints, and the problem where it is one.

In: checks that return or raise. Out: Finding objects, and lines of text.
Errors: none of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from unfaithful_cot.errors import WorkflowError

State = Literal["ok", "look", "PROBLEM"]


@dataclass(frozen=True)
class Finding:
    """check: which one. subject: of what. found: what is there and what is needed. problem: what has to be mended first.

    state `look`: nothing that stops a run, but worth a look.
    """

    check: str
    subject: str
    found: str
    state: State = "ok"
    problem: WorkflowError | None = None


def failed(check: str, subject: str, problem: WorkflowError) -> Finding:
    """The finding of a check that raised."""
    return Finding(check, subject, problem.what, "PROBLEM", problem)


def tried(check: str, subject: str, look: Callable[[], str]) -> Finding:
    """The finding of a check that says what it found, or raises a WorkflowError."""
    try:
        return Finding(check, subject, look())
    except WorkflowError as error:
        return failed(check, subject, error)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table with aligned columns; the last column is not padded."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head) - 1)]
    lines = [
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in cells
    ]
    return [lines[0], *(["-" * len(lines[0])]), *lines[1:]]


def findings_table(findings: Sequence[Finding]) -> list[str]:
    """The table of all findings, one a line."""
    rows = [(one.state, one.check, one.subject, one.found) for one in findings]
    return table(("", "check", "of", "found"), rows)


def problems(findings: Sequence[Finding]) -> list[str]:
    """Each problem as its one message, numbered; one that several findings share stands there once."""
    messages = dict.fromkeys(str(one.problem) for one in findings if one.problem)
    return [f"{number}. {text}" for number, text in enumerate(messages, 1)]
