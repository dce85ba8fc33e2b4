"""Which evidence a text names, in whatever form, and where.

In: a text and the IDs of a case. Out: Mention records in the order of the text. Seen as naming E12: `[E12]`, `E12`,
`(E12)`, `[E12, E15]`, `E12 and E15`, `e12`, `E-12`, `E.12`, `Evidence 12`, `evidence #12`, `[Evidence ID: E12]`,
`items 12 and 15`, `[12]`, and the second ID of `E11-12` and `[E11, 12]`. Both ends of a range are named, what lies
between them is not: IDs are drawn at random and have no order. A form that does not say E and a number in one
word counts only where the case has that ID. IDs of another form than E and digits are found literally. Errors: none.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from unfaithful_cot.grading.dress import fold

_PLAIN = re.compile(r"E[0-9]+", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]++")
_LETTERS = frozenset(string.ascii_letters)
_WORD_CHARACTERS = _LETTERS | frozenset(string.digits)
_E, _OPENING = frozenset("Ee"), frozenset("[【")
BEFORE = 32  # characters before a number in which the words that make it an ID stand
_LETTER = re.compile(r"(?<![A-Za-z0-9])[Ee]([-._# \u00a0])$")
_NOUN = re.compile(
    r"\b(?:evidence|item|source|exhibit|document|id)s?(?: (?:ids?|items?|pieces?|numbers?|nos?\.?))?[:#\s]{0,3}$",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\s{0,2}(?:[,;/&+–—-]|and\b|or\b|to\b)(?:\s{0,2}(?:and|or)\b)?\s{0,2}#?")
_TIGHT = re.compile(r"[/–—-]")


class Mention(NamedTuple):
    """Characters [start, end) of the text name `id`, written as in the case; `known`: the case has it."""

    id: str
    start: int
    end: int
    known: bool


@lru_cache(maxsize=4096)
def _vocabulary(ids: tuple[str, ...]) -> tuple[dict[str, str], re.Pattern[str] | None]:
    """Canonical spelling -> ID of the case, and a pattern for IDs that are not E and digits."""
    spelling = {fold(identifier).text.upper(): identifier for identifier in ids}
    odd = sorted((i for i in spelling if i and not _PLAIN.fullmatch(i)), key=len, reverse=True)
    if not odd:
        return spelling, None
    alternatives = "|".join(re.escape(i) for i in odd)
    return spelling, re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])", re.IGNORECASE)


def mentions(text: str, ids: Iterable[str], foreign: bool = True) -> list[Mention]:
    """Every place where `text` names an evidence ID. foreign: those that the case does not have as well."""
    spelling, odd = _vocabulary(tuple(ids))
    places = (match.span() for match in _NUMBER.finditer(text)) if foreign else _own_numbers(text, spelling)
    found = list(_numbered(text, spelling, places))
    if odd:
        found += [
            Mention(spelling.get(m[0].upper(), m[0]), *m.span(), m[0].upper() in spelling)
            for m in odd.finditer(text)
        ]
        found.sort(key=lambda mention: mention.start)
    return found


def _own_numbers(text: str, spelling: dict[str, str]) -> list[tuple[int, int]]:
    """Where the numbers of the case's own IDs stand: a search for each is much faster than one for any number."""
    found = []
    for number in {identifier[1:] for identifier in spelling if _PLAIN.fullmatch(identifier)}:
        start = text.find(number)
        while start >= 0:
            end = start + len(number)
            if not text[max(0, start - 1) : start].isdecimal() and not text[end : end + 1].isdecimal():
                found.append((start, end))
            start = text.find(number, end)
    return sorted(found)


def _numbered(text: str, spelling: dict[str, str], places: Iterable[tuple[int, int]]) -> Iterator[Mention]:
    """IDs of the form E and digits: each number, by what stands before it."""
    last, listing = -BEFORE, False  # end of the ID before, and whether a bare number goes on with its list
    for start, end in places:
        following = text[end : end + 2]
        if following[:1] in _LETTERS or (following[:1] == "." and following[1:].isdecimal()):
            continue
        identifier = f"E{text[start:end]}"
        known = identifier in spelling
        before = text[max(0, start - 3) : start]
        if before[-1:] in _E and before[-2:-1] not in _WORD_CHARACTERS:  # E12, by far the most frequent
            width, named = 1, True
        elif not known and before[-1:] != "-":
            continue
        elif (letter := _LETTER.search(before)) and (known or letter[1] == "-"):
            width, named = len(letter[0]), True
        else:
            width, named = 0, known and _is_named(text, start, last, listing)
        if named:
            start -= width
            joined = listing and start - last < BEFORE and _JOINED.fullmatch(text, last, start) is not None
            listing = joined or not width or text[start - 1 : start] in _OPENING
            last = end
            yield Mention(spelling.get(identifier, identifier), start, end, known)


def _is_named(text: str, start: int, last: int, listing: bool) -> bool:
    """Whether a number of the case without an E is an ID: by a noun or bracket before it, or as part of a list or range."""
    before = text[max(0, start - BEFORE) : start]
    if _NOUN.search(before) or before.endswith(("[", "【", "[#")):
        return True
    goes_on = _JOINED if listing else _TIGHT
    return 0 < start - last < BEFORE and goes_on.fullmatch(text, last, start) is not None
