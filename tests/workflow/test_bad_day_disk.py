"""A disk that is full or read-only, at documents, checkpoints and responses: one message, nothing lost, one command goes on.

The disk is a real one of some hundred kilobytes (tmpfs); where this user may not mount, the same is done by a limit on
the size of files, which needs no rights.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from bad_day import (
    CELL,
    Day,
    cached,
    first_state,
    last_checkpoint,
    lines,
    make_day,
    may_mount,
    small_disk,
    text_of,
)

from fixtures.openai_server import OpenAIServer

Limits = Callable[[], None] | None
FULL = "Free space or choose another disk, then run the same command again: what was finished is kept."


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(text_of, delay_s=0.01) as running:
        yield running


@pytest.fixture(scope="module")
def day(server: OpenAIServer, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """One study for all tests of this file, which go through its stages in order."""
    return make_day(tmp_path_factory.mktemp("disk") / "study", server.url)


def message(said: str) -> str:
    """The one message of a run that stopped."""
    assert "Traceback" not in said and "Logging error" not in said, said[-3000:]
    told = {line for line in said.splitlines() if "cannot be written" in line and " ERROR " not in line}
    assert len(told) == 1, said[-3000:]
    return told.pop()


class Disk:
    """A folder with room for `room_kb` more: a small disk, or a limit on the size of each file there."""

    def __init__(self, folder: Path, room_kb: int) -> None:
        self.folder, self.room_kb, self.stack = folder, room_kb, ExitStack()

    def __enter__(self) -> Limits:
        self.mounted = may_mount(self.folder)
        if self.mounted:
            kept = self.folder.with_name(f"{self.folder.name}.kept")
            shutil.copytree(self.folder, kept)
            self.stack.enter_context(small_disk(self.folder, 8192))
            shutil.copytree(kept, self.folder, dirs_exist_ok=True)
            shutil.rmtree(kept)
            free = shutil.disk_usage(self.folder).free - self.room_kb * 1024
            (self.folder / "filler").write_bytes(bytes(free))
            return None
        largest = self.room_kb * 1024
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    def make_room(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)

    def __exit__(self, *error: object) -> None:
        if self.mounted:
            kept = self.folder.with_name(f"{self.folder.name}.kept")
            shutil.copytree(self.folder, kept)
            self.stack.close()
            shutil.copytree(kept, self.folder, dirs_exist_ok=True)
            shutil.rmtree(kept)


def test_documents(day: Day, server: OpenAIServer) -> None:
    """Room for some of the 60 answers; what was kept is not asked again."""
    disk = Disk(day.study.folder / "results/cache", 16)
    with disk as limits:
        status, said = day.run("documents", limits=limits)
        assert status == 1
        told = message(said)
        assert told.startswith("results/cache/documents/") and told.endswith(FULL), told
        asked = [text_of(body) for body in server.requests]
        kept = {text for text in asked if text in cached(day.study.folder, "documents")}
        assert 5 < len(kept) < 60
        disk.make_room()
        status, said = day.run("documents")
        assert status == 0, said[-3000:]
    again = [text_of(body) for body in server.requests[len(asked) :]]
    assert not set(again) & kept and len(again) == 60 - len(kept)
    texts = [line["text"] for line in lines(day.results / "corpora/safe_cite/documents.jsonl")]
    assert set(texts) == {*asked, *again} and len(texts) == 60


def test_checkpoints_of_a_training(day: Day) -> None:
    """Room for a few checkpoints; the training goes on from the last one that is whole."""
    disk = Disk(day.results / "checkpoints", 2500 if may_mount(day.results / "checkpoints") else 300)
    with disk as limits:
        status, said = day.run("train", limits=limits)
        assert status == 1
        told = message(said)
        assert "results/bad_day/checkpoints/" in told and told.endswith(FULL), told
        step = last_checkpoint(day.results)
        disk.make_room()
        status, said = day.run("train")
        assert status == 0, said[-3000:]
        assert first_state(said, "training") == step
    manifest = json.loads((day.results / "adapters" / CELL / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["resumed_from_step"] == step > 0


def test_responses(day: Day) -> None:
    """No room for the file of responses; the answers lie in the cache, and are not made again."""
    disk = Disk(day.results / "responses", 4)
    with disk as limits:
        status, said = day.run("baseline", limits=limits)
        assert status == 1
        told = message(said)
        assert told.endswith(FULL), told
        kept = cached(day.study.folder, "responses").count("\n")
        disk.make_room()
        status, said = day.run("baseline")
        assert status == 0, said[-3000:]
        assert first_state(said, "answers of") == kept
    assert len(lines(day.results / "responses/reference/baseline/evidence_toggle.jsonl")) == 8


def test_a_read_only_folder_of_results(day: Day) -> None:
    """One message before any work, and everything is still there."""
    made = sorted(day.results.rglob("*"))
    results = day.study.folder / "results"
    as_root = os.geteuid() == 0
    if as_root and not may_mount(day.study.folder / "trial"):
        pytest.skip("root writes everywhere, and may not mount a read-only disk here")
    if as_root:
        subprocess.run(["mount", "--bind", results, results], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", results], check=True)
    else:
        for folder in [results, *(path for path in results.rglob("*") if path.is_dir())]:
            folder.chmod(0o555)
    try:
        status, said = day.run("grade")
    finally:
        if as_root:
            subprocess.run(["umount", "-l", results], check=True)
        else:
            for folder in [results, *(path for path in results.rglob("*") if path.is_dir())]:
                folder.chmod(0o755)
    assert status == 1 and "Traceback" not in said, said[-3000:]
    assert "results" in said and ("ead-only" in said or "ermission denied" in said), said[-3000:]
    assert sorted(day.results.rglob("*")) == made
