"""Which files of a folder are transcripts to replay, by their names alone.

In: a folder. Out: a Transcript for each `{model}.{condition}.jsonl`, with its `{model}.{condition}.labels.jsonl` where there is
one; `cases.jsonl` holds the cases of files in the form of this project. Nothing is opened here, so that the plan of a
workflow stays light. The condition is what follows the last dot, so a model's name may hold dots.
Errors: SettingsError for a folder that is missing or holds no transcript, a file whose name is of neither form, and
labels without their responses.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from unfaithful_cot.errors import SettingsError

ENDING, LABELS, CASES = ".jsonl", ".labels.jsonl", "cases.jsonl"
KEY = "transcripts"
RIGHT = "Files named {model}.{condition}.jsonl, such as qwen3_8b.baseline.jsonl (docs/replay.md)"
_NAME = re.compile(r"(?P<model>[\w.+-]*[\w+-])\.(?P<condition>[\w+-]+)", re.ASCII)
_SIZE = re.compile(r"(?:(?P<corpus>.+)_)?n(?P<n_documents>\d+)(?:_s(?P<seed>-?\d+))?")


class Transcript(NamedTuple):
    """A file of responses. `name`: {model}.{condition}; `labels`: the file with labels of them, None where there is none."""

    name: str
    model: str
    condition: str
    path: Path
    labels: Path | None


class Named(NamedTuple):
    """What the name of a condition says; None where it does not."""

    corpus: str
    n_documents: int | None
    seed: int | None


def split_name(name: str) -> tuple[str, str]:
    """(model, condition) of a file name without its ending. Raises: ValueError for another form."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(name)
    return match["model"], match["condition"]


def named_condition(condition: str) -> Named:
    """`baseline`; `n20000`, `safe_cite_n20000`, `safe_cite_n20000_s1`; any other word stands for itself."""
    if condition == "baseline":
        return Named("baseline", 0, None)
    match = _SIZE.fullmatch(condition)
    if match is None:
        return Named(condition, None, None)
    seed = int(match["seed"]) if match["seed"] else None
    return Named(match["corpus"] or "unknown", int(match["n_documents"]), seed)


def find_transcripts(folder: Path | str) -> dict[str, Transcript]:
    """{name: Transcript} of a folder, `baseline` before the other conditions of its model."""
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise SettingsError(KEY, f"the folder '{folder}' {what}", RIGHT, "Name an existing folder")
    names = sorted(path.name for path in folder.iterdir() if path.name.endswith(ENDING) and path.is_file())
    answers = {name.removesuffix(ENDING) for name in names if not name.endswith(LABELS) and name != CASES}
    labelled = {name.removesuffix(LABELS) for name in names if name.endswith(LABELS)}
    if alone := sorted(labelled - answers):
        what = f"the labels '{alone[0]}{LABELS}' stand without their responses"
        todo = f"Put '{alone[0]}{ENDING}' beside them, or take them away"
        raise SettingsError(f"{KEY}: {folder}", what, RIGHT, todo)
    if not answers:
        raise SettingsError(f"{KEY}: {folder}", "the folder holds no transcripts", RIGHT)
    found = []
    for name in answers:
        try:
            model, condition = split_name(name)
        except ValueError:
            what = f"'{name}{ENDING}' is not the name of a transcript"
            raise SettingsError(f"{KEY}: {folder}", what, RIGHT, "Rename the file, or take it away") from None
        labels = folder / f"{name}{LABELS}" if name in labelled else None
        found.append(Transcript(name, model, condition, folder / f"{name}{ENDING}", labels))
    found.sort(key=lambda each: (each.model, each.condition != "baseline", each.condition))
    return {each.name: each for each in found}
