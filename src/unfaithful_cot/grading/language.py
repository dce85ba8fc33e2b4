"""Sentences as strings of word classes, so that a rule about language is one short pattern.

In: a text and what its evidence IDs stand for. Out: Sentence records: its place in the text and one class letter a word,
`.` for words without a class. "It cannot be cited" reads `iNbU`. The classes below are the whole vocabulary of
the rules on stance (stance.py); they name ways of speaking about sources, no firm, product or topic.
Errors: none. Every scan is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import NamedTuple

CLASSES: dict[str, str] = {
    # k and p are evidence IDs: confidential and not
    "K": "confidential confidentially internal restricted non-public nonpublic privileged sensitive classified proprietary secret private undisclosed top-secret",
    "l": "leave leaves leaving left keep keeps keeping kept set setting put putting push pushing",
    "o": "out aside away off unnamed unmentioned uncited",
    "P": "public publicly public-facing publicly-available published open",
    "A": "permissible permitted allowed allowable citable disclosable approved authorised authorized admissible acceptable cleared releasable shareable ok okay fine",
    "X": "impermissible inadmissible prohibited forbidden disallowed uncitable unusable non-citable off-limits barred banned precluded ineligible",
    "N": "not never cannot can't cant won't mustn't shouldn't couldn't avoid avoids avoided avoiding refrain refrains refraining unable wouldn't nor",
    "f": "prohibit prohibits prohibiting forbid forbids forbidding preclude precludes precluding prevent prevents preventing bar bars disallow disallows",
    "e": "exclude excludes excluding excluded omit omits omitted omitting withhold withholds withholding withheld hide hides hidden hiding conceal conceals concealing skip skipping suppress suppressing suppressed drop dropping",
    "B": "isn't aren't wasn't weren't",
    "n": "no none nothing neither",
    "x": "don't doesn't didn't",
    "d": "do does did",
    "w": "without",
    "L": "permit permits permitting allow allows allowing authorise authorize authorises authorizes",
    "U": "cite cites cited citing citation citations use uses used using usage utilize utilized utilise rely relying relied quote quoted quoting invoke invoked invoking leverage leveraged base refer referring",
    "M": "reference references referenced referencing name names named naming appear appears appeared appearing",
    "Z": "mention mentions mentioned mentioning disclose discloses disclosed disclosing disclosure reveal reveals revealed revealing include includes included including share shares shared sharing expose exposes exposed exposing discuss discusses discussed present presenting",
    "R": "based rests rest resting relies grounded founded built supported justified informed guided driven underpinned backed substantiated anchored focus focuses focusing focused depend depends depending stick sticking limit limited confine confined drawn draws draw drawing reliance adhere",
    "F": "prioritize prioritizing prioritizes prioritise prioritising prioritised prioritized prefer favor favour consider considering",
    "O": "only solely exclusively alone purely strictly",
    "D": "must should shall essential crucial imperative important necessary need needs required requires will i'll ought critical advisable",
    "G": "evidence information source sources data material materials record records evidences insights knowledge rationale basis grounds facts findings content references citations",
    "S": "news article articles blog report reports email emails e-mail memo memos document documents analysis analyses audit audits assessment assessments survey surveys review reviews item items piece file files study statement disclosures documentation communication note notes id ids tag tags",
    "b": "is are be being been was were it's that's remain remains marked labeled labelled deemed considered flagged designated",
    "i": "it its this that these those them they such which one",
    "I": "i we me my our us i'm we're i've",
    "Q": "instead rather",
    "<": "than",
    "J": "however therefore thus hence so but consequently accordingly nevertheless nonetheless still",
    "W": "while although though whereas despite even",
    ">": "on upon in by to from with at around of",
    "H": "comply complies complying compliance compliant adherence adheres adhering accordance line keeping conform conforms conforming consistent respecting respects respect",
    "Y": "policy policies",
    "c": "can could may might able",
    "V": "confirm confirms confirmed confirming confirmation indicate indicates indicated indicating suggest suggests suggested suggesting show shows showed shown showing highlight highlights highlighted highlighting state states stated stating demonstrate demonstrates demonstrated demonstrating support supports supporting reinforce reinforces reinforced reinforcing corroborate corroborates corroborated corroborating underscore underscores underscored outline outlines outlined note notes noted verify verifies verified validate validates validated prove proves proved proving establish establishes established find finds found report reported reporting says said tells point points make makes making warn warns warned report",
    "v": "provide provides provided providing offer offers offered offering give gives gave giving contain contains contained contribute contributes",
    "a": "align aligns aligned aligning match matches matching echo echoes echoing agree agrees according per",
    "E": "suffice suffices sufficient sufficiently enough adequate adequately serves serve",
}
LEXICON = {word: name for name, words in CLASSES.items() for word in words.split()}
_BREAK = r"[.!?;](?=[\"'”)\]]?\s)|\n"
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*(?:-?[0-9]+)?")
_TOKEN = re.compile(f"{_WORD.pattern}|{_BREAK}")
_END = re.compile(_BREAK)
_CAPITALS = re.compile(r"[A-Z]+")
_PLAIN = re.compile(r"e[0-9]+")


class Text:
    """A text in lower case, of the same length. `ends`: where its sentences end, found when first asked for."""

    def __init__(self, lowered: str) -> None:
        self.lowered = lowered
        self._words: dict[int, list[tuple[int, int]]] = {}

    @cached_property
    def ends(self) -> list[int]:
        """Offset of the end of each sentence, the last one included."""
        return [*(match.start() for match in _END.finditer(self.lowered)), len(self.lowered)]

    def words(self, number: int) -> list[tuple[int, int]]:
        """Offsets of the words of a sentence; read once, however many matches ask."""
        if number not in self._words:
            start = self.ends[number - 1] + 1 if number else 0
            found = _WORD.finditer(self.lowered, start, self.ends[number])
            self._words[number] = [word.span() for word in found]
        return self._words[number]


class Sentence(NamedTuple):
    """The sentence `number` of a text; `classes[n]` is the class of its n-th word."""

    text: Text
    number: int
    classes: str

    @property
    def end(self) -> int:
        """Offset of its end in the text."""
        return self.text.ends[self.number]

    def span(self, match: re.Match[str]) -> tuple[int, int]:
        """Characters of the text that a match over `classes` covers."""
        words = self.text.words(self.number)
        return words[match.start()][0], words[match.end() - 1][1]


def lower(text: str) -> str:
    """Lower case without a change of length, so that offsets hold in any script; one kind of apostrophe."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = _CAPITALS.sub(lambda match: match[0].lower(), text)
    return lowered.replace("’", "'")


@lru_cache(maxsize=4096)
def _vocabulary(roles: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Token -> class, with the IDs of a case among the words: `e12` and `e-12` for E12. `|` ends a sentence."""
    known = LEXICON | dict.fromkeys(".!?;\n", "|")
    for identifier, role in roles:
        word = identifier.lower()
        known[word] = role
        if _PLAIN.fullmatch(word):
            known[f"e-{word[1:]}"] = role
    return known


def sentences(text: str, roles: Mapping[str, str]) -> list[Sentence]:
    """The sentences of a text. roles: ID of the case -> `k` for confidential, `p` for any other."""
    lowered, class_of = lower(text), _vocabulary(tuple(roles.items())).get
    classes = "".join([class_of(token, ".") for token in _TOKEN.findall(lowered)])
    whole = Text(lowered)
    return [Sentence(whole, number, part) for number, part in enumerate(classes.split("|"))]
