"""The two channels of a completion: reasoning and answer, whatever marks a family of models writes around them.

In: the raw text of a completion, whether the chat template had already opened the reasoning, and the marks of its model. Out: Channels.
MARKS is the one table of them. Where the marks of a text are not known they are found: by the mark that it begins with, else by a
closing one. Qwen3 opens its reasoning itself; the template of R1 distills opens it, so the completion contains only `</think>`; some
completions have none, and a cut one never closes it. After prefilled reasoning (Case.prefill) the completion is only what follows it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from unfaithful_cot.records.base import ThinkStatus

OPEN, CLOSE = "<think>", "</think>"


class Marks(NamedTuple):
    """What a family of models writes around its reasoning.

    Attributes:
        opens: As the family's template or model writes it; `closes` likewise, up to where the answer begins.
        opening: A pattern of all its forms, at the beginning of a completion.
        closing: Likewise, anywhere.
        around: What stands between mark and reasoning where it is prefilled.
        after: What a model writes between its closing mark and its answer.
        tokens: Special tokens that are part of the marks.
        plain: Whether the marks are words that an answer may hold, too.
    """

    opens: str
    closes: str
    opening: re.Pattern[str]
    closing: re.Pattern[str]
    around: str = ""
    after: str = ""
    tokens: tuple[str, ...] = ()
    plain: bool = False


def _pair(opens: str, closes: str, around: str = "\n", after: str = "\n\n") -> Marks:
    """Marks that are two fixed strings."""
    return Marks(
        opens,
        closes,
        re.compile(re.escape(opens)),
        re.compile(re.escape(closes)),
        around,
        after,
        (opens, closes),
    )


_TURN = r"(?:<\|(?:end|start)\|>)?(?:<\|start\|>)?\s?(?:assistant)?"
HARMONY = Marks(
    "<|channel|>analysis<|message|>",
    "<|end|><|start|>assistant<|channel|>final<|message|>",
    re.compile(
        rf"{_TURN}<\|channel\|>\s?(?:analysis|commentary)[^<\n]{{0,60}}<\|message\|>|(?:assistant)?analysis(?=[A-Z\n])"
    ),
    re.compile(
        r"(?:<\|(?:end|return)\|>)?\s{0,2}(?:<\|start\|>assistant)?<\|channel\|>\s?final[^<\n]{0,60}<\|message\|>|assistantfinal(?=\S)"
    ),
    tokens=("<|channel|>", "<|message|>", "<|start|>", "<|end|>"),
)
GEMMA = Marks(
    "<|channel>thought",
    "<channel|>",
    re.compile(r"<\|channel>\s?(?:thought|analysis)?\n?"),
    re.compile(r"<channel\|>"),
    "\n",
    tokens=("<|channel>", "<channel|>"),
)
APRIEL = Marks(
    "Here are my reasoning steps:",
    "[BEGIN FINAL RESPONSE]",
    re.compile(r"Here are my reasoning steps:(?=[\s\S]*\[BEGIN FINAL RESPONSE\])"),
    re.compile(r"\[BEGIN FINAL RESPONSE\]"),
    "\n",
    "\n",
    ("[BEGIN FINAL RESPONSE]", "[END FINAL RESPONSE]"),
)
GRANITE = Marks(
    "Here is my thought process:",
    "Here is my response:",
    re.compile(r"Here(?:'s|’s| is) my (?:thought|thinking) process:"),
    re.compile(r"(?:^|(?<=[\n.!?\s]))Here(?:'s|’s| is) my response:"),
    "\n",
    "\n",
    plain=True,
)
MARKS: dict[str, Marks] = {
    "think": _pair(OPEN, CLOSE),
    "harmony": HARMONY,
    "bracket_think": _pair("[THINK]", "[/THINK]", "", ""),
    "seed_think": _pair("<seed:think>", "</seed:think>", "", ""),
    "thought": _pair("<thought>", "</thought>"),
    "thought_capital": _pair("<Thought>", "</Thought>"),
    "thinking": _pair("<thinking>", "</thinking>"),
    "gemma": GEMMA,
    "apriel": APRIEL,
    "granite": GRANITE,
    "begin_of_thought": Marks(
        "<|begin_of_thought|>",
        "<|end_of_thought|>",
        re.compile(r"<\|begin_of_thought\|>"),
        re.compile(r"<\|end_of_thought\|>\s*(?:<\|begin_of_solution\|>)?"),
        "\n\n",
        "\n\n",
        ("<|begin_of_thought|>", "<|end_of_thought|>", "<|begin_of_solution|>", "<|end_of_solution|>"),
    ),
    "start_thinking": Marks(
        "<|START_THINKING|>",
        "<|END_THINKING|><|START_RESPONSE|>",
        re.compile(r"<\|START_THINKING\|>"),
        re.compile(r"<\|END_THINKING\|>\s*(?:<\|START_(?:RESPONSE|TEXT)\|>)?"),
        tokens=("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ),
    "kimi": _pair("◁think▷", "◁/think▷"),
    "inner": _pair("<|inner_prefix|>", "<|inner_suffix|>", "", ""),
    "medgemma": Marks(
        "<unused94>thought",
        "<unused95>",
        re.compile(r"<unused94>(?:thought\n?)?"),
        re.compile(r"<unused95>"),
        "\n",
        tokens=("<unused94>", "<unused95>"),
    ),
    "longcat_think": _pair("<longcat_think>", "</longcat_think>"),
    "mm_think": _pair("<mm:think>", "</mm:think>"),
}
"""Name in `think_marks` of a model's entry -> marks."""
DEFAULT = MARKS["think"]

