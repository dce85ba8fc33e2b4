"""Checkpoints of a training: hashes beside their files, and the last one whose files are whole.

In: the folder of one training with checkpoint-{step}/ in it. Out: the checkpoint to go on from. The hashes are written last, so
a checkpoint without them was cut. One that is cut or damaged is removed, with a line on the console: a flipped byte or a
missing optimiser state would end in another adapter, without a word. Errors: StorageError when the hashes cannot be written.
"""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

from unfaithful_cot import jsonl
from unfaithful_cot.provenance import file_hash

HASHES = "hashes.json"
OPTIMISER = "optimizer.pt"
log = logging.getLogger(__name__)


def seal(folder: Path, left_out: str = "") -> None:
    """Write the hashes of a checkpoint's files. left_out: the name of one that is not needed from now on."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in files}
    wanted = {name: path for name, path in names.items() if name not in (HASHES, left_out)}
    with jsonl.storage_errors(folder):
        for path in wanted.values():
            jsonl.sync(path)
    jsonl.write_json(folder / HASHES, {name: file_hash(path) for name, path in wanted.items()})


def damage(folder: Path) -> str | None:
    """What is wrong with a checkpoint; None where its files are those that were written."""
    try:
        hashes = json.loads((folder / HASHES).read_text(encoding="utf-8"))
        if not isinstance(hashes, dict) or "trainer_state.json" not in hashes:
            return f"{HASHES} names no trainer_state.json"
        for name, wanted in hashes.items():
            if not (folder / name).is_file():
                return f"{name} is missing"
            if file_hash(folder / name) != wanted:
                return f"{name} is not what was written"
    except FileNotFoundError:
        return "it was cut while it was written"
    except (OSError, ValueError) as error:
        return f"{HASHES} cannot be read ({type(error).__name__})"
    return None


def step_of(folder: Path) -> int:
    """The optimiser step of a checkpoint, by its name; -1 where that has none."""
    step = folder.name.rpartition("-")[2]
    return int(step) if step.isdecimal() else -1


def resume_point(scratch: Path) -> Path | None:
    """The latest checkpoint whose files are whole. Those behind it that are not are removed, and said."""
    problems: list[tuple[Path, str]] = []
    found = None
    for folder in sorted(scratch.glob("checkpoint-*"), key=step_of, reverse=True):
        problem = damage(folder)
        if problem is None:
            found = folder
            break
        problems.append((folder, problem))
    for folder, problem in problems:
        shutil.rmtree(folder, ignore_errors=True)
        where = f"from {found.name}" if found else "from the beginning"
        log.warning("%s: %s; it is removed, and the training goes on %s", folder, problem, where)
    return found


def keep_the_last(scratch: Path) -> None:
    """Remove all but the last checkpoint, and of that the optimiser's state, which nothing more is asked of."""
    last = resume_point(scratch)
    for folder in scratch.glob("checkpoint-*"):
        if folder != last:
            shutil.rmtree(folder, ignore_errors=True)
    if last:
        seal(last, left_out=OPTIMISER)
        (last / OPTIMISER).unlink(missing_ok=True)
