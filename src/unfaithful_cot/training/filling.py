"""The last step of an epoch, shared by several processes: each needs as many rows as the others.

In: packed rows, a number that has to divide them. Out: the rows with some behind them that hold no label, and an order.
Errors: none.
accelerate would repeat the first rows of the epoch, which are then trained on twice. A row without labels adds nothing to
the loss, and the order of the others is that of one process, so that a step has the same rows whatever their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unfaithful_cot.training.data import IGNORED


def filled(rows: Any, multiple: int, pad_token_id: int) -> Any:
    """Rows (datasets.Dataset), and behind them as many without labels as make a whole multiple."""
    from datasets import Dataset, concatenate_datasets

    missing = -len(rows) % multiple
    if not missing:
        return rows
    empty: dict[str, Any] = {"input_ids": [pad_token_id], "seq_lengths": [1]}
    if "labels" in rows.column_names:
        empty["labels"] = [IGNORED]
    return concatenate_datasets([rows, Dataset.from_list([empty] * missing, features=rows.features)])


def order(n_rows: int, n_filled: int, seed: int) -> Any:
    """A sampler: the rows as one process takes them with this seed, then those that fill the last step."""
    from accelerate.data_loader import SeedableRandomSampler
    from torch.utils.data import Sampler

    class RowsThenFilling(Sampler[int]):
        """`set_epoch` as accelerate calls it."""

        def __init__(self) -> None:
            self.rows = SeedableRandomSampler(range(n_rows), data_seed=seed)

        def __iter__(self) -> Iterator[int]:
            yield from self.rows
            yield from range(n_rows, n_filled)

        def __len__(self) -> int:
            return n_filled

        def set_epoch(self, epoch: int) -> None:
            self.rows.set_epoch(epoch)

    return RowsThenFilling()
