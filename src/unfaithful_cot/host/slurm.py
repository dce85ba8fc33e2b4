"""Does this Slurm have what a study asks for? Asked before the first job is handed over, so that no job fails one by one.

In: GPUs by model, the file of partitions that the profile uses. Out: nothing.
Errors: MachineError where Slurm's programs are missing, the controller does not answer, or no partition has the GPUs.

A job stays on one node, so what counts is the number of GPUs of a node, not of the cluster.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml

from unfaithful_cot.errors import MachineError, known

PROFILE = "profiles/slurm"
PROGRAMS = ("sbatch", "squeue", "scancel", "sinfo")
MAKE_FILE = f"generate-slurm-partition-config -o {PROFILE}/partitions.yaml"
ANSWER_S = 30.0
GPUS = re.compile(r"(?:^|,)gpu(?::[^:,()]+)?:(\d+)")


def check_slurm(gpus: Mapping[str, int], partitions: Path | str | None = None, named: bool = False) -> None:
    """Raise a MachineError where a job of the study could not be placed.

    gpus: of a job, by model. partitions: the file for --slurm-partition-config; None: jobs go to the default
    partition. named: the user says himself where jobs go (slurm_partition); Slurm checks that.
    """
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    if absent:
        raise MachineError(
            PROFILE,
            f"no {absent[0]} on the path",
            "This profile hands jobs to Slurm, from a machine where its programs are",
            "Log in there, or leave the profile out: snakemake --cores all",
        )
    there, default = read_partitions(_sinfo())
    choice = dict(there)
    if partitions is not None:
        choice = _of_file(Path(partitions), there)
    elif default and not named:
        choice = {default: there[default]}
    for model, wanted in gpus.items():
        if wanted > max(choice.values(), default=0):
            raise _too_few(model, wanted, choice, there, partitions)


def read_partitions(sinfo: str) -> tuple[dict[str, int], str]:
    """({partition: GPUs of its best node}, the default partition or nothing) from lines `name|gres`."""
    found: dict[str, int] = {}
    default = ""
    for line in sinfo.splitlines():
        name, _, gres = line.partition("|")
        if name.endswith("*"):
            name = default = name[:-1]
        found[name] = max(found.get(name, 0), sum(map(int, GPUS.findall(gres))))
    return found, default


def _sinfo() -> str:
    """Partitions and what their nodes have, one kind of node a line."""
    try:
        done = subprocess.run(
            ["sinfo", "--noheader", "--format=%P|%G"], text=True, capture_output=True, timeout=ANSWER_S
        )
        said = "" if done.returncode == 0 else (done.stderr.strip().split("\n")[-1] or "sinfo failed")[:300]
    except subprocess.TimeoutExpired:
        said = f"no answer within {ANSWER_S:.0f} s"
    if said:
        raise MachineError(
            PROFILE,
            f"Slurm does not answer ({said})",
            "sinfo lists the partitions of the cluster",
            "Ask whoever runs the cluster, and start again: nothing was handed over",
        )
    return done.stdout


def _of_file(path: Path, there: Mapping[str, int]) -> dict[str, int]:
    """{partition of the file: GPUs of a job that the file allows there}; its form is the plugin's to check."""
    told = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    limits = told.get("partitions") or {} if isinstance(told, dict) else {}
    for name in limits:
        if name not in there:
            raise MachineError(
                f"{path}: partitions", f"'{name}' is no partition of this cluster", known(name, there)
            )
    return {name: min(there[name], int((limit or {}).get("max_gpu") or 0)) for name, limit in limits.items()}


def _too_few(
    model: str, wanted: int, choice: Mapping[str, int], there: Mapping[str, int], file: Path | str | None
) -> MachineError:
    """The message: what the nodes have, and where enough are, if anywhere."""
    asked = f"a job of {model} asks for {wanted} GPU{'s' * (wanted > 1)}"
    enough = [name for name, count in there.items() if count >= wanted]
    if not enough:
        return MachineError(
            f"config/models.yaml: {model}.gpus",
            f"{asked}, and no node of this cluster has more than {max(there.values(), default=0)}",
            "A job stays on one node",
            "Lower gpus, or take another cluster",
        )
    have = ", ".join(f"{name} {count}" for name, count in choice.items())
    if file is not None:
        todo = f"Write max_gpu: {there[enough[0]]} at {enough[0]} in {file}"
    else:
        todo = f"Run {MAKE_FILE}, and write max_gpu: {there[enough[0]]} at {enough[0]} there"
    return MachineError(
        f"config/models.yaml: {model}.gpus",
        f"{asked}, and the partitions that jobs may go to have at most: {have or 'none'}",
        f"Partitions with enough: {', '.join(enough)}",
        todo,
    )
