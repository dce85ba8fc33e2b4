"""Text that a service sends in parts: a list in the place of a string, with the reasoning among the parts or in a list of its own.

In: `content`, `reasoning`, `reasoning_details` of a message. Out: text, and the text of thinking parts.
Errors: MalformedAnswer for a part that holds something else than text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unfaithful_cot.endpoints.faults import MalformedAnswer

DEEPEST = 8
"""Parts lie within parts, such as text in a thinking part, but not deeper than this."""
TEXT_KEYS = ("text", "thinking", "reasoning", "summary", "content", "refusal", "value")
NO_TEXT = {"encrypted", "redacted", "signature"}
"""In the type of a part whose text a service withholds."""


def joined(value: Any, field: str) -> tuple[str, str]:
    """(text, thinking) of a field that is a string, a list of parts, or missing."""
    text: list[str] = []
    thinking: list[str] = []
    for kind, part in _parts(value, "text", field, 0):
        (thinking if _thinks(kind) else text).append(part)
    return "".join(text), "".join(thinking)


def as_text(value: Any) -> str | None:
    """All text of a field that holds reasoning; None where it holds none, or is missing."""
    try:
        return "".join(joined(value, "reasoning")) if value else None
    except MalformedAnswer:
        return None


def _parts(value: Any, kind: str, field: str, depth: int) -> Iterator[tuple[str, str]]:
    """(type, text) of each part, in order; a part without a type has that of what it lies in."""
    if value is None or (isinstance(value, dict) and any(word in _type(value) for word in NO_TEXT)):
        return
    if isinstance(value, str):
        yield kind, value
    elif isinstance(value, list) and depth < DEEPEST:
        for part in value:
            yield from _parts(part, kind, field, depth + 1)
    elif isinstance(value, dict) and depth < DEEPEST and (keys := [k for k in TEXT_KEYS if value.get(k)]):
        inner = (
            kind
            if _thinks(kind)
            else _type(value) or ("thinking" if keys[0] in ("thinking", "reasoning") else kind)
        )
        yield from _parts(value[keys[0]], inner, field, depth + 1)
    elif not (isinstance(value, dict) and any(key in value for key in TEXT_KEYS)):
        what = (
            f"a part of type '{_type(value)[:40]}'"
            if isinstance(value, dict)
            else f"a {type(value).__name__}"
        )
        raise MalformedAnswer(f"{field} is a list with {what}, which holds no text")


def _type(part: dict[str, Any]) -> str:
    return str(part.get("type") or "").lower()


def _thinks(kind: str) -> bool:
    return "thinking" in kind or "reasoning" in kind
