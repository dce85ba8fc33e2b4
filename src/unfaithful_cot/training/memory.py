"""How much memory a training takes, from the model's config.json alone: asked before any weight is loaded.

In: a configuration of transformers, TrainingSettings, LoadingSettings. Out: bytes.
Errors: none here; training.plan words them.

Sum of four parts. Weights: 2 or 4 bytes a parameter; in NF4 with double quantisation 4.127 bits for the linear layers
(Dettmers et al., arXiv 2305.14314, section 3). Adapter: parameters, gradients and two moments in float32, and a copy in
the computation's type. Activations that the backward pass needs, in a layer and for a token: what norms, rotary
embedding, attention and MLP keep, and for each adapter its input after dropout and the mask. Loss: logits of LOSS_TOKENS
tokens, somewhat more than TRL's fused head holds at a time. A recomputed layer keeps its input alone, and one layer at a time is whole.
Against measurements on an H200 (rank 64, 8,192 tokens at once, GiB allocated at the highest): Qwen3-8B in bfloat16 99 for
95 seen, compiled 83 for 81, with half of the tokens 52 for 51, in NF4 74 for 72; R1-Distill-Llama-8B compiled 79 for 75.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings

NF4_BYTES = 4.127 / 8
LOSS_TOKENS = 1024
COMPILED_SHARE = 0.8  # of what layers keep: compiled ones fuse
CONTEXT_BYTES = 2**30  # CUDA's own, and what the allocator loses between blocks


@dataclass(frozen=True)
class Architecture:
    """The numbers of a decoder that decide memory and arithmetic."""

    layers: int
    hidden: int
    mlp: int
    query: int
    key_value: int
    vocabulary: int
    tied: bool

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """{name: (inputs, outputs)} of the linear layers of one decoder layer."""
        h, q, kv, m = self.hidden, self.query, self.key_value, self.mlp
        return {
            "q_proj": (h, q), "k_proj": (h, kv), "v_proj": (h, kv), "o_proj": (q, h),
            "gate_proj": (h, m), "up_proj": (h, m), "down_proj": (m, h),
        }  # fmt: skip

    @property
    def linear_parameters(self) -> int:
        """Parameters of the linear layers of all decoder layers: those that 4 bit shrinks."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.linears.values())

    @property
    def other_parameters(self) -> int:
        """Embeddings, and the output head where it has weights of its own. Norms are left out."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)


def architecture(config: Any) -> Architecture:
    """The numbers of a configuration of transformers (Llama, Qwen2, Qwen3 and what is named like them)."""
    config = config.get_text_config()
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    return Architecture(
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        mlp=config.intermediate_size,
        query=heads * width,
        key_value=(getattr(config, "num_key_value_heads", None) or heads) * width,
        vocabulary=config.vocab_size,
        tied=bool(config.tie_word_embeddings),
    )


def adapter_parameters(shape: Architecture, training: TrainingSettings) -> int:
    """Trainable parameters: rank times inputs and outputs of each linear layer that gets an adapter."""
    sizes = [shape.linears[name] for name in training.target_modules if name in shape.linears]
    return shape.layers * training.lora_r * sum(inputs + outputs for inputs, outputs in sizes)


def fixed_bytes(shape: Architecture, training: TrainingSettings, loading: LoadingSettings) -> float:
    """Weights, adapter, its gradients and moments: what does not depend on the number of tokens."""
    width = _width(loading)
    linear = shape.linear_parameters * (NF4_BYTES if loading.use_4bit else width)
    return linear + shape.other_parameters * width + adapter_parameters(shape, training) * (16 + width)


def layer_bytes(shape: Architecture, training: TrainingSettings, loading: LoadingSettings) -> float:
    """What one layer keeps for the backward pass of one token, not compiled."""
    width, heads = _width(loading), shape.query + shape.key_value
    adapted = sum(shape.linears[name][0] for name in training.target_modules if name in shape.linears)
    dropped = adapted * (width + 1 if training.lora_dropout else width)
    norms = shape.hidden * 2 * (4 + width) + heads * (4 + width)
    return dropped + norms + heads * 2 * width + shape.mlp * 3 * width


def training_bytes(
    shape: Architecture,
    training: TrainingSettings,
    loading: LoadingSettings,
    tokens: int,
    recomputed_layers: int,
    compiled: bool = False,
    row_mask_tokens: int = 0,
) -> float:
    """Highest memory of a micro-batch of `tokens`. row_mask_tokens: length of a row where the kernel needs a square mask."""
    layer = layer_bytes(shape, training, loading) * (COMPILED_SHARE if compiled else 1.0)
    kept = shape.layers - recomputed_layers + (1 if recomputed_layers else 0)
    inputs = recomputed_layers * shape.hidden * _width(loading)
    loss = min(tokens, LOSS_TOKENS) * shape.vocabulary * 10 + tokens * shape.hidden * 8
    mask = tokens * row_mask_tokens * 3
    return (
        fixed_bytes(shape, training, loading) + tokens * (kept * layer + inputs) + loss + mask + CONTEXT_BYTES
    )


def _width(loading: LoadingSettings) -> int:
    return 4 if loading.dtype == "float32" else 2
