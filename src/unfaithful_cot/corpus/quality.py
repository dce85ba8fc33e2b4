"""The filter between written documents and the corpus.

In: raw.jsonl, the case files of the study. Out: documents.jsonl (those that stay, ids and order as they were) and
quality.json (counts for every reason, examples, shares before and after, diversity). Each removed document has one
reason, the first that holds: failed request, refusal, truncated, too short, evaluation case inside, exact
duplicate, near duplicate; of duplicates the earlier one stays.
Errors: DataError for a wrong line, or when nothing is left.
"""

from __future__ import annotations

import statistics
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unfaithful_cot import console, jsonl
from unfaithful_cot.corpus.defects import FAILED, defect
from unfaithful_cot.corpus.duplicates import PERMUTATIONS, SHINGLE_WORDS, NearDuplicates, words
from unfaithful_cot.corpus.leaks import LeakIndex, case_texts
from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import text_hash
from unfaithful_cot.records import Case, Document

REASONS = (
    FAILED,
    "refusal",
    "truncated",
    "too_short",
    "contains_case",
    "exact_duplicate",
    "near_duplicate",
)
EXAMPLES = 20
DIVERSITY_BYTES = 2_000_000


@dataclass
class Verdicts:
    """What the filter decided. removed: {document id: reason}. of: {document id: id of the one it repeats}."""

    removed: dict[str, str] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)
    similarity: dict[str, float] = field(default_factory=dict)


def filter_documents(
    raw: Path | str,
    cases: list[str],
    documents: Path | str,
    quality: Path | str,
    near_duplicate: float,
    min_words: int,
) -> None:
    """Rule: write the documents that stay, and the account of those that do not.

    near_duplicate: similarity in [0, 1] from which on the later document is removed. min_words: fewer are too short.
    """
    written = jsonl.read(raw, Document, "snakemake -R generate_documents")
    _unique(written, raw)
    paths = [cases] if isinstance(cases, str) else list(cases)
    index = LeakIndex(case_texts(case for path in paths for case in jsonl.iterate(path, Case)))
    verdicts = judge(written, index, float(near_duplicate), int(min_words), f"quality of {raw}")
    kept = [document for document in written if document.id not in verdicts.removed]
    if not kept:
        counts = Counter(verdicts.removed.values())
        raise DataError(
            raw,
            f"none of the {len(written):,} documents passes the quality step "
            f"({', '.join(f'{reason} {n:,}' for reason, n in sorted(counts.items()))})",
            "At least one document that is no duplicate, refusal, truncated or too short text",
            "Look at some lines of the file; adjust documents.endpoint.max_tokens or documents.quality",
        )
    report = account(written, kept, verdicts)
    report["settings"] = {
        "near_duplicate": float(near_duplicate),
        "min_words": int(min_words),
        "shingle_words": SHINGLE_WORDS,
        "permutations": PERMUTATIONS,
        "n_cases_files": len(paths),
        "n_case_texts_too_short_to_search": index.n_ignored,
    }
    jsonl.write(documents, kept)
    jsonl.write_json(quality, report)


def judge(
    documents: Sequence[Document], index: LeakIndex, near_duplicate: float, min_words: int, label: str
) -> Verdicts:
    """One reason for each document that is removed; label: what the bar is called."""
    verdicts, first, alike = Verdicts(), dict[str, str](), NearDuplicates(near_duplicate)
    for document in console.progress(documents, len(documents), label, "document"):
        reason, tokens = defect(document, min_words), words(document.text)
        if reason is None and index.find(tokens) is not None:
            reason = "contains_case"
        if reason is None:
            earlier = first.setdefault(text_hash(" ".join(tokens)), document.id)
            if earlier != document.id:
                reason, verdicts.of[document.id] = "exact_duplicate", earlier
        if reason is None and (repeat := alike.add(document.id, tokens)):
            reason, verdicts.of[document.id] = "near_duplicate", repeat[0]
            verdicts.similarity[document.id] = round(repeat[1], 4)
        if reason is not None:
            verdicts.removed[document.id] = reason
    return verdicts


