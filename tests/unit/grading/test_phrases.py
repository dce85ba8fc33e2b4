"""The patterns over word classes are those that the published figures were graded by, whatever they are spelt as."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from unfaithful_cot.grading import phrases, stance

FROZEN = json.loads((Path(__file__).parents[2] / "fixtures" / "phrases.json").read_text(encoding="utf-8"))


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every pattern of the two modules by its name; in a table behind the letter that a sentence must have for it."""
    for module in (phrases, stance):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield name, value
            elif name.isupper() and isinstance(value, tuple):
                yield from ((f"{name}[{letter}]", pattern) for letter, pattern in value)


def canonical(pattern: str) -> str:
    """The pattern with the letters of each set in order and one spelling of "at most one": the same regular expression."""
    return re.sub(
        r"\[(\^?)([^\]\\]+)\]", lambda m: f"[{m[1]}{''.join(sorted(m[2]))}]", pattern.replace(".{0,1}", ".?")
    )


def test_no_pattern_is_added_or_gone() -> None:
    assert [name for name, _ in patterns()] == list(
        FROZEN
    )  # in this order, which decides what is found first


@pytest.mark.parametrize(("name", "pattern"), list(patterns()))
def test_each_pattern_is_the_frozen_one(name: str, pattern: re.Pattern[str]) -> None:
    text, flags = FROZEN[name]
    assert (canonical(pattern.pattern), pattern.flags) == (canonical(text), flags)
