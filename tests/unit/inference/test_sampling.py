from __future__ import annotations

import pytest
import torch

from unfaithful_cot.inference.sampling import pick, uniforms


def by_sorting(logits, uniform, temperature, top_p):
    """The same tokens, the plain way: sort, cut, put back in the order of IDs, count."""
    ordered, order = (logits.double() / temperature).softmax(-1).sort(dim=-1, descending=True, stable=True)
    inside = ordered.cumsum(-1) - ordered < top_p
    inside[:, 0] = True
    cumulative = torch.zeros_like(ordered).scatter(1, order, ordered * inside).cumsum(-1)
    return (cumulative <= uniform[:, None] * cumulative[:, -1:]).sum(-1)


def test_pick_by_hand():
    # probabilities 0.3, 0.2, 0.5 of tokens 0, 1, 2; cumulative 0.3, 0.5, 1.0
    logits = torch.tensor([[0.3, 0.2, 0.5]]).log()

    def picked(uniform, top_p=1.0, temperature=1.0):
        return pick(logits, torch.tensor([uniform]), temperature, top_p).item()

    assert [picked(u) for u in (0.0, 0.29, 0.31, 0.49, 0.51, 0.999999)] == [0, 0, 1, 1, 2, 2]
    # a nucleus of 0.6 is tokens 2 and 0, together 0.8: the border lies at 0.3 / 0.8 = 0.375
    assert [picked(u, top_p=0.6) for u in (0.37, 0.38, 0.999999)] == [0, 2, 2]
    # a nucleus of 0.5 is token 2 alone, and one of 0 keeps the most likely token
    assert picked(0.0, top_p=0.5) == picked(0.999999, top_p=0.5) == picked(0.0, top_p=0.0) == 2
    # temperature 0.5 squares: 0.09, 0.04, 0.25 of 0.38, so the first border lies at 0.2368
    assert [picked(u, temperature=0.5) for u in (0.23, 0.24)] == [0, 1]
    # a number that rounding made 1 picks the last token
    assert picked(1.0) == 2


def test_equal_tokens_at_the_edge_of_the_nucleus_go_by_their_ids():
    # seven tokens of 1/7: four of them are the smallest set with at least 0.5
    uniform = torch.tensor([0.0, 0.24, 0.26, 0.51, 0.76, 0.999])
    assert pick(torch.zeros(6, 7), uniform, 1.0, 0.5).tolist() == [0, 0, 1, 2, 3, 3]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("spread", [0.5, 3.0, 10.0])
@pytest.mark.parametrize("top_p", [0.0, 0.5, 0.95, 1.0])
def test_halving_finds_what_sorting_finds(dtype, spread, top_p):
    """bfloat16 makes many equal logits, a spread of 10 many probabilities that are nearly zero."""
    draw = torch.Generator().manual_seed(0)
    logits = (torch.randn(300, 2_000, generator=draw) * spread).to(dtype)
    uniform = torch.rand(300, generator=draw)
    for temperature in (0.6, 1.0):
        assert torch.equal(
            pick(logits, uniform, temperature, top_p), by_sorting(logits, uniform, temperature, top_p)
        )


def test_what_is_forbidden_is_never_picked():
    logits = torch.full((50, 9), -torch.inf)
    logits[:, 3], logits[:, 7] = 1.0, 0.0
    for top_p in (0.9, 1.0):
        picked = pick(logits, torch.linspace(0, 1, 50), 1.0, top_p)
        # e / (e + 1) = 0.731, so the nucleus of 0.9 holds both, and the border is at 0.731 of 49 steps: 35.8
        assert picked.tolist() == [3] * 36 + [7] * 14


def test_samples_have_the_frequencies_of_the_distribution():
    logits = torch.tensor([0.1, 0.2, 0.3, 0.4]).log().repeat(20_000, 1)
    uniform = torch.rand(20_000, generator=torch.Generator().manual_seed(0))
    share = torch.bincount(pick(logits, uniform, 1.0, 1.0), minlength=4) / 20_000
    # standard error of a share of 0.4 is sqrt(0.4 x 0.6 / 20000) = 0.0035; four of them are 0.014
    torch.testing.assert_close(share, torch.tensor([0.1, 0.2, 0.3, 0.4]), atol=0.014, rtol=0)


def test_a_row_has_numbers_of_its_own():
    first, again = uniforms([7, 8], 5), uniforms([8], 5)
    assert torch.equal(first[1:], again)
    assert not torch.equal(first[0], first[1])
    assert first.dtype == torch.float32
