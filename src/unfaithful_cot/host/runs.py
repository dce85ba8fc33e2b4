"""Which runs of a folder are alive, what the dead ones left locked, and jobs that end with their run.

In: Snakemake's folder of state, .snakemake. Out: a Run, held as long as this process lives, and lines for the user.
Errors: none. Where the folder cannot be written or locked (some network disks), nothing is removed, and a line says so.

Snakemake notes in .snakemake/locks which files are being made, not by whom: after SIGKILL or a power cut it refuses
every command until `snakemake --unlock`, which would unlock a run that is alive as well. So each run holds a record in
.snakemake/runs under a lock of the operating system (flock), which the kernel lets go however the process dies. A lock
of Snakemake is removed only where a run of this machine that is older than it is dead, its jobs having died with it,
and no run is older than it that is alive or may be: of another machine, or with jobs on a cluster. Of two runs that
start together one looks after the other. docs/decisions/0011-locks-of-dead-runs.md says what was weighed.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

VARIABLE = "UNFAITHFUL_COT_RUN"  # process and its start, for jobs that are to end with it
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
HERE, ELSEWHERE = "here", "elsewhere"
DOUBT_S = 3600.0  # a run of another machine may be that long between its record and its lock
GOES_ON = "A run in this folder was killed; its lock is removed, and this run goes on from what is finished."


@dataclass
class Run:
    """This process in the folder. `path`: of its record; `said`: lines for the user, None where there is nothing to say."""

    path: Path | None
    said: list[str]

    def start_jobs(self, local: bool) -> None:
        """Called before the first job. local: jobs are processes of this machine, and end with this one."""
        if local:
            os.environ[VARIABLE] = this_process()
        elif self.path is not None:
            os.environ.pop(VARIABLE, None)
            self.path = self.path.rename(self.path.with_name(_name(ELSEWHERE)))

    def leave(self) -> None:
        """Remove the record."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Record:
    """A record that was found. since_ns: when its run came; held: by a process that lives."""

    path: Path
    host: str
    boot: str
    process: str
    jobs: str
    since_ns: int
    held: bool

    @property
    def ours(self) -> bool:
        """Of this machine; another one may be alive unseen, for not every network disk knows locks of others."""
        return self.host == socket.gethostname() or (self.boot != "" and self.boot == _boot())

    @property
    def dead(self) -> bool:
        """It and its jobs."""
        return self.ours and not self.held and self.jobs == HERE

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since_ns / 1e9))
        return f"process {self.process} on {self.host}, since {since}"


def enter(state: Path) -> Run:
    """Take note of this process, and remove the locks that only dead runs can have left."""
    folder = state / "runs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _flock(folder / "entering", fcntl.LOCK_EX):
            said = _tidy(state)
            run = Run(folder / _name(HERE), said)
            descriptor = os.open(folder / _name(HERE), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go when this process ends
            os.utime(descriptor)
    except OSError as error:
        return Run(
            None, [f"{folder}: no record of this run ({error.strerror}): if it is killed, its lock stays."]
        )
    atexit.register(run.leave)
    return run


def this_process() -> str:
    """The value of VARIABLE for processes that are to end with this one; a number alone is given again to others."""
    return f"{os.getpid()}:{psutil.Process().create_time()}"


def end_with_run() -> None:
    """End this process, at once, when the one that VARIABLE names dies: two of one job would write one file."""
    process, _, start = os.environ.get(VARIABLE, "").partition(":")
    if process:
        threading.Thread(target=_outlive, args=(int(process), float(start)), daemon=True).start()


def _outlive(process: int, start: float) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        run = psutil.Process(process)
        if run.create_time() == start:
            run.wait()
    logging.getLogger(__name__).error(
        "process %d, which started this one, is dead: this one ends with it", process
    )
    os._exit(1)


def _tidy(state: Path) -> list[str]:
    """Remove the locks that only dead runs can have made, then the records that say nothing any more."""
    records = list(_records(state / "runs"))
    left, removed = [], False
    for lock in sorted((state / "locks").glob("*.lock")):
        made_ns = lock.stat().st_mtime_ns
        before = [record for record in records if record.since_ns <= made_ns]
        if before and all(record.dead for record in before):
            lock.unlink()
            removed = True
        else:
            left.append(made_ns)
    said = [GOES_ON] if removed else []
    for record in records:
        matters = any(record.since_ns <= made_ns for made_ns in left)
        if record.held or (matters and not record.dead):
            said.append(_say(record))
        elif record.dead or record.ours or time.time() - record.since_ns / 1e9 > DOUBT_S:
            record.path.unlink(missing_ok=True)
    return said


def _say(record: Record) -> str:
    if record.held:
        return f"Another run is alive in this folder ({record}): wait for it where both make the same files, and do not unlock."
    what = (
        "its jobs may still wait or run on the cluster"
        if record.jobs == ELSEWHERE
        else "it may be alive there"
    )
    return (
        f"A run left a lock ({record}), and {what}. Where they are not, or after you ended them: snakemake --unlock, "
        "then the same command again."
    )


def _records(folder: Path) -> Iterator[Record]:
    for path in sorted(folder.glob("*+*")):
        host, boot, process, jobs = path.name.split("+")
        with contextlib.suppress(FileNotFoundError):
            yield Record(path, host, boot, process, jobs, path.stat().st_mtime_ns, _held(path))


def _held(path: Path) -> bool:
    try:
        with _flock(path, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True


@contextlib.contextmanager
def _flock(path: Path, how: int) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (0 if how & fcntl.LOCK_NB else os.O_CREAT), 0o666)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _boot() -> str:
    """What tells one start of one machine from all others; empty where the system has no such thing."""
    return BOOT_ID.read_text(encoding="ascii").strip() if BOOT_ID.exists() else ""


def _name(jobs: str) -> str:
    return "+".join([socket.gethostname(), _boot(), str(os.getpid()), jobs])
