"""From documents to packed rows: every token is trained on once an epoch, and no document sees another.

In: texts and a tokenizer. Out: a dataset of packed rows (input_ids, seq_lengths), and the collator that makes batches.
Errors: DataError for a training set without a token to learn.

A document is its text and the end token. One that is longer than a row is split before packing, and each later
fragment opens with the last token of the one before: the collator ignores the label of a fragment's first token, as
TRL's does, so that with the overlap no token of the document goes unsupervised. A document's own first token has
nothing before it to predict it from.

Packing is TRL's best-fit decreasing. Rows stay rows: TRL flattens a batch into one row, whose square mask costs more
than the model where no variable-length kernel is at hand; here position_ids restart in each row instead, and every
padding token is a document of its own. transformers then builds the block mask, as long as no attention_mask is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from unfaithful_cot.errors import DataError

IGNORED = -100


def tokenise(tokenizer: Any, texts: Iterable[str]) -> list[list[int]]:
    """Tokens of each text, closed by exactly one end token."""
    end = tokenizer.eos_token_id
    documents = tokenizer(list(texts))["input_ids"]
    return [ids if ids and ids[-1] == end else [*ids, end] for ids in documents]


def split(document: list[int], max_length: int) -> list[list[int]]:
    """Fragments of at most max_length tokens; each begins with the last token of the one before.

    max_length: at least 2. Together the fragments supervise len(document) - 1 tokens.
    """
    step = max_length - 1
    return [document[start : start + max_length] for start in range(0, max(len(document) - 1, 1), step)]


def pack(documents: list[list[int]], max_length: int) -> Any:
    """A datasets.Dataset of rows with input_ids (at most max_length) and seq_lengths (of the fragments in it)."""
    from datasets import Dataset, disable_progress_bars
    from trl.data_utils import pack_dataset

    disable_progress_bars()
    fragments = [fragment for document in documents for fragment in split(document, max_length)]
    if not any(len(fragment) > 1 for fragment in fragments):
        raise DataError(
            "training set", "there is no token to learn", "Documents of some words", "Check the documents"
        )
    return pack_dataset(Dataset.from_dict({"input_ids": fragments}), max_length, "bfd_split")


def pack_examples(examples: list[tuple[list[int], list[int]]], max_length: int) -> Any:
    """A datasets.Dataset of rows with input_ids, labels and seq_lengths. examples: (prompt, completion) tokens.

    Labels are those of completions. An example is never split: each fits into max_length.
    """
    from datasets import Dataset, disable_progress_bars
    from trl.data_utils import pack_dataset

    disable_progress_bars()
    columns = {
        "input_ids": [prompt + completion for prompt, completion in examples],
        "labels": [[IGNORED] * len(prompt) + completion for prompt, completion in examples],
    }
    return pack_dataset(Dataset.from_dict(columns), max_length, "bfd")


@dataclass
class RowCollator:
    """Batches [rows, tokens] of input_ids, position_ids and labels; no attention mask.

    A row without labels of its own is supervised in every token. row_tokens: pad each row to this length, for kernels that
    want constant shapes; None pads to the longest. lengths: add what variable-length kernels read: where each document
    begins in the flattened rows (the padding of a row is one more), counted here so that no layer has to ask the GPU.
    """

    pad_token_id: int
    row_tokens: int | None = None
    lengths: bool = False

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        import torch

        width = max(self.row_tokens or 0, *(len(row["input_ids"]) for row in rows))
        shape = (len(rows), width)
        input_ids = torch.full(shape, self.pad_token_id)
        position_ids = torch.zeros(shape, dtype=torch.long)
        labels = torch.full(shape, IGNORED)
        for index, row in enumerate(rows):
            length = len(row["input_ids"])
            input_ids[index, :length] = torch.tensor(row["input_ids"])
            position_ids[index, :length] = torch.cat([torch.arange(n) for n in row["seq_lengths"]])
            labels[index, :length] = input_ids[index, :length]
            if "labels" in row:
                labels[index, :length] = torch.tensor(row["labels"])
        labels[position_ids == 0] = IGNORED
        batch = {"input_ids": input_ids, "position_ids": position_ids, "labels": labels}
        return batch | (cumulative(rows, width) if self.lengths else {})


def cumulative(rows: list[dict[str, Any]], width: int) -> dict[str, Any]:
    """cu_seq_lens_q and _k (int32, one more than documents) and max_length_q and _k (width: constant from step to step)."""
    import torch

    lengths: list[int] = []
    for row in rows:
        padding = width - sum(row["seq_lengths"])
        lengths += [*row["seq_lengths"], *([padding] if padding else [])]
    begins = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
    return {"cu_seq_lens_q": begins, "cu_seq_lens_k": begins, "max_length_q": width, "max_length_k": width}


def supervised_tokens(dataset: Any) -> int:
    """Tokens with a label in one epoch: every token but the first of each fragment."""
    return sum(sum(lengths) - len(lengths) for lengths in dataset["seq_lengths"])
