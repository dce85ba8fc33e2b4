"""What this machine has: cards, cores, memory, and a volume that outlives it.

In: nvidia-smi, CUDA_VISIBLE_DEVICES, the limits of the container (cgroups). Out: Card objects and numbers.
Errors: none; what cannot be read counts as not there, or as not limited.
A container on a shared host sees the host's cores and memory; its own limits stand in the cgroup, which
Snakemake's `--cores all` does not read.
"""

from __future__ import annotations

import math
import os
import re
import subprocess
from collections.abc import MutableMapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")
UNLIMITED = 2**60  # cgroup v1 writes a number near 2^63 where there is no limit
QUERY = "index,uuid,name,memory.total,memory.used"
CACHES = {
    "HF_HOME": "huggingface",
    "PIP_CACHE_DIR": "pip",
    "TORCHINDUCTOR_CACHE_DIR": "torchinductor",
    "TRITON_CACHE_DIR": "triton",
}


@dataclass(frozen=True)
class Card:
    """A GPU. name: as CUDA_VISIBLE_DEVICES takes it. key: what a lock on it is called, the same for every process.

    memory_mb, used_mb: in MiB; None where nvidia-smi does not know the card.
    """

    name: str
    key: str
    model: str = "unknown"
    memory_mb: int | None = None
    used_mb: int | None = None


def cards(environ: MutableMapping[str, str] | None = None) -> list[Card]:
    """The GPUs that a process with this environment may use, in the order of CUDA_VISIBLE_DEVICES.

    A card is known by its UUID, so that a lock means the same card whatever it is numbered. Without nvidia-smi the
    entries of CUDA_VISIBLE_DEVICES are taken as they are, within one Slurm job.
    """
    environ = os.environ if environ is None else environ
    installed = _installed()
    chosen = environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return installed
    found: list[Card] = []
    for name in map(str.strip, chosen.split(",")):
        card = _named(name, installed, environ.get("SLURM_JOB_ID", ""))
        if card is None:
            break  # as CUDA does: what follows a name that is none does not count
        found.append(card)
    return found


def _named(name: str, installed: list[Card], job: str) -> Card | None:
    if name.startswith("MIG-"):
        return Card(name, name)
    if not installed:
        return Card(name, f"job{job}-{name}") if name.isdigit() or name.startswith("GPU-") else None
    by_number = dict(enumerate(installed))
    matching = [card for card in installed if name.startswith("GPU-") and card.key.startswith(name)]
    card = by_number.get(int(name)) if name.isdigit() else matching[0] if len(matching) == 1 else None
    return card and Card(name, card.key, card.model, card.memory_mb, card.used_mb)


def driver() -> tuple[int, ...] | None:
    """Version of the GPU driver, as 580, 159, 4; None where nvidia-smi does not tell it."""
    told = _ask("driver_version")
    version = told[0].strip() if told else ""
    return tuple(map(int, version.split("."))) if re.fullmatch(r"\d+(\.\d+)+", version) else None


def torch_cuda() -> tuple[int, ...] | None:
    """The version of CUDA that the installed torch was built for, as 13, 0; None for a build without. Imports nothing."""
    found = find_spec("torch")
    file = Path(found.origin).with_name("version.py") if found and found.origin else None
    told = (
        re.search(r"^cuda\b.*= '([\d.]+)'", file.read_text(encoding="utf-8"), re.MULTILINE) if file else None
    )
    return tuple(map(int, told.group(1).split("."))) if told else None


def _ask(query: str) -> list[str]:
    """Lines of nvidia-smi's answer; none where there is no such program."""
    command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines()


def _installed() -> list[Card]:
    """What nvidia-smi lists, by its own numbers; nothing where there is none."""
    rows = [[part.strip() for part in line.split(",")] for line in _ask(QUERY)]
    return [
        Card(uuid, uuid, model, _number(total), _number(used))
        for _, uuid, model, total, used in (row for row in rows if len(row) == 5 and row[0].isdigit())
    ]


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def cores() -> int:
    """Cores that this process may use: its affinity, and the quota of the container."""
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = _read("cpu.max").split() if _read("cpu.max") else ("", "100000")
    quota = quota or _read("cpu/cpu.cfs_quota_us")
    period = _read("cpu/cpu.cfs_period_us") or period
    limited = quota.isdigit() and int(quota) > 0 and int(period) > 0
    return max(1, min(seen, math.floor(int(quota) / int(period)))) if limited else seen


def memory_mb() -> int:
    """Main memory in MiB that the processes here may use together: that of the machine, or less by the container's limit."""
    limits = [_read("memory.max"), _read("memory/memory.limit_in_bytes")]
    told = [int(limit) for limit in limits if limit.isdigit() and int(limit) < UNLIMITED]
    return int(min([psutil.virtual_memory().total, *told])) // 2**20


def _read(name: str) -> str:
    try:
        return (CGROUP / name).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def caches_on(volume: Path | str, environ: MutableMapping[str, str] | None = None) -> None:
    """Let downloads and compiled kernels lie on a volume, where there is one; what is set already stays."""
    environ = os.environ if environ is None else environ
    if Path(volume).is_dir():
        for variable, folder in CACHES.items():
            environ.setdefault(variable, str(Path(volume) / ".cache" / folder))
