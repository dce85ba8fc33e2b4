"""The marks of each family: found in its template, kept in its text, split into reasoning and answer, prefilled."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from unfaithful_cot.channels import MARKS, split_channels, split_prefilled
from unfaithful_cot.config.models import ThinkMarks
from unfaithful_cot.errors import ModelError
from unfaithful_cot.models.templates import (
    encode,
    marks_of,
    opens_think,
    refuse_closed,
    render,
    set_template,
    template_hash,
    visible_text,
    with_think,
)

CHAT = [{"role": "user", "content": "Q"}]
THOUGHT: Any = re.compile(r"(?<![A-Za-z_\[])T(?![A-Za-z_])")
FAMILIES = {
    # name: (marks, end of the prompt, what the template holds besides, a completion)
    "qwen3": ("think", "<|im_start|>assistant\n", "", "<think>\nT\n</think>\n\nA"),
    "r1_distill": ("think", "<｜Assistant｜><think>\n", "", "T\n</think>\n\nA"),
    "glm": ("think", "<|assistant|>", "</think>", "\n<think>T</think>\nA"),
    "nemotron": ("think", "<|im_start|>assistant\n<think>\n", "", "T\n</think>\nA"),
    "smollm3": ("think", "<|im_start|>assistant\n", "", "<think>\nT\n</think>\nA"),
    "gpt_oss": ("harmony", "<|start|>assistant", "<|channel|>analysis<|message|>",
                "<|channel|>analysis<|message|>T<|end|><|start|>assistant<|channel|>final<|message|>A"),
    "magistral": ("bracket_think", "[/INST]", "[THINK][/THINK]", "[THINK]T[/THINK]A"),
    "seed_oss": ("seed_think", "<seed:bos>assistant\n", "<seed:think>", "<seed:think>T</seed:think>A"),
    "exaone_deep": ("thought", "[|assistant|]<thought>\n", "", "T\n</thought>\n\nA"),
    "gemma4": ("gemma", "<|turn>model\n", "<|channel>thought", "<|channel>thought\nT<channel|>A"),
    "apriel": ("apriel", "Here are my reasoning steps:\n", "", "T\n[BEGIN FINAL RESPONSE]\nA\n[END FINAL RESPONSE]"),
    "granite": ("granite", "<|end_of_role|>", "'Here is my thought process:'", "Here is my thought process:\nT\n\nHere is my response:\nA"),
    "command_a": ("start_thinking", "<|CHATBOT_TOKEN|>", "<|START_THINKING|>",
                  "<|START_THINKING|>T<|END_THINKING|><|START_RESPONSE|>A<|END_RESPONSE|>"),
    "openthinker": ("begin_of_thought", "<|im_start|>assistant\n", "<|begin_of_thought|>",
                    "<|begin_of_thought|>\n\nT\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\nA\n\n<|end_of_solution|>"),
    "kimi_vl": ("kimi", "<|im_assistant|>assistant<|im_middle|>", "◁think▷", "◁think▷T◁/think▷A"),
    "apertus": ("inner", "<|assistant_start|>", "<|inner_prefix|>", "<|inner_prefix|>T<|inner_suffix|>A"),
    "longcat": ("longcat_think", "ASSISTANT:", "<longcat_think>", "<longcat_think>\nT\n</longcat_think>\nA"),
    "thinking": ("thinking", "assistant\n", "<thinking>", "<thinking>\nT\n</thinking>\n\nA"),
}  # fmt: skip


def tokenizer_of(family: str) -> Any:
    """A tokenizer of bytes whose marks are special tokens, as most families have them."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    name, ends, holds, _ = FAMILIES[family]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE(vocab={letter: n for n, letter in enumerate(alphabet)}, merges=[]))
    raw.pre_tokenizer, raw.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    marks = MARKS[name]
    raw.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t in (*marks.tokens, "<|im_end|>")]
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>")
    comment = f"{{# {holds} #}}" if "#" not in holds else ""
    tokenizer.chat_template = comment + "{{ messages[0].content }}" + ends
    return tokenizer


def test_the_configuration_names_the_marks_that_there_are() -> None:
    assert set(get_args(ThinkMarks)) == set(MARKS)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_read_open_closed_cut_and_prefilled(family: str) -> None:
    name, ends, _, typical = FAMILIES[family]
    tokenizer = tokenizer_of(family)
    marks = marks_of(tokenizer)
    assert marks is MARKS[name]
    prompt = render(tokenizer, CHAT)
    opened = opens_think(prompt, marks)
    assert opened is ends.rstrip().endswith(marks.opens)
    text = visible_text(tokenizer, [*encode(tokenizer, typical), tokenizer.eos_token_id], marks)
    assert text == typical
    closed = split_channels(text, opened, marks)
    assert (closed.think, closed.answer) == ("T", "A")
    assert closed.status == ("opened_by_template" if opened else "closed")
    assert split_channels(text, opened) == closed  # a file names no marks
    cut = split_channels(text[: THOUGHT.search(text).end()], opened, marks)
    assert (cut.think, cut.answer, cut.status) == ("T", None, "unclosed")
    given = with_think(prompt, "Given.", marks)
    assert given.count(marks.opens) == 1
    assert not opens_think(given, marks)
    after = split_prefilled("Given.", "A", marks)
    assert (after.think, after.answer, after.status) == ("Given.", "A", "prefilled")
    whole = split_channels(
        given.removeprefix(prompt.rstrip() if opened else prompt) + marks.after + "A", opened, marks
    )
    assert (whole.think, whole.answer) == ("Given.", "A")
    stray = split_channels(f"{text}\n{marks.closes}", opened, marks)
    assert (stray.think, stray.answer) == ("T", "A")


def test_a_template_with_unknown_marks_is_refused_unless_the_entry_names_some() -> None:
    tokenizer = tokenizer_of("qwen3")
    tokenizer.chat_template = "{{ messages[0].content }}<|my_think|>"
    with pytest.raises(ModelError, match=r"marks that are not known.*Set think_marks"):
        marks_of(tokenizer)
    set_template(tokenizer, {"think_marks": "thinking"})
    assert marks_of(tokenizer) is MARKS["thinking"]


def test_a_prompt_that_has_closed_the_reasoning_is_refused() -> None:
    tokenizer = tokenizer_of("qwen3")
    tokenizer.chat_template = "{{ messages[0].content }}{% if thinking %}<think>{% else %}</think>{% endif %}"
    with pytest.raises(ModelError, match=r"closes the think part.*chat_template: \{thinking: true\}"):
        refuse_closed(tokenizer, render(tokenizer, CHAT), MARKS["think"])
    plain = template_hash(tokenizer)
    set_template(tokenizer, {"chat_template": {"thinking": True}})
    prompt = render(tokenizer, CHAT)
    refuse_closed(tokenizer, prompt, MARKS["think"])
    assert opens_think(prompt)
    assert template_hash(tokenizer) != plain
    set_template(tokenizer, {"chat_template": {"thinking": False}})
    refuse_closed(tokenizer, render(tokenizer, CHAT), MARKS["think"])  # asked for


def test_a_template_writes_the_same_day_every_day() -> None:
    tokenizer = tokenizer_of("qwen3")
    plain = template_hash(tokenizer)
    tokenizer.chat_template = "{{ strftime_now('%d %B %Y') }} {{ messages[0].content }}"
    assert render(tokenizer, CHAT) == "01 January 2026 Q"
    assert template_hash(tokenizer) != plain
