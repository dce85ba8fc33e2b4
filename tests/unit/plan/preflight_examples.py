"""Configurations of true architectures, and a study to look at."""

from __future__ import annotations

import json
from typing import Any

from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.study import Settings

QWEN3_8B = {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 4096, "intermediate_size": 12288,
    "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
    "tie_word_embeddings": False,
}  # fmt: skip


def study(**parts: Any) -> Settings:
    """The published experiment in little; `parts` replace sections."""
    basis: dict[str, Any] = {
        "study": "trial",
        "grid": {"models": ["big"], "corpora": {"safe_cite": [1000]}, "seeds": [0]},
        "documents": {"count": 1000},
        "suites": {"one": {"scenarios": 100, "arms": ["full", "flipped"]}},
    }
    return Settings.model_validate(basis | parts)


def model(source: str = "lab/big", gpus: int = 1, **parts: Any) -> ModelSettings:
    basis: dict[str, Any] = {"source": source, "revision": "main", "label": "Big", "parameters": 8.2e9}
    return ModelSettings.model_validate(basis | {"gpus": gpus, "memory_mb": 1000} | parts)


def as_bytes(config: dict[str, Any] = QWEN3_8B) -> bytes:
    return json.dumps(config).encode()
