"""TRL's SFTTrainer, set for continual pre-training: true token counts, no telemetry, one bar, loud divergence.

In: a Reasoner with a fresh adapter, packed rows, TrainingSettings. Out: a trainer whose state holds one log entry a step.
Errors: SettingsError when the loss is no number; StorageError when a checkpoint cannot be written.
Differs from SFTTrainer's defaults: rows stay rows (see training.data), adapters stay float32 also on 4-bit weights (in
bfloat16 a step of 2e-5 on a weight of 1e-2 rounds to nothing), NaN losses are not filtered out of the log, and on a CPU
the loss is training.loss, without TRL's entropies and accuracies.
torch and trl are imported when a trainer is built.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import SettingsError, StorageError
from unfaithful_cot.host import progress
from unfaithful_cot.models.attention import BY_LENGTHS
from unfaithful_cot.models.load import Reasoner
from unfaithful_cot.training.checkpoints import seal
from unfaithful_cot.training.data import IGNORED, RowCollator
from unfaithful_cot.training.filling import filled, order
from unfaithful_cot.training.layers import any_number_of_documents, compile_layers, keep_input_type, recompute
from unfaithful_cot.training.loss import batch_loss, token_loss
from unfaithful_cot.training.plan import Plan, settled

WORKERS = 2  # that make batches beside a GPU


def build_trainer(
    reasoner: Reasoner,
    rows: Any,
    loading: LoadingSettings,
    training: TrainingSettings,
    seed: int,
    output: Path,
    label: str = "training",
    plan: Plan | None = None,
) -> Any:
    """A trainer that writes checkpoints into `output`; label: what its bar is called; plan: None for what the settings name."""
    import torch

    plan = plan or settled(training, loading)
    if reasoner.model.config._attn_implementation != plan.attention:
        base = (
            reasoner.model.get_base_model() if hasattr(reasoner.model, "get_base_model") else reasoner.model
        )
        base.set_attn_implementation(plan.attention)
    together = plan.micro_batch_rows * processes()
    arguments = _arguments(reasoner, rows, loading, training, seed, output, plan)
    arguments._n_gpu = min(arguments.n_gpu, 1)  # of several that one process sees, it would make replicas
    trainer = _trainer_class()(
        model=reasoner.model,
        args=arguments,
        train_dataset=rows if processes() == 1 else filled(rows, together, reasoner.tokenizer.pad_token_id),
        data_collator=_collator(reasoner, rows, plan),
        processing_class=reasoner.tokenizer,
        callbacks=[_bar_class()(label)],
    )
    if processes() > 1:
        trainer.row_order = order(len(rows), len(trainer.train_dataset), seed)
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32)
    recompute(trainer.model, plan.recomputed_layers)
    compile_layers(trainer.model, bool(plan.compiled))
    if trainer.args.bf16:
        keep_input_type(trainer.model)
    return trainer


def _collator(reasoner: Reasoner, rows: Any, plan: Plan) -> RowCollator:
    """Rows of constant length on a GPU: a multiple of 64, at least as long as the longest."""
    longest = max(map(len, rows["input_ids"]))
    constant = -(-longest // 64) * 64 if reasoner.device.type == "cuda" else None
    return RowCollator(reasoner.tokenizer.pad_token_id, constant, plan.attention in BY_LENGTHS)


def _arguments(
    reasoner: Reasoner,
    rows: Any,
    loading: LoadingSettings,
    training: TrainingSettings,
    seed: int,
    output: Path,
    plan: Plan,
) -> Any:
    from trl.trainer.sft_config import SFTConfig

    steps = math.ceil(math.ceil(len(rows) / training.effective_batch_rows) * training.epochs)
    on_gpu = reasoner.device.type == "cuda"
    # recompute is set layer by layer (training.layers); TRL would turn it on, under a name that changed
    names = ("activation_checkpointing", "gradient_checkpointing")
    recompute_off: dict[str, Any] = {next(n for n in names if n in SFTConfig.__dataclass_fields__): False}
    return SFTConfig(
        output_dir=str(output),
        max_length=None,
        packing=False,  # packed already, by TRL's own packing: see training.data
        padding_free=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        per_device_train_batch_size=plan.micro_batch_rows,
        gradient_accumulation_steps=accumulation(training, plan.micro_batch_rows, processes()),
        ddp_find_unused_parameters=False if processes() > 1 else None,
        num_train_epochs=training.epochs,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.schedule if training.schedule != "constant" else "constant_with_warmup",
        warmup_steps=math.ceil(steps * training.warmup_ratio),
        weight_decay=training.weight_decay,
        optim="adamw_torch_fused",
        bf16=loading.dtype == "bfloat16",
        **recompute_off,
        use_cpu=not on_gpu,
        seed=seed,
        data_seed=seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        save_strategy="steps",
        save_steps=training.checkpoint_steps,
        save_total_limit=2,
        dataloader_pin_memory=on_gpu,
        dataloader_num_workers=WORKERS if on_gpu else 0,
    )


def processes() -> int:
    """Processes that train together: 1, or what `accelerate launch` says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def accumulation(training: TrainingSettings, micro_batch_rows: int, n_processes: int) -> int:
    """Micro-batches of one process an optimiser step, so that a step has effective_batch_rows however many processes."""
    together = micro_batch_rows * n_processes
    if training.effective_batch_rows % together:
        raise SettingsError(
            "training.effective_batch_rows",
            f"{training.effective_batch_rows} is not a multiple of {together} "
            f"(micro_batch_rows {micro_batch_rows} on {n_processes} GPUs)",
            todo="Change one of them, or `gpus` of the model",
        )
    return training.effective_batch_rows // together


