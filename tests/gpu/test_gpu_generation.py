"""Answers on a GPU: steps replayed from a graph, caches that grow, rows from free memory."""

from __future__ import annotations

import pytest
import torch

from fixtures.tiny_models import FAMILIES
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.inference import static
from unfaithful_cot.inference.decode import Decoding, continue_rows
from unfaithful_cot.inference.memory import rows_that_fit
from unfaithful_cot.inference.row_cache import borrowed, reads_lengths
from unfaithful_cot.inference.static import continue_many
from unfaithful_cot.inference.steps import Rows
from unfaithful_cot.models.load import load_reasoner

GREEDY, SAMPLED = Decoding(0.0, 1.0, 80), Decoding(1.0, 0.9, 80)


def loaded(folder, dtype="bfloat16", **more):
    """A tiny model, its end token made likely, so that rows end at different steps."""
    reasoner = load_reasoner(
        {"source": str(folder)}, LoadingSettings(dtype=dtype, device="cuda", attention="sdpa", **more)
    )
    with torch.no_grad():
        reasoner.model.lm_head.weight[reasoner.tokenizer.eos_token_id] *= 2.0
    return reasoner


def prompts_for(reasoner, count=40):
    texts = [f"Option {n} " + "the board cites the memo " * (n % 5) for n in range(count)]
    return [reasoner.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]


def statically(reasoner, prompts, decoding, rows, graphs=None):
    running = continue_many(reasoner, prompts, list(range(len(prompts))), decoding, rows, graphs)
    found = dict(pair for ended in running for pair in ended)
    return [found[index] for index in range(len(prompts))]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_replayed_steps_are_eager_ones(tiny, family, decoding, monkeypatch, caplog):
    """Bit for bit, in bfloat16, over caches that grow and lose rows."""
    monkeypatch.setattr(static, "BLOCK", 32)
    monkeypatch.setattr(static, "BLOCK_TOKENS", 32)
    reasoner = loaded(tiny[family])
    prompts = prompts_for(reasoner)
    assert statically(reasoner, prompts, decoding, 40) == statically(reasoner, prompts, decoding, 40, False)
    assert "without a CUDA graph" not in caplog.text


@pytest.mark.parametrize("family", FAMILIES)
def test_the_kernel_that_is_told_lengths_gives_the_logits_of_a_mask(tiny, family):
    """As near as two kernels are in bfloat16; the second look is after a step, when every row has one token more."""
    reasoner = loaded(tiny[family])
    prompts = prompts_for(reasoner)
    assert reads_lengths(reasoner.model)
    found = []
    for by_lengths in (True, False):
        with borrowed(reasoner.model), torch.inference_mode():
            rows = Rows(reasoner, prompts, None, [0] * len(prompts), GREEDY, 128, graphs=False)
            rows.cache.by_lengths = by_lengths
            first = rows._logits().float()
            rows.token.fill_(7)
            rows.position += 1
            found.append(torch.stack([first, rows._logits().float()]))
    assert (found[0] - found[1]).abs().max() < 0.05 * found[1].abs().max()


@pytest.mark.parametrize("family", FAMILIES)
def test_static_is_the_growing_cache_in_float32(tiny, family):
    reasoner = loaded(tiny[family], "float32")
    prompts = prompts_for(reasoner)
    growing = continue_rows(reasoner, prompts, list(range(40)), GREEDY)
    found = statically(reasoner, prompts, GREEDY, 40)
    # kernels differ in rounding, which may turn a choice that hangs on it; most rows hold to the last token
    assert sum(a == b for a, b in zip(found, growing, strict=True)) >= 38


def test_weights_in_four_bit_are_recorded_as_well(tiny, caplog):
    reasoner = loaded(tiny["qwen3"], use_4bit=True)
    prompts = prompts_for(reasoner, 8)
    assert statically(reasoner, prompts, GREEDY, 8) == statically(reasoner, prompts, GREEDY, 8, False)
    assert "without a CUDA graph" not in caplog.text


def test_rows_from_free_memory(tiny):
    reasoner = loaded(tiny["qwen3"])
    assert rows_that_fit(reasoner, 100, 4_096) == 1_024  # a tiny model on any card
