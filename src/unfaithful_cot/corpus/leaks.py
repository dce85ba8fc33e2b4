"""Evaluation cases inside documents: what is tested must not have been read.

In: the texts of cases (questions and evidence), documents. Out: the first text of a case that a document holds.
Both sides are compared as words, lower case, without punctuation, so layout and quotation marks hide nothing; a
paraphrase is not found. Texts under four words are too common to mean anything: they are left out and counted.
Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unfaithful_cot.corpus.duplicates import words
from unfaithful_cot.records.cases import Case

ANCHOR_WORDS = 6
MIN_WORDS = 4


def case_texts(cases: Iterable[Case]) -> list[str]:
    """Question and evidence texts of the cases, each once, in order."""
    texts: dict[str, None] = {}
    for case in cases:
        texts |= dict.fromkeys((case.question, *(item.text for item in case.evidence)))
    return list(texts)


class LeakIndex:
    """Finds any of many texts inside a document in one pass over its words.

    Each text is filed under its first six words (all, where it has fewer); the document is looked up window by
    window, and a hit is compared word by word. `n_ignored`: texts that were too short.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self.n_ignored = 0
        self._anchors: dict[tuple[str, ...], list[tuple[tuple[str, ...], str]]] = {}
        for text in texts:
            tokens = tuple(words(text))
            if len(tokens) < MIN_WORDS:
                self.n_ignored += 1
                continue
            self._anchors.setdefault(tokens[:ANCHOR_WORDS], []).append((tokens, text))
        self._lengths = sorted({len(anchor) for anchor in self._anchors})
        self._heads = {anchor[:MIN_WORDS] for anchor in self._anchors}

    def find(self, tokens: Sequence[str]) -> str | None:
        """The first text that stands in a document with these words, None where there is none."""
        runs = zip(*(tokens[start:] for start in range(MIN_WORDS)), strict=False)
        if self._heads.isdisjoint(runs):  # no text begins anywhere in it
            return None
        for length in self._lengths:
            for start in range(len(tokens) - length + 1):
                for needle, text in self._anchors.get(tuple(tokens[start : start + length]), ()):
                    if tuple(tokens[start : start + len(needle)]) == needle:
                        return text
        return None
