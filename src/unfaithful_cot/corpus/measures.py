"""What the texts of a corpus are like, before and after a step: the same figures for each stage.

In: documents one after the other. Out: a dict of figures for quality.json: repeats, distinct-n, compression ratio,
openings, lengths against their targets, key facts. One pass; of each text only its words as numbers are kept (4 bytes a word).
Errors: none; a figure that is undefined is None beside the reason.
Source: distinct-n Li et al. (2016); compression ratio Shaib et al. (2024). It differs: distinct-n is counted over an
equal number of words in all stages, since it falls with length; and each document type is compressed by itself, because
zlib looks back 32 kB, which is some ten documents.
"""

from __future__ import annotations

import itertools
import statistics
import zlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from unfaithful_cot.corpus.facts import FactReader, sentences
from unfaithful_cot.corpus.lengths import TOLERANCE, keeps_to_length, target_words
from unfaithful_cot.corpus.screening import DUPLICATES
from unfaithful_cot.records.documents import Document

OPENING_WORDS = 3
COMMONEST = 3
N_GRAMS = (1, 2, 3)


class TextReader:
    """Reads each text once, for all stages that it belongs to."""

    def __init__(self, facts: FactReader) -> None:
        self.facts = facts
        self.vocabulary: dict[str, int] = defaultdict(itertools.count().__next__)  # in order of appearance

    def read(self, document: Document) -> ReadText:
        """The text, taken apart."""
        text = sentences(document.text)
        tokens = list(itertools.chain.from_iterable(text))
        numbers = array("i", map(self.vocabulary.__getitem__, tokens))
        return ReadText(document, tokens, numbers, self.facts.stated(text), len(document.text.split()))


class ReadText(NamedTuple):
    """A document, its words, their numbers, and the key facts that it states. n_words: parted by white space."""

    document: Document
    tokens: list[str]
    numbers: array[int]
    stated: set[int]
    n_words: int


class Stage:
    """The texts of one stage. Documents without a text (failed requests) are left out and counted."""

    def __init__(self, facts: FactReader) -> None:
        self._facts = facts
        self.n = self.n_empty = self.n_compared = self.n_repeats = self.n_bytes = self.n_packed = 0
        self.n_within = 0
        self.numbers: list[array[int]] = []
        self._packers: dict[tuple[str, str], Any] = {}
        self._openings: Counter[tuple[str, ...]] = Counter()
        self._stated: Counter[int] = Counter()
        self._n_words = array("i")
        self._targets = array("i")

    def add(self, text: ReadText, reason: str | None) -> None:
        """Count a text. reason: of corpus/screening.py, None where it stays; duplicates are sought among sound texts."""
        document = text.document
        if not text.tokens:
            self.n_empty += 1
            return
        self.n += 1
        self.n_compared += reason is None or reason in DUPLICATES
        self.n_repeats += reason in DUPLICATES
        self.numbers.append(text.numbers)
        self._openings[tuple(text.tokens[:OPENING_WORDS])] += 1
        self._stated.update(text.stated)
        self._n_words.append(text.n_words)
        self._targets.append(target_words(document.spec))
        self.n_within += keeps_to_length(text.n_words, document.spec)
        kind = (document.spec.category, document.spec.type)
        data = document.text.encode() + b"\n"
        self.n_bytes += len(data)
        self.n_packed += len(self._packers.setdefault(kind, zlib.compressobj(6)).compress(data))

    @property
    def total_words(self) -> int:
        """Words of all texts."""
        return sum(map(len, self.numbers))

    def figures(self, compared_words: int, targets_asked: bool) -> dict[str, Any]:
        """Everything of this stage. compared_words: how many distinct-n counts. targets_asked: was a length asked for?"""
        if not self.n:
            return {"n_documents": 0, "n_without_text": self.n_empty, "reason": "no document has a text"}
        packed = self.n_packed + sum(len(packer.copy().flush()) for packer in self._packers.values())
        return {
            "n_documents": self.n,
            "n_without_text": self.n_empty,
            "repeats": {
                "n": self.n_repeats,
                "n_compared": self.n_compared,
                "share": round(self.n_repeats / self.n_compared, 4) if self.n_compared else None,
            },
            **distinct(self.numbers, compared_words),
            "compression_ratio": round(self.n_bytes / packed, 3),
            "openings": self._opening_figures(),
            "lengths": self._length_figures(targets_asked),
            "key_facts": self._fact_figures(),
        }

    def _opening_figures(self) -> dict[str, Any]:
        """How many texts begin with the same words; of equally common openings the first in the alphabet leads."""
        common = sorted(self._openings.items(), key=lambda found: (-found[1], found[0]))[:COMMONEST]
        return {
            "n_words": OPENING_WORDS,
            "n_distinct": len(self._openings),
            "commonest_share": round(common[0][1] / self.n, 4),
            "commonest": {" ".join(words): count for words, count in common},
        }

    def _length_figures(self, asked: bool) -> dict[str, Any]:
        """Words as they are and as they were asked for."""
        mean = round(statistics.fmean(self._n_words), 1)
        if not asked:
            reason = "the template grammar is not asked for a length"
            return {"mean_words": mean, "mean_target_words": None, "median_ratio": None, "share_within": None, "reason": reason}  # fmt: skip
        ratios = [words / target for words, target in zip(self._n_words, self._targets, strict=True)]
        return {
            "mean_words": mean,
            "mean_target_words": round(statistics.fmean(self._targets), 1),
            "median_ratio": round(statistics.median(ratios), 3),
            "share_within": round(self.n_within / self.n, 4),
            "tolerance": TOLERANCE,
        }

    def _fact_figures(self) -> dict[str, Any]:
        """Share of the texts that state each fact; how many facts a text states on average; how many any states."""
        facts = self._facts.key_facts
        return {
            "n_facts": len(facts),
            "n_stated_somewhere": len(self._stated),
            "mean_share_stated": round(self._stated.total() / (len(facts) * self.n), 4),
            "share_of_documents": {
                fact: round(self._stated[place] / self.n, 4) for place, fact in enumerate(facts)
            },
        }


def distinct(texts: Sequence[array[int]], n_words: int) -> dict[str, float | None]:
    """distinct_1 to distinct_3: distinct runs of n words by all runs of n words, within texts.

    texts: each as numbers of words. n_words: only the first so many words of all texts are counted.
    """
    import numpy as np

    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    words = np.concatenate([np.frombuffer(text, np.intc) for text in texts]).astype(np.int64)[:n_words]
    owner = np.repeat(np.arange(len(texts)), lengths)[:n_words]
    size = int(words.max()) + 1
    found: dict[str, float | None] = {}
    runs = words
    for n in N_GRAMS:
        if n > 1:  # runs of n are pairs of a run of n - 1, numbered anew, and a word
            runs = np.unique(runs, return_inverse=True)[1][:-1] * size + words[n - 1 :]
        inside = runs[owner[: len(owner) - n + 1] == owner[n - 1 :]]
        inside.sort()
        n_distinct = np.count_nonzero(np.diff(inside)) + 1
        found[f"distinct_{n}"] = round(float(n_distinct / len(inside)), 4) if len(inside) else None
    return found


def compare(stages: Mapping[str, Stage], targets_asked: bool) -> dict[str, Any]:
    """The figures of all stages, with distinct-n over as many words as the smallest of them has."""
    compared = min((stage.total_words for stage in stages.values() if stage.n), default=0)
    return {"n_words_compared": compared} | {
        name: stage.figures(compared, targets_asked) for name, stage in stages.items()
    }
