"""Chat templates: from messages to the text that a model continues.

In: a tokenizer and messages. Out: the rendered prompt, its tokens, whether it already opens the think part, and
the hash of the template. Templates differ: that of Qwen3 leaves `<think>` to the model, those of R1 distills and of
the later thinking Qwen models end with it. Reasoning can be prefilled in both.
Errors: ModelError where a template cannot render the messages.
"""

from __future__ import annotations

from typing import Any

from unfaithful_cot.channels import CLOSE, OPEN
from unfaithful_cot.errors import ModelError
from unfaithful_cot.provenance import value_hash

AFTER_THINK = "\n\n"
"""What a model writes between its think part and its answer."""


def has_template(tokenizer: Any) -> bool:
    """Whether the tokenizer brings a chat template."""
    return bool(tokenizer.chat_template)


def render(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    """The prompt as text, up to where the assistant begins."""
    from jinja2 import TemplateError

    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    except TemplateError as error:
        roles = ", ".join(message["role"] for message in messages)
        raise ModelError(
            tokenizer.name_or_path,
            f"the chat template refuses messages with the roles {roles} ({error})",
            todo="Use a prompt template of resources/prompts/ without `system`, or another model",
        ) from None


def encode(tokenizer: Any, prompt: str) -> list[int]:
    """Tokens of a rendered prompt. The template wrote the special tokens already: none is added."""
    return list(tokenizer(prompt, add_special_tokens=False)["input_ids"])


def opens_think(prompt: str) -> bool:
    """Whether a rendered prompt ends inside a think part that the template opened."""
    return prompt.rstrip().endswith(OPEN)


def with_think(prompt: str, think: str) -> str:
    """A rendered prompt with a whole think part behind it, up to its `</think>`: what follows is the model's own.

    Opens the part where the template did not. The empty line before the answer, AFTER_THINK, is left to the model: at the
    end of a prompt some tokenizers write it in one token, before a word in two, and a model that never saw the one goes astray.
    """
    opened = prompt.rstrip() if opens_think(prompt) else prompt + OPEN
    return f"{opened}\n{think.strip()}\n{CLOSE}"


def template_hash(tokenizer: Any) -> str:
    """Hash of the chat template's source."""
    return value_hash(tokenizer.chat_template)


def visible_text(tokenizer: Any, token_ids: list[int]) -> str:
    """The text of a completion without special tokens, except the think tags, which some tokenizers count as such."""
    think = {token for tag in ("<think>", "</think>") if (token := _single(tokenizer, tag)) is not None}
    special = set(tokenizer.all_special_ids) - think
    shown = [token for token in token_ids if token not in special]
    return str(tokenizer.decode(shown, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _single(tokenizer: Any, tag: str) -> int | None:
    """The one token that a tag is, None where it is written in several."""
    token = tokenizer.convert_tokens_to_ids(tag)
    return None if token is None or token == tokenizer.unk_token_id else int(token)
