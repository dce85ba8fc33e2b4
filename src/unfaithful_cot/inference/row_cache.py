"""Keys and values at fixed addresses, and the attention that reads them: what a CUDA graph of one decoding step needs.

In: a model. Out: RowCache, which the model takes as `past_key_values`, and `borrowed`, within which the model attends by it.
Errors: torch.OutOfMemoryError from the device.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

from unfaithful_cot.inference.memory import head_width

NAME = "own_rows"
"""What the attention is called where transformers looks it up. Masks are not made for a name that only attention knows."""


class RowCache:
    """Per layer two tensors [rows, key-value heads, capacity, head_dim], made when the first keys come.

    Each row holds its tokens from the left, so that a prompt needs no mask and a row's next token goes to a place of its own.

    Attributes:
        filling: the rows that a prompt is being written to; None while each row takes its next token at `positions` [rows].
        heads: of keys and values.
        by_lengths: the attention takes the length of each row (`reads_lengths`); else it takes a mask.
    """

    def __init__(self, positions: Any, capacity: int, heads: int, by_lengths: bool) -> None:
        self.heads, self.by_lengths = heads, by_lengths
        self.layers: list[tuple[Any, Any]] = []
        self.filling: slice | None = None
        self._place(positions, capacity)

    def _place(self, positions: Any, capacity: int) -> None:
        """at: int64 [rows]; sequences, begins: int32 [rows x heads + 1], cumulative lengths of queries and of keys."""
        import torch

        self.positions, self.capacity = positions, capacity
        self.at = torch.arange(len(positions), device=positions.device)
        count = len(positions) * self.heads + 1
        self.sequences = torch.arange(count, device=positions.device, dtype=torch.int32)
        self.begins = self.sequences * capacity

    def update(self, keys: Any, values: Any, layer: int, *_: object, **__: object) -> tuple[Any, Any]:
        """Take new keys and values [rows, heads, tokens, head_dim]; give back those to attend to."""
        if layer == len(self.layers):
            self.layers.append((self._zeros(keys, self.capacity), self._zeros(values, self.capacity)))
        for held, new in zip(self.layers[layer], (keys, values), strict=True):
            if self.filling is None:
                held[self.at, :, self.positions] = new[:, :, 0]
            else:
                held[self.filling, :, : new.shape[2]] = new
        return self.layers[layer] if self.filling is None else (keys, values)

    def get_seq_length(self, layer: int = 0) -> int:
        """Unused: positions and masks are given with each call."""
        return 0

    def keep(self, rows: Any, positions: Any, capacity: int) -> None:
        """Go on with some rows, in new tensors of another capacity, layer by layer, for two copies of all may not fit."""
        common = min(capacity, self.capacity)
        self._place(positions, capacity)
        for layer, pair in enumerate(self.layers):
            new = []
            for held in pair:
                larger = self._zeros(held, capacity)
                larger[:, :, :common] = held[rows, :, :common]
                new.append(larger)
            self.layers[layer] = (new[0], new[1])

    def _zeros(self, like: Any, capacity: int) -> Any:
        """Zeros, for what is masked is still multiplied by zero, and memory that was not written may hold NaN."""
        return like.new_zeros(len(self.positions), like.shape[1], capacity, like.shape[3])

    def ends(self, dtype: Any) -> dict[str, Any]:
        """Keyword arguments of the model by which the attention knows where each row ends, this token included."""
        if not self.by_lengths:
            return {"attention_mask": self._mask(dtype)}
        lengths = (self.positions + 1).to(self.sequences.dtype)[:, None].repeat(1, self.heads).flatten()
        return {"sequences": self.sequences, "begins": self.begins, "lengths": lengths}

    def _mask(self, dtype: Any) -> Any:
        """[rows, 1, 1, capacity], added to the scores: 0 up to the row's position, -inf behind it."""
        import torch

        places = torch.arange(self.capacity, device=self.positions.device)
        behind = places[None] > self.positions[:, None]
        return torch.zeros(behind.shape, dtype=dtype, device=behind.device).masked_fill(behind, -torch.inf)[
            :, None, None
        ]


@contextlib.contextmanager
def borrowed(model: Any) -> Iterator[None]:
    """Let the model attend by `_attend`, and take its norms in one kernel instead of eight, until it is given back.

    It must look its attention up in transformers' AttentionInterface, and its norms must be `weight x / rms(x)`.
    """
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attend)
    before = model.config._attn_implementation
    norms = [module for module in model.modules() if hasattr(module, "variance_epsilon")]
    model.config._attn_implementation = NAME
    for norm in norms:
        norm.forward = partial(_norm, norm)
    try:
        yield
    finally:
        model.config._attn_implementation = before
        for norm in norms:
            del norm.forward  # that of its class is found again


def _norm(module: Any, vectors: Any) -> Any:
    """Half of all kernels of a step belong to norms. Here the product with the weight is rounded once, there twice."""
    from torch.nn.functional import rms_norm

    return rms_norm(vectors, vectors.shape[-1:], module.weight, module.variance_epsilon)


def reads_lengths(model: Any) -> bool:
    """Whether the kernel that takes lengths can run: on a GPU from Ampere on, in 16 bits, with heads of up to 256."""
    import torch

    device, dtype = model.get_input_embeddings().weight.device, model.dtype
    if device.type != "cuda" or dtype.itemsize != 2 or not torch.backends.cuda.is_flash_attention_available():
        return False
    width = head_width(model.config)
    return bool(torch.cuda.get_device_capability(device) >= (8, 0) and width <= 256 and width % 8 == 0)


def _attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    scaling: float | None = None,
    sequences: Any = None,
    begins: Any = None,
    lengths: Any = None,
    **_: object,
) -> tuple[Any, None]:
    """query [rows, heads, tokens, head_dim]. With a mask or lengths a single token each row; without either a prompt, causal.

    The query heads that share a key-value head go together, so that keys and values are read once and never repeated.
    """
    from torch.nn.functional import scaled_dot_product_attention as attention

    rows, heads, _tokens, width = query.shape
    groups = heads // key.shape[1]
    if lengths is not None:
        queries, keys, values = (
            query.reshape(-1, groups, width),
            key.view(-1, 1, width),
            value.view(-1, 1, width),
        )
        found = _by_lengths(queries, keys, values, sequences, begins, key.shape[2], lengths, scaling)
        return found.view(rows, 1, heads, width), None
    if mask is None:
        found = attention(query, key, value, is_causal=True, scale=scaling, enable_gqa=groups > 1)
    else:
        packed = query.reshape(rows, key.shape[1], groups, width)
        found = attention(packed, key, value, attn_mask=mask, scale=scaling).reshape(rows, heads, 1, width)
    return found.transpose(1, 2).contiguous(), None


def _by_lengths(
    query: Any,
    key: Any,
    value: Any,
    sequences: Any,
    begins: Any,
    longest: int,
    lengths: Any,
    scaling: float | None,
) -> Any:
    """One token of each sequence: query [sequences, heads, head_dim], key, value [tokens of all, 1, head_dim].

    A row and a key-value head are one sequence to FlashAttention-2 (Dao, arXiv 2307.08691), which PyTorch ships and which reads
    of each what was written and no more. Where it cannot run (a CPU, float32), a mask hides the rest. The operator below `torch.nn.attention.varlen.varlen_attn`, which takes lengths from torch 2.12 on and would write a
    random state beside each answer.
    """
    import torch

    return torch.ops.aten._flash_attention_forward(
        query, key, value, sequences, begins, 1, longest, 0.0, False, False, scale=scaling, seqused_k=lengths
    )[0]
