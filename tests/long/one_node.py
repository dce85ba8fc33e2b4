"""A Slurm of one node on loopback, for tests: controller, node and munge of its own, started and stopped without systemd.

In: an empty folder, a number of GPUs to pretend. Out: a running cluster with the partitions `cpu` (default) and `gpu`,
and a journal of every task: job, GPUs that it was given, and the times at which it began and ended.
Needs root, Debian's slurm-wlm and munge, and /etc/slurm/slurm.conf must be free: a job step is started without
SLURM_CONF and looks there, so a link to the test's file stands in it while the cluster runs.

A GPU is pretended by a device file that answers as /dev/null does; Slurm counts it, gives it to one job at a time and
names it in CUDA_VISIBLE_DEVICES, which is all that these tests look at.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol")
ADMIN_FOLDERS = "/usr/sbin:/sbin"
HOME = Path("/etc/slurm")  # where Slurm looks without SLURM_CONF
FILES = ("slurm.conf", "gres.conf")
MUNGE = """\
--force --key-file={folder}/munge.key --socket={folder}/munge.socket --pid-file={folder}/munged.pid
--log-file={folder}/munged.log --seed-file={folder}/munged.seed"""
CONFIGURATION = """\
ClusterName=pretended
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog={folder}/task_begins
TaskEpilog={folder}/task_ends
MpiDefault=none
ReturnToService=2
# More CPUs than the machine may have: the jobs of the tests are to run side by side, not fast.
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
MinJobAge=600
KillWait=5
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} Boards=1 SocketsPerBoard=1 CoresPerSocket={cpus} ThreadsPerCore=1 \
RealMemory={memory_mb} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""
NOTE = """\
#!/bin/sh
echo "{what} $SLURM_JOB_ID.$SLURM_STEP_ID $(date +%s.%N) ${{CUDA_VISIBLE_DEVICES:-none}}" >> {folder}/journal
"""


@dataclass(frozen=True)
class Task:
    """One task of a job: `gpus` as CUDA_VISIBLE_DEVICES named them, empty for a job without; `end` is inf while it runs or was killed."""

    job: str
    gpus: frozenset[str]
    begin: float
    end: float


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    folder: Path
    gpus: int

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs beside its own to find the cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def ask(self, *command: str) -> str:
        """The output of one of Slurm's own programs."""
        environment = os.environ | self.environment
        return subprocess.run(
            command, env=environment, text=True, capture_output=True, check=True, timeout=30
        ).stdout

    def jobs(self) -> dict[str, tuple[str, str]]:
        """{job: (state, comment)}; the plugin writes rule and wildcards into the comment."""
        lines = self.ask("squeue", "--noheader", "--states=all", "--format=%i|%T|%k").splitlines()
        return {job: (state, comment) for job, state, comment in (line.split("|", 2) for line in lines)}

    def tasks(self) -> list[Task]:
        """What ran as a step of a job."""
        begun: dict[str, tuple[float, frozenset[str]]] = {}
        ended: dict[str, float] = {}
        journal = self.folder / "journal"
        for line in journal.read_text().splitlines() if journal.exists() else []:
            what, step, when, gpus = line.split()
            if what == "begins":
                begun[step] = float(when), frozenset(gpus.split(",")) - {"none", "NoDevFiles"}
            else:
                ended[step] = float(when)
        return [
            Task(step.split(".")[0], gpus, when, ended.get(step, float("inf")))
            for step, (when, gpus) in begun.items()
        ]


def missing() -> str:
    """Why no cluster can be started here; empty where one can."""
    if os.geteuid() != 0:
        return "Slurm's daemons are started as root, and this is not root"
    absent = [name for name in PROGRAMS if not _found(name)]
    if absent:
        return f"{', '.join(absent)} not installed (Debian: apt-get install --no-install-recommends slurm-wlm munge)"
    taken = [str(HOME / name) for name in FILES if (HOME / name).exists()]
    return f"{', '.join(taken)}: a Slurm is set up here already" if taken else ""


@contextlib.contextmanager
def one_node(folder: Path, gpus: int, cpus: int = 8, memory_mb: int = 32000) -> Iterator[Cluster]:
    """Start the cluster in `folder`, and stop it with everything it started when the block ends."""
    cluster = Cluster(folder, gpus)
    try:
        _write(folder, gpus, cpus, memory_mb)
        _link(folder)
        _run(folder, "munged", *MUNGE.format(folder=folder).split())
        _run(folder, "slurmctld", "-f", str(folder / "slurm.conf"))
        _run(folder, "slurmd", "-f", str(folder / "slurm.conf"), "-N", _host())
        _wait_until_idle(cluster)
        yield cluster
    finally:
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            cluster.ask("scancel", "--user", "root")
            _wait_until_idle(cluster)
        for daemon in ("slurmd", "slurmctld", "munged"):
            _stop(folder / f"{daemon}.pid")
        _unlink(folder)


def _write(folder: Path, gpus: int, cpus: int, memory_mb: int) -> None:
    for part in ("state", "spool"):
        (folder / part).mkdir(parents=True, mode=0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    controller_port, node_port = _free_ports(2)
    facts = {"folder": folder, "host": _host(), "cpus": cpus, "memory_mb": memory_mb, "gpus": gpus}
    facts |= {"controller_port": controller_port, "node_port": node_port}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**facts))
    cards = [folder / f"card{number}" for number in range(gpus)]
    for card in cards:
        os.mknod(card, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    (folder / "gres.conf").write_text("".join(f"NodeName={_host()} Name=gpu File={card}\n" for card in cards))
    for what in ("begins", "ends"):
        script = folder / f"task_{what}"
        script.write_text(NOTE.format(what=what, folder=folder))
        script.chmod(0o755)


def _link(folder: Path) -> None:
    HOME.mkdir(exist_ok=True)
    for name in FILES:
        (HOME / name).symlink_to(folder / name)


def _unlink(folder: Path) -> None:
    """Take away the links, those alone that lead to this folder."""
    for name in FILES:
        link = HOME / name
        if link.is_symlink() and link.readlink() == folder / name:
            link.unlink()


def _run(folder: Path, program: str, *arguments: str) -> None:
    """Start a daemon; it returns when it has put itself into the background."""
    done = subprocess.run(
        [_found(program) or program, *arguments], text=True, capture_output=True, timeout=30, cwd=folder
    )
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


def _stop(pid_file: Path) -> None:
    """End the daemon of a pid file, and wait until it is gone."""
    with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):
            time.sleep(0.1)
            os.kill(pid, 0)
        os.kill(pid, signal.SIGKILL)


def _wait_until_idle(cluster: Cluster, timeout_s: float = 30) -> None:
    until = time.monotonic() + timeout_s
    said = ""
    while time.monotonic() < until:
        with contextlib.suppress(subprocess.SubprocessError):
            said = cluster.ask("sinfo", "--noheader", "--partition=cpu", "--format=%T").strip()
        if said == "idle":
            return
        time.sleep(0.3)
    logs = "".join((cluster.folder / name).read_text() for name in ("slurmctld.log", "slurmd.log"))
    raise AssertionError(f"the node is {said or 'silent'} after {timeout_s:.0f} s\n{logs[-3000:]}")


def _free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{ADMIN_FOLDERS}")


def _host() -> str:
    return socket.gethostname().split(".")[0]
