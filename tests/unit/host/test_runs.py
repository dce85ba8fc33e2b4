"""Locks that dead runs left are removed, those of runs that are or may be alive stay; jobs end with their run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from unfaithful_cot.host import runs
from unfaithful_cot.host.runs import ELSEWHERE, GOES_ON, HERE, VARIABLE, Run, enter

RUN = """
import sys
from pathlib import Path
from unfaithful_cot.host.runs import enter
run = enter(Path(sys.argv[1]))
run.start_jobs(sys.argv[2] == "here")
locks = Path(sys.argv[1]) / "locks"
locks.mkdir(exist_ok=True)
(locks / f"{len(list(locks.iterdir()))}.output.lock").write_text("file")
print("\\n".join(["entered", *run.said]), flush=True)
sys.stdin.read()
"""
JOB = """
import sys, time
from unfaithful_cot.host.runs import end_with_run
end_with_run()
print("started", flush=True)
time.sleep(60)
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A folder of state; records that this process makes there are let go afterwards."""
    yield tmp_path / ".snakemake"
    os.environ.pop(VARIABLE, None)


def start(state: Path, jobs: str = HERE) -> subprocess.Popen[str]:
    """Another run, which entered and locked a file."""
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(state), jobs],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert run.stdout and run.stdout.readline() == "entered\n"
    return run


def end(run: subprocess.Popen[str], how: int = signal.SIGKILL) -> None:
    run.send_signal(how)
    run.wait()
    for pipe in (run.stdin, run.stdout):
        assert pipe
        pipe.close()


def locks(state: Path) -> list[str]:
    return sorted(path.name for path in (state / "locks").glob("*"))


def records(state: Path) -> list[str]:
    return sorted(path.name for path in (state / "runs").glob("*+*"))


def test_a_first_run_says_nothing_and_leaves_nothing(state: Path) -> None:
    run = enter(state)
    assert run.said == [] and len(records(state)) == 1
    run.leave()
    assert records(state) == []


def test_the_lock_of_a_killed_run_is_removed(state: Path) -> None:
    end(start(state))
    assert locks(state) == ["0.output.lock"] and len(records(state)) == 1
    run = enter(state)
    assert run.said == [GOES_ON] and locks(state) == []
    assert records(state) == [run.path.name] if run.path else False
    run.leave()


def test_the_lock_of_a_run_that_is_alive_stays(state: Path) -> None:
    other = start(state)
    mine = enter(state)
    assert locks(state) == ["0.output.lock"]
    assert len(mine.said) == 1
    assert (
        f"Another run is alive in this folder (process {other.pid} on {socket.gethostname()}, since "
        in mine.said[0]
    )
    assert "do not unlock" in mine.said[0]
    mine.leave()
    end(other)


def test_a_run_that_is_stopped_for_a_while_is_alive(state: Path) -> None:
    other = start(state)
    other.send_signal(signal.SIGSTOP)
    mine = enter(state)
    assert locks(state) == ["0.output.lock"] and "is alive" in mine.said[0]
    mine.leave()
    end(other)


def test_a_lock_that_either_of_two_may_have_made_stays(state: Path) -> None:
    """The one that was killed came after the one that is alive: its lock cannot be told from the other's."""
    alive, killed = start(state), start(state)
    end(killed)
    mine = enter(state)
    assert locks(state) == ["0.output.lock", "1.output.lock"]
    mine.leave()
    end(alive)
    # both are dead now
    last = enter(state)
    assert last.said == [GOES_ON] and locks(state) == []
    last.leave()


def test_a_lock_without_a_record_stays(state: Path) -> None:
    """Of a run that keeps no records, which may be alive."""
    (state / "locks").mkdir(parents=True)
    (state / "locks" / "0.input.lock").write_text("file")
    run = enter(state)
    assert locks(state) == ["0.input.lock"] and run.said == []
    run.leave()


def test_jobs_on_a_cluster_may_outlive_their_run(state: Path) -> None:
    end(start(state, ELSEWHERE))
    mine = enter(state)
    assert locks(state) == ["0.output.lock"] and len(mine.said) == 1
    assert (
        "its jobs may still wait or run on the cluster" in mine.said[0]
        and "snakemake --unlock" in mine.said[0]
    )
    mine.leave()
    # the user ended them, and unlocked: nothing to say any more
    (state / "locks" / "0.output.lock").unlink()
    mine = enter(state)
    assert mine.said == [] and len(records(state)) == 1
    mine.leave()


