"""How a training uses its machine: kernel, rows at a time, layers that are recomputed. Decided before weights are loaded.

In: the base model's configuration, settings, the number of processes, free memory. Out: plans, the fastest first; each
next one takes less memory, for a machine on which the estimate was too low.
Errors: MachineError for a GPU that is not there, and for a model that does not fit: by how much, and what would.

None of this changes what is learnt: an optimiser step has effective_batch_rows rows whatever the plan. On a CPU `auto`
means one row at a time and nothing recomputed. The cost of a plan, relative: (1 + 0.45 x share of layers recomputed) x
(1 + 512 / tokens at a time); 0.45 is the arithmetic of a second forward pass, 512 tokens are what a micro-batch costs in
launches and in reading the weights.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import MachineError
from unfaithful_cot.models.attention import BY_LENGTHS, training_attention
from unfaithful_cot.models.load import pick_device, quiet_libraries
from unfaithful_cot.models.pins import place_of
from unfaithful_cot.training.memory import Architecture, architecture, training_bytes

MOST_TOKENS = 16_384  # at a time: more gains nothing
ROOM = 0.95  # of the free memory: an allocator that has to search for the rest is slow
TRUSTED = 0.9  # an estimate may be too high by a tenth: refuse only what exceeds the memory even then
GIB = 2**30


@dataclass(frozen=True)
class Plan:
    """One way to use the machine. compiled: None until the number of tokens is known."""

    attention: str
    micro_batch_rows: int
    recomputed_layers: int = 0
    compiled: bool | None = None
    estimated_mb: float | None = None

    def __str__(self) -> str:
        rows = f"{self.micro_batch_rows} row{'s' * (self.micro_batch_rows > 1)} at a time"
        compiled = {True: ", compiled", False: ", not compiled", None: ""}[self.compiled]
        return f"{rows}, {self.recomputed_layers} layers recomputed{compiled}"

    def record(self) -> dict[str, object]:
        """What stands in the manifest."""
        return asdict(self)


def plans_for(
    base: Mapping[str, Any], loading: LoadingSettings, training: TrainingSettings, gpus: int, processes: int
) -> list[Plan]:
    """The plans for this machine. base: source and revision. gpus: of the model's entry; processes: that train together."""
    device = pick_device(loading.device)
    if gpus and device == "cpu" and loading.device != "cpu":
        raise MachineError(
            "loading.device",
            f"the model's entry asks for {gpus} GPU{'s' * (gpus > 1)}, and torch sees none",
            "A GPU with its driver, and a torch that was built for it",
            "Set loading.device: cpu to train on the CPU all the same",
        )
    attention = training_attention(loading.attention, device, loading.dtype)
    shape = read_architecture(base)
    if shape is None:  # load_reasoner says what is wrong with it
        return [settled(training, loading, attention)]
    free = free_bytes(device)
    return choose(shape, str(base["source"]), loading, training, attention, device, processes, free)


def settled(training: TrainingSettings, loading: LoadingSettings, attention: str | None = None) -> Plan:
    """The plan that the settings name, with what `auto` means on a CPU."""
    rows = training.micro_batch_rows
    return Plan(
        attention=attention or training_attention(loading.attention, "cpu", loading.dtype),
        micro_batch_rows=1 if rows == "auto" else rows,
        recomputed_layers=10**6 if training.gradient_checkpointing is True else 0,
    )


def read_architecture(base: Mapping[str, Any]) -> Architecture | None:
    """The numbers in the base's config.json, None where it cannot be read."""
    from transformers import AutoConfig

    quiet_libraries()
    try:
        place = place_of(base)
        found = AutoConfig.from_pretrained(place.source, revision=place.at, local_files_only=place.local)
        return architecture(found)
    except (OSError, ValueError, AttributeError) as error:
        logging.getLogger(__name__).info("memory is not estimated: %s", error)
        return None


def free_bytes(device: str) -> float:
    """Free memory of the GPU, or main memory that is available."""
    import psutil
    import torch

    if device.startswith("cuda"):
        return float(torch.cuda.mem_get_info()[0])
    return float(psutil.virtual_memory().available)


