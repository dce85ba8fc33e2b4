"""The last checkpoint whose files are whole is taken, whatever happened to the others; no torch is needed to see it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from unfaithful_cot.training.checkpoints import HASHES, keep_the_last, resume_point, seal

FILES = {
    "adapter_model.safetensors": b"weights of the adapter" * 40,
    "adapter_config.json": b'{"lora_alpha": 8}',
    "optimizer.pt": b"moments" * 90,
    "scheduler.pt": b"learning rate",
    "rng_state.pth": b"random numbers" * 20,
    "trainer_state.json": b'{"global_step": 10}',
}


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Two whole checkpoints, of steps 9 and 10: by name, 9 would be the later one."""
    for step in (9, 10):
        for name, content in FILES.items():
            path = tmp_path / f"checkpoint-{step}" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        seal(path.parent)
    return tmp_path


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def empty(path: Path) -> None:
    path.write_bytes(b"")


DAMAGES: list[tuple[str, Callable[[Path], None]]] = [
    (name, how) for name in [*FILES, HASHES] for how in (flip, cut, empty, Path.unlink)
]


def test_the_last_one_is_taken_where_nothing_is_damaged(
    scratch: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert resume_point(scratch) == scratch / "checkpoint-10"
    assert not caplog.records


@pytest.mark.parametrize(("name", "how"), DAMAGES)
def test_a_damaged_one_is_removed_and_said(
    scratch: Path, caplog: pytest.LogCaptureFixture, name: str, how: Callable[[Path], None]
) -> None:
    how(scratch / "checkpoint-10" / name)
    with caplog.at_level(logging.WARNING):
        assert resume_point(scratch) == scratch / "checkpoint-9"
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"{scratch / 'checkpoint-10'}: ")
    assert name == HASHES or name in line
    assert line.endswith("it is removed, and the training goes on from checkpoint-9")
    assert [folder.name for folder in scratch.iterdir()] == ["checkpoint-9"]


def test_where_none_is_whole_the_training_begins_anew_and_says_so(
    scratch: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty(scratch / "checkpoint-9" / "optimizer.pt")
    (scratch / "checkpoint-10" / HASHES).write_text("[]")
    with caplog.at_level(logging.WARNING):
        assert resume_point(scratch) is None
    assert len(caplog.records) == 2 and "goes on from the beginning" in caplog.text
    assert not list(scratch.iterdir())
    assert resume_point(scratch / "none") is None


def test_a_checkpoint_in_the_place_of_another_is_whole(scratch: Path) -> None:
    """What counts is that the files belong together."""
    shutil.rmtree(scratch / "checkpoint-10")
    assert resume_point(scratch) == scratch / "checkpoint-9"


def test_a_finished_training_keeps_the_last_one_without_the_optimiser(scratch: Path) -> None:
    keep_the_last(scratch)
    assert [folder.name for folder in scratch.iterdir()] == ["checkpoint-10"]
    assert not (scratch / "checkpoint-10" / "optimizer.pt").exists()
    assert resume_point(scratch) == scratch / "checkpoint-10"
