"""JSON Lines files: every message has file and line; a file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError, StorageError
from unfaithful_cot.records.documents import TrainingRow

ROW = TrainingRow(document="d_1", text="One. ")


@given(
    st.lists(
        st.builds(TrainingRow, document=st.text(), text=st.text(st.characters(codec="utf-8"), min_size=1))
    )
)
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[TrainingRow]) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    assert jsonl.write(path, rows) == len(rows)
    assert list(jsonl.iterate(path, TrainingRow)) == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"document":"d","text":"t"}\n\n',
            "rows.jsonl:2: the line is empty. One JSON object a line. Rerun: make it.",
        ),
        ('{"document":"d","te', "rows.jsonl:1: line: Invalid JSON"),
        ('{"document":"d","te', "(the last line, without a line end: cut?)"),
        ('{"document":"d","text":""}\n', "rows.jsonl:1: text: String should have at least 1 character ('')"),
        ('{"document":"d","text":"t","x":1}\n', "rows.jsonl:1: x: Extra inputs are not permitted (1)"),
        ('{"document":"d"}\n', "rows.jsonl:1: text: Field required"),
        ("", "rows.jsonl: the file is empty. At least one JSON object. Rerun: make it."),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as error:
        jsonl.read(path, TrainingRow, "make it")
    assert message in str(error.value)


def test_a_long_value_is_cut_in_the_message(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"document":"d","text":["' + "secret " * 100 + '"]}\n', encoding="utf-8")
    with pytest.raises(DataError) as error:
        jsonl.read(path, TrainingRow)
    assert len(str(error.value)) < len(str(path)) + 220 and "…" in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.jsonl: the file does not exist\. Mend or delete"):
        jsonl.read(tmp_path / "no.jsonl", TrainingRow)


def test_an_error_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    jsonl.write(path, [ROW])

    def rows() -> Iterator[TrainingRow]:
        yield ROW
        yield ROW
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        jsonl.write(path, rows())
    assert jsonl.read(path, TrainingRow) == [ROW]
    assert [one.name for one in tmp_path.iterdir()] == ["rows.jsonl"]


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from unfaithful_cot import jsonl\n"
        "def lines():\n    yield '{}'\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        "jsonl.write_lines(sys.argv[1], lines())"
    )
    target = tmp_path / "grades[1].jsonl"
    assert subprocess.run([sys.executable, "-c", code, str(target)], check=False).returncode == -9
    (tmp_path / ".grades2.jsonl.abc.part").write_text("of another file", encoding="utf-8")
    assert len(list(tmp_path.glob(".grades*.part"))) == 2 and not target.exists()
    jsonl.write_lines(target, ["{}"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".grades2.jsonl.abc.part", "grades[1].jsonl"]


def test_a_full_disk_is_one_message_and_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    jsonl.write(path, [ROW])

    def rows() -> Iterator[NoReturn]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield

    with pytest.raises(
        StorageError, match=r"rows\.jsonl: cannot be written \(No space left on device\)\. Free space"
    ):
        jsonl.write(path, rows())
    assert jsonl.read(path, TrainingRow) == [ROW]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_really_full_device_is_recognised() -> None:
    with (
        pytest.raises(StorageError, match="No space left"),
        jsonl.storage_errors("x"),
        Path("/dev/full").open("w") as out,
    ):
        out.write("x" * 100_000)


def test_json_keeps_the_order_of_keys(tmp_path: Path) -> None:
    jsonl.write_json(tmp_path / "a" / "x.json", {"b": 1, "a": "é"})
    assert (tmp_path / "a" / "x.json").read_text(encoding="utf-8") == '{\n  "b": 1,\n  "a": "é"\n}\n'
