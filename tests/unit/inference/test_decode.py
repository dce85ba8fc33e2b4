from __future__ import annotations

import pytest
import torch

from fixtures.tiny_models import FAMILIES
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.inference.decode import Decoding, continue_rows
from unfaithful_cot.models.load import load_reasoner

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
