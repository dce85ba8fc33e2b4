"""Cross entropy of a language model's head, in two ways: at once, and without ever holding all logits.

In: logits, or hidden states and the head's weights; labels. Out: nats a token, to differentiate.
Errors: none.
In chunks, the gradient of the hidden states is computed in the forward pass, since the head itself is frozen: logits are
made once, not twice, and nothing waits for the GPU. The idea is that of Liger's fused linear cross entropy (Hsu et al.,
arXiv 2410.10989).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from unfaithful_cot.training.data import IGNORED
from unfaithful_cot.training.memory import LOSS_TOKENS


def token_loss(logits: Any, labels: Any, n_tokens: Any) -> Any:
    """Cross entropy (nats a token) of logits [rows, tokens, vocabulary]: the sum over labels divided by n_tokens.

    The same value as TRL's fused head, which without Triton computes entropies and one-hot targets beside it and took
    twice as long as this on a CPU.
    """
    from torch.nn.functional import cross_entropy

    total = cross_entropy(
        logits.flatten(0, 1).float(), _following(labels), ignore_index=IGNORED, reduction="sum"
    )
    return total / n_tokens


def chunked_loss(hidden: Any, head: Any, labels: Any, n_tokens: Any, chunk: int = LOSS_TOKENS) -> Any:
    """The same of hidden states [rows, tokens, size] and the frozen head [vocabulary, size], `chunk` tokens at a time."""
    import torch

    class ChunkedLoss(torch.autograd.Function):
        """The sum of the cross entropies; its gradient is ready when the loss is."""

        @staticmethod
        def forward(ctx: Any, states: Any) -> Any:
            gradient, total = _sum_and_gradient(states, head, _following(labels), chunk)
            ctx.save_for_backward(gradient)
            return total

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            (gradient,) = ctx.saved_tensors
            return (gradient * grads[0]).to(gradient.dtype)

    states = hidden.flatten(0, 1).to(head.dtype)
    total: Any = ChunkedLoss.apply(states)  # type: ignore[no-untyped-call]
    return total / n_tokens


def _sum_and_gradient(states: Any, head: Any, labels: Any, chunk: int) -> tuple[Any, Any]:
    """Gradient [tokens, size] of the summed loss, and the sum (float32)."""
    import torch

    gradient = torch.empty_like(states)
    total = torch.zeros((), dtype=torch.float32, device=states.device)
    for start in range(0, len(states), chunk):
        piece, wanted = states[start : start + chunk], labels[start : start + chunk]
        kept = (wanted != IGNORED).unsqueeze(1)
        index = wanted.clamp(min=0).unsqueeze(1)
        shares = torch.log_softmax(piece @ head.t(), dim=-1, dtype=torch.float32)
        total -= (shares.gather(1, index) * kept).sum()
        shares.exp_().scatter_add_(1, index, torch.full_like(index, -1, dtype=torch.float32))
        gradient[start : start + chunk] = (shares.to(head.dtype) @ head) * kept
    return gradient, total


def loss_at_once(model: Any, unwrapped: Any, batch: dict[str, Any], n_tokens: Any) -> Any:
    """Loss of a batch (training.data.RowCollator), from its logits. unwrapped: the model without what wraps it."""
    labels = batch.pop("labels")
    return token_loss(model(**batch, use_cache=False).logits, labels, n_tokens)


def loss_in_chunks(model: Any, unwrapped: Any, batch: dict[str, Any], n_tokens: Any) -> Any:
    """The same without all logits, and without figures beside the loss: each would wait for the GPU."""
    import torch

    labels = batch.pop("labels")
    if "cu_seq_lens_q" in batch:  # the one shape that changes from step to step: compiled once for any
        torch._dynamo.maybe_mark_dynamic(batch["cu_seq_lens_q"], 0)
    with hidden_states(unwrapped) as head:
        states = model(**batch, use_cache=False).logits
    return chunked_loss(states, head, labels, n_tokens)


@contextlib.contextmanager
def hidden_states(model: Any) -> Iterator[Any]:
    """While this is open the model returns hidden states in the place of logits. Yields the head's weights."""
    head = model.get_output_embeddings()
    head.forward = lambda states: states
    try:
        yield head.weight
    finally:
        del head.forward


def _following(labels: Any) -> Any:
    """The label that each position is to predict, flattened. Labels move, not logits: those are large to copy."""
    from torch.nn.functional import pad

    return pad(labels[:, 1:], (0, 1), value=IGNORED).flatten()
