"""A disk that is full or read-only, at documents, checkpoints and responses: one message, nothing lost, one command goes on.

The disk is a real one of some megabytes (tmpfs), which takes the right to mount; without it these tests are skipped, and
what remains are those of the parts (test_jsonl.py, test_trainer.py, test_client_errors.py).
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.openai_server import OpenAIServer
from long.bad_day import (
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

FULL = "Free space or choose another disk, then run the same command again: what was finished is kept."


@pytest.fixture(scope="module")
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer(text_of, delay_s=0.01) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def mounting(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skip where this user may not mount."""
    if not may_mount(tmp_path_factory.mktemp("mount")):
        pytest.skip("mounting a small disk takes rights that this user does not have")


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


@contextlib.contextmanager
def almost_full(folder: Path, room_kb: int) -> Iterator[Callable[[], None]]:
    """Put a folder with what it holds on a small disk with so much room; call what is given to make room."""
    kept = folder.with_name(f"{folder.name}.kept")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, kept)
    with small_disk(folder, 8192):
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        shutil.rmtree(kept)
        filler = folder / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(folder).free - room_kb * 1024))
        yield lambda: filler.unlink()
        shutil.copytree(folder, kept)
    shutil.copytree(kept, folder, dirs_exist_ok=True)
    shutil.rmtree(kept)


def test_documents(day: Day, server: OpenAIServer) -> None:
    """Room for some of the 60 answers; what was kept is not asked again."""
    with almost_full(day.study.folder / "results/cache", 16) as make_room:
        status, said = day.run("documents")
        assert status == 1
        told = message(said)
        assert told.startswith("results/cache/documents/") and told.endswith(FULL), told
        asked = [text_of(body) for body in server.requests]
        kept = {text for text in asked if text in cached(day.study.folder, "documents")}
        assert 5 < len(kept) < 60
        make_room()
        status, said = day.run("documents")
        assert status == 0, said[-3000:]
    again = [text_of(body) for body in server.requests[len(asked) :]]
    assert not set(again) & kept and len(again) == 60 - len(kept)
    texts = [line["text"] for line in lines(day.results / "corpora/safe_cite/documents.jsonl")]
    assert set(texts) == {*asked, *again} and len(texts) == 60


def test_checkpoints_of_a_training(day: Day) -> None:
    """Room for a few checkpoints; the training goes on from the last one that is whole."""
    with almost_full(day.results / "checkpoints", 2500) as make_room:
        status, said = day.run("train")
        assert status == 1
        told = message(said)
        assert "results/bad_day/checkpoints/" in told and told.endswith(FULL), told
        step = last_checkpoint(day.results)
        make_room()
        status, said = day.run("train")
        assert status == 0, said[-3000:]
        assert first_state(said, "training") == step
    manifest = json.loads((day.results / "adapters" / CELL / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["resumed_from_step"] == step > 0


def test_responses(day: Day) -> None:
    """No room for the file of responses; the answers lie in the cache, and are not made again."""
    with almost_full(day.results / "responses", 4) as make_room:
        status, said = day.run("baseline")
        assert status == 1
        told = message(said)
        assert told.endswith(FULL), told
        kept = cached(day.study.folder, "responses").count("\n")
        make_room()
        status, said = day.run("baseline")
        assert status == 0, said[-3000:]
        assert first_state(said, "answers of") == kept
    assert len(lines(day.results / "responses/reference/baseline/evidence_toggle.jsonl")) == 16


def test_a_read_only_folder_of_results(day: Day) -> None:
    """One message before any work, and everything is still there."""
    made = sorted(day.results.rglob("*"))
    results = day.study.folder / "results"
    subprocess.run(["mount", "--bind", results, results], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", results], check=True)
    try:
        status, said = day.run("grade")
    finally:
        subprocess.run(["umount", "-l", results], check=True)
    assert status == 1 and "Traceback" not in said, said[-3000:]
    assert "results" in said and "Read-only file system" in said, said[-3000:]
    assert sorted(day.results.rglob("*")) == made
