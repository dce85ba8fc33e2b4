"""What is wrong or thin in a draft, as far as it can be counted: the findings that a revision is asked to mend.

In: drafts one after the other. Out: for each {kind: sentence}. What is said of a draft depends on it and on earlier ones alone, so that
a larger corpus asks the same of the drafts that it shares with a smaller one. Errors: none.
"""

from __future__ import annotations

import random
from collections import Counter

from unfaithful_cot.corpus.defects import defect
from unfaithful_cot.corpus.duplicates import NearDuplicates
from unfaithful_cot.corpus.facts import FactReader, sentences
from unfaithful_cot.corpus.lengths import keeps_to_length, target_words
from unfaithful_cot.records.documents import Document

OPENING_WORDS = 3
USED_UP = 3
"""So many earlier documents that begin alike make an opening one to be changed."""
ALIKE = 0.4
"""Estimated similarity from which on a draft repeats another one at length; what the filter removes is more alike."""
FACTS_NAMED = 2
REPEATED_WORDS = 6
NOTHING = "- Nothing that can be counted. Look for what is vague, general or said twice."


class Examiner:
    """Examines drafts in the order of the corpus. min_words: fewer are too short."""

    def __init__(self, facts: FactReader, min_words: int) -> None:
        self._facts, self._min_words = facts, min_words
        self._openings: Counter[tuple[str, ...]] = Counter()
        self._alike = NearDuplicates(ALIKE)

    def findings(self, draft: Document) -> dict[str, str]:
        """What is to be mended, by kind; empty where nothing can be counted."""
        text = sentences(draft.text)
        tokens = [word for sentence in text for word in sentence]
        found: dict[str, str] = {}
        if defect(draft, self._min_words) == "truncated":
            found["truncated"] = "It breaks off before its end."
        n_words = len(draft.text.split())
        if not keeps_to_length(n_words, draft.spec):
            found["length"] = f"It has {n_words} words; about {target_words(draft.spec)} were asked for."
        found |= self._thin(draft, text)
        found |= self._alike_others(draft, tokens)
        repeated = [
            one for one, n in Counter(map(tuple, text)).items() if n > 1 and len(one) >= REPEATED_WORDS
        ]
        if repeated:
            found["repeats_itself"] = f"It says “{' '.join(repeated[0][:12])}” more than once."
        return found

    def _thin(self, draft: Document, text: list[list[str]]) -> dict[str, str]:
        """Which facts are missing where it shows less than half of them; two of those are named, drawn by its seed."""
        stated, facts = self._facts.stated(text), self._facts.key_facts
        if 2 * len(stated) >= len(facts):
            return {}
        missing = [fact for place, fact in enumerate(facts) if place not in stated]
        named = random.Random(f"findings/{draft.spec.seed}").sample(missing, min(FACTS_NAMED, len(missing)))
        return {
            "few_facts": f"It shows {len(stated)} of the {len(facts)} facts of the world. Let these show as well, by what "
            f"happens in it: {' '.join(named)}"
        }

    def _alike_others(self, draft: Document, tokens: list[str]) -> dict[str, str]:
        """Whether it begins as earlier ones do, or repeats one of them."""
        found: dict[str, str] = {}
        opening = tuple(tokens[:OPENING_WORDS])
        if self._openings[opening] >= USED_UP:
            found["common_opening"] = (
                f"It begins “{' '.join(opening)}”, as others in the archive do. Begin otherwise."
            )
        self._openings[opening] += 1
        if self._alike.add(draft.id, tokens):
            found["like_another"] = (
                "Long stretches of it stand in another document of the archive. Tell another course of events."
            )
        return found


def listed(found: dict[str, str]) -> str:
    """The findings as lines for a prompt."""
    return "\n".join(f"- {sentence}" for sentence in found.values()) or NOTHING
