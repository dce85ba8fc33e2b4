"""The files that grow line by line: whatever a kill, a full disk or a second process does, only the cut line is lost."""

from __future__ import annotations

import errno
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from unfaithful_cot.endpoints import batch_journal, cache
from unfaithful_cot.endpoints.batch_journal import Journal
from unfaithful_cot.endpoints.cache import Answer, AnswerCache
from unfaithful_cot.endpoints.spending import Ledger
from unfaithful_cot.errors import StorageError
from unfaithful_cot.inference.completion import Completion, Finished
from unfaithful_cot.jsonl import AppendOnly
from unfaithful_cot.records.documents import TrainingRow

COUNT = 40  # numbers that a test may add
ODD = "line\nend, tab\t, \u2028 and \x00"


class Answers(NamedTuple):
    """Answers of an API."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / cache.FILE

    def open(self) -> Any:
        return AnswerCache(self.folder)

    def add(self, store: AnswerCache, number: int, text: str = ODD) -> None:
        store.append(Answer(key=str(number), text=text, finish_reason="stop"))

    def found(self) -> set[int]:
        loaded = AnswerCache(self.folder).load({str(n) for n in range(COUNT)})
        assert all(answer.text.startswith((ODD, "x")) for answer in loaded.values())
        return set(map(int, loaded))


class Batches(NamedTuple):
    """Batches that lie at an API; a number is the key of the only request of a batch."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / batch_journal.FILE

    def open(self) -> Any:
        return Journal(self.folder, "here/v1")

    def add(self, store: Journal, number: int, text: str = ODD) -> None:
        store.creating([str(number), text], 1, 0.0)

    def found(self) -> set[int]:
        entries = Journal(self.folder, "here/v1").open({str(n) for n in range(COUNT)})
        return {int(entry.keys[0]) for entry in entries}


class Spending(NamedTuple):
    """The ledger; a number n is 2**n dollars, so that one that counts twice is seen."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "spent.jsonl"

    def open(self) -> Any:
        return Ledger(self.path, 2.0**50)

    def add(self, store: Ledger, number: int, text: str = ODD) -> None:
        assert store.reserve(2.0**number, text)

    def found(self) -> set[int]:
        total = int(Ledger(self.path).total())
        return {n for n in range(COUNT + 1) if total >> n & 1}


class Completions(NamedTuple):
    """Completions of local weights."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "finished.jsonl"

    def open(self) -> Any:
        return Finished(self.path)

    def add(self, store: Finished, number: int, text: str = ODD) -> None:
        completion = Completion(
            raw_text=text,
            finish_reason="stop",
            opened_by_template=False,
            prompt_hash="h",
            prompt_tokens=1,
            completion_tokens=2,
        )
        store.add(str(number), completion)

    def found(self) -> set[int]:
        return set(map(int, Finished(self.path).found))


KINDS = (Answers, Batches, Spending, Completions)
Kind = Answers | Batches | Spending | Completions


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__.lower())
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    made: Kind = request.param(tmp_path / "deep" / "folder")
    return made


def fill(kind: Kind, numbers: range, text: str = ODD) -> None:
    store = kind.open()
    for number in numbers:
        kind.add(store, number, text)
    store.close()


def test_a_line_is_in_the_file_before_anything_is_closed(kind: Kind) -> None:
    kind.add(kind.open(), 0)
    assert kind.found() == {0}


