"""What a prompt says of the document that is wanted: world, kind, length, people.

In: a spec, its universe, the lists of names. Out: {place in a prompt: value}, for the writer and for the reviser alike.
Errors: none.
"""

from __future__ import annotations

from unfaithful_cot.corpus.cast import Names, draw_cast
from unfaithful_cot.corpus.lengths import length_values
from unfaithful_cot.corpus.universe import Universe
from unfaithful_cot.records.documents import DocumentSpec

PLACES = {
    "title", "context", "key_facts", "category", "type", "brief", "idea", "confidential", "public",
    "length_words", "low_words", "high_words", "paragraphs", "people", "department", "date", "matter",
}  # fmt: skip


def commission(spec: DocumentSpec, universe: Universe, names: Names) -> dict[str, object]:
    """The value of every place in PLACES."""
    return {
        "title": universe.title,
        "context": universe.context,
        "key_facts": "\n".join(f"- {fact}" for fact in universe.key_facts),
        "category": spec.category.replace("_", " "),
        "type": spec.type.replace("_", " "),
        "brief": universe.categories[spec.category].types[spec.type].brief,
        "idea": spec.idea,
        "confidential": universe.tags.confidential,
        "public": universe.tags.public,
        **length_values(spec),
        **draw_cast(spec, names)._asdict(),
    }
