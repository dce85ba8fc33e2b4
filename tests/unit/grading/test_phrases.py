"""The templates of grading: what they compile to, and that the verdicts of published figures still rest on the same patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from unfaithful_cot.grading import phrases, stance
from unfaithful_cot.grading.word_classes import CLASSES, GROUPS, LETTERS, LEXICON, expand, pattern
from unfaithful_cot.provenance import value_hash

VOCABULARY = "0e031fb2ccff5568"
FROZEN = {
    "CONFIDENTIAL": "4bf5561ca1fc00a4",
    "WITHHELD[N]": "a5360ea560f9695f",
    "WITHHELD[B]": "d8af0819a95401a2",
    "WITHHELD[x]": "3e5063ce602796e5",
    "WITHHELD[X]": "bf33f4afff47f2f1",
    "WITHHELD[f]": "49f81c14c094aeb9",
    "WITHHELD[w]": "f9e0160c7d6cab60",
    "WITHHELD[Q]": "46a74795ff1b602e",
    "WITHHELD[e]": "ba3ee77be239979b",
    "WITHHELD[o]": "3e12057c939e9486",
    "WITHHELD[n]": "b43b616f74d8e452",
    "WITHHELD[K]": "9a90f9300ac18c8e",
    "WITHHELD[V]": "0682e0170673fed1",
    "UNDISCLOSED[Z]": "3c1a5f32dad05202",
    "FLAGGED": "610599dea1f10120",
    "INSTEAD": "0be469ad63b44687",
    "RESTRICTED[O]": "753c35f7b4360924",
    "RESTRICTED[D]": "e2483893e3a086ca",
    "RESTRICTED[J]": "1c3b95596ba57ff8",
    "RESTRICTED[R]": "00f94ec87513dc4d",
    "GROUNDED[G]": "99ef8e0fc9222a77",
    "GROUNDED[Y]": "60e6e699613f6fff",
    "GROUNDED[I]": "d222d254a4349bbb",
    "RESTS_ON_CONFIDENTIAL": "631f0ce5e44b574b",
    "REPORTED": "c3ef365fa075b668",
    "IT_SAYS": "0df42757399bfa71",
    "OFFERED": "5d6fba99de793a89",
    "_SOURCES": "b2ae89a0975fe5c7",
    "_TURN": "5bdf3bd2a41ab19a",
    "ONLY_CITE[O]": "abe31cd056f5f5a3",
    "ONLY_CITE[D]": "84ec454c51c1cdcb",
    "PERMITTED[c]": "fd2231e1c3d8925c",
    "PERMITTED[A]": "2a1419056e29b6bd",
    "PERMITTED[D]": "ff9247a89844680c",
    "PERMITTED[U]": "8484678e48860861",
    "_SPEAKS_OF_SOURCES": "9f7c68fab9f84306",
    "_CLAUSE_END": "0f5e553987765798",
    "_OBJECT": "4459cc11e04d9fea",
}  # fmt: skip
"""Hashes of the patterns that were written letter by letter once. A change here changes verdicts: raise the version of
the grader `rules` with it, and grade again."""


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every pattern of the two modules by its name; in a table behind the letter that a sentence must have for it."""
    for module in (phrases, stance):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield name, value
            elif name.isupper() and isinstance(value, tuple):
                yield from ((f"{name}[{letter}]", pattern) for letter, pattern in value)


def canonical(pattern: re.Pattern[str]) -> str:
    """The hash of a pattern and its flags, the letters of each set in order, for their order means nothing."""
    text = re.sub(r"\[(\^?)([^\]\\]+)\]", lambda m: f"[{m[1]}{''.join(sorted(m[2]))}]", pattern.pattern)
    return value_hash([text, pattern.flags])


def test_no_pattern_is_added_or_gone() -> None:
    assert [name for name, _ in patterns()] == list(
        FROZEN
    )  # in this order, which decides what is found first


@pytest.mark.parametrize(("name", "pattern"), list(patterns()))
def test_each_pattern_is_the_frozen_one(name: str, pattern: re.Pattern[str]) -> None:
    assert canonical(pattern) == FROZEN[name]


def test_the_vocabulary_is_the_frozen_one() -> None:
    assert value_hash(LEXICON) == VOCABULARY


def test_each_class_has_a_letter_of_its_own() -> None:
    assert len(set(LETTERS.values())) == len(LETTERS)
    assert all(len(letter) == 1 for letter in LETTERS.values())
    assert not (CLASSES.keys() & GROUPS.keys())


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{NOT}..2{BE}..2{CITE}", "N.{0,2}b.{0,2}U"),
        ("{CITE|NAME}..1{IT}", "[UM].?i"),
        ("..4!{TURN|BE}{CITE}", "[^WJQb]{0,4}U"),
        ("{ANY}{OTHER}{CONF}", ".[.][kK]"),
        ("(?<!{DO}){NOT}(?!{ON})$|^{NO}?(?:{WE}|{IT})", "(?<!d)N(?!>)$|^n?(?:I|i)"),
        ("{CITE_IT}", "(?:U|M(?!>.{0,2}[kKpG]))"),
    ],
)
def test_a_template_becomes_a_regular_expression(template: str, expected: str) -> None:
    assert expand(template) == expected


def test_templates_are_alternatives_of_one_pattern() -> None:
    assert pattern("{NOT}{CITE}", "{OMIT}").pattern == "NU|e"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{NOT}{CITED}", "CITED is no class of words. Known: CONFIDENTIAL, "),
        ("{NOT}.{CITE}", "'.{CITE}' is neither a class in braces"),
        ("NU", "'NU' is neither a class in braces"),
        ("{NOT}*", "'*' is neither a class in braces"),
        ("{not}", "'{not}' is neither a class in braces"),
    ],
)
def test_a_wrong_template_says_what_is_wrong(template: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        expand(template)
