"""An entry of config/models.yaml, and how its weights are loaded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unfaithful_cot.config.base import Count, Strict

ThinkMarks = Literal[
    "think", "harmony", "bracket_think", "seed_think", "thought", "thought_capital", "thinking", "gemma", "apriel", "granite",
    "begin_of_thought", "start_thinking", "kimi", "inner", "medgemma", "longcat_think", "mm_think",
]  # fmt: skip
"""Names of marks around reasoning; what they are stands in channels.MARKS."""


class LoadingSettings(Strict):
    """How base weights are put into memory: the same for training, baseline and trained evaluation."""

    use_4bit: bool = Field(False, description="NF4 with double quantisation")
    dtype: Literal["float32", "bfloat16"] = Field(
        "bfloat16", description="of weights (of the computation in 4 bit)"
    )
    attention: str = Field(
        "auto",
        description="attention kernel of transformers; auto: to train on a GPU FlashAttention 3 or 2 where installed, else "
        "`varlen` (the kernel that PyTorch ships), and sdpa everywhere else",
    )
    device: str = Field("auto", description="auto, cpu or cuda")


class ModelSettings(Strict):
    """One entry of config/models.yaml."""

    source: str = Field(description="repository on the Hub, or a folder")
    revision: str | None = Field(None, description="branch, tag or commit; null for a folder")
    label: str = Field(description="name in figures")
    parameters: Annotated[float, Field(gt=0)] = Field(description="number of parameters, for memory and cost")
    gpus: Annotated[int, Field(ge=0)] = Field(
        description="GPUs that a job of this model asks for; 0: runs on the CPU"
    )
    think_marks: ThinkMarks | None = Field(
        None, description="marks around the model's reasoning; null: those that its chat template shows"
    )
    chat_template: dict[str, bool | int | float | str] = Field(
        default_factory=dict, description="arguments of its chat template, such as {enable_thinking: true}"
    )
    memory_mb: Count = Field(description="main memory that a job of this model asks for")
