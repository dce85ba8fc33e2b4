"""Cards are held by one job at a time: real processes, real locks.

There is no GPU here, so the cards are those that CUDA_VISIBLE_DEVICES names, or those of a stand-in for nvidia-smi; what
is tested is who holds which, not the driver.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.iocontainers import Params, ResourceList

from unfaithful_cot.errors import MachineError
from unfaithful_cot.host.gpu_lock import check_gpus, hold_gpus
from unfaithful_cot.host.job import gpus_asked

JOB = """
import os, subprocess, sys, time
from unfaithful_cot.host.gpu_lock import hold_gpus
with hold_gpus(int(sys.argv[1])) as held:
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    if len(sys.argv) > 3:  # as `accelerate launch` is started
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False, stdout=-3, stderr=-3)
        print(child.pid, flush=True)
    time.sleep(float(sys.argv[2]))
"""
COUNT = """
import os, sys, time
from pathlib import Path
from unfaithful_cot.host.gpu_lock import hold_gpus
here = Path(sys.argv[2])
with hold_gpus(int(sys.argv[1])):
    for card in os.environ["CUDA_VISIBLE_DEVICES"].split(","):
        os.close(os.open(here / card, os.O_CREAT | os.O_EXCL))  # fails where another job is on the card
    time.sleep(0.1)
    for card in os.environ["CUDA_VISIBLE_DEVICES"].split(","):
        (here / card).unlink()