def choose(
    shape: Architecture,
    source: str,
    loading: LoadingSettings,
    training: TrainingSettings,
    attention: str,
    device: str,
    processes: int,
    free: float,
) -> list[Plan]:
    """The plans that fit into `free` bytes, the fastest first. MachineError where the smallest one does not.

    `compile_layers: auto` counts as compiled: a training too short for that takes the next plan if memory runs out.
    """

    def needed(rows: int, layers: int) -> float:
        tokens = rows * training.max_length_tokens
        mask = 0 if attention in BY_LENGTHS else training.max_length_tokens
        return training_bytes(shape, training, loading, tokens, layers, _may_compile(training, device), mask)

    def cost(pair: tuple[int, int]) -> float:
        rows, layers = pair
        return (1 + 0.45 * layers / shape.layers) * (1 + 512 / (rows * training.max_length_tokens))

    pairs = sorted(_pairs(shape, training, device, processes), key=cost)
    least = min(pairs, key=lambda pair: needed(*pair))
    fitting = [pair for pair in pairs if needed(*pair) <= ROOM * free]
    if not fitting and needed(*least) * TRUSTED <= free:
        fitting = [least]
    if not fitting:
        raise _does_not_fit(shape, source, loading, training, needed(*least), free, device)
    plans = [Plan(attention, *pair, estimated_mb=round(needed(*pair) / 2**20, 1)) for pair in fitting]
    return _descending(plans)


def _may_compile(training: TrainingSettings, device: str) -> bool:
    return device.startswith("cuda") and training.compile_layers is not False


def _pairs(
    shape: Architecture, training: TrainingSettings, device: str, processes: int
) -> list[tuple[int, int]]:
    """(rows at a time, layers recomputed) that the settings allow."""
    rows, recompute = training.micro_batch_rows, training.gradient_checkpointing
    if device == "cpu":
        plan = settled(training, LoadingSettings(attention="sdpa"))
        return [(plan.micro_batch_rows, shape.layers if recompute is True else 0)]
    share = training.effective_batch_rows // processes
    most = max(1, MOST_TOKENS // training.max_length_tokens)
    sizes = (
        [n for n in range(1, max(share, 1) + 1) if share % n == 0 and n <= most] if rows == "auto" else [rows]
    )
    if recompute == "auto":
        layers = sorted({round(shape.layers * sixth / 6) for sixth in range(7)})
    else:
        layers = [shape.layers if recompute else 0]
    return [(n, k) for n in sizes for k in layers]


def _descending(plans: Sequence[Plan]) -> list[Plan]:
    """The first plan, then each next one that takes at least a tenth less memory than the one before."""
    kept = [plans[0]]
    for plan in plans[1:]:
        if (plan.estimated_mb or 0) <= 0.9 * (kept[-1].estimated_mb or 0):
            kept.append(plan)
    return kept


def _does_not_fit(
    shape: Architecture,
    source: str,
    loading: LoadingSettings,
    training: TrainingSettings,
    needed: float,
    free: float,
    device: str,
) -> MachineError:
    """By how much, and which settings would do."""
    row = training.max_length_tokens
    others: dict[str, dict[str, object]] = {
        "loading.use_4bit: true": {"use_4bit": True},
        "training.micro_batch_rows: auto": {"micro_batch_rows": 1},
        "training.gradient_checkpointing: auto": {"gradient_checkpointing": True},
        f"training.max_length_tokens: {row // 2}": {"max_length_tokens": row // 2},
    }
    found = []
    for words, update in others.items():
        load_as = loading.model_copy(update=update) if "use_4bit" in update else loading
        train_as = training if "use_4bit" in update else training.model_copy(update=update)
        rows = train_as.micro_batch_rows
        tokens = (1 if rows == "auto" else rows) * train_as.max_length_tokens
        layers = 0 if train_as.gradient_checkpointing is False else shape.layers
        bytes_then = training_bytes(shape, train_as, load_as, tokens, layers, _may_compile(training, device))
        if bytes_then < 0.98 * needed:
            fits = "fits" if bytes_then <= free else "still too much"
            found.append(f"{words} ({bytes_then / GIB:.1f} GiB, {fits})")
    where = "GPU" if device.startswith("cuda") else "main"
    return MachineError(
        source,
        f"training needs about {needed / GIB:.1f} GiB of {where} memory and {free / GIB:.1f} GiB are free: "
        f"{(needed - free) / GIB:.1f} GiB too little",
        f"What would lower it: {', '.join(found) or 'no setting'}",
        "Change that, or take a machine with more memory; more GPUs do not help, for each holds the whole model",
    )