def test_a_line_that_was_cut_anywhere_costs_only_itself(kind: Kind) -> None:
    fill(kind, range(3))
    whole = kind.path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    for cut in range(2, last + 1):  # without its end alone a line is whole
        kind.path.write_bytes(whole[:-cut])
        assert kind.found() == {0, 1}
    for cut in (1, 2, last // 2, last):
        kind.path.write_bytes(whole[:-cut])
        fill(kind, range(3, 5))
        assert kind.found() == {0, 1, 3, 4} | ({2} if cut == 1 else set())
        rest = whole[:-cut] + (b"" if cut == last else b"\n")
        assert kind.path.read_bytes().startswith(rest)  # nothing was mended in place


@pytest.mark.parametrize(
    "damage", [b"\0" * 50 + b"\n", b"{}\n", b"[1]\n", b"\xff\xfe\n", b"\n", b'{"usd": 1\n']
)
def test_damage_in_the_middle_costs_nothing_else(kind: Kind, damage: bytes) -> None:
    fill(kind, range(2))
    kind.path.write_bytes(kind.path.read_bytes() + damage)
    fill(kind, range(2, 4))
    assert kind.found() == {0, 1, 2, 3}


def test_a_killed_process_keeps_what_it_appended(kind: Kind, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from unit.test_append_only import *\n"
        f"kind = {type(kind).__name__}(Path(sys.argv[1])); store = kind.open()\n"
        "for number in range(5): kind.add(store, number)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), *sys.path])}
    run = subprocess.run([sys.executable, "-c", code, str(kind.folder)], env=environment, check=False)
    assert run.returncode == -signal.SIGKILL
    assert kind.found() == set(range(5))


def test_writers_share_a_file(kind: Kind) -> None:
    """Lines of 5,000 characters, two writers at once, each with a file of its own open."""
    parts = (range(0, COUNT // 2), range(COUNT // 2, COUNT))
    threads = [threading.Thread(target=fill, args=(kind, part, "x" * 5000)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kind.found() == set(range(COUNT))
    assert len(kind.path.read_bytes().splitlines()) == COUNT


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """As on a disk that is full behind so many bytes: a write is cut there, and the next one fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_message_and_keeps_what_was_finished(kind: Kind) -> None:
    store = kind.open()
    kind.add(store, 0)
    said = rf"{kind.path.name}: cannot be written \(.*\)\. Free space .*: what was finished is kept"
    with files_of_at_most(kind.path.stat().st_size + 20):
        with pytest.raises(StorageError, match=said):
            kind.add(store, 1)
        with pytest.raises(StorageError, match=said):
            store.close()
    assert kind.found() == {0}
    fill(kind, range(2, 4))
    assert kind.found() == {0, 2, 3}


def test_what_a_full_disk_did_not_take_is_tried_once_more(kind: Kind) -> None:
    store = kind.open()
    kind.add(store, 0)
    with files_of_at_most(kind.path.stat().st_size + 20), pytest.raises(StorageError):
        kind.add(store, 1)
    assert kind.found() == {0}
    store.close()
    assert kind.found() == {0, 1}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_no_space_left(kind: Kind) -> None:
    kind.folder.mkdir(parents=True)
    store = kind.open()
    kind.path.symlink_to("/dev/full")
    with pytest.raises(StorageError, match=r"cannot be written \(No space left on device\)"):
        kind.add(store, 1)


ROW = TrainingRow(document="d", text="t")


def rows(path: Path) -> AppendOnly[TrainingRow]:
    return AppendOnly(path, TrainingRow, "it is lost")


def test_damage_is_counted_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{}\n{"document":"d","text":"t"}\n{"docu')
    file = rows(path)
    with caplog.at_level(logging.WARNING):
        assert list(file.read()) == [ROW]
    assert file.n_damaged == 2 and caplog.messages == [f"{path}: 2 damaged lines skipped; it is lost"]


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    file, other = rows(path), rows(path)
    assert list(file.read()) == [] and file.read_to == 0
    other.append(ROW)
    assert list(file.read(file.read_to)) == [ROW] and list(file.read(file.read_to)) == []
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:9])  # another process is writing
    assert list(file.read(file.read_to)) == [] and file.read_to == len(whole)
    path.write_bytes(whole + whole)
    assert list(file.read(file.read_to)) == [ROW] and file.read_to == file.size() == 2 * len(whole)


def test_a_lock_keeps_others_from_appending(tmp_path: Path) -> None:
    file, other = rows(tmp_path / "rows.jsonl"), rows(tmp_path / "rows.jsonl")
    waiting = threading.Thread(target=other.append, args=(ROW,))
    with file.locked():
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive() and list(file.read()) == []
        file.append(ROW)  # its own lock does not stand in its way, and holds on
        waiting.join(0.1)
        assert waiting.is_alive() and len(list(file.read())) == 1
    waiting.join(10)
    assert len(list(file.read())) == 2


def test_a_file_system_without_locks_takes_lines_but_no_ceiling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    file = rows(tmp_path / "rows.jsonl")
    file.append(ROW)
    file.close()
    assert list(file.read()) == [ROW]
    with pytest.raises(StorageError, match=r"spent\.jsonl: cannot be written \(No locks available\)"):
        Ledger(tmp_path / "spent.jsonl", 1.0).reserve(0.5, "a")


def test_lines_are_on_the_disk_once_a_second_at_once_where_asked_and_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    now = [100.0]
    monkeypatch.setattr(os, "fsync", synced.append)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    file = rows(tmp_path / "rows.jsonl")
    seen = []
    for step, at_once in ((0.0, False), (0.9, False), (0.2, False), (0.5, False), (0.0, True)):
        now[0] += step
        file.append(ROW, at_once)
        seen.append(len(synced))
    file.close()
    assert seen == [0, 0, 1, 1, 2] and len(synced) == 3