"""


def environment(folder: Path, visible: str = "0,1") -> dict[str, str]:
    return os.environ | {"CUDA_VISIBLE_DEVICES": visible, "UNFAITHFUL_COT_GPU_LOCKS": str(folder)}


def start(
    folder: Path, n: int = 1, seconds: float = 60, visible: str = "0,1", *more: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", JOB, str(n), str(seconds), *more],
        env=environment(folder, visible), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def first_line(job: subprocess.Popen[str]) -> str:
    assert job.stdout is not None
    return job.stdout.readline().strip()


def end(*jobs: subprocess.Popen[str]) -> None:
    for job in jobs:
        job.kill()
        job.communicate()


def test_two_jobs_get_two_cards_and_a_third_waits(tmp_path: Path) -> None:
    one, two = start(tmp_path), start(tmp_path)
    assert {first_line(one), first_line(two)} == {"0", "1"}
    third = start(tmp_path)
    assert third.stderr is not None
    said = third.stderr.readline()
    assert said.startswith("waiting for 1 of 2 GPUs; held: ")
    assert str(one.pid) in said and str(two.pid) in said
    assert third.poll() is None
    end(one, two, third)


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_card_is_free_again_however_its_job_dies(death: signal.Signals, tmp_path: Path) -> None:
    one = start(tmp_path, visible="0")
    assert first_line(one) == "0"
    waiting = start(tmp_path, seconds=0, visible="0")
    os.kill(one.pid, death)
    assert first_line(waiting) == "0"
    assert waiting.wait(60) == 0
    end(one, waiting)


def test_a_card_stays_held_while_what_the_job_started_lives(tmp_path: Path) -> None:
    job = start(tmp_path, 1, 60, "0", "with a child")
    assert first_line(job) == "0"
    child = int(first_line(job))
    end(job)
    waiting = start(tmp_path, 1, 0, "0")
    assert waiting.stderr is not None and "waiting" in waiting.stderr.readline()
    time.sleep(1)
    assert waiting.poll() is None
    os.kill(child, signal.SIGKILL)
    assert first_line(waiting) == "0"
    end(waiting)


def test_jobs_of_one_and_of_several_cards_never_share_and_all_finish(tmp_path: Path) -> None:
    cards, locks = tmp_path / "cards", tmp_path / "locks"
    cards.mkdir()
    jobs = [
        subprocess.Popen([sys.executable, "-c", COUNT, str(n), str(cards)], env=environment(locks, "0,1,2"))
        for n in (1, 2, 1, 2, 3, 1, 2, 1)
    ]
    assert [job.wait(60) for job in jobs] == [0] * 8
    assert not list(cards.iterdir())


def test_the_environment_is_as_before_afterwards(tmp_path: Path) -> None:
    environ = {"CUDA_VISIBLE_DEVICES": "3,5", "PATH": "/nowhere"}
    with hold_gpus(1, environ, tmp_path) as held:
        assert environ["CUDA_VISIBLE_DEVICES"] == held[0].name == "3"
        with hold_gpus(1, dict(environ, CUDA_VISIBLE_DEVICES="3,5"), tmp_path) as other:
            assert other[0].name == "5"
    assert environ["CUDA_VISIBLE_DEVICES"] == "3,5"
    with hold_gpus(2, environ, tmp_path):
        assert environ["CUDA_VISIBLE_DEVICES"] == "3,5"
    with hold_gpus(0, environ, tmp_path) as none:
        assert none == []


def nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """A program that answers as nvidia-smi does to the one question that is asked of it."""
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\ncat <<END\n" + "\n".join(lines) + "\nEND\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


TWO = ("0, GPU-aaaa, NVIDIA H200, 143771, 90000", "1, GPU-bbbb, NVIDIA H200, 143771, 3")


def test_cards_of_nvidia_smi_are_named_by_uuid_the_emptiest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi(tmp_path, monkeypatch, *TWO)
    environ = {"UNFAITHFUL_COT_GPU_LOCKS": str(tmp_path)}
    with hold_gpus(1, environ):
        assert environ["CUDA_VISIBLE_DEVICES"] == "GPU-bbbb"
    assert "CUDA_VISIBLE_DEVICES" not in environ


def test_one_card_under_two_names_is_one_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi(tmp_path, monkeypatch, *TWO)
    with hold_gpus(1, {"CUDA_VISIBLE_DEVICES": "GPU-aa"}, tmp_path):
        other = {"CUDA_VISIBLE_DEVICES": "0,1"}
        with hold_gpus(1, other, tmp_path):
            assert other["CUDA_VISIBLE_DEVICES"] == "1"


def test_what_slurm_gave_is_taken_as_it_is(tmp_path: Path) -> None:
    # cgroups number the cards of each Slurm job from 0: two jobs with "0" are on two cards
    first = {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "7"}
    second = {"CUDA_VISIBLE_DEVICES": "0", "SLURM_JOB_ID": "8"}
    with hold_gpus(1, first, tmp_path), hold_gpus(1, second, tmp_path):
        assert first["CUDA_VISIBLE_DEVICES"] == second["CUDA_VISIBLE_DEVICES"] == "0"


@pytest.mark.parametrize(
    ("visible", "seen"), [("", 0), ("-1", 0), ("0", 1), ("0,-1,1", 1), ("NoDevFiles", 0)]
)
def test_fewer_gpus_than_asked_for_is_one_message(
    visible: str, seen: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError) as caught:
        check_gpus(2, "qwen3_8b", {"CUDA_VISIBLE_DEVICES": visible})
    assert str(caught.value) == (
        f"GPUs of qwen3_8b: a job asks for 2, and {seen} can be seen here (CUDA_VISIBLE_DEVICES={visible}). `gpus` of the "
        "model in config/models.yaml is at most the number of cards. Lower it, take a machine with more GPUs, or use "
        "--workflow-profile profiles/slurm; where nvidia-smi is missing, name the cards in CUDA_VISIBLE_DEVICES."
    )


@pytest.mark.parametrize(
    ("gpu", "params", "asked"),
    [
        (2, {}, 2),
        (0, {}, 0),
        (None, {}, 0),
        (1, {"loading__device": "auto"}, 1),
        (1, {"loading__device": "cpu"}, 0),
        (1, {"loading__device": "auto", "inference__engine": "openai"}, 0),
    ],
)
def test_a_job_holds_what_it_asks_for(gpu: int | None, params: dict[str, str], asked: int) -> None:
    resources = ResourceList(fromdict={} if gpu is None else {"gpu": gpu})
    assert gpus_asked(SimpleNamespace(params=Params(fromdict=params), resources=resources)) == asked
