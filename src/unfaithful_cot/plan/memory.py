"""Does a model fit on a card, as training and answering will use it? Reckoned from config.json alone.

In: config.json as a dict, settings, the memory of a card. Out: what each use needs, in words; bytes.
Errors: MachineError for a model that does not fit: by how much, and what would.
Training is judged by training.plan, which chooses rows and recompute the same way when the job starts; its formula and how
it compares with measurements stand in training/memory.py. Answering takes as many rows as fit (inference/memory.py), so it
fits where the weights do and one row beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.config.models import LoadingSettings, ModelSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import MachineError
from unfaithful_cot.inference.memory import NEW_TOKENS, key_value_bytes, rows_for
from unfaithful_cot.models.attention import BY_LENGTHS
from unfaithful_cot.plan.cards import known
from unfaithful_cot.training.memory import CONTEXT_BYTES, NF4_BYTES, Architecture, architecture
from unfaithful_cot.training.plan import choose

GIB = 2**30
PROMPT_TOKENS = 600  # of instruction, question, options and evidence


class Config(SimpleNamespace):
    """config.json with the face of a configuration of transformers, which takes seconds to import."""

    def get_text_config(self) -> Config:
        """The part that describes the decoder."""
        inner = getattr(self, "text_config", None)
        return Config(**inner) if isinstance(inner, Mapping) else self


def read_config(config: Mapping[str, Any]) -> Config:
    """config.json with what it may leave out. Raises: KeyError for a configuration of another form."""
    inner = config.get("text_config", config)
    heads = inner["num_attention_heads"]
    full = {"tie_word_embeddings": False, "num_key_value_heads": heads, "head_dim": None, **inner}
    for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size"):
        full[name]  # one that is missing is missed here
    return Config(**full)


def shape_of(config: Config) -> Architecture:
    """The numbers that decide memory."""
    return architecture(config)


def weight_bytes(model: ModelSettings, loading: LoadingSettings, shape: Architecture | None) -> float:
    """Bytes of the base weights in memory: 2 or 4 a parameter; in NF4 those of the linear layers take 4.127 bits."""
    width = 4 if loading.dtype == "float32" else 2
    if not loading.use_4bit:
        return model.parameters * width
    others = shape.other_parameters if shape else 0
    return (model.parameters - others) * NF4_BYTES + others * width


def training_fits(
    model: ModelSettings,
    loading: LoadingSettings,
    training: TrainingSettings,
    shape: Architecture,
    card_bytes: float,
) -> str:
    """What a training will take of a card. Raises: MachineError where it does not fit."""
    processes = max(model.gpus, 1)
    plan = choose(
        shape, model.source, loading, training, next(iter(BY_LENGTHS)), "cuda", processes, card_bytes
    )[0]
    return f"about {(plan.estimated_mb or 0) / 1024:.1f} of {card_bytes / GIB:.1f} GiB: {plan}"


def answering_fits(
    model: ModelSettings,
    loading: LoadingSettings,
    inference: InferenceSettings,
    config: Config,
    card_bytes: float,
) -> str:
    """What answering will take of a card. Raises: MachineError where it does not fit."""
    weights = weight_bytes(model, loading, shape_of(config))
    width = 4 if loading.dtype == "float32" else 2
    tokens = PROMPT_TOKENS + min(inference.max_new_tokens, NEW_TOKENS)
    row = key_value_bytes(config, width) * tokens
    need = weights + CONTEXT_BYTES + row
    if need > card_bytes:
        raise too_large(model, loading, need, card_bytes, shape_of(config))
    rows = rows_for(config, width, int(card_bytes - weights - CONTEXT_BYTES), tokens)
    most = rows if inference.batch_rows == "auto" else min(rows, inference.batch_rows)
    return (
        f"about {(weights + CONTEXT_BYTES + most * row) / GIB:.1f} of {card_bytes / GIB:.1f} GiB: "
        f"{most} row{'s' * (most > 1)} at a time"
    )


def too_large(
    model: ModelSettings, loading: LoadingSettings, need: float, room: float, shape: Architecture | None
) -> MachineError:
    """By how much the weights do not fit, and what would."""
    in_4bit = loading.model_copy(update={"use_4bit": True})
    smaller = need - weight_bytes(model, loading, shape) + weight_bytes(model, in_4bit, shape)
    ways = [f"loading.use_4bit: true ({smaller / GIB:.1f} GiB)"] if smaller <= room else []
    ways += [kind.name for kind in known().cards if kind.memory_gib * GIB >= need]
    return MachineError(
        model.source,
        f"answering needs about {need / GIB:.1f} GiB of GPU memory, and the card has {room / GIB:.1f} GiB: "
        f"{(need - room) / GIB:.1f} GiB too little",
        f"What would fit: {', '.join(ways) or 'no setting, and no card in resources/cards.yaml'}",
        "Change that, take a larger card, or let an endpoint answer (docs/serving.md)",
    )
