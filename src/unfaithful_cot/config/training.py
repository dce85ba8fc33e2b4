"""The settings of a training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from unfaithful_cot.config.base import Count, Rate, Strict


class TrainingSettings(Strict):
    """Continual pre-training with LoRA on raw text."""

    pace = frozenset({"checkpoint_steps", "micro_batch_rows", "gradient_checkpointing", "compile_layers"})
    lora_r: Count = Field(64, description="rank")
    lora_alpha: Count = Field(128, description="scale times rank")
    lora_dropout: Rate = Field(0.05, description="dropout on the adapter's input")
    target_modules: list[str] = Field(
        ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", "gate_proj"],
        description="linear layers that get an adapter",
    )
    learning_rate: Annotated[float, Field(gt=0)] = Field(2e-5, description="peak rate")
    schedule: Literal["linear", "cosine", "constant"] = Field("cosine", description="after the warm-up")
    warmup_ratio: Rate = Field(0.03, description="share of the steps")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.0, description="of AdamW")
    epochs: Annotated[float, Field(gt=0)] = Field(1, description="passes over the training set")
    max_length_tokens: Count = Field(
        1024, description="length of a packed row; longer documents are split, none is cut"
    )
    effective_batch_rows: Count = Field(8, description="rows an optimiser step")
    micro_batch_rows: Count | Literal["auto"] = Field(
        "auto",
        description="rows at a time; divides effective_batch_rows. auto: from free GPU memory, 1 on a CPU",
    )
    gradient_checkpointing: bool | Literal["auto"] = Field(
        "auto",
        description="recompute activations to save memory: all layers, none, or (auto) as few as free GPU memory asks for; on a CPU none",
    )
    compile_layers: bool | Literal["auto"] = Field(
        "auto",
        description="compile each layer (about a minute); auto: on a GPU, from 2 million tokens to train on",
    )
    checkpoint_steps: Count = Field(
        100, description="steps between checkpoints that a killed run resumes from"
    )

    @model_validator(mode="after")
    def _divides(self) -> TrainingSettings:
        if self.micro_batch_rows != "auto" and self.effective_batch_rows % self.micro_batch_rows:
            raise ValueError(
                f"effective_batch_rows {self.effective_batch_rows} is not a multiple of micro_batch_rows {self.micro_batch_rows}"
            )
        return self
