"""Cross entropy of a language model's head on a CPU; on a GPU the trainer takes TRL's fused head.

In: logits, or a batch; labels. Out: nats a token, to differentiate.
Errors: none.
The values are those of TRL's head (a test). Without Triton that head computes entropies beside the loss and takes longer.
"""

from __future__ import annotations

from typing import Any

from unfaithful_cot.training.data import IGNORED


def token_loss(logits: Any, labels: Any, n_tokens: Any) -> Any:
    """Cross entropy (nats a token) of logits [rows, tokens, vocabulary]: the sum over labels divided by n_tokens."""
    from torch.nn.functional import cross_entropy, pad

    following = pad(labels[:, 1:], (0, 1), value=IGNORED)  # labels move, not logits: those are large to copy
    total = cross_entropy(
        logits.flatten(0, 1).float(), following.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return total / n_tokens


def batch_loss(model: Any, batch: dict[str, Any], n_tokens: Any) -> Any:
    """token_loss of a batch (training.data.RowCollator), from all its logits."""
    labels = batch.pop("labels")
    return token_loss(model(**batch, use_cache=False).logits, labels, n_tokens)
