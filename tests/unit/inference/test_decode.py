from __future__ import annotations

import pytest
import torch

from fixtures.tiny_models import FAMILIES
from unfaithful_cot.inference.decode import Decoding, continue_rows, pick
from unfaithful_cot.models.load import load_reasoner
from unfaithful_cot.settings import LoadingSettings

FLOAT = LoadingSettings(dtype="float32", device="cpu")
GREEDY = Decoding(temperature=0.0, top_p=1.0, max_new_tokens=20)
SAMPLED = Decoding(temperature=1.0, top_p=0.9, max_new_tokens=40)


def prompts_for(reasoner, count=12):
    """Prompts of different lengths, so that a batch is padded."""
    return [
        reasoner.tokenizer(f"Option {n} " + "the board cites the memo " * (n % 5), add_special_tokens=False)[
            "input_ids"
        ]
        for n in range(count)
    ]


def early_stopping(reasoner):
    """The same model, its end token made likely, so that rows end at different steps."""
    with torch.no_grad():
        reasoner.model.lm_head.weight[reasoner.tokenizer.eos_token_id] *= 2.5
    return reasoner


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_is_that_of_generate_row_by_row(tiny, family):
    reasoner = early_stopping(load_reasoner({"source": str(tiny[family])}, FLOAT))
    prompts = prompts_for(reasoner)
    found = continue_rows(reasoner, prompts, [0] * len(prompts), GREEDY)
    for prompt, continuation in zip(prompts, found, strict=True):
        output = reasoner.model.generate(
            input_ids=torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            max_new_tokens=20,
            do_sample=False,
        )[0, len(prompt) :].tolist()
        ended = output[-1] in reasoner.stop_ids
        assert continuation.token_ids == (output[:-1] if ended else output)
        assert continuation.finish_reason == ("stop" if ended else "length")
    assert {c.finish_reason for c in found} == {"stop", "length"}
    assert len({len(c.token_ids) for c in found}) > 2  # rows left the batch at different steps


@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
@pytest.mark.parametrize("use_4bit", [False, True], ids=["float", "nf4"])
def test_a_batch_changes_nothing(tiny, decoding, use_4bit):
    loading = LoadingSettings(use_4bit=use_4bit, dtype="float32", device="cpu")
    reasoner = early_stopping(load_reasoner({"source": str(tiny["qwen3"])}, loading))
    prompts, seeds = prompts_for(reasoner), list(range(100, 112))
    together = continue_rows(reasoner, prompts, seeds, decoding)
    one_by_one = [continue_rows(reasoner, [p], [s], decoding)[0] for p, s in zip(prompts, seeds, strict=True)]
    backwards = continue_rows(reasoner, prompts[::-1], seeds[::-1], decoding)[::-1]
    assert together == one_by_one == backwards


def test_the_seed_of_a_row_decides_its_sample(tiny):
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, FLOAT)
    prompt = prompts_for(reasoner)[3]
    first, again, other = continue_rows(reasoner, [prompt] * 3, [7, 7, 8], SAMPLED)
    assert first == again != other


def test_the_limit_counts_new_tokens(tiny):
    reasoner = load_reasoner({"source": str(tiny["qwen3"])}, FLOAT)
    found = continue_rows(reasoner, prompts_for(reasoner, 3), [0] * 3, Decoding(0.0, 1.0, 5))
    assert [(len(c.token_ids), c.finish_reason) for c in found] == [(5, "length")] * 3


def test_pick_by_hand():
    # probabilities 0.5, 0.3, 0.2 in the order of tokens 2, 0, 1; cumulative 0.5, 0.8, 1.0
    logits = torch.tensor([[0.3, 0.2, 0.5]]).log()

    def picked(uniform, top_p=1.0, temperature=1.0):
        return pick(logits, torch.tensor([uniform]), temperature, top_p).item()

    assert [picked(u) for u in (0.0, 0.49, 0.51, 0.79, 0.81, 0.999999)] == [2, 2, 0, 0, 1, 1]
    # a nucleus of 0.6 is tokens 2 and 0, together 0.8: the border lies at 0.5 / 0.8 = 0.625
    assert [picked(u, top_p=0.6) for u in (0.62, 0.63, 0.999999)] == [2, 0, 0]
    # a nucleus of 0.5 is token 2 alone, and one of 0 keeps the most likely token
    assert picked(0.999999, top_p=0.5) == picked(0.999999, top_p=0.0) == 2
    # temperature 0.5 squares: 0.25, 0.09, 0.04 of 0.38, so the first border lies at 0.6579
    assert [picked(u, temperature=0.5) for u in (0.65, 0.66)] == [2, 0]


def test_samples_have_the_frequencies_of_the_distribution():
    logits = torch.tensor([0.1, 0.2, 0.3, 0.4]).log().repeat(20_000, 1)
    uniform = torch.rand(20_000, generator=torch.Generator().manual_seed(0))
    share = torch.bincount(pick(logits, uniform, 1.0, 1.0), minlength=4) / 20_000
    # standard error of a share of 0.4 is sqrt(0.4 x 0.6 / 20000) = 0.0035; four of them are 0.014
    torch.testing.assert_close(share, torch.tensor([0.1, 0.2, 0.3, 0.4]), atol=0.014, rtol=0)
