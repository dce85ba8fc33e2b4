"""From the filtered corpus to the rows that a trainer reads, in nested sizes.

In: documents.jsonl, a size, a seed; plain text for a mixture. Out: TrainingRow lines, and beside them what they hold. The order does not depend on the size: within a
category documents stand in the order of a hash of seed and document id, and the categories are woven together so
that every prefix has their shares (corpus/shares.py). Size n is the first n of that order, so a
larger size contains every smaller one. The shares are those of the specs where their file is given, else those of
the documents; when a category has no document left, the others go on in their proportion.
A mixture has `plain_text` rows of plain text (corpus/plain_text.py) for each document, woven in evenly. The size of a training
set is its number of synthetic documents, whatever else it holds: documents are what two corpora of one size have in common, tokens are not.
Errors: DataError when more documents are asked for than the quality step left, and when the file holds another number than it left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.plain_text import GENERATED, GENERATED_LICENCE, plain_rows
from unfaithful_cot.corpus.shares import furthest_behind
from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.completeness import check_count, counted
from unfaithful_cot.records.documents import Document, DocumentSpec, TrainingRow


def build_training_set(
    documents: Path | str,
    training_set: Path | str,
    n_documents: int | str,
    seed: int | str,
    specs: Path | str | None = None,
    contents: Path | str | None = None,
    plain_text: float = 0.0,
    source: Mapping[str, str | None] | None = None,
    quality: Path | str | None = None,
) -> None:
    """Rule: write the first `n_documents` of the seeded order, with `plain_text` plain rows for each.

    specs: plan whose shares are kept, if given. contents: where to write what the rows are. source: `file` and
    `licence` of the plain text; no file: texts of the reference world. quality: the account that says how many documents there are.
    """
    kept = jsonl.read(documents, Document, "snakemake -R filter_documents")
    if quality:
        check_count(documents, len(kept), counted(quality, "n_kept"), "documents", quality)
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
    chosen = seeded_order(kept, int(seed), shares)[:size]
    told = dict(source or {})
    plain = plain_rows(n_plain(size, plain_text), int(seed), told.get("file"))
    rows = [TrainingRow(document=row.id, text=row.text) for row in chosen]
    jsonl.write(training_set, woven(rows, plain, plain_text))
    if contents:
        jsonl.write_json(contents, account(chosen, plain, plain_text, told))


def n_plain(n_documents: int, ratio: float) -> int:
    """Rows of plain text beside so many documents; it grows with their number, so that sizes stay nested."""
    return int(n_documents * ratio + 0.5)


def woven(
    documents: Sequence[TrainingRow], plain: Sequence[TrainingRow], ratio: float
) -> Iterator[TrainingRow]:
    """After the k-th document as many plain rows as belong to k documents: every prefix has the ratio."""
    taken = 0
    for place, row in enumerate(documents, 1):
        yield row
        wanted = n_plain(place, ratio)
        yield from plain[taken:wanted]
        taken = wanted


def account(
    documents: Sequence[Document],
    plain: Sequence[TrainingRow],
    ratio: float,
    source: Mapping[str, str | None],
) -> dict[str, object]:
    """What a training set holds: rows and whitespace-separated words by kind, documents by category."""
    return {
        "held_equal_between_corpora": "number of synthetic documents",
        "n_documents": len(documents),
        "n_words": sum(len(document.text.split()) for document in documents),
        "categories": dict(sorted(Counter(document.spec.category for document in documents).items())),
        "plain_text": {
            "rows_for_each_document": ratio,
            "n_rows": len(plain),
            "n_words": sum(len(row.text.split()) for row in plain),
            "source": (source.get("file") or GENERATED) if plain else None,
            "licence": (source.get("licence") or GENERATED_LICENCE) if plain else None,
        },
    }


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
