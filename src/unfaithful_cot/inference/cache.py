"""Key-value cache for decoding that grows in blocks.

In: a model. Out: its own dynamic cache, whose full-attention layers write each new token into spare capacity instead of
copying everything before it (transformers' DynamicLayer concatenates at every step, a quarter of the time of decoding
on a CPU). Sliding-window and other layers stay as transformers makes them.
torch and transformers are imported when a cache is made.
"""

from __future__ import annotations

from functools import cache
from typing import Any

BLOCK = 128


def growing_cache(model: Any) -> Any:
    """An empty cache for one batch."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    growing = DynamicCache(config=model.config)
    growing.layers = [_layer_class()() if type(layer) is DynamicLayer else layer for layer in growing.layers]
    return growing


@cache
def _layer_class() -> Any:
    from transformers.cache_utils import DynamicLayer

    class GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
        """keys and values are views [rows, heads, tokens so far, head_dim] of larger tensors."""

        def update(self, key_states: Any, value_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
                self.allocated: tuple[Any, Any] | None = None
            before = self.get_seq_length()
            after = before + key_states.shape[-2]
            if self.allocated is None or after > self.allocated[0].shape[-2]:
                self.allocated = (
                    self._larger(key_states, before, after + BLOCK, self.keys),
                    self._larger(value_states, before, after + BLOCK, self.values),
                )
            self.allocated[0][:, :, before:after] = key_states
            self.allocated[1][:, :, before:after] = value_states
            self.keys, self.values = (part[:, :, :after] for part in self.allocated)
            return self.keys, self.values

        @staticmethod
        def _larger(new: Any, before: int, capacity: int, old: Any) -> Any:
            rows, heads, _, width = new.shape
            larger = new.new_empty(rows, heads, capacity, width)
            if before:
                larger[:, :, :before] = old
            return larger

        def batch_select_indices(self, indices: Any) -> None:
            super().batch_select_indices(indices)
            self.allocated = None  # the next token allocates again

    return GrowingLayer
