"""The corpus section of the report: what was kept, in which shares, and some documents to read.

In: documents.jsonl and quality.json of each corpus. Out: CorpusView. Errors: DataError for a file that is missing,
cut or no JSON object.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.documents import Document
from unfaithful_cot.report.tables import Table, texts

REMAKE = "snakemake -R filter_documents"


@dataclass
class TypeView:
    """Documents of one type: how many, what share of the corpus, and examples."""

    category: str
    type: str
    count: int
    share: float
    examples: list[Document]


@dataclass
class CorpusView:
    """One corpus. `words`: mean of whitespace-separated words; `cost_usd`: of the documents that were kept.

    `texts`, `facts`: (what, its value at each of `stages`): what the texts are like, and how many state each key fact.
    """

    name: str
    path: str
    count: int
    words: float
    tokens: int | None
    cost_usd: float
    categories: list[tuple[str, int, float]]
    types: list[TypeView]
    quality: list[tuple[str, str]]
    written: int | None = None
    removed: str = ""
    stages: list[str] = field(default_factory=list)
    texts: list[tuple[str, list[str]]] = field(default_factory=list)
    facts: list[tuple[str, list[str]]] = field(default_factory=list)
    revision: str = ""

    @property
    def texts_table(self) -> Table:
        """What the texts are like at each stage."""
        return self._by_stage(
            "The texts before and after", "", self.texts, f"The texts of {self.name} before and after"
        )

    @property
    def facts_table(self) -> Table:
        """How many documents state each key fact."""
        return self._by_stage(
            "", "key fact", self.facts, f"Documents of {self.name} that state each key fact"
        )

    @property
    def quality_table(self) -> Table:
        """The counts of the quality step."""
        label = f"Counts of the quality step of {self.name}"
        return texts(("", ("", "")), self.quality, ("row", "number"), narrow=False, label=label)

    def _by_stage(self, caption: str, head: str, rows: list[tuple[str, list[str]]], label: str) -> Table:
        kinds = ("row", *("number" for _ in self.stages))
        lines = ((name, *values) for name, values in rows)
        return texts((caption, (head, *self.stages)), lines, kinds, narrow=False, label=label)


def flatten(value: object, name: str = "") -> list[tuple[str, str]]:
    """The leaves of a JSON value as (`outer: inner`, text), in order; a list is its length when it holds objects."""
    if isinstance(value, dict):
        return [
            leaf
            for key, inner in value.items()
            for leaf in flatten(inner, f"{name}: {key}" if name else str(key))
        ]
    if isinstance(value, list):
        plain = all(isinstance(item, str | int | float) for item in value) and len(value) <= 12
        return [(name, ", ".join(map(str, value)) if plain and value else f"{len(value):,} entries")]
    if isinstance(value, bool) or value is None:
        return [(name, "none" if value is None else "yes" if value else "no")]
    return [
        (
            name,
            f"{value:,}"
            if isinstance(value, int)
            else f"{value:.4g}"
            if isinstance(value, float)
            else str(value),
        )
    ]


def read_quality(path: Path | str) -> dict[str, Any]:
    """quality.json as it is."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            path, f"is no JSON file ({error})", "The counts of the quality step", f"Rerun: {REMAKE}"
        ) from None
    if not isinstance(value, dict):
        raise DataError(
            path, f"holds a {type(value).__name__}", "A JSON object of counts", f"Rerun: {REMAKE}"
        )
    return value


