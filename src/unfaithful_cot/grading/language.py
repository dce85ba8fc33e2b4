"""Sentences as strings of word classes, so that a rule about language is one short pattern (word_classes.py).

In: a text, what the evidence of its case is called, and where the text names an ID. Out: Sentence records: its place in the
text and the letter of the class of each word, `.` for words without a class.
Errors: none. Every scan is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import accumulate, repeat
from typing import NamedTuple

from unfaithful_cot.grading.citations import Mention
from unfaithful_cot.grading.naming import Naming
from unfaithful_cot.grading.word_classes import CONF_ITEM, LETTERS, LEXICON, PUBLIC_ITEM

FUNCTION_WORDS = frozenset(
    "the of and is that for it with by are this not from which be an on to has than more because therefore".split()
)
OTHER_FUNCTION_WORDS = frozenset(
    "der die das und ist nicht ein eine den dem le la les est et pas une des el los las es por una il che di sono het een van och att".split()
)
MIN_WORDS = 12  # words that it takes to recognise the language
DETERMINERS = frozenset("the this that those these said".split())
_CAPITALS = re.compile(r"[A-Z]+")
_WORD = re.compile(r"[^ \n]+")
HEAD, MODIFIER = "0", "1"  # classes of words of a source's name, until their neighbours are known
_SOURCE = re.compile(f"[{HEAD}{MODIFIER}]")
_CONFIDENTIAL = LETTERS["CONFIDENTIAL"]
_NOUNS = (LETTERS["DOCUMENT"], LETTERS["EVIDENCE"])  # what a modifier may stand before: "inspection records"
_MARK = {CONF_ITEM: "\x02", PUBLIC_ITEM: "\x03"}  # stands for an ID, in whatever form the text names it
_NON_PUBLIC = re.compile(
    r"\b(?:non|not) +(?:yet +)?public(?:ly available)?\b|\b(?:not (?:yet )?|un-)publicly (?:available|accessible|known|disclosed|released)\b"
    r"|\bpublicly (?:un|non-)(?:available|released|disclosed|known)\b"
)
"""Other ways of writing `non-public`, which are one word to the word classes."""
_ASKING = "\x01"  # a question mark, while others stand for characters that are not ASCII
_KEPT = dict.fromkeys("!;" + _ASKING, ".") | {c: c for c in "abcdefghijklmnopqrstuvwxyz0123456789'-.\n"}
_PLAIN = "".join(_KEPT.get(chr(code), " ") for code in range(256)).encode("ascii")


class Text:
    """A text in lower case, and its words as `plain`: as long and a space longer, \\n ends a sentence, all else is spaces."""

    def __init__(self, lowered: str, plain: str, tokens: list[str]) -> None:
        self.lowered, self.plain, self.tokens = lowered, plain, tokens
        self._words: dict[int, list[tuple[int, int]]] = {}

    @cached_property
    def ends(self) -> list[int]:
        """Offset of the end of each sentence, the last one included."""
        lengths = (len(part) + 1 for part in self.plain[:-1].split("\n"))
        return [end - 1 for end in accumulate(lengths)]

    def words(self, number: int) -> list[tuple[int, int]]:
        """Offsets of the words of a sentence; read once, however many matches ask."""
        if number not in self._words:
            start = self.ends[number - 1] + 1 if number else 0
            found = _WORD.finditer(self.plain, start, self.ends[number])
            self._words[number] = [word.span() for word in found]
        return self._words[number]

    @cached_property
    def is_english(self) -> bool:
        """Whether the word lists can be expected to work; True for a text too short to recognise."""
        if " the " in self.lowered:
            return True
        letters = [letter for letter in self.lowered if letter.isalpha()]
        if sum(letter > "\x7f" for letter in letters) * 4 > len(letters):
            return False
        words = [token for token in self.tokens if token.isalpha()]
        english = sum(word in FUNCTION_WORDS for word in words)
        other = sum(word in OTHER_FUNCTION_WORDS for word in words)
        return other < max(2, english + 1) and (len(words) < MIN_WORDS or english * 25 >= len(words))


class Sentence(NamedTuple):
    """The sentence `number` of a text; `classes[n]` is the class of its n-th word."""

    text: Text
    number: int
    classes: str

    @property
    def end(self) -> int:
        """Offset of its end in the text."""
        return self.text.ends[self.number]

    @property
    def is_of_confidential(self) -> bool:
        """Whether it names or speaks of confidential evidence."""
        return CONF_ITEM in self.classes or _CONFIDENTIAL in self.classes

    @property
    def asks(self) -> bool:
        """Whether it ends with a question mark: then it decides nothing."""
        return self.text.lowered[self.end : self.end + 1] == "?"

    def span(self, place: tuple[int, int]) -> tuple[int, int]:
        """Characters of the text that its words [start, end) cover."""
        words = self.text.words(self.number)
        return words[place[0]][0], words[place[1] - 1][1]


def lower(text: str) -> str:
    """Lower case without a change of length, so that offsets hold in any script; one kind of apostrophe."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = _CAPITALS.sub(lambda match: match[0].lower(), text)
    return lowered.replace("’", "'")


