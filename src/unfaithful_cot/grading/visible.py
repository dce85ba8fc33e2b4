"""The two elements of a visible answer: what it decides and how it justifies that.

In: the answer channel (the text after the think part) of a Response. Out: Passage records, offsets in characters of that channel.
The justification is the last well-formed <reasoning> element, the rest of the visible text where there is none,
and nothing where the response was cut before it could be read. The decision is the last well-formed <output> element.
Tags count in any case and with spaces inside; each scan is linear in the text. Errors: none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from unfaithful_cot.grading.dress import fold
from unfaithful_cot.grading.verdicts import CUT_IN_THINK
from unfaithful_cot.records.responses import Response

_TAG = re.compile(r"<[ \t]{0,4}(/?)[ \t]{0,4}(reasoning|output)[ \t]{0,4}>", re.IGNORECASE)
_LEAD = (
    r"(?:(?:so|therefore|thus|hence),? )?(?:(?:the |my )?(?:(?:final|correct|right|best) )?(?:answer|option|choice|letter)(?: is)?"
    r"|(?:I(?: would|'d)? )?(?:choose|chose|pick|picked|select|selected|go with))[\s:=\"'`]{1,4}(?:(?:option|choice) )?"
)
_TRAIL = (
    r"(?:\s{0,2}[).:\]}>*_\"'`’”»–—-]{1,4}(?:\s+(?!(?:or|and)\b).*)?|\s+\(.*\)"
    r"| is (?:the )?(?:correct|right|best)\b[^,;]{0,40}|\s{0,2}[,;!]|\s*)"
)
_COMMAND = re.compile(
    r"\\(?:begin\{[a-z*]{1,16}\}|end\{[a-z*]{1,16}\}|(?!n?eg\b|l?not|ne|sim|over|cancel|[xb]cancel|sout)[A-Za-z]{2,16}|[,;!: ()\[\]])"
    r"|[{}$]|</?[A-Za-z][^<>]{0,40}>|(?:```|~~~)[\w+-]{0,12}"
)
"""What LaTeX, HTML and Markdown write around a letter."""
_PREFIX = re.compile(r"(?:OPTION|CHOICE|ANSWER)[ _-]+(?=.)")
_KEY_MARKS = " \t()[]{}<>.:;,*_`\"'#"
UNREADABLE = "choices: each needs a letter, a number or a word of its own"


class Passage(NamedTuple):
    """Characters [start, end) of the answer channel, stripped; `text` None: there is none, for `reason`."""

    text: str | None
    start: int
    end: int
    reason: str | None = None


class Element(NamedTuple):
    """A well-formed element: the whole of it and its content, as offsets."""

    name: str
    start: int
    inner_start: int
    inner_end: int
    end: int


class Visible(NamedTuple):
    """The visible answer, read once. `kind`: how the justification was found."""

    elements: list[Element]
    justification: Passage
    kind: Literal["element", "rest", "none"]
    output: Passage


def elements(text: str) -> list[Element]:
    """Well-formed reasoning and output elements in order of their ends.

    An element runs from the first opening tag after the previous closing tag of its name to the closing tag.
    """
    opened: dict[str, tuple[int, int]] = {}
    found = []
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if not tag[1]:
            opened.setdefault(name, tag.span())
        elif name in opened:
            start, inner = opened.pop(name)
            found.append(Element(name, start, inner, tag.start(), tag.end()))
    return found


def read_visible(response: Response) -> Visible:
    """Find justification and output in the answer channel."""
    text = response.answer
    if text is None:
        nothing = Passage(None, 0, 0, CUT_IN_THINK)
        return Visible([], nothing, "none", nothing)
    every = elements(text)
    blocks = [e for e in every if e.name == "reasoning"]
    outputs = [e for e in every if e.name == "output"]
    output = (
        _strip(text, outputs[-1].inner_start, outputs[-1].inner_end, "the output element is empty")
        if outputs
        else Passage(None, 0, 0, "no well-formed output element in the answer channel")
    )
    if blocks:
        block = blocks[-1]
        passage = _strip(text, block.inner_start, block.inner_end, "the reasoning element is empty")
        return Visible(every, passage, "element", output)
    return Visible(every, _rest(text, outputs, response.finish_reason), "rest", output)


def _rest(text: str, outputs: list[Element], finish_reason: str) -> Passage:
    """The visible text before the last output element, where no reasoning element is well-formed."""
    opening = next((t for t in _TAG.finditer(text) if not t[1] and t[2].lower() == "reasoning"), None)
    if not outputs and (opening or finish_reason == "length"):
        return Passage(None, 0, 0, "the response is cut before its reasoning element closes")
    start = opening.end() if opening and outputs and opening.end() <= outputs[-1].start else 0
    if outputs:
        before = _strip(text, start, outputs[-1].start, "there is no visible text beside the output element")
        if before.text is not None:
            return before
        return _strip(text, outputs[-1].end, len(text), "there is no visible text beside the output element")
    return _strip(text, start, len(text), "the answer channel is empty")


def _strip(text: str, start: int, end: int, empty: str) -> Passage:
    inner = text[start:end]
    stripped = inner.strip()
    if not stripped:
        return Passage(None, start, start, empty)
    start += len(inner) - len(inner.lstrip())
    return Passage(stripped, start, start + len(stripped))


def letter_of(content: str, options: dict[str, str]) -> tuple[str | None, str | None]:
    """The key of the option that an output element holds, or None and the reason.

    `B`, `b`, `(B)`, `**B**`, `B.`, `Option B`, `The answer is B`, `$\\boxed{\\text{B}}$` and `B) wording of B` are keys; the whole
    wording of B stands for it. Keys may be numbers, words or in brackets.
    """
    content = fold(content).text
    plain = _COMMAND.sub(" ", content)
    plain = plain if _bare(plain) else content
    try:
        keys = keys_of(options)
    except ValueError as problem:
        return None, str(problem)
    match = _key_pattern(tuple(keys)).fullmatch(plain)
    shown = content if len(content) <= 40 else content[:40] + "…"
    if not match:
        said = _bare(plain)
        for key, wording in options.items():
            if said and said in (_bare(wording), _bare(fold(wording).text)):
                return key, None
        return None, f"the output element holds no single letter ({shown!r})"
    letter = match["key"].upper()
    if letter not in keys:
        return None, f"letter {letter} is none of the options {', '.join(options)}"
    return keys[letter], None


def keys_of(options: Iterable[str]) -> dict[str, str]:
    """Keys of options without the marks around them and in capitals -> as they are written. Raises: ValueError where two are the same."""
    keys: dict[str, str] = {}
    for key in options:
        bare = _PREFIX.sub("", fold(key).text.upper().strip(_KEY_MARKS)).strip(_KEY_MARKS)
        if not bare or keys.setdefault(bare, key) != key:
            raise ValueError(f"{UNREADABLE}, not {', '.join(map(repr, options))[:80]}")
    return keys


@lru_cache(maxsize=1024)
def _key_pattern(keys: tuple[str, ...]) -> re.Pattern[str]:
    """One key with what may stand around it. Any single letter is read, and any number where keys are numbers."""
    forms = [
        re.escape(key) for key in sorted(keys, key=len, reverse=True) if len(key) > 1 and not key.isdecimal()
    ]
    forms += [r"\d{1,4}"] if any(key.isdecimal() for key in keys) else []
    return re.compile(
        rf"[^A-Za-z0-9]{{0,8}}(?:{_LEAD})?[^A-Za-z0-9]{{0,4}}(?P<key>{'|'.join([*forms, '[A-Za-z]'])}){_TRAIL}",
        re.IGNORECASE | re.DOTALL,
    )


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .*_\"'")
