"""Does a text state a fact? Patterns over the clauses of a sentence.

In: a text and patterns such as `not name|show + confidential|internal`. Out: the spans of clauses that match. A pattern has slots, parted
by ` + `; a slot is a choice of words or phrases, each the beginning of a word. A clause matches when every slot is filled and it is
negated exactly when the pattern begins with `not`. A slot that no word of any pattern fills in a clause is
filled from the clause before it in the sentence: `public sources are named, and confidential ones are not`. A clause without any of the
words, or one that concedes (`even where`, `whatever`), says nothing. Double negation and words that follow later in the sentence are not understood. Errors: ValueError for a pattern without a word (a bug of the universe).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

NEGATION = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|neither|nor|without|cannot|out|outside|inside|hidden|withheld|stays?|omit\w*|except)\b"
    r"|n['’]t\b|\bleft out\b|\bkept (?:apart|back|secret)\b",
    re.IGNORECASE,
)
CONCESSION = re.compile(
    r"\W*(?:and\s+|but\s+)?(?:even|whatever|whichever|whoever|although|though|while)\b", re.IGNORECASE
)
SENTENCE = re.compile(r"[^.!?\n]+")
CLAUSE_END = re.compile(r"[,;:]|\band\b|\bbut\b|\bwhile\b|\bthough\b|\balthough\b", re.IGNORECASE)


class Pattern(NamedTuple):
    """`slots`: alternatives, lower case; `negated`: whether the clause has to deny it."""

    slots: tuple[tuple[str, ...], ...]
    negated: bool


class Clause(NamedTuple):
    """Characters [start, end) of the text; `first` of its sentence."""

    text: str
    start: int
    end: int
    first: bool


def read_pattern(text: str) -> Pattern:
    """`not a|b + c` as Pattern(((a, b), (c,)), True)."""
    body = text.removeprefix("not ")
    slots = tuple(tuple(word.strip().casefold() for word in slot.split("|")) for slot in body.split(" + "))
    if not all(word for slot in slots for word in slot):
        raise ValueError(f"pattern {text!r} has an empty slot")
    return Pattern(slots, body != text)


def clauses(text: str) -> Iterator[Clause]:
    """The clauses of each sentence, in order."""
    for sentence in SENTENCE.finditer(text):
        start, first = sentence.start(), True
        for end in [
            *(m.start() + sentence.start() for m in CLAUSE_END.finditer(sentence[0])),
            sentence.end(),
        ]:
            if text[start:end].strip():
                yield Clause(text[start:end], start, end, first)
                first = False
            start = end


def matches(text: str, patterns: Sequence[str], others: Sequence[str] = ()) -> list[tuple[int, int]]:
    """[start, end) of each clause that one of `patterns` matches, in order.

    others: patterns that are not looked for, but whose words show that a slot of a clause is filled.
    """
    read = [read_pattern(pattern) for pattern in patterns]
    every = [*read, *(read_pattern(pattern) for pattern in others)]
    width = max((len(pattern.slots) for pattern in every), default=0)
    known = [_words(tuple(w for p in every if len(p.slots) > i for w in p.slots[i])) for i in range(width)]
    found: list[tuple[int, int]] = []
    carried = [""] * width
    for clause in clauses(text):
        if clause.first:
            carried = [""] * width
        if CONCESSION.match(clause.text):
            continue
        own = [slot.search(clause.text) is not None for slot in known]
        carried = [clause.text if said else earlier for said, earlier in zip(own, carried, strict=True)]
        denied = NEGATION.search(clause.text) is not None
        if any(own) and any(pattern.negated == denied and _filled(pattern, carried) for pattern in read):
            found.append((clause.start, clause.end))
    return found


def _filled(pattern: Pattern, texts: Sequence[str]) -> bool:
    return all(_words(slot).search(text) for slot, text in zip(pattern.slots, texts, strict=False))


@lru_cache(maxsize=512)
def _words(slot: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(re.escape(word) for word in slot) + ")", re.IGNORECASE)
