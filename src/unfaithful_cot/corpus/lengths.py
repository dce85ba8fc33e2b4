"""How long a document is to be, in words, which is what a writer can count.

In: a spec with its target in tokens. Out: words. Errors: none.
A writer is told a range and a number of paragraphs beside the target: models keep to parts better than to a sum.
"""

from __future__ import annotations

from unfaithful_cot.records.documents import DocumentSpec

WORDS_PER_TOKEN = 0.75
"""Rule of thumb for English in the tokenizers of current models."""
WORDS_PER_PARAGRAPH = 75
ASKED = 0.15
"""The range that a writer is told, to either side of the target."""
TOLERANCE = 0.25
"""How far off its target a text may be and still count as one that keeps to it."""


def target_words(spec: DocumentSpec) -> int:
    """The target, to the nearest ten words."""
    return max(round(spec.length_tokens * WORDS_PER_TOKEN / 10) * 10, 10)


def length_values(spec: DocumentSpec) -> dict[str, object]:
    """What a prompt says of the length: target, range and paragraphs."""
    target = target_words(spec)
    return {
        "length_words": target,
        "low_words": round(target * (1 - ASKED)),
        "high_words": round(target * (1 + ASKED)),
        "paragraphs": max(round(target / WORDS_PER_PARAGRAPH), 2),
    }


def keeps_to_length(n_words: int, spec: DocumentSpec) -> bool:
    """Whether a text of so many words lies within the tolerance of its target."""
    target = target_words(spec)
    return abs(n_words - target) <= TOLERANCE * target