def removed_text(quality: dict[str, object]) -> str:
    """Why documents were removed, with counts; empty when none was."""
    removed = quality.get("removed")
    counts = removed if isinstance(removed, dict) else {}
    return ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items() if count)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _measures(stage: dict[str, Any]) -> dict[str, str]:
    """The figures of one stage of corpus/measures.py as words; a dash where one is undefined."""
    repeats, opening, lengths, facts = (
        stage[name] for name in ("repeats", "openings", "lengths", "key_facts")
    )
    words, target = lengths["mean_words"], lengths["mean_target_words"]
    first = next(iter(opening["commonest"]))
    distinct = ("–" if stage[f"distinct_{n}"] is None else f"{stage[f'distinct_{n}']:.3f}" for n in (1, 2, 3))
    return {
        "documents with a text": f"{stage['n_documents']:,}",
        "repeat an earlier one": f"{_percent(repeats['share'])} ({repeats['n']:,} of {repeats['n_compared']:,})",
        "distinct words, pairs, triples": ", ".join(distinct),
        "compression ratio": f"{stage['compression_ratio']:.2f}",
        "commonest opening": f"{_percent(opening['commonest_share'])} “{first}”",
        "words a document (asked for)": f"{words:,.0f} ({'–' if target is None else f'{target:,.0f}'})",
        "within a quarter of the length asked for": _percent(lengths["share_within"]),
        "key facts that a document states": f"{_percent(facts['mean_share_stated'])} of {facts['n_facts']}",
    }


def text_rows(
    quality: dict[str, Any],
) -> tuple[list[str], list[tuple[str, list[str]]], list[tuple[str, list[str]]]]:
    """(stages, rows, rows of key facts) of the texts before and after; empty where quality.json has none."""
    texts = quality.get("texts", {})
    stages = {name: one for name, one in texts.items() if isinstance(one, dict) and one["n_documents"]}
    measures = [_measures(stage) for stage in stages.values()]
    shares = [stage["key_facts"]["share_of_documents"] for stage in stages.values()]
    return (
        list(stages),
        [(name, [one[name] for one in measures]) for name in (measures[0] if measures else ())],
        [(fact, [_percent(one[fact]) for one in shares]) for fact in (shares[0] if shares else ())],
    )


def revision_text(quality: dict[str, Any]) -> str:
    """What came of the revision, in a sentence a round; empty where there was none."""
    said = []
    for one in quality.get("revision", {}).get("rounds", []):
        drafts = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in one["draft_kept"].items())
        said.append(
            f"Round {one['round']} of the revision wrote {one['n_revised']:,} of {one['n_asked']:,} documents anew"
            + (f" and left the draft of the others ({drafts})." if drafts else ".")
        )
    return " ".join(said)


def view_corpus(documents: Path | str, quality: Path | str, shown: int) -> CorpusView:
    """One corpus with `shown` examples a type: the first of each in the order of the file."""
    found = jsonl.read(documents, Document, REMAKE)
    counts = read_quality(quality)
    written = counts.get("n_written")
    types: dict[tuple[str, str], list[Document]] = {}
    for document in found:
        types.setdefault((document.spec.category, document.spec.type), []).append(document)
    per_category = Counter(document.spec.category for document in found)
    counted = [document.tokens for document in found if document.tokens is not None]
    stages, texts, facts = text_rows(counts)
    return CorpusView(
        name=found[0].spec.corpus,
        path=str(documents),
        count=len(found),
        words=sum(len(document.text.split()) for document in found) / len(found),
        tokens=sum(counted) if len(counted) == len(found) else None,
        cost_usd=sum(document.cost_usd for document in found),
        categories=[(name, n, n / len(found)) for name, n in sorted(per_category.items())],
        types=[
            TypeView(*key, len(own), len(own) / len(found), own[:shown]) for key, own in sorted(types.items())
        ],
        quality=flatten({name: value for name, value in counts.items() if name not in ("texts", "revision")}),
        written=written if isinstance(written, int) else None,
        removed=removed_text(counts),
        stages=stages,
        texts=texts,
        facts=facts,
        revision=revision_text(counts),
    )


def view_corpora(documents: Sequence[str], quality: Sequence[str], shown: int) -> list[CorpusView]:
    """All corpora; the two lists are parallel. Raises DataError when they are not of one length."""
    if len(documents) != len(quality):
        raise DataError(
            "documents, quality",
            f"{len(documents)} files against {len(quality)}",
            "One quality.json a corpus, in the same order",
        )
    return [view_corpus(*pair, shown) for pair in zip(documents, quality, strict=True)]
