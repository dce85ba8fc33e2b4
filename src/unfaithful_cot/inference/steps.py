"""Rows of a batch on the device: their prompts written, then one token each a step, the steps replayed from a CUDA graph.

In: a Reasoner, rows of tokens, uniform numbers, Decoding. Out: the tokens of each step, in the order of the steps.
One eager step of an 8B model starts more than a thousand kernels, which takes the host longer than the GPU needs to run them below 256
rows; a graph starts them at once. Errors: torch.OutOfMemoryError.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from unfaithful_cot.inference.decode import Decoding
from unfaithful_cot.inference.memory import PROMPT_TOKENS
from unfaithful_cot.inference.row_cache import RowCache, reads_lengths
from unfaithful_cot.inference.sampling import pick
from unfaithful_cot.models.load import Reasoner

CHECK_STEPS = 16
"""Steps between two looks at which rows ended."""
NOTHING = -1
"""In the place of a token of a row that had ended."""

log = logging.getLogger(__name__)


class Rows:
    """Rows that go on together. Vectors are [rows]; `fresh` is [CHECK_STEPS, rows], the tokens since the last look."""

    def __init__(
        self,
        reasoner: Reasoner,
        texts: Sequence[list[int]],
        uniform: Any,
        counts: list[int],
        decoding: Decoding,
        capacity: int,
        graphs: bool,
    ) -> None:
        """texts: what stands before the next token; counts: how many tokens of it are new; uniform: [rows, steps] or None."""
        import torch

        self.model, self.decoding, self.graphs = reasoner.model, decoding, graphs
        self.device = reasoner.device

        def vector(values: Any, dtype: Any = torch.long) -> Any:
            return torch.tensor(values, dtype=dtype, device=self.device)

        with torch.inference_mode():
            self.stop = vector(reasoner.stop_ids)
            self.token = vector([text[-1] for text in texts])
            self.position = vector([len(text) - 1 for text in texts])
            self.count = vector(counts)
            self.alive = vector([True] * len(texts), torch.bool)
            self.cursor = vector([0])
            self.fresh = torch.full((CHECK_STEPS, len(texts)), NOTHING, device=self.device)
            self.uniform = None if uniform is None else uniform.to(self.device)
            heads = self.model.config.num_key_value_heads
            self.cache = RowCache(self.position, capacity, heads, reads_lengths(self.model))
            self.graph: Any = None
            self._write_prompts([text[:-1] for text in texts], reasoner.tokenizer.pad_token_id)

    def _write_prompts(self, prompts: list[list[int]], pad: int) -> None:
        """Put keys and values of the prompts into the cache, as many rows at once as PROMPT_TOKENS allows."""
        import torch

        start = 0
        while start < len(prompts):
            end, width = start + 1, len(prompts[start])
            while end < len(prompts):
                wider = max(width, len(prompts[end]))
                if wider * (end + 1 - start) > PROMPT_TOKENS:
                    break
                end, width = end + 1, wider
            if width:
                padded = [prompt + [pad] * (width - len(prompt)) for prompt in prompts[start:end]]
                self.cache.filling = slice(start, end)
                self.model(
                    input_ids=torch.tensor(padded, device=self.device),
                    position_ids=torch.arange(width, device=self.device)[None],
                    past_key_values=self.cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
            start = end
        self.cache.filling = None

    def advance(self, steps: int) -> list[list[int]]:
        """Let every row that has not ended write `steps` tokens, at most CHECK_STEPS; the tokens, [steps][rows]."""
        import torch

        with torch.inference_mode():
            self.cursor.zero_()
            if self.graphs and self.graph is None:
                self._step()  # a real step, which also makes ready what must not be made while a graph is recorded
                steps_left = steps - 1
                if steps_left:
                    self._record()
            else:
                steps_left = steps
            for _ in range(steps_left):
                if self.graph is None:
                    self._step()
                else:
                    self.graph.replay()
            return self.fresh[:steps].tolist()

    def keep(self, rows: list[int], capacity: int) -> None:
        """Go on with some of the rows, in a cache of another capacity."""
        import torch

        self.graph = None
        with torch.inference_mode():
            left = torch.tensor(rows, device=self.device)
            self.token, self.position, self.count, self.alive = (
                vector[left] for vector in (self.token, self.position, self.count, self.alive)
            )
            self.fresh = self.fresh[:, left].contiguous()
            self.uniform = None if self.uniform is None else self.uniform[left]
            self.cache.keep(left, self.position, capacity)

    def _step(self) -> None:
        """One token each. Every tensor that outlives the step is changed in place."""
        import torch

        chosen = self._choose(self._logits())
        ended = (chosen[:, None] == self.stop).any(-1)
        self.fresh.index_copy_(0, self.cursor, chosen.masked_fill(~self.alive, NOTHING)[None])
        self.cursor += 1
        self.token.copy_(chosen.where(self.alive, self.token))
        self.position += self.alive
        self.count += self.alive
        self.alive &= torch.logical_and(~ended, self.count < self.decoding.max_new_tokens)

    def _logits(self) -> Any:
        """[rows, vocabulary] behind the last token of each row."""
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel

        call = {
            "input_ids": self.token[:, None],
            "position_ids": self.position[:, None],
            "past_key_values": self.cache,
            "use_cache": True,
            "logits_to_keep": 1,
            **self.cache.ends(self.model.dtype),
        }
        if self.device.type != "cuda":
            return self.model(**call).logits[:, -1]
        with (
            torch.autocast("cuda", enabled=False),
            sdpa_kernel([SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]),
        ):
            return self.model(**call).logits[:, -1]

    def _choose(self, logits: Any) -> Any:
        if self.uniform is None:
            return logits.argmax(-1)
        last = self.decoding.max_new_tokens - 1
        number = self.uniform.gather(1, self.count.clamp(max=last)[:, None])[:, 0]
        return pick(logits, number, self.decoding.temperature, self.decoding.top_p)

    def _record(self) -> None:
        """Record a step. Recording runs nothing. A model that cannot be recorded goes on kernel by kernel, and the log says so.

        Recorded by hand and not by torch.compile, which takes a minute for each shape and a C compiler. Everything that changes
        from step to step stands in tensors at fixed addresses, and nothing is read back from the device in between.
        """
        import torch

        try:
            graph = torch.cuda.CUDAGraph()
            # a recording that fails leaves its own stream behind; the outer context puts back the one before
            with torch.cuda.stream(torch.cuda.current_stream()), torch.cuda.graph(graph):
                self._step()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.graphs = False
            log.warning("decoding without a CUDA graph: %s", str(error).splitlines()[0][:200])
            return
        self.graph = graph
