"""From the body of a chat completion to an Answer.

In: the bytes of an HTTP answer with status 200. Out: Answer.
Errors: MalformedAnswer where there is no usable completion: no JSON, another shape, no choice, an empty text that
claims to be complete without even a think part (a model may end inside that).
"""

from __future__ import annotations

import json

from pydantic import BaseModel

from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.faults import MalformedAnswer


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Reply(BaseModel):
    """The part of a chat completion that is used; whatever else a server sends is let through."""

    choices: list[_Choice]
    usage: _Usage | None = None
    model: str | None = None


def read_answer(key: str, body: bytes | object, server: str | None = None, batched: bool = False) -> Answer:
    """The answer in `body` (bytes, or JSON that was read already), under the key of its request.

    server, batched: where it is from, and whether by Batch mode.
    A refusal that the API marks as one has the finish reason content_filter. Servers that return the think part
    apart name it `reasoning_content` or `reasoning`.
    """
    try:
        reply = _Reply.model_validate(json.loads(body) if isinstance(body, bytes) else body)
    except (ValueError, RecursionError):
        raise MalformedAnswer("the body is no chat completion") from None
    if not reply.choices:
        raise MalformedAnswer("choices is empty")
    choice, usage = reply.choices[0], reply.usage or _Usage()
    message = choice.message
    refused = bool(message.refusal) and not message.content
    text = _writable(message.content or message.refusal or "")
    reason = "content_filter" if refused else choice.finish_reason or "stop"
    reasoning = message.reasoning_content or message.reasoning
    if not text.strip() and reason == "stop" and not reasoning:
        raise MalformedAnswer("the answer is empty")
    return Answer(
        key=key,
        text=text,
        finish_reason=reason,
        reasoning=None if reasoning is None else _writable(reasoning),
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        model=reply.model,
        server=server,
        batched=batched,
    )


def _writable(text: str) -> str:
    """Lone surrogates, which JSON may carry and UTF-8 may not, become question marks."""
    return text.encode("utf-8", "replace").decode()
