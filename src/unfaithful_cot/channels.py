"""The two channels of a completion: reasoning and answer.

In: the raw text of a completion, and whether the chat template had already opened the reasoning.
Out: Channels. Qwen3 opens it itself (`<think>…</think>`); the template of R1 distills opens it, so the completion
contains only `</think>`; some completions have none, and a truncated one never closes it. After prefilled reasoning
(Case.prefill) the completion is only what follows it.
"""

from __future__ import annotations

from dataclasses import dataclass

from unfaithful_cot.records.base import ThinkStatus

OPEN, CLOSE = "<think>", "</think>"


@dataclass(frozen=True)
class Channels:
    """`think` None: there is no think part. `answer` None: the response ended inside it."""

    think: str | None
    answer: str | None
    status: ThinkStatus


def split_channels(raw_text: str, opened_by_template: bool = False) -> Channels:
    """Split at the last `</think>`; everything before it is thought, whatever tags it quotes.

    A completion that closes a part that it did not open counts as opened by the template.
    """
    before, close, after = raw_text.rpartition(CLOSE)
    starts_open = raw_text.lstrip().startswith(OPEN)
    if close:
        think = before.lstrip().removeprefix(OPEN) if starts_open else before
        return Channels(think.strip(), after.strip(), "closed" if starts_open else "opened_by_template")
    if starts_open or opened_by_template:
        return Channels(raw_text.lstrip().removeprefix(OPEN).strip(), None, "unclosed")
    return Channels(None, raw_text.strip(), "missing")


def split_prefilled(prefill: str, raw_text: str) -> Channels:
    """The channels of what a model wrote after prefilled reasoning, which is its think channel.

    `prefilled_reopened`: the model started to reason again, and `think` holds both.
    """
    own = split_channels(raw_text)
    if own.think is None:
        return Channels(prefill.strip(), own.answer, "prefilled")
    return Channels(f"{prefill.strip()}\n{own.think}".strip(), own.answer, "prefilled_reopened")