def test_a_run_of_another_machine_may_be_alive(state: Path) -> None:
    (state / "runs").mkdir(parents=True)
    record = state / "runs" / "elsewhere+0000-0000+17+here"
    record.touch()
    time.sleep(0.01)
    (state / "locks").mkdir()
    (state / "locks" / "0.input.lock").write_text("file")
    mine = enter(state)
    assert locks(state) == ["0.input.lock"] and record.exists()
    assert "process 17 on elsewhere" in mine.said[0] and "it may be alive there" in mine.said[0]
    mine.leave()


def test_a_machine_that_was_started_again_knows_its_dead(
    state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    end(start(state))
    (tmp_path / "boot").write_text("of-another-start\n")
    monkeypatch.setattr(runs, "BOOT_ID", tmp_path / "boot")
    run = enter(state)
    assert run.said == [GOES_ON] and locks(state) == []
    run.leave()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = enter(tmp_path / "file")
    assert run.path is None and "Not a directory" in run.said[0]
    run.start_jobs(False)
    run.leave()


def test_of_many_that_start_after_a_kill_none_removes_the_lock_of_another(state: Path) -> None:
    """Six runs that come at once: each lock that a live one made is there at the end."""
    end(start(state))
    others = [
        subprocess.Popen(
            [sys.executable, "-c", RUN.replace("len(list(locks.iterdir()))", "run.path.name"), str(state), HERE],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(6)
    ]  # fmt: skip
    for other in others:
        assert other.stdout and other.stdout.readline() == "entered\n"
    found = locks(state)
    assert [name for name in found if "+" in name] == sorted(f"{name}.output.lock" for name in records(state))
    assert len(records(state)) == 6 and "0.output.lock" not in found
    for other in others:
        end(other)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_ends_with_its_run(tmp_path: Path, how: int) -> None:
    run = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    born = psutil.Process(run.pid).create_time()
    job = subprocess.Popen(
        [sys.executable, "-c", JOB],
        env=os.environ | {VARIABLE: f"{run.pid}:{born}"},
        text=True,
        stdout=subprocess.PIPE,
    )
    assert job.stdout and job.stdout.readline() == "started\n"
    assert job.poll() is None
    run.send_signal(how)
    run.wait()
    assert job.wait(10) == 1
    job.stdout.close()


def test_a_job_whose_run_is_dead_already_ends(tmp_path: Path) -> None:
    """The process of that number is another one: it started at another time."""
    job = subprocess.Popen([sys.executable, "-c", JOB], env=os.environ | {VARIABLE: f"{os.getpid()}:1.0"})
    assert job.wait(10) == 1


LAUNCHING = """
import sys
from unfaithful_cot.training.launch import launch
launch("launched_training:wait", {"folder": sys.argv[1]}, 2)
"""
LAUNCHED = """
import os, time
from pathlib import Path
def wait(folder):
    (Path(folder) / f"pid.{os.getpid()}").touch()
    time.sleep(120)
"""


def test_processes_of_one_training_end_with_their_job(tmp_path: Path) -> None:
    """Killed alone, a job would leave `accelerate launch` and its processes at work on the checkpoints."""
    (tmp_path / "launched_training.py").write_text(LAUNCHED)
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    job = subprocess.Popen(
        [sys.executable, "-c", LAUNCHING, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        stderr=subprocess.DEVNULL,
    )
    end_s = time.monotonic() + 120
    while len(list(tmp_path.glob("pid.*"))) < 2:
        assert job.poll() is None and time.monotonic() < end_s
        time.sleep(0.05)
    others = psutil.Process(job.pid).children(recursive=True)
    assert len(others) >= 3  # the launcher and two processes
    job.kill()
    job.wait()
    _, alive = psutil.wait_procs(others, timeout=60)
    assert not alive


def test_only_jobs_of_this_machine_are_told_whom_they_end_with(state: Path) -> None:
    run = enter(state)
    run.start_jobs(True)
    assert os.environ[VARIABLE].startswith(f"{os.getpid()}:")
    run.start_jobs(False)
    assert VARIABLE not in os.environ and records(state)[0].endswith("+elsewhere")
    run.leave()
    assert records(state) == []
    Run(None, []).leave()
