"""Many prompts, decoded a large batch at a time over a static cache: the path of a GPU.

In: a Reasoner, prompts as tokens, a seed a row, Decoding, how many rows at once. Out: (index, Continuation) as rows end.
Errors: ModelError for a single row that does not fit into the memory.
Seeds, stop tokens and limits are those of decode.py, which is the path of a CPU and of architectures not named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from unfaithful_cot.inference.decode import Continuation, Decoding
from unfaithful_cot.inference.memory import halved
from unfaithful_cot.inference.row_cache import borrowed
from unfaithful_cot.inference.sampling import uniforms
from unfaithful_cot.inference.steps import CHECK_STEPS, NOTHING, Rows
from unfaithful_cot.models.load import Reasoner

ARCHITECTURES = ("llama", "qwen2", "qwen3")
"""Every layer sees all tokens, looks its attention up by name and has RMS norms: tested for these."""
BLOCK, MOST_BLOCK, BLOCK_TOKENS = 256, 1024, 65_536
"""Tokens by which a cache grows: BLOCK_TOKENS over all rows, but within the first two."""
FEW_ROWS = 16
"""From here on rows that ended leave as soon as they are half; below they leave when the cache grows."""
ALIGNED = 64
"""Capacities are multiples of it: the fused kernel wants rows of the mask at multiples of 16 bytes."""


@dataclass
class _Row:
    """prompt and seed of the row at `index`; what it has written so far, and why it ended."""

    index: int
    prompt: list[int]
    seed: int
    found: list[int] = field(default_factory=list)
    reason: str = ""

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.found)

    def take(self, token: int, stop: set[int], limit: int) -> None:
        """One more token, unless the row ended before."""
        if self.reason or token == NOTHING:
            return
        if token in stop:
            self.reason = "stop"
            return
        self.found.append(token)
        if len(self.found) == limit:
            self.reason = "length"


def supported(reasoner: Reasoner) -> bool:
    """Whether the model is one of ARCHITECTURES and no layer looks at a window alone."""
    config = reasoner.model.config
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    return config.model_type in ARCHITECTURES and kinds == {"full_attention"}


def continue_many(
    reasoner: Reasoner,
    prompts: Sequence[list[int]],
    seeds: Sequence[int],
    decoding: Decoding,
    batch_rows: int,
    graphs: bool | None = None,
) -> Iterator[list[tuple[int, Continuation]]]:
    """Continue each prompt, `batch_rows` at once.

    Out of memory, half of the rows wait, with what they have written, and go on from there later; each row draws from its own
    seed, so that this changes no answer beyond rounding. graphs: None records CUDA graphs where there is a GPU.
    """
    import torch

    graphs = reasoner.device.type == "cuda" if graphs is None else graphs
    waiting = [_Row(index, list(prompts[index]), seeds[index]) for index in range(len(prompts))]
    while waiting:
        batches = -(-len(waiting) // batch_rows)
        rows = waiting[: -(-len(waiting) // batches)]  # batches of one size
        try:
            for ended in _run(reasoner, rows, decoding, graphs):
                yield [(row.index, Continuation(row.found, row.reason)) for row in ended]  # type: ignore[arg-type]
            short = False
        except torch.OutOfMemoryError:
            short = True  # the error holds tensors as long as it is being handled
        waiting = [row for row in rows if not row.reason] + waiting[len(rows) :]
        if short:
            batch_rows = halved(len(rows), waiting[0].length)


def _run(reasoner: Reasoner, rows: list[_Row], decoding: Decoding, graphs: bool) -> Iterator[list[_Row]]:
    """Decode one batch to its end; yields the rows that ended since the last time.

    Its cache grows BLOCK tokens at a time and loses the rows that ended meanwhile, so that neither the first tokens pay for the
    longest answer nor the last ones for rows that are gone. Rows that ended are not replaced: a new row would attend over
    a cache as long as the longest answer beside it.
    """
    limit, stop = decoding.max_new_tokens, set(reasoner.stop_ids)
    held, live = rows, rows
    with borrowed(reasoner.model):
        batch = _start(reasoner, rows, decoding, graphs)
        while live:
            free = batch.cache.capacity - max(row.length for row in live) + 1
            if not free or (len(held) >= FEW_ROWS and 2 * len(live) <= len(held)):
                batch.keep(
                    [place for place, row in enumerate(held) if not row.reason], _capacity(live, limit)
                )
                held = live
                continue
            left = max(limit - len(row.found) for row in live)
            for tokens in batch.advance(min(CHECK_STEPS, free, left)):
                for row, token in zip(held, tokens, strict=True):
                    row.take(token, stop, limit)
            ended = [row for row in live if row.reason]
            live = [row for row in live if not row.reason]
            if ended:
                yield ended


def _start(reasoner: Reasoner, rows: list[_Row], decoding: Decoding, graphs: bool) -> Rows:
    sampled = uniforms([row.seed for row in rows], decoding.max_new_tokens) if decoding.temperature else None
    return Rows(
        reasoner,
        [row.prompt + row.found for row in rows],
        sampled,
        [len(row.found) for row in rows],
        decoding,
        _capacity(rows, decoding.max_new_tokens),
        graphs,
    )


def _capacity(rows: list[_Row], limit: int) -> int:
    """Tokens that the cache of these rows holds next. Few rows grow further at once: recording costs them more than memory."""
    block = min(MOST_BLOCK, max(BLOCK, BLOCK_TOKENS // len(rows)))
    needed = min(max(row.length for row in rows) + block, max(len(row.prompt) for row in rows) + limit)
    return -(-needed // ALIGNED) * ALIGNED
