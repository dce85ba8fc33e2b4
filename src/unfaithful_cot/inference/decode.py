"""Decoding: token by token, with a stream of random numbers for each row, so that a batch changes nothing.

In: a Reasoner, prompts as tokens, a seed a row, DecodingSettings. Out: the new tokens of each row and why it ended.
Errors: none of its own.
The text of a row depends on its prompt and its seed only, up to the rounding of the arithmetic; transformers' `generate`
shares one stream of random numbers among rows. This is the path of a CPU; static.py is that of a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from unfaithful_cot.inference.cache import growing_cache
from unfaithful_cot.inference.sampling import pick, uniforms
from unfaithful_cot.models.load import Reasoner

LEAVE_SHARE = 8


@dataclass(frozen=True)
class Decoding:
    """temperature 0: greedy. top_p: nucleus. max_new_tokens: upper limit, the end token included."""

    temperature: float
    top_p: float
    max_new_tokens: int


@dataclass(frozen=True)
class Continuation:
    """New tokens without the end token."""

    token_ids: list[int]
    finish_reason: Literal["stop", "length"]


def continue_rows(
    reasoner: Reasoner, prompts: list[list[int]], seeds: list[int], decoding: Decoding
) -> list[Continuation]:
    """Continue each prompt, all of them in one batch.

    Temperature 0 takes the most likely token. Otherwise one uniform number a row and step, drawn from the row's own seed, picks
    from the distribution (sampling.py). Finished rows leave the batch, and the key-value cache grows in blocks instead of
    being copied each step.
    """
    import torch

    with torch.inference_mode():
        return _Batch(reasoner, prompts, seeds, decoding).run()


class _Batch:
    """Rows that are decoded together. `rows` maps places in the tensors to rows of the input."""

    def __init__(
        self, reasoner: Reasoner, prompts: list[list[int]], seeds: list[int], decoding: Decoding
    ) -> None:
        import torch

        self.model, self.decoding, device = reasoner.model, decoding, reasoner.device
        width = max(len(prompt) for prompt in prompts)
        padded = [[reasoner.tokenizer.pad_token_id] * (width - len(p)) + p for p in prompts]
        self.tokens = torch.tensor(padded, device=device)
        self.mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)
        self.positions = (self.mask.cumsum(-1) - 1).clamp(min=0)
        self.stop = torch.tensor(reasoner.stop_ids, dtype=torch.long, device=device)
        self.uniform = uniforms(seeds, decoding.max_new_tokens).to(device) if decoding.temperature else None
        self.rows = torch.arange(len(prompts), device=device)
        self.alive = torch.ones(len(prompts), dtype=torch.bool, device=device)
        self.found: list[list[int]] = [[] for _ in prompts]
        self.stopped = [False] * len(prompts)
        self.cache = growing_cache(self.model)

    def run(self) -> list[Continuation]:
        import torch

        for step in range(self.decoding.max_new_tokens):
            chosen = self._next(step)
            ended = torch.isin(chosen, self.stop)
            self._keep(chosen.tolist(), ended.tolist())
            self.alive &= ~ended
            if not bool(self.alive.any()):
                break
            self._advance(chosen)
        return [
            Continuation(ids, "stop" if stopped else "length")
            for ids, stopped in zip(self.found, self.stopped, strict=True)
        ]

    def _keep(self, chosen: list[int], ended: list[bool]) -> None:
        for row, token, end in zip(self.rows.tolist(), chosen, ended, strict=True):
            if end:
                self.stopped[row] = True
            elif not self.stopped[row]:
                self.found[row].append(token)

    def _next(self, step: int) -> Any:
        logits = self.model(
            input_ids=self.tokens,
            attention_mask=self.mask,
            position_ids=self.positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        if self.uniform is None:
            return logits.argmax(-1)
        return pick(logits, self.uniform[self.rows, step], self.decoding.temperature, self.decoding.top_p)

    def _advance(self, chosen: Any) -> None:
        """Append the chosen tokens; rows that ended leave when they are an eighth of the batch, for leaving copies."""
        if int((~self.alive).sum()) * LEAVE_SHARE >= len(self.alive):
            left = self.alive.nonzero().flatten()
            self.cache.batch_select_indices(left)
            chosen, self.rows, self.alive = chosen[left], self.rows[left], self.alive[left]
            self.mask, self.positions = self.mask[left], self.positions[left]
        self.tokens = chosen[:, None]
        self.positions = self.positions[:, -1:] + 1
        self.mask = _append_one(self.mask)


def _append_one(mask: Any) -> Any:
    import torch

    return torch.cat([mask, mask.new_ones(len(mask), 1)], dim=-1)
