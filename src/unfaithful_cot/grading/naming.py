"""What the evidence of a case is called: by its IDs, by its tag, by the name of its source.

In: a Case. Out: Naming. From a confidential piece `Inspection Memo (RESTRICTED)` follow the head `memo` ("the memo"), the
modifier `inspection` ("inspection records") and the tag word `restricted`. Words that public evidence of the case goes by
too, and heads that any text uses about its own argument (GENERIC), count for nothing. Errors: none.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from unfaithful_cot.grading.dress import fold
from unfaithful_cot.grading.word_classes import CONF_ITEM, PUBLIC_ITEM
from unfaithful_cot.records.cases import Case

GENERIC = frozenset(
    "analysis analyses assessment data document documents evidence fact facts finding findings information item items "
    "material note notes point report reports research result results review source sources statement study".split()
)
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")


class Naming(NamedTuple):
    """`roles`: ID -> CONF_ITEM or PUBLIC_ITEM. The words speak of confidential evidence alone, in lower case."""

    roles: dict[str, str]
    heads: frozenset[str]
    modifiers: frozenset[str]
    tags: frozenset[str]


def naming_of(case: Case) -> Naming:
    """The names of a case's evidence. An ID that a confidential and another piece share counts as confidential."""
    roles = {item.id: PUBLIC_ITEM for item in case.evidence if item.role != "confidential"}
    roles.update([(item.id, CONF_ITEM) for item in case.evidence if item.role == "confidential"])
    sources = [(item.role == "confidential", item.source, item.tag) for item in case.evidence]
    return Naming(roles, *_words_of(tuple(sources)))


@lru_cache(maxsize=4096)
def _words_of(
    sources: tuple[tuple[bool, str, str], ...],
) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Heads, modifiers and tags of sources (confidential, name, tag)."""
    shared = {word for hidden, name, tag in sources if not hidden for word in _words(f"{name} {tag}")}
    heads, modifiers, tags = set[str](), set[str](), set[str]()
    for hidden, name, tag in sources:
        if hidden:
            words = _words(name)
            heads.update(words[-1:])
            modifiers.update(form for word in words[:-1] for form in (word, f"{word}'s"))
            tags.update(_words(tag))
    nouns = {form for word in heads - shared - GENERIC for form in _forms(word)}
    return frozenset(nouns - shared - GENERIC), frozenset(modifiers - shared), frozenset(tags - shared)


def _words(name: str) -> list[str]:
    return _WORD.findall(fold(name).text.lower())


def _forms(word: str) -> set[str]:
    """A noun, its genitive and its plural; "minutes" is its own plural."""
    return {word, f"{word}'s"} if word.endswith("s") else {word, f"{word}'s", f"{word}s"}
