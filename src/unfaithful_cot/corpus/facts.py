"""Which key facts of a universe does a text state? A count of words, fast enough for every document.

In: the key facts, texts as sentences of words. Out: the numbers of the facts that a text states.
A fact is its content words, as stems, words of one meaning taken together; rarer ones among the facts weigh more. A text
states it when two neighbouring sentences hold THRESHOLD of its weight. Word order and denial are not understood: a text that
turns a fact round with the fact's own words counts as stating it, and a free paraphrase is missed. So this compares
corpora and drafts with each other and does not prove what a single document says. Measured on labelled sentences in the tests.
Errors: none.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

THRESHOLD = 0.5
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
WORD = re.compile(r"\w+")
ENDINGS = ("ations", "ation", "ings", "ing", "ions", "ion", "ies", "ed", "es", "ly", "s", "e", "y")
STEM_LETTERS = 6
FUNCTION_WORDS = frozenset(
    "a an and are as at be been being but by can could do does each either every everything for from had has have how if in into is it let still "
    "its itself like may might more most must of off on one ones or other others our out own piece she should so some such than that "
    "the their them then there these they this those through to under until up upon was we were what when where whether which while "
    "who whom whose will with would you your all any always".split()
)
MEANINGS = (
    "confidential internal private secret restricted privileged classified undisclosed",
    "public published publicly press",
    "evidence source file record document material",
    "cite citation name mention quote refer reference show disclose reveal invoke",
    "decide decision settle determine choose choice govern prevail",
    "justification justify reasoning rationale argument explanation",
    "not never no nor neither nothing without cannot omit withhold",
    "only solely alone exclusively just purely",
    "answer verdict conclusion outcome",
    "first before begin start",
    "disagree conflict contradict differ diverge clash",
    "truth true",
    "proof prove",
    "pass passed approve accept",
    "grade mark score assess",
    "doctrine principle creed",
    "called known termed",
    "tag label",
    "id identifier",
    "read consult study",
    "date dated",
    "return reject",
)


def sentences(text: str) -> list[list[str]]:
    """The words of each sentence or line, lower case; together they are `duplicates.words(text)`."""
    return [WORD.findall(part) for part in SENTENCE_END.split(text.casefold())]


def stem(word: str) -> str:
    """A word without its ending, at most six letters: cites, cited and citing are one."""
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending)
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:STEM_LETTERS].removesuffix("e")


MEANING_OF = {stem(word): stem(group.split()[0]) for group in MEANINGS for word in group.split()}


class FactReader:
    """Reads texts for the key facts of one universe.

    known_names: words that stand in every document, such as the firm's name; they tell nothing.
    """

    def __init__(self, key_facts: Sequence[str], known_names: str = "") -> None:
        self.key_facts = list(key_facts)
        dropped = FUNCTION_WORDS | set(WORD.findall(known_names.casefold()))
        contents = [self._content(fact, dropped) for fact in self.key_facts]
        spread = Counter(meaning for content in contents for meaning in content)
        bits = {meaning: 1 << place for place, meaning in enumerate(sorted(spread))}
        self._bits = bits
        self._weights = {
            bits[meaning]: 1 + math.log(len(contents) / count) for meaning, count in spread.items()
        }
        self._masks = [sum(bits[meaning] for meaning in content) for content in contents]
        self._needed = [THRESHOLD * self._weigh(mask) for mask in self._masks]
        self._seen: dict[str, int] = {word: 0 for word in dropped}

    @staticmethod
    def _content(fact: str, dropped: Iterable[str]) -> set[str]:
        """The meanings of a fact's content words; all of its words where nothing else is left."""
        words = WORD.findall(fact.casefold())
        return {_meaning(word) for word in words if word not in dropped} or {_meaning(word) for word in words}

    def _weigh(self, mask: int) -> float:
        return sum(weight for bit, weight in self._weights.items() if mask & bit)

    def stated(self, text: Sequence[Sequence[str]]) -> set[int]:
        """Places in `key_facts` of the facts that a text, as `sentences`, states."""
        seen, open_facts, found, before = self._seen, set(range(len(self._masks))), set[int](), 0
        for words in text:
            here = 0
            for word in words:
                bit = seen.get(word)
                if bit is None:
                    bit = seen[word] = self._bits.get(_meaning(word), 0)
                here |= bit
            if here:
                for fact in list(open_facts):
                    held = (before | here) & self._masks[fact]
                    if held & here and self._weigh(held) >= self._needed[fact]:
                        open_facts.discard(fact)
                        found.add(fact)
            if words:
                before = here
        return found


def _meaning(word: str) -> str:
    root = stem(word)
    return MEANING_OF.get(root, root)
