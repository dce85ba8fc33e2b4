"""An entry of config/models.yaml, and how its weights are loaded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unfaithful_cot.config.base import Count, Strict


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
    memory_mb: Count = Field(description="main memory that a job of this model asks for")