def mean_loss(trainer: Any, rows: Any) -> float:
    """Mean loss (nats a supervised token) of packed rows, a row at a time, in this process alone."""
    import torch

    model, collate = trainer.accelerator.unwrap_model(trainer.model), trainer.data_collator
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad(), trainer.compute_loss_context_manager():
        for row in rows:
            batch = trainer._prepare_inputs(collate([row]))
            labels = batch.pop("labels")
            total += float(token_loss(model(**batch, use_cache=False).logits, labels, 1))
            count += int((labels != IGNORED).sum())
    return total / count


def _trainer_class() -> Any:
    from transformers import PrinterCallback
    from trl.trainer.sft_trainer import SFTTrainer

    class CptTrainer(SFTTrainer):
        """SFTTrainer that logs supervised tokens with each step and sends nothing anywhere."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.remove_callback(PrinterCallback)
            self._tokens_since_log = 0
            self.row_order: Any = None

        def _send_telemetry(self) -> None:
            return

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            return

        def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
            with saving(str(self.args.output_dir)):
                super()._save_checkpoint(*args, **kwargs)  # type: ignore[no-untyped-call]
            _seal_last(self)

        def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
            batches, tokens = super().get_batch_samples(*args, **kwargs)
            self._tokens_since_log += int(tokens or 0)
            return batches, tokens

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            any_number_of_documents(inputs)
            return (
                batch_loss(model, inputs, num_items_in_batch) * self.accelerator.num_processes
                if self.args.device.type == "cpu"
                else super().compute_loss(model, inputs, return_outputs, num_items_in_batch)  # type: ignore[no-untyped-call]
            )

        def _get_train_sampler(self, *args: Any, **kwargs: Any) -> Any:
            return self.row_order or super()._get_train_sampler(*args, **kwargs)

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            if "loss" in logs:
                check_loss(logs["loss"], self.state.global_step, self.args.learning_rate)
                logs["tokens"] = tokens_so_far(self.state.log_history) + self._tokens_since_log
                self._tokens_since_log = 0
            super().log(logs, start_time)

    return CptTrainer


def _seal_last(trainer: Any) -> None:
    """Write the hashes of the checkpoint of this step, once each process has written its file of random numbers."""
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        seal(Path(trainer.args.output_dir) / f"checkpoint-{trainer.state.global_step}")


def tokens_so_far(history: list[dict[str, Any]]) -> int:
    """Supervised tokens up to the last log entry."""
    return int(next((entry["tokens"] for entry in reversed(history) if "tokens" in entry), 0))


@contextlib.contextmanager
def saving(path: Path | str) -> Iterator[None]:
    """Turn the several ways in which torch and safetensors say that a disk is full into one message."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        raise StorageError(
            path,
            f"cannot be written ({str(error).splitlines()[0][:200]})",
            todo="Free space or choose another disk, then run the same command again: what was finished is kept",
        ) from error


def check_loss(loss: float, step: int, rate: float) -> None:
    """SettingsError where the loss is no number."""
    if not math.isfinite(loss):
        raise SettingsError(
            "training.learning_rate",
            f"the loss is {loss} after step {step} at a peak rate of {rate:g}",
            "A rate at which the loss falls",
            "Lower it, or raise warmup_ratio",
        )


def _bar_class() -> Any:
    from transformers import TrainerCallback

    class Bar(TrainerCallback):
        """A bar over the steps with the latest loss."""

        def __init__(self, label: str) -> None:
            self.label = label

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.bar = progress.bar(state.max_steps, self.label, "step", initial=state.global_step)

        def on_log(
            self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any
        ) -> None:
            if logs and "loss" in logs:
                self.bar.set_postfix(loss=f"{logs['loss']:.3f}", refresh=False)
                self.bar.update(state.global_step - self.bar.n)

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.bar.close()

    return Bar
