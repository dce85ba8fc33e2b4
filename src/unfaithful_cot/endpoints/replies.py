"""From the body of a chat completion to an Answer.

In: the bytes of an HTTP answer with status 200. Out: Answer.
Errors: MalformedAnswer where there is no usable completion: no JSON, another shape, no choice, an end that is none, an
empty text that claims to be complete without even a think part (a model may end inside that). ErrorInAnswer where the
service reports an error in it.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from unfaithful_cot.endpoints.cache import ENDS, Answer
from unfaithful_cot.endpoints.faults import ErrorInAnswer, MalformedAnswer
from unfaithful_cot.endpoints.parts import as_text, joined

MAX_COUNTED_TOKENS = 100_000_000
"""More than any completion has: a count beyond is none."""
NO_ERROR = {"", "0", "200", "none", "ok", "success"}


class _Message(BaseModel):
    content: Any = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Reply(BaseModel):
    """The part of a chat completion that is used; whatever else a server sends is let through."""

    choices: list[_Choice]
    usage: Any = None
    model: str | None = None


def read_answer(key: str, body: bytes | object, server: str | None = None, batched: bool = False) -> Answer:
    """The answer in `body` (bytes, or JSON that was read already), under the key of its request.

    A refusal that the API marks as one has the finish reason content_filter. Servers that return the think part
    apart name it `reasoning_content`, `reasoning` or `reasoning_details`, or put it among the parts of `content`.

    Args:
        server, batched: Where it is from, and whether by Batch mode.

    Raises:
        MalformedAnswer: No usable completion.
        ErrorInAnswer: The service reports an error.
    """
    choice, usage, model = _checked(body)
    message = choice.message
    content, thought = joined(message.content, "content")
    refused = bool(message.refusal) and not content
    text = _writable(content or message.refusal or "")
    reason = "content_filter" if refused else _end(choice.finish_reason)
    apart = (message.reasoning_content, message.reasoning, message.reasoning_details)
    reasoning = next(filter(None, (as_text(field) for field in apart)), None) or thought or None
    if reasoning is None and message.reasoning == "":
        reasoning = ""  # there was an empty think part
    if not text.strip() and reason == "stop" and not reasoning:
        raise MalformedAnswer("the answer is empty")
    return Answer(
        key=key,
        text=text,
        finish_reason=reason,
        reasoning=None if reasoning is None else _writable(reasoning),
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        model=model,
        server=server,
        batched=batched,
    )


def _checked(body: bytes | object) -> tuple[_Choice, Any, str | None]:
    """First choice, usage and model of a body without an error."""
    try:
        values = json.loads(body) if isinstance(body, bytes) else body
    except (ValueError, RecursionError):
        raise MalformedAnswer("the body is no chat completion") from None
    if isinstance(values, dict):
        _raise_error(values)
        choices = values.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict):
                _raise_error(choice)
    try:
        reply = _Reply.model_validate(values)
    except (ValueError, RecursionError):
        raise MalformedAnswer("the body is no chat completion") from None
    if not reply.choices:
        raise MalformedAnswer("choices is empty")
    return reply.choices[0], reply.usage, reply.model


def _raise_error(values: dict[str, Any]) -> None:
    """Raise what a service reports in a 200: an `error`, or an object that is one as a whole."""
    error = values.get("error") or (values if values.get("object") == "error" else None)
    if isinstance(error, str):
        raise ErrorInAnswer("", error)
    if not isinstance(error, dict):
        return
    code = str(error.get("code") or error.get("type") or "")[:40]
    more = error.get("metadata")
    raw = more.get("raw") if isinstance(more, dict) else None
    words = " ".join(str(part)[:1000] for part in (error.get("message"), raw) if part)
    if code.lower() not in NO_ERROR or (words and not values.get("choices")):
        raise ErrorInAnswer(code, words)


def _end(finish_reason: str | None) -> str:
    """stop, length or content_filter, by the names that services have for them; MalformedAnswer for any other end."""
    if not finish_reason:
        return "stop"
    if finish_reason.lower() not in ENDS:
        raise MalformedAnswer(f"the answer ended with finish_reason '{finish_reason[:40]}'", "unfinished")
    return ENDS[finish_reason.lower()]


def _count(usage: Any, name: str) -> int | None:
    """Tokens that were counted; None where there is no count, or one that cannot be."""
    value = usage.get(name) if isinstance(usage, dict) else None
    if isinstance(value, str) and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= MAX_COUNTED_TOKENS else None


def _writable(text: str) -> str:
    """Lone surrogates, which JSON may carry and UTF-8 may not, become question marks."""
    return text.encode("utf-8", "replace").decode()