def account(written: Sequence[Document], kept: Sequence[Document], verdicts: Verdicts) -> dict[str, object]:
    """The content of quality.json: counts, shares in [0, 1], lengths in words, tokens, cost in USD, diversity."""
    failures = [
        document.finish_reason.removeprefix(f"{FAILED}:")
        for document in written
        if verdicts.removed.get(document.id) == FAILED
    ]
    return {
        "n_written": len(written),
        "n_kept": len(kept),
        "n_removed": len(verdicts.removed),
        "removed": {reason: list(verdicts.removed.values()).count(reason) for reason in REASONS},
        "failed_requests": _counts(failures),
        "removed_examples": _examples(verdicts),
        "category_shares": {
            "written": _shares([document.spec.category for document in written]),
            "kept": _shares([document.spec.category for document in kept]),
        },
        "type_counts_kept": _counts(f"{one.spec.category}/{one.spec.type}" for one in kept),
        "words": _lengths([len(document.text.split()) for document in kept]),
        "tokens": _tokens(kept),
        "cost_usd": round(sum(document.cost_usd for document in written), 6),
        "diversity": diversity([document.text for document in kept]),
    }


def _examples(verdicts: Verdicts) -> dict[str, list[dict[str, object]]]:
    """The first removed documents of each reason: id, and of duplicates what they repeat and how closely."""
    found: dict[str, list[dict[str, object]]] = {}
    for identifier, reason in verdicts.removed.items():
        examples = found.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            examples.append(
                {
                    "id": identifier,
                    "repeats": verdicts.of.get(identifier),
                    "similarity": verdicts.similarity.get(identifier),
                }
            )
    return found


def _lengths(n_words: list[int]) -> dict[str, float]:
    """Total, mean, least, median and most words of the kept documents."""
    return {
        "total": sum(n_words),
        "mean": round(statistics.fmean(n_words), 1),
        "min": min(n_words),
        "median": statistics.median(n_words),
        "max": max(n_words),
    }


def _tokens(kept: Sequence[Document]) -> dict[str, object]:
    """Completion tokens as the generator counted them; None where it counted none."""
    counted = [document.tokens for document in kept if document.tokens is not None]
    n_missing = len(kept) - len(counted)
    return {
        "total": sum(counted) if counted else None,
        "n_missing": n_missing,
        "reason_missing": "the generator counted no tokens" if n_missing else None,
    }


def diversity(texts: Sequence[str]) -> dict[str, float | int]:
    """How varied the first two megabytes of the texts are.

    distinct_n: distinct runs of n words divided by all runs of n words, within texts (Li et al. 2016).
    compression_ratio: bytes divided by bytes after zlib (Shaib et al. 2024); higher means more repetition.
    """
    taken: list[str] = []
    size = 0
    for text in texts:
        if size >= DIVERSITY_BYTES:
            break
        taken.append(text)
        size += len(text.encode())
    tokens = [words(text) for text in taken]
    found: dict[str, float | int] = {"n_documents": len(taken)}
    for n in (1, 2, 3):
        runs = [tuple(one[i : i + n]) for one in tokens for i in range(len(one) - n + 1)]
        if runs:
            found[f"distinct_{n}"] = round(len(set(runs)) / len(runs), 4)
    data = "\n".join(taken).encode()
    return found | {"compression_ratio": round(len(data) / len(zlib.compress(data, 6)), 3)}


def _counts(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _shares(names: Sequence[str]) -> dict[str, float]:
    return {name: round(count / len(names), 4) for name, count in _counts(names).items()}


def _unique(documents: Sequence[Document], path: Path | str) -> None:
    seen: set[str] = set()
    for number, document in enumerate(documents, 1):
        if document.id in seen:
            raise DataError(
                f"{path}:{number}",
                f"the id {document.id} occurs twice",
                "Every document has an id of its own",
                "Rerun: snakemake -R generate_documents",
            )
        seen.add(document.id)
