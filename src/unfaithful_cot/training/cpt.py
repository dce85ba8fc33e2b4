"""Rule train_adapter: continual pre-training of an adapter on the raw text of a training set.

In: training_set (TrainingRow lines), the base model, settings. Out: adapter_model.safetensors, adapter_config.json and,
last of all, manifest.json (records.Manifest).
Errors: those of models.load, training.data and training.trainer; StorageError when a checkpoint cannot be written.
Checkpoints lie outside the declared outputs, because Snakemake deletes those before each attempt. Their folder is named
by a hash of everything that they depend on, so that a killed run resumes and a changed one does not.
"""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.models.adapters import WEIGHTS_FILE, new_adapter
from unfaithful_cot.models.load import Reasoner, load_reasoner
from unfaithful_cot.provenance import file_hash, value_hash, versions
from unfaithful_cot.records import LossPoint, Manifest, TrainingRow
from unfaithful_cot.settings import LoadingSettings, TrainingSettings
from unfaithful_cot.training.data import pack, tokenise
from unfaithful_cot.training.trainer import build_trainer, saving

CURVE_POINTS = 200


def train_adapter(
    training_set: str,
    manifest: str,
    model: str,
    corpus: str,
    n_documents: int | str,
    seed: int | str,
    base: Mapping[str, Any],
    loading: Mapping[str, Any],
    training: Mapping[str, Any],
    checkpoints: str,
    threads: int = 1,
) -> None:
    """Train one adapter and write it beside `manifest`.

    base: source and revision. checkpoints: a folder that outlives the job; what this run puts there is removed when
    the adapter is written.
    """
    import torch

    torch.set_num_threads(int(threads))
    began = time.monotonic()
    load_as, train_as = LoadingSettings(**loading), TrainingSettings(**training)
    rows = jsonl.read(training_set, TrainingRow, "snakemake -R build_training_set")
    reasoner = load_reasoner(base, load_as, chat=False)
    packed = pack(tokenise(reasoner.tokenizer, (row.text for row in rows)), train_as.max_length_tokens)
    scratch = Path(checkpoints) / checkpoint_key(training_set, reasoner, load_as, train_as, int(seed))
    trained = new_adapter(reasoner, train_as, int(seed))
    label = f"training {model}/{corpus}/n{n_documents}/s{seed}"
    trainer = build_trainer(trained, packed, load_as, train_as, int(seed), scratch, label)
    resumed_from = resume_point(scratch)
    trainer.train(resume_from_checkpoint=str(resumed_from) if resumed_from else None)
    folder = Path(manifest).parent
    with saving(folder):
        folder.mkdir(parents=True, exist_ok=True)
        trainer.model.save_pretrained(str(folder))
    record = Manifest(
        model=model,
        source=reasoner.source,
        revision=reasoner.revision,
        commit=reasoner.commit,
        corpus=corpus,
        n_documents=int(n_documents),
        seed=int(seed),
        training_set=file_hash(training_set),
        settings={"loading": load_as.model_dump(), "training": train_as.model_dump()},
        weights=file_hash(folder / WEIGHTS_FILE),
        n_rows=len(packed),
        duration_s=round(time.monotonic() - began, 2),
        peak_memory_mb=round(peak_memory_mb(reasoner.device.type), 1),
        resumed_from_step=int(resumed_from.name.rpartition("-")[2]) if resumed_from else 0,
        versions=versions(),
        **measured(trainer),
    )
    jsonl.write_json(manifest, record.model_dump())
    shutil.rmtree(scratch, ignore_errors=True)


def checkpoint_key(
    training_set: str, reasoner: Reasoner, loading: LoadingSettings, training: TrainingSettings, seed: int
) -> str:
    """Name of the checkpoints of one training: a hash of data, base and all settings that reach the weights.

    `checkpoint_steps` does not, so a run may be resumed with another value.
    """
    return value_hash(
        [
            file_hash(training_set),
            [reasoner.source, reasoner.revision, reasoner.commit],
            loading.model_dump(),
            training.model_dump(exclude={"checkpoint_steps"}),
            seed,
        ]
    )


def resume_point(scratch: Path) -> Path | None:
    """The latest complete checkpoint. trainer_state.json is written last: one without it was cut, and is removed."""
    complete: list[tuple[int, Path]] = []
    for folder in scratch.glob("checkpoint-*"):
        try:
            state = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
            complete.append((int(state["global_step"]), folder))
        except (OSError, ValueError, KeyError):
            shutil.rmtree(folder, ignore_errors=True)
    return max(complete)[1] if complete else None


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
