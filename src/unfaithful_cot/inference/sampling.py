"""One token a row from logits, by one uniform number of the row's own.

In: logits [rows, vocabulary], uniform numbers [rows] in [0, 1). Out: tokens [rows]. Nothing is read back from the device, so
that all of this can stand in a CUDA graph. Errors: none.
"""

from __future__ import annotations

from typing import Any


def pick(logits: Any, uniform: Any, temperature: float, top_p: float) -> Any:
    """The token of each row, from its nucleus (Holtzman et al., arXiv 1904.09751).

    The number picks by the inverse of the cumulative distribution in the order of IDs: in the order of likelihood, rounding
    could swap two tokens that are nearly as likely, and with them what the number picks.

    Args:
        logits: [rows, vocabulary].
        uniform: [rows], in [0, 1).
        temperature: above 0.
        top_p: 0 leaves the most likely token, 1 leaves all.
    """
    probabilities = (logits.float() / temperature).softmax(-1)
    if top_p < 1:
        probabilities = _nucleus(probabilities, _order(logits), top_p, 8 * logits.element_size())
    cumulative = probabilities.cumsum(-1)
    total = cumulative[:, -1:]
    before = (cumulative <= uniform[:, None].to(total) * total) & (cumulative < total)
    return before.sum(-1)


def _nucleus(probabilities: Any, keys: Any, top_p: float, rounds: int) -> Any:
    """The probabilities with zeros outside the nucleus: the smallest set of most likely tokens with at least top_p together.

    Of equally likely tokens at its edge the lower IDs belong to it. The edge is found by halving the range of keys, not by
    sorting: a sort of 150,000 logits for each of 256 rows takes a GPU as long as the model's own step.

    Args:
        probabilities: [rows, vocabulary].
        keys: whole numbers in their order.
        top_p: share of the probability that the nucleus holds at least.
        rounds: bits of a logit, for each halves the range.
    """
    nothing = probabilities.new_zeros(
        ()
    )  # a zero of Python would be copied to the device, which no graph allows
    low, high = keys.amin(-1, keepdim=True), keys.amax(-1, keepdim=True)
    for _ in range(rounds):
        middle = (low | high) - ((low ^ high) >> 1)  # mean, rounded up, without overflow
        enough = probabilities.where(keys >= middle, nothing).sum(-1, keepdim=True) >= top_p
        low, high = middle.where(enough, low), high.where(enough, middle - 1)
    above, edge = keys > low, keys == low
    each = probabilities.where(edge, nothing).amax(-1, keepdim=True)
    missing = top_p - probabilities.where(above, nothing).sum(-1, keepdim=True)
    within = (missing / each).ceil().clamp(min=1)
    return probabilities.where(above | (edge & (edge.cumsum(-1, dtype=keys.dtype) <= within)), nothing)


def _order(logits: Any) -> Any:
    """int32 in the order of the logits: the bits of a float, those below the sign turned where it is negative."""
    import torch

    short = logits.element_size() == 2
    bits = logits.contiguous().view(torch.int16 if short else torch.int32).to(torch.int32)
    return bits ^ ((bits >> 31) & (0x7FFF if short else 0x7FFFFFFF))


def uniforms(seeds: list[int], count: int) -> Any:
    """float32 [rows, count] on the CPU, each row from its own seed."""
    import torch

    rows = [
        torch.rand(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        for seed in seeds
    ]
    return torch.stack(rows).float()
