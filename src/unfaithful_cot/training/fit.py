"""From packed rows to a written adapter: what continual pre-training and fine-tuning share.

In: a Cell, the base as a Reasoner, packed rows, settings. Out: adapter_model.safetensors, adapter_config.json and, last of
all, manifest.json (records.Manifest).
Errors: those of training.trainer and training.attempts; StorageError when a checkpoint cannot be written.
Checkpoints lie outside the declared outputs, because Snakemake deletes those before each attempt. Their folder is named
by a hash of everything that they depend on, so that a killed run resumes and a changed one does not. The last one stays
when the outputs are written: Snakemake takes note of those a moment later, and deletes them where a kill comes in between.
It is removed when the run has ended well (workflow/rules/hooks.smk). Which one is resumed: training/checkpoints.py.
Under `accelerate launch` every process trains and the first one writes.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import MachineError
from unfaithful_cot.models.adapters import CONFIG_FILE, WEIGHTS_FILE, config_hash, new_adapter
from unfaithful_cot.models.load import Reasoner
from unfaithful_cot.provenance import code_hash, file_hash, value_hash, versions
from unfaithful_cot.records.adapters import LossPoint, Manifest
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.training.attempts import first_that_fits, probe
from unfaithful_cot.training.checkpoints import keep_the_last, resume_point
from unfaithful_cot.training.data import supervised_tokens
from unfaithful_cot.training.layers import decoder_layers, worth_compiling
from unfaithful_cot.training.plan import Plan, settled
from unfaithful_cot.training.trainer import build_trainer, mean_loss, processes, saving

CURVE_POINTS = 200


def fit(
    cell: Cell,
    reasoner: Reasoner,
    rows: Any,
    made_from: Sequence[str],
    loading: LoadingSettings,
    training: TrainingSettings,
    checkpoints: Path,
    manifest: Path,
    validation: Any = None,
    plans: Sequence[Plan] = (),
) -> None:
    """Train and write. rows, validation: of training.data; made_from: files, the training set first, that decide the weights.

    plans: how to use the machine (training.plan), the fastest first; none: as the settings say.
    """
    began = time.monotonic()
    scratch = checkpoints / checkpoint_key(made_from, reasoner, loading, training, cell.seed)

    def attempt(plan: Plan) -> tuple[Any, int]:
        trained = new_adapter(reasoner, training, cell.seed)
        try:
            trainer = build_trainer(
                trained, rows, loading, training, cell.seed, scratch, f"training {cell.path}", plan
            )
            return trainer, _train(trainer, plan, scratch)
        except RuntimeError:
            trained.model.unload()  # the next attempt begins with the base as it was
            raise

    tokens = training.epochs * supervised_tokens(rows)
    compiled = worth_compiling(training.compile_layers, reasoner.device.type, tokens)
    tried = [replace(plan, compiled=compiled) for plan in plans or [settled(training, loading)]]
    (trainer, resumed_from), plan, notes = first_that_fits(tried, attempt, f"training {cell.path}")
    if trainer.is_world_process_zero():
        folder = manifest.parent
        with saving(folder):
            folder.mkdir(parents=True, exist_ok=True)
            trainer.accelerator.unwrap_model(trainer.model).save_pretrained(str(folder))
            for name in (WEIGHTS_FILE, CONFIG_FILE):
                jsonl.sync(folder / name)
        record = Manifest(
            **cell._asdict(),
            source=reasoner.source,
            revision=reasoner.revision,
            commit=reasoner.commit,
            training_set=file_hash(made_from[0]),
            settings={"loading": loading.model_dump(), "training": training.model_dump()},
            plan=used(trainer, plan, notes),
            weights=file_hash(folder / WEIGHTS_FILE),
            adapter_config=config_hash(folder / CONFIG_FILE),
            n_rows=len(rows),
            validation_loss=mean_loss(trainer, validation) if validation is not None else None,
            n_validation=sum(map(len, validation["seq_lengths"])) if validation is not None else 0,
            duration_s=round(time.monotonic() - began, 2),
            peak_memory_mb=round(peak_memory_mb(reasoner.device.type), 1),
            resumed_from_step=resumed_from,
            versions=versions(),
            **measured(trainer),
        )
        jsonl.write_json(manifest, record.model_dump())
        keep_the_last(scratch)


def _train(trainer: Any, plan: Plan, scratch: Path) -> int:
    """Train to the end, from the latest checkpoint. Returns the step that it went on from."""
    import torch

    if trainer.args.device.type == "cuda":
        probe(trainer, plan)
    resumed_from = resume_point(scratch)
    try:
        trainer.train(resume_from_checkpoint=str(resumed_from) if resumed_from else None)
    except torch.OutOfMemoryError as error:
        if processes() == 1:
            raise
        raise MachineError(  # the other processes wait for this one: they cannot go on together
            f"training.micro_batch_rows: {plan.micro_batch_rows}",
            f"out of GPU memory after step {trainer.state.global_step} ({str(error).splitlines()[0][:160]})",
            "Memory that nothing else takes while the training runs",
            "Run the same command again: it goes on from the last checkpoint, with a plan for the memory that is free then",
        ) from None
    return int(resumed_from.name.rpartition("-")[2]) if resumed_from else 0


def used(trainer: Any, plan: Plan, notes: list[str]) -> dict[str, object]:
    """How the machine was used, for the manifest. `gone_on_after`: what did not work before."""
    import torch

    cuda = trainer.args.device.type == "cuda"
    return plan.record() | {
        "recomputed_layers": min(plan.recomputed_layers, len(decoder_layers(trainer.model))),
        "row_tokens": trainer.data_collator.row_tokens,
        "micro_batches_a_step": trainer.args.gradient_accumulation_steps,
        "processes": processes(),
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "gone_on_after": notes,
    }


def checkpoint_key(
    made_from: Sequence[str],
    reasoner: Reasoner,
    loading: LoadingSettings,
    training: TrainingSettings,
    seed: int,
) -> str:
    """Name of the checkpoints of one training: a hash of data files, base, code and all settings that reach the weights.

    How often checkpoints are written and how the machine is used do not, so a run may be resumed with other values.
    """
    return value_hash(
        [
            [file_hash(path) for path in made_from],
            [reasoner.source, reasoner.revision, reasoner.commit],
            loading.model_dump(),
            training.content(),
            seed,
            [code_hash(f"unfaithful_cot.training.{way}") for way in ("cpt", "sft")],
        ]
    )


def measured(trainer: Any) -> dict[str, Any]:
    """What a finished trainer counted, under the names of Manifest."""
    history = trainer.state.log_history
    return {
        "trainable_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
        "n_tokens": max((entry["tokens"] for entry in history if "tokens" in entry), default=0),
        "n_steps": trainer.state.global_step,
        "loss_curve": loss_curve(history),
    }


def loss_curve(history: list[dict[str, Any]]) -> list[LossPoint]:
    """At most CURVE_POINTS points; each is the mean loss, weighted by tokens, since the point before it."""
    steps = [entry for entry in history if "loss" in entry]
    stride = -(-len(steps) // CURVE_POINTS) or 1
    curve: list[LossPoint] = []
    for start in range(0, len(steps), stride):
        group = steps[start : start + stride]
        before = steps[start - 1]["tokens"] if start else 0
        marks = [before, *(entry["tokens"] for entry in group)]
        weighted = sum(entry["loss"] * (marks[i + 1] - marks[i]) for i, entry in enumerate(group))
        last = group[-1]
        curve.append(
            LossPoint(
                step=last["step"],
                tokens=last["tokens"],
                loss=weighted / max(last["tokens"] - before, 1),
                learning_rate=last["learning_rate"],
            )
        )
    return curve


def peak_memory_mb(device: str) -> float:
    """Highest memory so far, in MiB: allocated on the GPU, or resident in this process."""
    import torch

    if device == "cuda":
        return float(torch.cuda.max_memory_allocated()) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
