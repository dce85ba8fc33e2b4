"""Chat templates: from messages to the text that a model continues.

In: a tokenizer and messages. Out: the rendered prompt, its tokens, whether it already opens the think part, the marks of the
model's family, and the hash of the template. Templates differ: that of Qwen3 leaves `<think>` to the model, those of R1 distills and
of the later thinking Qwen models end with it. Reasoning can be prefilled in both.
Errors: ModelError where a template cannot render the messages, has reasoning in marks that are not known, or has closed the
think part before the model begins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from unfaithful_cot.channels import DEFAULT, MARKS, Marks
from unfaithful_cot.errors import ModelError
from unfaithful_cot.provenance import value_hash

AFTER_THINK = DEFAULT.after
"""What a model with the marks of Qwen3 writes between its think part and its answer."""
DATE = datetime(2026, 1, 1)
"""The day that templates which write today's date are rendered for."""
OPTIONS = "template_options"
"""Attribute of a tokenizer that holds the arguments of its template."""
NAMED = "think_marks"
"""Attribute that holds the name of the marks in the model's entry."""
_REASONS = re.compile(r"enable_thinking|reasoning_content|\bthinking\b")
_UNKNOWN_MARK = re.compile(
    r"</?[|｜]?[\w:]{0,20}(?:think|thought|reason)[\w:]{0,20}[|｜]?>|\[/?[A-Z_]{0,12}(?:THINK|THOUGHT|REASON)[A-Z_]{0,12}\]"
)
_TODAY = re.compile(r"strftime_now\(\s*(?P<quote>['\"])(?P<form>[^'\"]*)(?P=quote)\s*\)")
_ASKS_NONE = ("enable_thinking", "thinking", "think")


def has_template(tokenizer: Any) -> bool:
    """Whether the tokenizer brings a chat template."""
    return bool(tokenizer.chat_template)


def render(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    """The prompt as text, up to where the assistant begins."""
    from jinja2 import TemplateError

    try:
        return str(
            tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=True,
                **({"chat_template": _dated(tokenizer)} if writes_date(tokenizer) else {}),
                **options_of(tokenizer),
            )
        )
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


def _dated(tokenizer: Any) -> str:
    """The template with DATE where it asks for today's."""
    return _TODAY.sub(lambda call: repr(DATE.strftime(call["form"])), tokenizer.chat_template)


def options_of(tokenizer: Any) -> dict[str, Any]:
    """The arguments that the model's entry gives its chat template."""
    return dict(getattr(tokenizer, OPTIONS, {}))


def set_template(tokenizer: Any, base: Mapping[str, Any]) -> None:
    """Give a tokenizer what the model's entry says of its template: arguments, and marks of reasoning."""
    setattr(tokenizer, OPTIONS, dict(base.get("chat_template") or {}))
    setattr(tokenizer, NAMED, base.get("think_marks"))


def writes_date(tokenizer: Any) -> bool:
    """Whether a template writes the day on which it is rendered."""
    return "strftime_now" in str(tokenizer.chat_template)


def marks_of(tokenizer: Any) -> Marks:
    """The marks around a model's reasoning: those that its entry names, else those of its chat template.

    Raises:
        ModelError: The template has reasoning in it, in marks that no entry of MARKS has.
    """
    if named := getattr(tokenizer, NAMED, None):
        return MARKS[named]
    template = str(tokenizer.chat_template or "")
    found = [name for name, marks in MARKS.items() if any(mark in template for mark in _told_apart(marks))]
    others = [name for name in found if MARKS[name] is not DEFAULT]
    if found:
        return MARKS[others[0]] if others else DEFAULT
    unknown = _UNKNOWN_MARK.search(template)
    if unknown or _REASONS.search(template):
        seen = f"such as {unknown[0]!r}" if unknown else "which it does not show"
        raise ModelError(
            tokenizer.name_or_path,
            f"the chat template has reasoning in marks that are not known ({seen})",
            f"one of {', '.join(MARKS)}",
            "Set think_marks at the model's entry in config/models.yaml (docs/add-a-model.md)",
        )
    return DEFAULT


def _told_apart(marks: Marks) -> tuple[str, ...]:
    """What of some marks no other family has."""
    return (
        (marks.opens, marks.closes) if marks.plain or not marks.tokens else (marks.opens, *marks.tokens[:2])
    )


def opens_think(prompt: str, marks: Marks = DEFAULT) -> bool:
    """Whether a rendered prompt ends inside a think part that the template opened."""
    return prompt.rstrip().endswith(marks.opens)


def closed_think(prompt: str, marks: Marks = DEFAULT) -> bool:
    """Whether a rendered prompt ends behind a think part that the template closed, so that the model does not reason."""
    return prompt.rstrip().endswith(marks.closes)


def refuse_closed(tokenizer: Any, prompt: str, marks: Marks) -> None:
    """Refuse a prompt that keeps the model from reasoning, unless the model's entry asks for that.

    Raises:
        ModelError: The think part is closed, and the entry does not set it so.
    """
    options = options_of(tokenizer)
    if closed_think(prompt, marks) and not any(options.get(key) is False for key in _ASKS_NONE):
        known = next(
            (key for key in _ASKS_NONE if re.search(rf"\b{key}\b", str(tokenizer.chat_template))),
            _ASKS_NONE[0],
        )
        raise ModelError(
            tokenizer.name_or_path,
            f"the chat template closes the think part before the model begins (the prompt ends in {prompt.rstrip()[-20:]!r})",
            "A prompt that leaves the reasoning to the model",
            f"Set chat_template: {{{known}: true}} at the model's entry in config/models.yaml, or false for answers without reasoning",
        )


def with_think(prompt: str, think: str, marks: Marks = DEFAULT) -> str:
    """A rendered prompt with a whole think part behind it, up to its closing mark: what follows is the model's own.

    Opens the part where the template did not. The empty line before the answer, `marks.after`, is left to the model: at the
    end of a prompt some tokenizers write it in one token, before a word in two, and a model that never saw the one goes astray.
    """
    opened = prompt.rstrip() if opens_think(prompt, marks) else prompt + marks.opens
    return f"{opened}{marks.around}{think.strip()}{marks.around}{marks.closes}"


def template_hash(tokenizer: Any) -> str:
    """Hash of the chat template's source, with the arguments and the date that it is rendered with."""
    options = options_of(tokenizer)
    if writes_date(tokenizer):
        return value_hash([tokenizer.chat_template, options, DATE.isoformat()])
    return value_hash([tokenizer.chat_template, options] if options else tokenizer.chat_template)


def visible_text(tokenizer: Any, token_ids: list[int], marks: Marks = DEFAULT) -> str:
    """The text of a completion without special tokens, except marks of reasoning, which some tokenizers count as such."""
    own = {token for tag in marks.tokens if (token := _single(tokenizer, tag)) is not None}
    special = set(tokenizer.all_special_ids) - own
    shown = [token for token in token_ids if token not in special]
    return str(tokenizer.decode(shown, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _single(tokenizer: Any, tag: str) -> int | None:
    """The one token that a tag is, None where it is written in several."""
    token = tokenizer.convert_tokens_to_ids(tag)
    return None if token is None or token == tokenizer.unk_token_id else int(token)
