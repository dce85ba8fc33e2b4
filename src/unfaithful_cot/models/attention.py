"""Which attention kernel a training uses, and PyTorch's own variable-length kernel in the form that transformers calls.

In: `loading.attention` and a device. Out: the name of a kernel that keeps packed documents apart.
Errors: MachineError for a kernel that is not installed here.
torch is imported when a kernel is requested.
"""

from __future__ import annotations

import importlib.util
import itertools
import math
from typing import Any

from unfaithful_cot.errors import MachineError

VARLEN = "varlen"
BY_LENGTHS = (VARLEN, "flash_attention_2", "flash_attention_3", "flash_attention_4")
"""Kernels that take cumulative lengths; the others get a square mask, made from positions that restart."""


def training_attention(wanted: str, device: str, dtype: str) -> str:
    """The kernel to train with. wanted: a name, or `auto`: FlashAttention 3 or 2 where installed, else varlen, else sdpa.

    device: cpu or cuda. dtype: of weights and computation; the flash kernels have no float32.
    """
    if wanted == VARLEN:
        register_varlen()
    if wanted != "auto":
        return wanted
    if not device.startswith("cuda") or dtype == "float32":
        return "sdpa"
    for name, there in (("flash_attention_3", _has_flash(3)), ("flash_attention_2", _has_flash(2))):
        if there:
            return name
    return register_varlen() if _has_varlen() else "sdpa"


def answering_attention(wanted: str) -> str:
    """The kernel to answer with: variable-length kernels have no cache of keys and values, so sdpa stands for them."""
    return "sdpa" if wanted in ("auto", VARLEN) else wanted


def register_varlen() -> str:
    """Make `varlen` known to transformers. Returns the name. MachineError where torch does not ship the kernel."""
    from transformers import AttentionInterface

    if not _has_varlen():
        raise MachineError(
            "loading.attention",
            f"'{VARLEN}' needs torch.nn.attention.varlen, which this torch does not have",
            "torch 2.10 or newer",
            "Set loading.attention: auto",
        )
    AttentionInterface.register(VARLEN, varlen_attention)
    return VARLEN


def varlen_attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    cu_seq_lens_q: Any = None,
    max_length_q: int | None = None,
    **kwargs: Any,
) -> tuple[Any, None]:
    """Causal attention inside each document.

    FlashAttention-2 (Dao, arXiv 2307.08691), which PyTorch ships as `torch.nn.attention.varlen`: cumulative lengths say where
    each document begins, so no square mask is built. Where it cannot run (a CPU, float32), it is computed document by document with
    `scaled_dot_product_attention`.

    Args:
        query: [rows, heads, tokens, dimension].
        key, value: the same with fewer heads.
        cu_seq_lens_q: int32 [documents + 1], where each document begins in the flattened rows, and their end.
        max_length_q: no document is longer.

    Returns:
        [rows, tokens, heads, dimension], and None.
    """
    if cu_seq_lens_q is None or max_length_q is None:
        raise ValueError(
            "varlen attention needs cu_seq_lens_q and max_length_q: it is for packed training rows"
        )
    if dropout:
        raise ValueError("varlen attention has no dropout")
    import torch

    if query.is_cuda and torch.is_autocast_enabled("cuda"):  # norms in float32 leave query and key so
        kind = torch.get_autocast_dtype("cuda")
        query, key, value = query.to(kind), key.to(kind), value.to(kind)
    rows, heads, tokens, width = query.shape
    flat = [part.transpose(1, 2).reshape(rows * tokens, -1, width) for part in (query, key, value)]
    scale = scaling if scaling is not None else 1 / math.sqrt(width)
    by_kernel = query.is_cuda and query.dtype.itemsize == 2
    if by_kernel:
        found = _by_kernel(flat[0], flat[1], flat[2], cu_seq_lens_q, max_length_q, scale)
    else:
        found = _one_by_one(flat[0], flat[1], flat[2], cu_seq_lens_q, scale)
    return found.reshape(rows, tokens, heads, width), None


def _by_kernel(query: Any, key: Any, value: Any, begins: Any, longest: int, scale: float) -> Any:
    """PyTorch's kernel, each token with those before it."""
    from torch.nn.attention.varlen import varlen_attn

    grouped = query.shape[1] != key.shape[1]
    options: dict[str, Any] = {"scale": scale, "window_size": (-1, 0), "enable_gqa": grouped}
    return varlen_attn(query, key, value, begins, begins, longest, longest, **options)


def _one_by_one(query: Any, key: Any, value: Any, begins: Any, scale: float) -> Any:
    """The same, a document at a time. query, key, value: [tokens, heads, dimension]."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    marks = begins.tolist()
    outputs = []
    for start, end in itertools.pairwise(marks):
        q, k, v = (part[start:end].transpose(0, 1)[None] for part in (query, key, value))
        grouped = query.shape[1] != key.shape[1]
        found = scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale, enable_gqa=grouped)
        outputs.append(found[0].transpose(0, 1))
    return torch.cat(outputs)


def _has_varlen() -> bool:
    return importlib.util.find_spec("torch.nn.attention.varlen") is not None


def _has_flash(generation: int) -> bool:
    from transformers import utils

    there = getattr(utils, f"is_flash_attn_{generation}_available", None)
    return bool(there and there())
