"""How many rows a GPU has memory for, and what happens when it has not.

In: a model's configuration, free bytes. Out: a number of rows.
Errors: ModelError for a single case that does not fit.

A row is taken to need its prompt, NEW_TOKENS of answer and a vocabulary of float32 numbers for sampling. Answers may become
longer, but by then others have ended and left; where that does not hold, half of the rows wait (static.py).
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from unfaithful_cot.errors import ModelError
from unfaithful_cot.models.load import Reasoner

CPU_ROWS = 32
"""What `batch_rows: auto` takes on a CPU, where more rows at once gain little."""
PROMPT_TOKENS = 16_384
"""Tokens of prompts, padding included, that go through the model at once."""
MOST_ROWS = 1024
NEW_TOKENS = 512
USABLE = 0.9
"""Share of the free memory that is given away; the rest is for copies of one layer and for fragments."""

log = logging.getLogger(__name__)


def key_value_bytes(config: Any, element_bytes: int) -> int:
    """Bytes of keys and values of one token: 2 x layers x key-value heads x head_dim x bytes of an element."""
    return int(2 * config.num_hidden_layers * config.num_key_value_heads * head_width(config) * element_bytes)


def head_width(config: Any) -> int:
    """head_dim, which a configuration may leave out."""
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def rows_for(config: Any, element_bytes: int, free: int, tokens: int) -> int:
    """Rows of `tokens` tokens that fit into `free` bytes, at least 1 and at most MOST_ROWS; from 8 on a multiple of 8.

    PROMPT_TOKENS of prompts go through the model at once; each holds about 8 hidden vectors and 3 of the MLP.
    """
    row = key_value_bytes(config, element_bytes) * tokens + 24 * config.vocab_size
    prompts = PROMPT_TOKENS * (8 * config.hidden_size + 3 * config.intermediate_size) * element_bytes
    rows = max(1, min(MOST_ROWS, int((free * USABLE - prompts) // row)))
    return rows if rows < 8 else rows // 8 * 8


def free_bytes(device: Any) -> int:
    """Free memory of a GPU, what PyTorch reserves for itself included."""
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))


def rows_that_fit(reasoner: Reasoner, longest: int, max_new_tokens: int) -> int:
    """`batch_rows: auto`: from the free memory of a GPU; CPU_ROWS on a CPU. longest: tokens of the longest prompt."""
    if reasoner.device.type != "cuda":
        return CPU_ROWS
    free = free_bytes(reasoner.device)
    tokens = longest + min(max_new_tokens, NEW_TOKENS)
    model = reasoner.model
    rows = rows_for(model.config, model.dtype.itemsize, free, tokens)
    log.info("batch_rows: auto takes %d rows of %d tokens at %.1f GiB free", rows, tokens, free / 2**30)
    return rows


def halved(rows: int, tokens: int) -> int:
    """Half of the rows, announced on the console and in the log.

    Raises: ModelError when there is nothing to halve.
    """
    import gc

    import torch

    gc.collect()  # tensors of the step that failed
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if rows == 1:
        raise ModelError(
            "inference.batch_rows",
            f"the memory left beside the model does not hold a single case (prompt of {tokens} tokens)",
            "A card with more memory, or a smaller model",
            "Set loading.use_4bit: true, lower inference.max_new_tokens, or end what else uses the card",
        )
    message = f"out of memory with {rows} cases at once: going on with {rows // 2}"
    log.warning("%s", message)
    print(message, file=sys.stderr, flush=True)
    return rows // 2
