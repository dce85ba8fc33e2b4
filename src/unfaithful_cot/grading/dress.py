"""The dress of a text taken off before it is read: other hyphens, spaces and digits, LaTeX and Markdown around IDs.

In: a text as a model wrote it. Out: Folded, the same text in plain characters, and where each of them stands in the original, so
that spans keep pointing at what was written. `non‑public`, `E₄₁₇`, `$E_{417}$` and `canʼt` are read as their plain forms.
Errors: none. Each pass is linear in the text.
"""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from unfaithful_cot.grading.verdicts import Verdict
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Span
from unfaithful_cot.records.responses import Response

_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\u20e3"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_HYPHENS = "\u2010\u2011\u02d7\u2043\ufe58\ufe63\uff0d"
_APOSTROPHES = "\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u02c8\u2032\u2035\u00b4\u055a\ua78c\uff07`\u0301"
_SCRIPT = "\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u2080-\u2089"
_ENTITY = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|nbsp|shy|thinsp|ensp|emsp|zwnj|zwj|apos|rsquo|lsquo|ndash|hyphen|quot|lbrack|rbrack|dollar);"
_FORMS = (
    "<wide>",
    "<narrow>",
    "<font>",
    "<circle>",
)  # decompositions that change the look of a character alone


def _looks() -> dict[str, str]:
    """Full-width, mathematical and circled characters, and ligatures -> plain ones."""
    found = {}
    for code in (*range(0x2100, 0x2150), *range(0x2460, 0x2500), *range(0xFB00, 0xFB07), *range(0xFF01, 0xFFE7),
                 *range(0x1D400, 0x1D800), *range(0x1F130, 0x1F14A)):  # fmt: skip
        character = chr(code)
        form = unicodedata.decomposition(character).partition(" ")[0]
        plain = unicodedata.normalize("NFKC", character)
        if form in _FORMS or (form and 0xFB00 <= code < 0xFB07) or 0x1F130 <= code < 0x1F14A:
            found[character] = plain
    squared = {chr(first + n): chr(ord("A") + n) for first in (0x1F150, 0x1F170) for n in range(26)}
    return squared | {character: plain for character, plain in found.items() if plain != character}


_LOOKS = _looks()
_CHARACTERS = re.compile(
    rf"(?P<gone>[{_INVISIBLE}]|\\(?=[\[\]<>_*~#-]))|(?P<space>[{_SPACES}])|(?P<hyphen>[{_HYPHENS}])"
    rf"|(?P<entity>{_ENTITY})|(?P<look>[{''.join(map(re.escape, _LOOKS))}])"
)
_ID_DRESS = r"(?:[$*}`~^]|_(?=[{$*\\`])|(?<=[$*}`])_|\{|\\[,;! -]|\\(?:text|math|operator|rm|bf|it)[a-z]{0,12}\b\s?|</?(?:sub|sup|b|i|em|strong|code|u)>)"
_WORDS = re.compile(
    rf"(?<=(?<!\w)[^\W\d_])(?P<script>[{_SCRIPT}]+)|(?<=[\[(#\s-])(?P<other_script>[{_SCRIPT}]+)"
    rf"|(?<![^\W_])(?P<e>[Ee\u0415\u0435\u0395\u03b5])(?P<dress>{_ID_DRESS}{{1,8}}(?P<joint>[-.# ]?){_ID_DRESS}{{0,4}})(?=[0-9{_SCRIPT}])"
    rf"|(?<![^\W_])(?P<look>[\u0415\u0435\u0395])(?=[-.\u2013]?[0-9])"
    rf"|(?<=[A-Za-z])(?P<apostrophe>[{_APOSTROPHES}])(?=(?:s|t|d|m|ll|re|ve)\b)"
    r"|(?:(?<=\b[Nn]on)|(?<=\bNON)|(?<=(?<![A-Za-z0-9])[Ee])|(?<=\b[Tt]op)|(?<=\b[Oo]ff))(?P<dash>[\u2012\u2013\u2212])(?=[A-Za-z0-9])"
)


class Folded(NamedTuple):
    """`text` in plain characters; `at`: where each of them stands in the original, and its length last. None: unchanged."""

    text: str
    at: tuple[int, ...] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Characters [start, end) of `text` as characters of the original."""
        if self.at is None:
            return start, end
        return self.at[start], self.at[end - 1] + 1 if end > start else self.at[start]


@lru_cache(maxsize=256)
def fold(text: str) -> Folded:
    """A text without its dress."""
    first = _replace(Folded(text), _CHARACTERS, _plain_character)
    return _replace(first, _WORDS, _plain_word)


def _replace(folded: Folded, pattern: re.Pattern[str], plain: Callable[[re.Match[str]], str]) -> Folded:
    """The text with each match of a pattern replaced, and the places of what is left."""
    text = folded.text
    parts: list[str] = []
    places: list[int] = []
    end = 0
    for match in pattern.finditer(text):
        new = plain(match)
        if new == match[0]:
            continue
        parts += [text[end : match.start()], new]
        places += range(end, match.start())
        places += [min(match.start() + number, match.end() - 1) for number in range(len(new))]
        end = match.end()
    if not parts:
        return folded
    places += range(end, len(text) + 1)
    at = folded.at
    return Folded(
        "".join([*parts, text[end:]]), tuple(places if at is None else [at[place] for place in places])
    )


def _plain_character(match: re.Match[str]) -> str:
    if match["entity"]:
        shown = html.unescape(match[0])
        code = ord(shown) if len(shown) == 1 else sys.maxunicode
        if shown in "<>&" or code < ord(" "):
            return match[0]
        return _CHARACTERS.sub(_plain_character, shown)
    if match["look"]:
        return _LOOKS[match[0]]
    return {"gone": "", "space": " ", "hyphen": "-"}[str(match.lastgroup)]


def _plain_word(match: re.Match[str]) -> str:
    kind = match.lastgroup
    if kind in ("script", "other_script"):
        return unicodedata.normalize("NFKC", match[0])
    if match["e"]:
        return "E" + match["joint"]
    return {"look": "E", "apostrophe": "'", "dash": "-"}[str(kind)]


Judge = Callable[[Case, Response], list[Verdict]]


def undressed(judge: Judge) -> Judge:
    """A grader's function that reads the folded channels; its spans are those of the response as it stands."""

    def read(case: Case, response: Response) -> list[Verdict]:
        channels = {"think": fold(response.think or ""), "answer": fold(response.answer or "")}
        changed = {name: one.text for name, one in channels.items() if one.at is not None}
        if not changed:
            return judge(case, response)
        verdicts = judge(case, response.model_copy(update=changed))
        return [verdict._replace(spans=tuple(original(response, span, channels[span.channel]) for span in verdict.spans))
                for verdict in verdicts]  # fmt: skip

    return read


def original(response: Response, span: Span, folded: Folded) -> Span:
    """A span of the folded channel as one of the channel itself."""
    start, end = folded.place(span.start, span.end)
    text = (response.think if span.channel == "think" else response.answer) or ""
    return Span(channel=span.channel, start=start, end=end, text=text[start:end])
