"""Names of the embedded world: built from syllables, so that there are thousands and none is a word.

The split is by hash of the name: a held-out name never stands in a text that the reasoner or a corpus is
trained on, and evaluation scenarios use held-out names only. What is drawn until there are enough, too: `distinct`.
Errors: SettingsError where the world holds fewer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from unfaithful_cot.errors import SettingsError
from unfaithful_cot.provenance import text_hash

ONSETS = "Bal Bren Cal Cor Dar Del Dor Eld Fal Fen Gar Gil Hal Har Jor Kal Kel Lan Lor Mar Mer Mor Nal Nor Oran Pel Per Quil Ral Ros Sal Sel Sil Tal Tor Ul Val Ver Wil Zan".split()
MIDDLES = ["", "", "a", "e", "i", "o", "an", "en", "in", "on", "ar", "er", "or", "al", "el"]
CODAS = "bia cor dan dex dine dora fen gate ion lan lex line lis loc mar mere mont nex nia phor ric rim sen shire sta tech tis ton tra vale van ven via vis vox wen wick zar".split()
FIRST = "Ada Amir Bea Carl Chen Dana Elif Emil Farah Gita Hugo Ines Ivan Jana Kofi Lena Liam Mara Mina Nils Nora Omar Petra Priya Ravi Rosa Sami Tara Vera Yuki".split()
LAST = "Abbott Berg Cole Diaz Ekman Fox Grant Hale Ito Jansen Khan Lund Moss Novak Okoro Park Quinn Reyes Stone Tran Udall Voss Ward Young Zimmer".split()

CONSONANTS, VOWELS = "bcdfghjklmnprstvwz", "aeiou"

FREE_NAME_SHARE = 0.3
HELDOUT_SHARE = 5  # one name in five


class HasId(Protocol):
    """What is drawn: a question, a task, a scenario."""

    @property
    def id(self) -> str:
        """The same for the same content."""


Drawn = TypeVar("Drawn", bound=HasId)


def distinct(
    count: int, seed: str, draw: Callable[[random.Random], Drawn], where: str, todo: str = "Lower the number"
) -> list[Drawn]:
    """`count` draws of which no two have one id; a larger count begins with the same ones. where, todo: for the message."""
    rng = random.Random(seed)
    found: dict[str, Drawn] = {}
    for _ in range(20 * count + 1000):
        one = draw(rng)
        found.setdefault(one.id, one)
        if len(found) == count:
            return list(found.values())
    raise SettingsError(where, f"{count} are more than the embedded world holds ({len(found)})", todo=todo)


def is_heldout(text: str) -> bool:
    """Whether a name, or a sentence, is kept for evaluation."""
    return int(text_hash(text), 16) % HELDOUT_SHARE == 0


def draw_name(rng: random.Random, heldout: bool) -> str:
    """A name of a vendor, system, site or product, of the split asked for.

    A share of the training names is built from other syllables, so that a name has to be copied, not recalled.
    """
    free = not heldout and rng.random() < FREE_NAME_SHARE
    while True:
        name = _free_name(rng) if free else rng.choice(ONSETS) + rng.choice(MIDDLES) + rng.choice(CODAS)
        if is_heldout(name) == heldout:
            return name


def _free_name(rng: random.Random) -> str:
    """Two to four syllables of a consonant and a vowel."""
    syllables = (rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.randint(2, 4)))
    return str.capitalize("".join(syllables) + rng.choice(("", *CONSONANTS)))


def draw_pair(rng: random.Random, heldout: bool) -> tuple[str, str]:
    """Two names of the split that neither begin nor end alike."""
    first = draw_name(rng, heldout)
    return first, draw_beside(rng, [first], heldout)


def draw_beside(rng: random.Random, taken: Sequence[str], heldout: bool) -> str:
    """A name of the split that neither begins nor ends like one of `taken`."""
    while True:
        name = draw_name(rng, heldout)
        if all(name[:3] != other[:3] and name[-2:] != other[-2:] for other in taken):
            return name


def draw_person(rng: random.Random) -> str:
    """First and last name of somebody who appears in documents."""
    return f"{rng.choice(FIRST)} {rng.choice(LAST)}"