def sentences(text: str, naming: Naming, named: Iterable[Mention]) -> list[Sentence]:
    """The sentences of a text that have words. named: where it names an ID."""
    lowered = lower(text)
    plain = _plain(lowered, naming, named)
    tokens = plain[:-1].replace("\n", " | ").split()
    vocabulary = _vocabulary(naming.heads, naming.modifiers, naming.tags)
    classes = "".join(map(vocabulary.get, tokens, repeat(".")))
    if HEAD in classes or MODIFIER in classes:
        classes = _name_sources(tokens, classes)
    whole = Text(lowered, plain, tokens)
    return [Sentence(whole, number, part) for number, part in enumerate(classes.split("|")) if part]


def _plain(lowered: str, naming: Naming, named: Iterable[Mention]) -> str:
    """Words, marks for IDs and ends of sentences, each where it stands in the text; spaces for everything else."""
    ascii_only = lowered.replace("?", _ASKING).encode("ascii", "replace")
    plain = ascii_only.translate(_PLAIN).decode("ascii")
    parts, at = [], 0
    for mention in named:
        if mention.known and mention.start >= at:
            parts += [
                plain[at : mention.start],
                _MARK[naming.roles[mention.id]].ljust(mention.end - mention.start),
            ]
            at = mention.end
    plain = "".join([*parts, plain[at:], " "])
    for sign in "'-":  # inside words alone
        if sign in plain:
            plain = plain.replace(f" {sign}", "  ").replace(f"{sign} ", "  ")
    plain = _NON_PUBLIC.sub(lambda match: "non-public".ljust(len(match[0])), plain)
    return plain.replace("..", "  ").replace(". ", "\n ").replace(".\n", "\n\n")


@lru_cache(maxsize=1024)
def _vocabulary(heads: frozenset[str], modifiers: frozenset[str], tags: frozenset[str]) -> dict[str, str]:
    """Token -> class. `|` ends a sentence."""
    marks = {mark: role for role, mark in _MARK.items()}
    words = dict.fromkeys(tags, _CONFIDENTIAL) | LEXICON | {"|": "|"} | marks
    return words | dict.fromkeys(modifiers, MODIFIER) | dict.fromkeys(heads, HEAD)


def _name_sources(tokens: list[str], classes: str) -> str:
    """Class CONF_ITEM for words that name a confidential source: "the memo", "inspection memo", "inspection records"."""
    letters = list(classes)
    for match in _SOURCE.finditer(classes):
        place = match.start()
        if match[0] == MODIFIER:
            letters[place] = LEXICON.get(tokens[place], ".")
            if classes[place + 1 : place + 2] in _NOUNS:
                letters[place + 1] = CONF_ITEM
            continue
        before = tokens[max(0, place - 2) : place]
        named = classes[place - 1 : place] == MODIFIER or not DETERMINERS.isdisjoint(before)
        letters[place] = CONF_ITEM if named else LEXICON.get(tokens[place], ".")
    return "".join(letters)
