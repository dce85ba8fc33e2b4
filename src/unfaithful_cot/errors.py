"""Errors that the user can mend. One message each: where, what is, what would be right, what to do.

    WorkflowError
    ├── SettingsError    the configuration, before any work
    ├── DataError        a file or a line of one
    ├── EndpointError    an API that refuses, fails or answers nonsense
    ├── ModelError       weights, tokenizer or chat template
    ├── StorageError     the disk
    └── MachineError     GPUs, memory or programs that this machine does not have

The workflow prints these without a traceback (host.job.run_rule). Everything else is a bug and keeps its own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class WorkflowError(Exception):
    """`where: what. right. todo` in one line; empty parts are left out.

    where: file, file:line or setting. what: what is, with the value. right: what would be right.
    todo: what to do next.
    """

    def __init__(self, where: object, what: str, right: str = "", todo: str = "") -> None:
        self.where, self.what, self.right, self.todo = str(where), what, right, todo
        sentences = [part.rstrip(" .") for part in (what, right, todo) if part]
        text = ". ".join(sentences)
        super().__init__(f"{self.where}: {text}" + ("" if text.endswith(("?", "!")) else "."))

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.where, self.what, self.right, self.todo))


class SettingsError(WorkflowError):
    """The configuration is wrong."""


class DataError(WorkflowError):
    """A file, or a line of it, is wrong."""


class EndpointError(WorkflowError):
    """An API refuses, fails or answers nonsense. `reason`: a word for it, such as http_400, where one request ended the run."""

    reason = ""


class ModelError(WorkflowError):
    """Weights, tokenizer or chat template cannot be used."""


class StorageError(WorkflowError):
    """The disk is full or cannot be written."""


class MachineError(WorkflowError):
    """The machine lacks GPUs, memory or a program."""


def known(value: str, options: Iterable[str]) -> str:
    """`Known: a, b. Did you mean 'a'?`: the sentence that follows an unknown name."""
    names = sorted(options)
    close = difflib.get_close_matches(value, names, n=1, cutoff=0.6)
    return f"Known: {', '.join(names) or 'none'}" + (f". Did you mean '{close[0]}'?" if close else "")


def first_line(error: BaseException) -> str:
    """What a library's error says first, to quote; its class where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
