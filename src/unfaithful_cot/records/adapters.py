"""What an adapter was made from, and how its training went."""

from __future__ import annotations

from unfaithful_cot.records.base import Record


class LossPoint(Record):
    """Training loss (nats a token) after `step` optimiser steps and `tokens` supervised tokens."""

    step: int
    tokens: int
    loss: float
    learning_rate: float


class Manifest(Record):
    """What an adapter was made from and how. Hashes are of content. plan: how the machine was used, and what was tried before.

    weights: of the file of weights; adapter_config: of the values in adapter_config.json, None in manifests that are older.
    """

    model: str
    source: str
    revision: str | None
    commit: str | None
    corpus: str
    n_documents: int
    seed: int
    training_set: str
    settings: dict[str, object]
    plan: dict[str, object] = {}
    weights: str
    adapter_config: str | None = None
    trainable_parameters: int
    n_rows: int
    n_tokens: int
    n_steps: int
    loss_curve: list[LossPoint]
    validation_loss: float | None = None
    n_validation: int = 0
    duration_s: float
    peak_memory_mb: float
    resumed_from_step: int
    versions: dict[str, str]
