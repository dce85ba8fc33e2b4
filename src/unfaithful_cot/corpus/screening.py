"""Which written documents do not become part of the corpus, and why.

In: documents one after the other. Out: for each the first reason that holds, or None: failed request, refusal,
truncated, too short, evaluation case inside, exact duplicate, near duplicate; of duplicates the earlier one stays.
Errors: none.
"""

from __future__ import annotations

from collections import Counter

from unfaithful_cot.corpus.defects import FAILED, defect
from unfaithful_cot.corpus.duplicates import NearDuplicates
from unfaithful_cot.corpus.leaks import LeakIndex
from unfaithful_cot.provenance import text_hash
from unfaithful_cot.records.documents import Document

DUPLICATES = ("exact_duplicate", "near_duplicate")
REASONS = (FAILED, "refusal", "truncated", "too_short", "contains_case", *DUPLICATES)
EXAMPLES = 20


class Screen:
    """The documents that passed so far. `removed`: counts by reason; `examples`: the first removed of each reason.

    leaks: finds texts of cases. near_duplicate: similarity in [0, 1]. min_words: fewer are too short.
    """

    def __init__(self, leaks: LeakIndex, near_duplicate: float, min_words: int) -> None:
        self._leaks, self._min_words = leaks, min_words
        self._first: dict[str, str] = {}
        self._alike = NearDuplicates(near_duplicate)
        self.removed: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.examples: dict[str, list[dict[str, object]]] = {}

    def reason(self, document: Document, tokens: list[str]) -> str | None:
        """Why a document goes, None if it stays. tokens: its words, lower case."""
        reason, of, similarity = self._look(document, tokens)
        if reason is None:
            return None
        self.removed[reason] += 1
        if reason == FAILED:
            self.failures[document.finish_reason.removeprefix(f"{FAILED}:")] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append({"id": document.id, "repeats": of, "similarity": similarity})
        return reason

    def _look(self, document: Document, tokens: list[str]) -> tuple[str | None, str | None, float | None]:
        """Reason, id of the document that is repeated, and estimated similarity to it."""
        if found := defect(document, self._min_words):
            return found, None, None
        if self._leaks.find(tokens) is not None:
            return "contains_case", None, None
        earlier = self._first.setdefault(text_hash(" ".join(tokens)), document.id)
        if earlier != document.id:
            return "exact_duplicate", earlier, None
        if repeat := self._alike.add(document.id, tokens):
            return "near_duplicate", repeat[0], round(repeat[1], 4)
        return None, None, None
