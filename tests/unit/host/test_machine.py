"""Cores and memory of a container, and where caches lie."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from unfaithful_cot.host import machine


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_max", ".max")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n", encoding="ascii")


def test_without_limits_the_machine_counts(cgroup: Path) -> None:
    assert machine.cores() == len(os.sched_getaffinity(0))
    assert machine.memory_mb() == psutil.virtual_memory().total // 2**20


@pytest.mark.parametrize(("quota", "cores"), [("150000 100000", 1), ("50000 100000", 1), ("max 100000", 2)])
def test_the_quota_of_a_container_counts(
    quota: str, cores: int, cgroup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    write(cgroup, cpu_max=quota)
    assert machine.cores() == cores


def test_limits_of_the_first_kind_of_cgroups(cgroup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text("1600000\n")
    (cgroup / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert machine.cores() == 16
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert machine.cores() == 64


def test_the_memory_of_a_container_counts(cgroup: Path) -> None:
    write(cgroup, memory_max=str(2**30))
    assert machine.memory_mb() == 1024
    write(cgroup, memory_max="max")
    assert machine.memory_mb() == psutil.virtual_memory().total // 2**20


def test_caches_lie_on_the_volume_unless_told_otherwise(tmp_path: Path) -> None:
    environ = {"HF_HOME": "/mine"}
    machine.caches_on(tmp_path, environ)
    assert environ["HF_HOME"] == "/mine"
    assert environ["TRITON_CACHE_DIR"] == str(tmp_path / ".cache" / "triton")
    nothing: dict[str, str] = {}
    machine.caches_on(tmp_path / "absent", nothing)
    assert nothing == {}


def test_the_cuda_version_of_torch_is_that_which_torch_says() -> None:
    import torch

    told = torch.version.cuda
    assert machine.torch_cuda() == (tuple(map(int, told.split("."))) if told else None)


@pytest.mark.parametrize(
    ("line", "version"), [("580.159.04", (580, 159, 4)), ("0, GPU-a, x, 1, 1", None), ("", None)]
)
def test_the_driver_is_asked_of_nvidia_smi(
    line: str, version: tuple[int, ...] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{line}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert machine.driver() == version
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert machine.driver() is None
