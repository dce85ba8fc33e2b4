"""TRL's SFTTrainer, set for continual pre-training: true token counts, no telemetry, one bar, loud divergence.

In: a Reasoner with a fresh adapter, packed rows, TrainingSettings. Out: a trainer whose state holds one log entry a step.
Errors: SettingsError when the loss is no number; StorageError when a checkpoint cannot be written.
Differs from SFTTrainer's defaults: rows stay rows (see training.data), adapters stay float32 also on 4-bit weights (in
bfloat16 a step of 2e-5 on a weight of 1e-2 rounds to nothing), NaN losses are not filtered out of the log.
torch and trl are imported when a trainer is built.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unfaithful_cot import console
from unfaithful_cot.errors import SettingsError, StorageError
from unfaithful_cot.models.load import Reasoner
from unfaithful_cot.settings import LoadingSettings, TrainingSettings
from unfaithful_cot.training.data import IGNORED, RowCollator

ROW_KERNELS = ("sdpa", "eager", "flex_attention")


def build_trainer(
    reasoner: Reasoner,
    rows: Any,
    loading: LoadingSettings,
    training: TrainingSettings,
    seed: int,
    output: Path,
    label: str = "training",
) -> Any:
    """A trainer that writes checkpoints into `output`; label: what its bar is called."""
    import torch

    flat = loading.attention not in ROW_KERNELS  # variable-length kernels read one flattened row
    trainer = _trainer_class()(
        model=reasoner.model,
        args=_arguments(reasoner, rows, loading, training, seed, output, flat),
        train_dataset=rows,
        data_collator=None if flat else RowCollator(reasoner.tokenizer.pad_token_id),
        processing_class=reasoner.tokenizer,
        callbacks=[_bar_class()(label)],
    )
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.float32)
    return trainer


def _arguments(
    reasoner: Reasoner,
    rows: Any,
    loading: LoadingSettings,
    training: TrainingSettings,
    seed: int,
    output: Path,
    flat: bool,
) -> Any:
    from trl.trainer.sft_config import SFTConfig

    steps = math.ceil(math.ceil(len(rows) / training.effective_batch_rows) * training.epochs)
    return SFTConfig(
        output_dir=str(output),
        max_length=None,
        packing=False,  # packed already, by TRL's own packing: see training.data
        padding_free=flat,
        dataset_kwargs={"skip_prepare_dataset": True},
        per_device_train_batch_size=training.micro_batch_rows,
        gradient_accumulation_steps=accumulation(training, processes()),
        ddp_find_unused_parameters=False if processes() > 1 else None,
        num_train_epochs=training.epochs,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.schedule if training.schedule != "constant" else "constant_with_warmup",
        warmup_steps=math.ceil(steps * training.warmup_ratio),
        weight_decay=training.weight_decay,
        optim="adamw_torch_fused",
        bf16=loading.dtype == "bfloat16",
        activation_checkpointing=training.gradient_checkpointing,  # its new name; TRL turns the old one on
        activation_checkpointing_kwargs={"use_reentrant": False} if training.gradient_checkpointing else None,
        use_cpu=reasoner.device.type == "cpu",
        seed=seed,
        data_seed=seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        save_strategy="steps",
        save_steps=training.checkpoint_steps,
        save_total_limit=2,
        dataloader_pin_memory=reasoner.device.type == "cuda",
    )


def processes() -> int:
    """Processes that train together: 1, or what `accelerate launch` says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def accumulation(training: TrainingSettings, n_processes: int) -> int:
    """Micro-batches of one process an optimiser step, so that a step has effective_batch_rows however many processes."""
    together = training.micro_batch_rows * n_processes
    if training.effective_batch_rows % together:
        raise SettingsError(
            "training.effective_batch_rows",
            f"{training.effective_batch_rows} is not a multiple of {together} "
            f"(micro_batch_rows {training.micro_batch_rows} on {n_processes} GPUs)",
            todo="Change one of them, or `gpus` of the model",
        )
    return training.effective_batch_rows // together


def mean_loss(trainer: Any, rows: Any) -> float:
    """Mean loss (nats a supervised token) of packed rows, a row at a time, in this process alone."""
    import torch

    model, collate = trainer.accelerator.unwrap_model(trainer.model), RowCollator(0)
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad(), trainer.compute_loss_context_manager():
        for row in rows:
            batch = {name: values.to(trainer.args.device) for name, values in collate([row]).items()}
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

        def _send_telemetry(self) -> None:
            return

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            return

        def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
            with saving(str(self.args.output_dir)):
                super()._save_checkpoint(*args, **kwargs)  # type: ignore[no-untyped-call]

        def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
            batches, tokens = super().get_batch_samples(*args, **kwargs)
            self._tokens_since_log += int(tokens or 0)
            return batches, tokens

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            if self.args.device.type != "cpu":
                return super().compute_loss(  # type: ignore[no-untyped-call]
                    model, inputs, return_outputs, num_items_in_batch
                )
            labels = inputs.pop("labels")
            logits = model(**inputs, use_cache=False).logits
            loss = token_loss(logits, labels, num_items_in_batch) * self.accelerator.num_processes
            return (loss, logits) if return_outputs else loss

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            if "loss" in logs:
                check_loss(logs["loss"], self.state.global_step, self.args.learning_rate)
                before = next((e["tokens"] for e in reversed(self.state.log_history) if "tokens" in e), 0)
                logs["tokens"] = before + self._tokens_since_log
                self._tokens_since_log = 0
            super().log(logs, start_time)

    return CptTrainer


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


def token_loss(logits: Any, labels: Any, n_tokens: Any) -> Any:
    """Cross entropy (nats a token) of logits [rows, tokens, vocabulary]: the sum over labels divided by n_tokens.

    The same value as TRL's fused head, which without Triton computes entropies and one-hot targets beside it and took
    twice as long as this on a CPU.
    """
    from torch.nn.functional import cross_entropy, pad

    following = pad(labels[:, 1:], (0, 1), value=IGNORED)  # labels move, not logits: those are large to copy
    total = cross_entropy(
        logits.flatten(0, 1).float(), following.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return total / n_tokens


def _bar_class() -> Any:
    from transformers import TrainerCallback

    class Bar(TrainerCallback):
        """A bar over the steps with the latest loss."""

        def __init__(self, label: str) -> None:
            self.label = label

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.bar = console.bar(state.max_steps, self.label, "step", initial=state.global_step)

        def on_log(
            self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any
        ) -> None:
            if logs and "loss" in logs:
                self.bar.set_postfix(loss=f"{logs['loss']:.3f}", refresh=False)
                self.bar.update(state.global_step - self.bar.n)

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.bar.close()

    return Bar
