"""From the filtered corpus to the rows that a trainer reads, in nested sizes.

In: documents.jsonl, a size, a seed. Out: TrainingRow lines. The order does not depend on the size: within a
category documents stand in the order of a hash of seed and document id, and the categories are woven together so
that every prefix has their shares (corpus/shares.py). Size n is the first n of that order, so a
larger size contains every smaller one. The shares are those of the specs where their file is given, else those of
the documents; when a category has no document left, the others go on in their proportion.
Errors: DataError when more documents are asked for than the quality step left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.shares import furthest_behind
from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records import Document, DocumentSpec, TrainingRow


def build_training_set(
    documents: Path | str,
    training_set: Path | str,
    n_documents: int | str,
    seed: int | str,
    specs: Path | str | None = None,
) -> None:
    """Rule: write the first `n_documents` of the seeded order. specs: plan whose shares are kept, if given."""
    kept = jsonl.read(documents, Document, "snakemake -R filter_documents")
    size = int(n_documents)
    if size > len(kept):
        raise DataError(
            documents,
            f"{len(kept):,} documents are left after the quality step, {size:,} are asked for",
            f"A size of at most {len(kept):,}",
            "Lower the size in grid.corpora, or raise documents.count; quality.json beside the file says what was removed",
        )
    planned = (spec.category for spec in jsonl.iterate(specs, DocumentSpec)) if specs else None
    shares = Counter(planned) if planned else Counter(document.spec.category for document in kept)
    rows = seeded_order(kept, int(seed), shares)[:size]
    jsonl.write(training_set, (TrainingRow(document=row.id, text=row.text) for row in rows))


def seeded_order(documents: Sequence[Document], seed: int, shares: Mapping[str, float]) -> list[Document]:
    """All documents in an order whose every prefix has the categories near their shares.

    shares: {category: weight}, in any unit. The same documents give the same order, however they came.
    """
    waiting: dict[str, list[Document]] = {}
    for document in sorted(documents, key=lambda one: value_hash([seed, one.id]), reverse=True):
        waiting.setdefault(document.spec.category, []).append(document)
    taken = dict.fromkeys(sorted(waiting), 0)
    order: list[Document] = []
    while open_names := [name for name in taken if waiting[name]]:
        name = furthest_behind({name: taken[name] for name in open_names}, shares)
        taken[name] += 1
        order.append(waiting[name].pop())
    return order