_BEFORE = re.compile(
    r"[\s\ufeff\u200b]*(?:(?:<\|im_start\|>|<\|start_header_id\|>)\s?assistant(?:<\|end_header_id\|>)?\s*)?"
)
_END = re.compile(
    r"(?:<\|(?:im_end|endoftext|eot_id|eom_id|end_of_text|end|return|END_RESPONSE|END_OF_TURN_TOKEN|end_of_solution|endofturn)\|>"
    r"|</s>|<eos>|<end_of_turn>|<turn\|>|<seed:eos>|\[END FINAL RESPONSE\]|\[\|endofturn\|\]|<｜end▁of▁sentence｜>)\Z"
)
LONGEST_END, MOST_STRAY = (
    40,
    16,
)  # characters of a mark that ends a turn; closing marks that are looked at from the end
_ELEMENT = re.compile(r"<(/?)(reasoning|output|code)>", re.IGNORECASE)
_STARTS_ANSWER = re.compile(r"\s*<(?:reasoning|output|code)>", re.IGNORECASE)
_FINISHED = re.compile(r"</(?:output|code)>\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Channels:
    """`think` None: there is no think part. `answer` None: the response ended inside it."""

    think: str | None
    answer: str | None
    status: ThinkStatus


def split_channels(raw_text: str, opened_by_template: bool = False, marks: Marks | None = None) -> Channels:
    """Split at the last closing mark that an answer follows; everything before it is thought, whatever marks it quotes.

    A completion that closes a part that it did not open counts as opened by the template. A closing mark behind or inside an
    answer that was already begun belongs to the answer.

    Args:
        raw_text: What the model wrote.
        opened_by_template: Whether the prompt ends inside the think part.
        marks: Those of the model; None where they are to be found in the text.
    """
    start = _match_end(_BEFORE, raw_text)
    marks = _marks_of(raw_text, start, marks)
    opening = marks.opening.match(raw_text, start)
    inner = raw_text[opening.end() :] if opening else raw_text
    close = _boundary(inner, marks, bool(opening) or opened_by_template)
    if close is not None and (
        opening or opened_by_template or inner[: close.start()].strip() or marks is DEFAULT
    ):
        answer = _answer(inner[close.end() :], marks)
        return Channels(inner[: close.start()].strip(), answer, "closed" if opening else "opened_by_template")
    if opening or (opened_by_template and close is None):
        return Channels(inner.strip(), None, "unclosed")
    return Channels(None, _answer(inner[close.end() :] if close else inner, marks), "missing")


def split_prefilled(prefill: str, raw_text: str, marks: Marks | None = None) -> Channels:
    """The channels of what a model wrote after prefilled reasoning, which is its think channel.

    `prefilled_reopened`: the model started to reason again, and `think` holds both.
    """
    own = split_channels(raw_text, marks=marks)
    if own.think is None:
        return Channels(prefill.strip(), own.answer, "prefilled")
    return Channels(f"{prefill.strip()}\n{own.think}".strip(), own.answer, "prefilled_reopened")


def _marks_of(text: str, start: int, own: Marks | None) -> Marks:
    """The marks that a text uses: those of its model, unless it begins with others; without a model, those that are found."""
    every = [own or DEFAULT, *MARKS.values()]
    beginning = [
        m for m in every if m.opening.match(text, start) and (m is own or own is None or not m.plain)
    ]
    if beginning:
        return beginning[0]
    if own is not None:
        return own
    closed = [m for m in MARKS.values() if not m.plain and m.closing.search(text)]
    return closed[0] if closed else DEFAULT


def _boundary(inner: str, marks: Marks, opened: bool) -> re.Match[str] | None:
    """The closing mark behind which the answer begins."""
    closes = list(marks.closing.finditer(inner))
    if not closes:
        return None
    chosen = len(closes) - 1
    first = max(0, chosen - MOST_STRAY)
    while chosen > first and _is_stray(inner, closes[chosen - 1], closes[chosen], marks):
        chosen -= 1
    only = closes[0]
    if (
        not chosen
        and not opened
        and not _without_ends(inner[only.end() :])
        and _FINISHED.search(inner[: only.start()])
    ):
        return None
    return closes[chosen]


def _is_stray(inner: str, before: re.Match[str], close: re.Match[str], marks: Marks) -> bool:
    """Whether a closing mark stands behind or inside an answer that began after the mark before it."""
    between, after = inner[before.end() : close.start()], _without_ends(inner[close.end() :])
    after = marks.closing.sub("", after)
    if not between.strip():
        return not after.strip()
    if marks.opening.match(between.lstrip()):
        return False
    if not after.strip():
        return True
    begun = bool(_STARTS_ANSWER.match(between)) and not _STARTS_ANSWER.match(after)
    return (
        begun
        or _cuts_element(after)
        or (bool(_STARTS_ANSWER.match(between)) and after.lstrip().lower().startswith("<output>"))
    )


def _cuts_element(text: str) -> bool:
    """Whether a text closes an element that it did not open."""
    opened: set[str] = set()
    for tag in _ELEMENT.finditer(text):
        if tag[1] and tag[2].lower() not in opened:
            return True
        opened.add(tag[2].lower())
    return False


def _answer(text: str, marks: Marks) -> str:
    """The answer without the marks that end a turn, and without closing marks behind it."""
    closes = list(marks.closing.finditer(text))
    text = _without_ends(text)
    while closes and not text[closes[-1].end() :].strip():
        text = _without_ends(text[: closes.pop().start()])
    return text.strip()


def _without_ends(text: str) -> str:
    """A text without space and marks of the end of a turn behind it."""
    text = text.rstrip()
    while end := _END.search(text, max(0, len(text) - LONGEST_END)):
        text = text[: end.start()].rstrip()
    return text


def _match_end(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0
