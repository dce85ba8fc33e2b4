from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.tiny_models import make_tiny
from unfaithful_cot.channels import split_channels
from unfaithful_cot.errors import ModelError
from unfaithful_cot.models.load import load_tokenizer
from unfaithful_cot.models.templates import (
    AFTER_THINK,
    encode,
    opens_think,
    render,
    template_hash,
    visible_text,
    with_think,
)

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Option A?"}]


@pytest.mark.parametrize(("family", "opens"), [("qwen3", False), ("r1_llama", True), ("r1_qwen", True)])
def test_who_opens_the_think_part(tiny, family, opens):
    prompt = render(load_tokenizer(str(tiny[family])), CHAT)
    assert opens_think(prompt) is opens
    assert "Be brief." in prompt
    assert prompt.count("Option A?") == 1


def test_the_template_writes_the_special_tokens_and_encode_adds_none(tiny):
    tokenizer = load_tokenizer(str(tiny["r1_llama"]))
    tokens = encode(tokenizer, render(tokenizer, CHAT))
    assert tokens.count(tokenizer.bos_token_id) == 1


def test_the_hash_is_that_of_the_template(tiny):
    qwen, llama, distill = (
        template_hash(load_tokenizer(str(tiny[f]))) for f in ("qwen3", "r1_llama", "r1_qwen")
    )
    assert llama == distill != qwen


@pytest.mark.parametrize("special_think", [False, True])
@pytest.mark.parametrize("family", ["qwen3", "r1_llama"])
def test_think_tags_stay_whether_or_not_they_are_special_tokens(tmp_path, family, special_think):
    tokenizer = load_tokenizer(str(make_tiny(tmp_path / "m", family, special_think)))
    assert ("<think>" in tokenizer.all_special_tokens) is special_think
    text = "<think>\nOption A: the memo.\n</think>\n\n<reasoning>[E101]</reasoning>\n<output>A</output>"
    tokens = [*encode(tokenizer, text), tokenizer.eos_token_id]
    assert visible_text(tokenizer, tokens) == text
    channels = split_channels(visible_text(tokenizer, tokens))
    assert channels.think == "Option A: the memo."
    assert channels.status == "closed"


def test_a_template_that_refuses_a_role_says_so(tiny):
    tokenizer = load_tokenizer(str(tiny["qwen3"]))
    tokenizer.chat_template = "{{ raise_exception('no system role here') }}"
    with pytest.raises(
        ModelError, match=r"refuses messages with the roles system, user \(no system role here\)"
    ):
        render(tokenizer, CHAT)


@pytest.mark.parametrize(
    ("family", "behind"),
    [("qwen3", "<|im_start|>assistant\n"), ("r1_llama", "<｜Assistant｜>"), ("r1_qwen", "<｜Assistant｜>")],
)
def test_a_think_part_behind_a_prompt_is_opened_once(tiny, family, behind):
    prompt = with_think(render(load_tokenizer(str(tiny[family])), CHAT), " The memo decides.\n")
    assert prompt.endswith(f"{behind}<think>\nThe memo decides.\n</think>")
    assert prompt.count("<think>") == 1
    assert not opens_think(prompt)


def test_an_empty_think_part_is_that_of_qwens_non_thinking_mode(tiny):
    tokenizer = load_tokenizer(str(tiny["qwen3"]))
    silent = tokenizer.apply_chat_template(
        CHAT, tokenize=False, add_generation_prompt=True, enable_thinking=False
    )
    assert with_think(render(tokenizer, CHAT), "") + AFTER_THINK == silent


def test_the_committed_reasoner_reads_a_given_think_part_as_the_tokens_that_it_would_have_written():
    tokenizer = load_tokenizer(str(Path(__file__).parents[3] / "resources" / "reference_reasoner"))
    prompt = with_think(render(tokenizer, CHAT), "[E101] decides: Raven (B).")
    for answer in ("<reasoning>\nBased on [E101]", "The answer is Raven.", "<code>\ndef f"):
        assert encode(tokenizer, prompt + AFTER_THINK + answer)[: len(encode(tokenizer, prompt))] == encode(
            tokenizer, prompt
        )
