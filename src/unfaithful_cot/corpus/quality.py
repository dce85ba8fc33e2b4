"""The filter between written documents and the corpus, and the account of both.

In: the written documents (raw.jsonl, or revised.jsonl with raw.jsonl beside it), the universe, the case files of the study. Out:
documents.jsonl (those that stay, ids and order as they were) and quality.json: counts for every reason, examples,
shares before and after, and what the texts are like at each stage (corpus/measures.py). Documents go through one after the other.
Errors: DataError for a wrong line, or when nothing is left.
"""

from __future__ import annotations

import json
import statistics
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.duplicates import PERMUTATIONS, SHINGLE_WORDS
from unfaithful_cot.corpus.facts import THRESHOLD, FactReader
from unfaithful_cot.corpus.leaks import LeakIndex, case_texts
from unfaithful_cot.corpus.measures import Stage, TextReader, compare
from unfaithful_cot.corpus.screening import REASONS, Screen
from unfaithful_cot.corpus.universe import load_universe
from unfaithful_cot.errors import DataError
from unfaithful_cot.host import progress
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.completeness import check_count
from unfaithful_cot.records.documents import Document

REMAKE = "snakemake -R generate_documents"


def filter_documents(
    raw: Path | str,
    cases: list[str],
    documents: Path | str,
    quality: Path | str,
    near_duplicate: float,
    min_words: int,
    universe: Path | str,
    generator: str = "openai",
    drafts: Path | str | list[str] = "",
    revision: Path | str | list[str] = "",
    n_planned: int | None = None,
) -> None:
    """Rule: write the documents that stay, and the account of those that do not.

    near_duplicate: similarity in [0, 1] from which on the later document is removed. min_words: fewer are too short.
    universe: whose key facts are looked for. generator: `embedded` is asked for no length. drafts, revision: the texts before their
    revision and its account, if there was one. n_planned: how many documents were written; None: that is not known.
    """
    paths = [cases] if isinstance(cases, str) else list(cases)
    world = load_universe(universe)
    facts = FactReader(world.key_facts, world.firm)
    leaks = LeakIndex(case_texts(case for path in paths for case in jsonl.iterate(path, Case)))
    reader = TextReader(facts)
    account = Account(reader, Screen(leaks, float(near_duplicate), int(min_words)))
    before = [_measured(str(drafts), reader, leaks, float(near_duplicate), int(min_words))] if drafts else []
    with jsonl.replacing(documents) as out:
        for document in account.kept(raw):
            out.write(document.model_dump_json() + "\n")
        account.check(raw, n_planned)
    stages = {"written": before[0], "revised": account.before} if before else {"written": account.before}
    report = account.report() | {
        "texts": compare(stages | {"kept": account.after}, generator != "embedded"),
        **({"revision": json.loads(Path(str(revision)).read_text(encoding="utf-8"))} if revision else {}),
        "settings": {
            "near_duplicate": float(near_duplicate),
            "min_words": int(min_words),
            "shingle_words": SHINGLE_WORDS,
            "permutations": PERMUTATIONS,
            "fact_threshold": THRESHOLD,
            "n_cases_files": len(paths),
            "n_case_texts_too_short_to_search": leaks.n_ignored,
        },
    }
    jsonl.write_json(quality, report)


def passing(path: Path | str, label: str) -> Iterator[Document]:
    """The documents of a file with a bar; DataError where two have one id or the file is empty."""
    file = Path(path)
    n_lines = 0
    if file.exists():
        with file.open("rb") as lines:
            n_lines = sum(1 for _ in lines)
    seen: set[str] = set()
    stream = jsonl.iterate(path, Document, REMAKE)
    for number, document in enumerate(progress.progress(stream, n_lines, label, "document"), 1):
        if document.id in seen:
            raise DataError(
                f"{path}:{number}",
                f"the id {document.id} occurs twice",
                "Every document has an id of its own",
                f"Rerun: {REMAKE}",
            )
        seen.add(document.id)
        yield document
    if not seen:
        raise DataError(path, "the file is empty", "At least one JSON object", f"Rerun: {REMAKE}")


def _measured(
    path: str, reader: TextReader, leaks: LeakIndex, near_duplicate: float, min_words: int
) -> Stage:
    """The texts of a file as one stage, its repeats found as the filter finds them."""
    stage, screen = Stage(reader.facts), Screen(leaks, near_duplicate, min_words)
    for document in passing(path, f"texts of {path}"):
        text = reader.read(document)
        stage.add(text, screen.reason(document, text.tokens))
    return stage


class Account:
    """What the filter counts while documents pass. `before`, `after`: the stages on its two sides."""

    def __init__(self, reader: TextReader, screen: Screen) -> None:
        self.reader, self.screen = reader, screen
        self.before, self.after = Stage(reader.facts), Stage(reader.facts)
        self.written, self.stayed, self.types = Counter[str](), Counter[str](), Counter[str]()
        self.cost_usd = 0.0
        self.tokens: list[int | None] = []
        self.n_words = array("i")

    def kept(self, raw: Path | str) -> Iterator[Document]:
        """The documents of a file that stay, each counted."""
        for document in passing(raw, f"quality of {raw}"):
            text = self.reader.read(document)
            reason = self.screen.reason(document, text.tokens)
            self.written[document.spec.category] += 1
            self.cost_usd += document.cost_usd
            self.before.add(text, reason)
            if reason is None:
                self.after.add(text, None)
                self.stayed[document.spec.category] += 1
                self.types[f"{document.spec.category}/{document.spec.type}"] += 1
                self.n_words.append(text.n_words)
                self.tokens.append(document.tokens)
                yield document

    def check(self, raw: Path | str, n_planned: int | None) -> None:
        """DataError when nothing is left, or when lines were lost."""
        if n_planned is not None:
            check_count(raw, self.written.total(), n_planned, "documents", "documents.count")
        if not self.stayed:
            counts = ", ".join(f"{reason} {n:,}" for reason, n in sorted(self.screen.removed.items()))
            raise DataError(
                raw,
                f"none of the {self.written.total():,} documents passes the quality step ({counts})",
                "At least one document that is no duplicate, refusal, truncated or too short text",
                "Look at some lines of the file; adjust documents.endpoint.max_tokens or documents.quality",
            )

    def report(self) -> dict[str, Any]:
        """Counts, shares in [0, 1], lengths in words, tokens, cost in USD."""
        removed = self.screen.removed
        return {
            "n_written": self.written.total(),
            "n_kept": self.stayed.total(),
            "n_removed": removed.total(),
            "removed": {reason: removed[reason] for reason in REASONS},
            "failed_requests": dict(sorted(self.screen.failures.items())),
            "removed_examples": self.screen.examples,
            "category_shares": {"written": _shares(self.written), "kept": _shares(self.stayed)},
            "type_counts_kept": dict(sorted(self.types.items())),
            "words": {
                "total": sum(self.n_words),
                "mean": round(statistics.fmean(self.n_words), 1),
                "min": min(self.n_words),
                "median": statistics.median(self.n_words),
                "max": max(self.n_words),
            },
            "tokens": self._tokens(),
            "cost_usd": round(self.cost_usd, 6),
        }

    def _tokens(self) -> dict[str, object]:
        """Completion tokens as the generator counted them; None where it counted none."""
        counted = [one for one in self.tokens if one is not None]
        n_missing = len(self.tokens) - len(counted)
        return {
            "total": sum(counted) if counted else None,
            "n_missing": n_missing,
            "reason_missing": "the generator counted no tokens" if n_missing else None,
        }


def _shares(counts: Mapping[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: round(count / total, 4) for name, count in sorted(counts.items())}
