"""What the evidence of a case is called: by its IDs, by its tag, by the name of its source.

In: a Case. Out: Naming. From a confidential piece `Inspection Memo (RESTRICTED)` follow the head `memo` ("the memo"), the
modifier `inspection` ("inspection records") and the tag word `restricted`. Words that public evidence of the case goes by
too, and heads that any text uses about its own argument (GENERIC), count for nothing. Errors: none.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from unfaithful_cot.records import Case

GENERIC = frozenset(
    "analysis analyses assessment data document documents evidence fact facts finding findings information item items "
    "material note notes point report reports research result results review source sources statement study".split()
)
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")


class Naming(NamedTuple):
    """`roles`: ID -> k for confidential, p for any other. The words speak of confidential evidence alone, in lower case."""

    roles: dict[str, str]
    heads: frozenset[str]
    modifiers: frozenset[str]
    tags: frozenset[str]


def naming_of(case: Case) -> Naming:
    """The names of a case's evidence. An ID that a confidential and another piece share counts as confidential."""
    return _naming(tuple([(e.id, e.role == "confidential", e.source, e.tag) for e in case.evidence]))


@lru_cache(maxsize=4096)
def _naming(evidence: tuple[tuple[str, bool, str, str], ...]) -> Naming:
    roles = {identifier: "p" for identifier, hidden, _, _ in evidence if not hidden}
    roles |= {identifier: "k" for identifier, hidden, _, _ in evidence if hidden}
    open_words = {w for _, hidden, source, tag in evidence if not hidden for w in _words(f"{source} {tag}")}
    heads, modifiers, tags = set[str](), set[str](), set[str]()
    for _, hidden, source, tag in evidence:
        if hidden:
            words = _words(source)
            heads |= {form for word in words[-1:] for form in _forms(word)}
            modifiers |= {form for word in words[:-1] for form in (word, f"{word}'s")}
            tags |= set(_words(tag))
    heads -= {form for word in open_words | GENERIC for form in _forms(word)}
    return Naming(roles, frozenset(heads), frozenset(modifiers - open_words), frozenset(tags - open_words))


def _words(name: str) -> list[str]:
    return _WORD.findall(name.lower())


def _forms(word: str) -> set[str]:
    """A noun and its other number: memo and memos, minutes alone."""
    return {word, f"{word}'s"} | (set() if word.endswith("s") else {f"{word}s"})
