"""What this machine has against what the study asks of it: cards, their memory, main memory, disk, programs.

In: settings, models, the cards that are here. Out: Findings; nothing is loaded, downloaded or written.
Errors: none raised; a problem stands in its Finding.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import MachineError, StorageError
from unfaithful_cot.host import machine
from unfaithful_cot.host.gpu_lock import check_gpus
from unfaithful_cot.host.machine import Card
from unfaithful_cot.host.slurm import PROFILE, check_slurm
from unfaithful_cot.plan.findings import Finding, failed, tried
from unfaithful_cot.plan.memory import (
    GIB,
    Config,
    answering_fits,
    shape_of,
    too_large,
    training_fits,
    weight_bytes,
)
from unfaithful_cot.plan.workload import Workload
from unfaithful_cot.training.memory import adapter_parameters

DOCUMENT_BYTES = 12_000  # of one document, written, filtered and tokenised
SPARE_BYTES = 2 * GIB
OLDEST_DRIVER = {12: 525, 13: 580}  # by version of CUDA


def models_of(settings: Settings, models: dict[str, ModelSettings]) -> dict[str, ModelSettings]:
    """The models that the study loads: those of the grid, and teachers of organisms."""
    teachers = [one.teacher.model for one in settings.organisms.values() if one.teacher.model]
    return {name: models[name] for name in dict.fromkeys([*settings.grid.models, *teachers])}


def trainings_of(settings: Settings) -> dict[str, TrainingSettings]:
    """{setting: how is trained} of the study."""
    documents = {"training": settings.training} if settings.grid.corpora else {}
    return documents | {
        f"organisms.{name}.training": one.training for name, one in settings.organisms.items()
    }


def gpu_findings(models: dict[str, ModelSettings], device: str, cluster: bool) -> Iterator[Finding]:
    """As many cards as each model asks for. cluster: the cards are those of other machines."""
    for name, model in models.items():
        if not model.gpus or device == "cpu":
            yield Finding("GPUs", name, "none asked for: runs on the CPU")
        elif cluster:
            yield Finding("GPUs", name, f"{model.gpus} a job, which the cluster has to give")
        else:
            yield tried("GPUs", name, lambda n=model.gpus, who=name: _cards_in_words(check_gpus(n, who), n))  # type: ignore[misc]


def driver_finding(models: dict[str, ModelSettings], device: str) -> Iterator[Finding]:
    """Whether the installed torch can use the cards that nvidia-smi shows."""
    version = machine.driver()
    if version and device != "cpu" and any(model.gpus for model in models.values()):
        yield tried("driver", "torch", lambda: _driver_suits(version, machine.torch_cuda()))


def _driver_suits(driver: tuple[int, ...], cuda: tuple[int, ...] | None) -> str:
    """CUDA 13 needs a driver of the 580 series or newer, CUDA 12 one of 525 (NVIDIA's table of minor version compatibility)."""
    text = ".".join(map(str, driver))
    if cuda is None:
        raise MachineError(
            "torch",
            "the installed build has no CUDA, so it uses no GPU",
            "A build for CUDA",
            "Remove the environment (make clean-venv), unset PIP_EXTRA_INDEX_URL and make it anew",
        )
    least = OLDEST_DRIVER.get(cuda[0], 0)
    if driver[0] < least:
        raise MachineError(
            "GPU driver",
            f"version {text} is too old for the installed torch, which was built for CUDA {cuda[0]}.{cuda[1]}",
            f"Version {least} or newer",
            "Take a machine with a newer driver (RunPod: the filter for CUDA versions when a pod is made)",
        )
    return f"built for CUDA {cuda[0]}.{cuda[1]}, driver {text}"


def _cards_in_words(cards: Sequence[Card], n: int) -> str:
    kinds = ", ".join(sorted({card.model for card in cards}))
    busy = sum((card.used_mb or 0) > 1024 for card in cards)
    return f"{n} a job, {len(cards)} here ({kinds})" + (f"; {busy} in use by something else" if busy else "")


def memory_findings(
    name: str, model: ModelSettings, settings: Settings, config: Config | None, cards: Sequence[Card]
) -> Iterator[Finding]:
    """Each training and the answering of one model against the smallest card."""
    known = [card.memory_mb for card in cards if card.memory_mb]
    if not model.gpus or settings.loading.device == "cpu" or not known:
        return
    room = min(known) * 2.0**20
    if config is None:
        need = weight_bytes(model, settings.loading, None)
        text = f"weights alone {need / GIB:.1f} of {room / GIB:.1f} GiB; config.json is not at hand, so no more is known"
        problem = too_large(model, settings.loading, need, room, None) if need > room else None
        yield Finding("card memory", name, text, "PROBLEM" if problem else "look", problem)
        return
    if name in settings.grid.models:
        for key, training in trainings_of(settings).items():
            yield tried(
                "card memory",
                f"{name}, {key}",
                lambda how=training: training_fits(model, settings.loading, how, shape_of(config), room),  # type: ignore[misc]
            )
    if settings.inference.engine == "transformers":
        yield tried(
            "card memory",
            f"{name}, inference",
            lambda: answering_fits(model, settings.loading, settings.inference, config, room),
        )


def ram_findings(models: dict[str, ModelSettings], cluster: bool) -> Iterator[Finding]:
    """Main memory that the largest model's jobs ask for."""
    name, model = max(models.items(), key=lambda item: item[1].memory_mb)
    here = machine.memory_mb()
    short = model.memory_mb > here and not cluster
    yield Finding(
        "main memory",
        name,
        f"{model.memory_mb:,} MB asked for by a job, {here:,} MB here" + ("; jobs may be killed" if short else ""),
        "look" if short else "ok",
    )  # fmt: skip


def disk_findings(
    settings: Settings, models: dict[str, ModelSettings], configs: dict[str, Config | None], fetched: set[str]
) -> Iterator[Finding]:
    """Free space against what will be written and downloaded, a disk at a time. fetched: models that lie here."""
    from huggingface_hub import constants

    load = Workload(settings)
    downloads = sum(2.0 * model.parameters for name, model in models.items() if name not in fetched)
    written = float(DOCUMENT_BYTES * settings.documents.count * len(settings.grid.corpora) * 3 + SPARE_BYTES)
    for name in settings.grid.models:
        if config := configs.get(
            name
        ):  # an adapter in float32 a cell; while one trains, two checkpoints with its moments
            for group in load.trainings(name).values():
                written += adapter_parameters(shape_of(config), group.training) * (
                    4.0 * len(group.cells) + 24.0
                )
    yield from _disks(
        {"results": (Path("results"), written), "models": (Path(constants.HF_HUB_CACHE), downloads)}
    )


def _disks(wanted: dict[str, tuple[Path, float]]) -> Iterator[Finding]:
    needs: dict[int, list[tuple[str, Path, float]]] = {}
    for what, (path, size) in wanted.items():
        there = next(folder for folder in [path.absolute(), *path.absolute().parents] if folder.exists())
        needs.setdefault(there.stat().st_dev, []).append((what, there, size))
    for parts in needs.values():
        subject, there = " and ".join(what for what, _, _ in parts), parts[0][1]
        need, free = sum(size for _, _, size in parts), shutil.disk_usage(there).free
        text = f"about {need / 1e9:,.1f} GB will be written, {free / 1e9:,.1f} GB are free"
        if free < need:
            yield failed(
                "disk",
                subject,
                StorageError(
                    there,
                    text,
                    f"{(need - free) / 1e9:,.1f} GB more",
                    "Free space, take a larger volume, or let HF_HOME and results/ lie on another disk",
                ),
            )
        else:
            yield Finding("disk", subject, text)


def program_findings(models: dict[str, ModelSettings], cluster: bool) -> Iterator[Finding]:
    """What the profile starts: Slurm with enough GPUs on a node, `accelerate` where a model asks for several."""
    gpus = {name: model.gpus for name, model in models.items()}
    if max(gpus.values()) > 1:
        yield tried(
            "program", "accelerate", lambda: _there("accelerate", find_spec("accelerate") is not None)
        )
    if cluster:
        file = Path(PROFILE) / "partitions.yaml"
        yield tried("program", "Slurm", lambda: _slurm(gpus, file))
        if not (conf := Path("/etc/slurm/slurm.conf")).exists():
            yield Finding("program", "slurm.conf", f"jobs look for {conf}, which is not there", "look")


def _slurm(gpus: dict[str, int], partitions: Path) -> str:
    check_slurm(gpus, partitions if partitions.is_file() else None)
    return "answers, and has the GPUs"


def _there(name: str, found: bool) -> str:
    if not found:
        raise MachineError(
            name,
            "is not on this machine",
            todo="Install the pinned requirements: pip install -r requirements.lock",
        )
    return "there"
