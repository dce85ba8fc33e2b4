from __future__ import annotations

import pytest
import torch

from fixtures.tiny_models import FAMILIES, make_tiny
from unfaithful_cot.channels import split_channels
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.inference.completion import Completion, Finished, Question
from unfaithful_cot.inference.decode import Decoding
from unfaithful_cot.inference.engine import answer
from unfaithful_cot.models.adapters import attach, new_adapter, without_adapter
from unfaithful_cot.models.load import load_reasoner

FLOAT = LoadingSettings(dtype="float32", device="cpu")
GREEDY = Decoding(0.0, 1.0, 24)
QUESTIONS = [
    Question([{"role": "user", "content": "Option A or Option B? " + "the memo decides. " * (n % 4)}], n)
    for n in range(9)
]


def answers(reasoner, batch_rows=4):
    return {
        index: found for batch in answer(reasoner, QUESTIONS, GREEDY, batch_rows) for index, found in batch
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_each_question_is_answered_once_whatever_the_batch(tiny, family):
    reasoner = load_reasoner({"source": str(tiny[family])}, FLOAT)
    found = answers(reasoner)
    assert sorted(found) == list(range(9))
    assert found == answers(reasoner, 1) == answers(reasoner, 100)
    for completion in found.values():
        assert "Option A or" not in completion.raw_text  # the prompt is no part of it
        assert completion.opened_by_template is (family != "qwen3")
        assert completion.completion_tokens <= 24


@pytest.mark.parametrize("use_4bit", [False, True], ids=["float", "nf4"])
def test_the_baseline_is_the_adapter_switched_off(tiny, tmp_path, use_4bit):
    loading = LoadingSettings(use_4bit=use_4bit, dtype="float32", device="cpu")
    base = {"source": str(tiny["qwen3"])}
    fresh = new_adapter(load_reasoner(base, loading), TrainingSettings(lora_r=4), 0)
    for name, parameter in fresh.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    fresh.model.save_pretrained(str(tmp_path))
    baseline = answers(load_reasoner(base, loading))
    trained = attach(load_reasoner(base, loading), tmp_path, merge=False)
    assert answers(trained) != baseline
    with without_adapter(trained) as same_load:
        assert answers(same_load) == baseline
    assert {i: c.prompt_hash for i, c in baseline.items()} == {
        i: c.prompt_hash for i, c in answers(trained).items()
    }


@pytest.mark.parametrize("special_think", [False, True])
@pytest.mark.parametrize("family", ["qwen3", "r1_llama"])
def test_a_model_that_only_thinks(tmp_path, family, special_think):
    """The head is bent so that `</think>` comes first and an end token next: tags survive, special tokens go."""
    reasoner = load_reasoner({"source": str(make_tiny(tmp_path / "m", family, special_think))}, FLOAT)
    close = reasoner.tokenizer.convert_tokens_to_ids("</think>")
    with torch.no_grad():
        reasoner.model.lm_head.weight.zero_()
        direction = torch.randn(64, generator=torch.Generator().manual_seed(0))
        reasoner.model.lm_head.weight[close] = direction
        reasoner.model.lm_head.weight[reasoner.tokenizer.eos_token_id] = -direction
        reasoner.model.model.embed_tokens.weight[close] = -50 * direction
    (batch,) = answer(reasoner, QUESTIONS, Decoding(0.0, 1.0, 3), 9)
    found = dict(batch)
    for completion in found.values():
        # the text is made of nothing but closing tags: end tokens are not part of it
        assert completion.raw_text.replace("</think>", "") == ""
    opened = {c.opened_by_template for c in found.values()}
    assert opened == {family != "qwen3"}
    if family != "qwen3":
        empty = [c for c in found.values() if not c.raw_text]
        assert all(split_channels(c.raw_text, c.opened_by_template).status == "unclosed" for c in empty)


def test_finished_completions_are_removed_with_their_file(tmp_path):
    completion = Completion(
        raw_text="a\u2028b\n",
        finish_reason="stop",
        opened_by_template=False,
        prompt_hash="h",
        prompt_tokens=1,
        completion_tokens=2,
    )
    finished = Finished(tmp_path / "cache" / "x.jsonl")
    finished.add("one", completion)
    assert Finished(finished.path).found == finished.found == {"one": completion}
    finished.remove()
    assert not finished.path.exists()
