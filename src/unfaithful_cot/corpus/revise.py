"""Critique and revise: each written document is revised once, or in several rounds.

In: raw.jsonl, the universe, the endpoint, resources/prompts/revise_document.*.yaml. Out: revised.jsonl (a document for each line of raw.jsonl, in its
order) and revision.json (the account, round by round). A round asks one request a document: draft, findings (corpus/findings.py), the world and
the commission; the answer is the document, written anew. It takes the draft's place only if it is whole: not refused, not cut, no remark around it,
not half as long, not the same, and stating no fewer of the key facts. Otherwise the draft stays, and the reason is counted. Documents
that failed or were refused have nothing to revise and are not asked for. Cost is that of all requests, of those that were of no use too.
Errors: DataError for a wrong line or prompt file; EndpointError.
Source: critique and revision as in constitutional AI (Bai et al. 2022); here what can be counted is named, the rest is left to the writer.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.config.addresses import without_secrets
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.corpus.cast import NAMES, load_names
from unfaithful_cot.corpus.commission import PLACES, commission
from unfaithful_cot.corpus.defects import FAILED, defect
from unfaithful_cot.corpus.duplicates import words
from unfaithful_cot.corpus.facts import FactReader, sentences
from unfaithful_cot.corpus.findings import Examiner, listed
from unfaithful_cot.corpus.universe import Universe, load_universe
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.requests import CHARACTERS_PER_TOKEN, Request, cost_usd, make_request
from unfaithful_cot.endpoints.templates import FOLDER, load_request_template
from unfaithful_cot.provenance import file_hash, value_hash
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.completeness import check_count
from unfaithful_cot.records.documents import Document, DocumentSpec

PROMPT = FOLDER / "revise_document.v1.yaml"
VALUES = PLACES | {"findings", "draft"}
NOTHING_TO_REVISE = (FAILED, "refusal")
TALLIED = ("draft_kept", "failed_requests", "not_asked", "findings")
EXPECTED_FINDINGS, LETTER = "- " + "x" * 300, "x"
LEAST_SHARE = 0.5
"""A text with fewer words than this share of its draft has lost something."""
OPENING_REMARK = re.compile(
    r"""^\W*(?:(?:sure|certainly|of\ course|absolutely)\b[^\n]{0,80}\n
    |here(?:['’]s|\ is)\b[^\n]{0,60}\b(?:revised|revision|rewritten|improved|new\ version)\b
    |(?:revised|rewritten|improved)\ (?:document|version|draft|text)\W*\n)""",
    re.IGNORECASE | re.VERBOSE,
)
CLOSING_REMARK = re.compile(
    r"\n\W*(?:(?:summary of |key |main )?(?:changes|revisions)(?: made)?|notes? on the revision)\W*\n[^\n]",
    re.IGNORECASE,
)
Tally = dict[str, Counter[str]]


def revise_documents(
    raw: Path | str,
    universe: Path | str,
    prompt: Path | str,
    names: Path | str,
    revised: Path | str,
    account: Path | str,
    endpoint: dict[str, Any],
    rounds: int,
    min_words: int,
    max_failed: float,
    cache: Path | str,
    n_planned: int | None = None,
) -> None:
    """Rule: have every document revised `rounds` times, and say what came of it.

    endpoint: leaves of EndpointSettings. min_words: a shorter text is no document. max_failed: share of requests that may fail.
    n_planned: how many documents there are; None: that is not known.
    """
    documents = jsonl.read(raw, Document, "snakemake -R generate_documents")
    if n_planned is not None:
        check_count(raw, len(documents), n_planned, "documents", "documents.count")
    settings = EndpointSettings.model_validate(endpoint)
    reviser = Reviser(load_universe(universe), prompt, names, settings, int(min_words))
    done: list[dict[str, Any]] = []
    for number in range(1, int(rounds) + 1):
        documents, of_round = reviser.revise(documents, number, float(max_failed), cache)
        done.append(of_round)
    jsonl.write(revised, documents)
    n_revised = sum(document.revised_from is not None for document in documents)
    made_from = recipe(raw, universe, prompt, names, settings, int(rounds))
    total = {"n_documents": len(documents), "n_revised": n_revised, "made_from": made_from}
    jsonl.write_json(account, total | {"rounds": done})


def recipe(
    raw: Path | str,
    universe: Path | str,
    prompt: Path | str,
    names: Path | str,
    endpoint: EndpointSettings,
    rounds: int,
) -> str:
    """One hash of everything that the requests of a revision are made from."""
    address = without_secrets(endpoint.base_url)
    asked = (address, endpoint.model, endpoint.temperature, endpoint.max_tokens, rounds)
    return value_hash([*asked, *map(file_hash, (raw, universe, prompt, names))])


def is_done(
    folder: Path,
    universe: Path | str,
    prompt: Path | str,
    names: Path | str,
    endpoint: EndpointSettings,
    rounds: int,
) -> bool:
    """Whether the corpus in `folder` was revised in this way already, so that every answer lies in the cache."""
    raw, account = folder / "raw.jsonl", folder / "revision.json"
    if not (raw.exists() and account.exists()):
        return False
    try:
        noted = json.loads(account.read_text(encoding="utf-8"))["made_from"]
    except (ValueError, TypeError, KeyError):
        return False  # no account of this version: the plan then shows the full price
    return bool(noted == recipe(raw, universe, prompt, names, endpoint, rounds))


def expected_requests(
    specs: Sequence[DocumentSpec],
    universe: Universe,
    endpoint: EndpointSettings,
    rounds: int,
    prompt: Path | str = PROMPT,
    names: Path | str = NAMES,
) -> list[Request]:
    """For the price before anything is written: requests that are as long as those of a revision will be, every document in every round."""
    reviser = Reviser(universe, prompt, names, endpoint, 1)
    return [
        reviser.request(
            spec, EXPECTED_FINDINGS, LETTER * round(spec.length_tokens * CHARACTERS_PER_TOKEN), number
        )
        for number in range(1, rounds + 1)
        for spec in specs
    ]


class Reviser:
    """What documents are revised with: the world, the wording and the endpoint."""

    def __init__(
        self,
        universe: Universe,
        prompt: Path | str,
        names: Path | str,
        endpoint: EndpointSettings,
        min_words: int,
    ) -> None:
        self.universe, self.endpoint, self.min_words = universe, endpoint, min_words
        self.template, self.names = load_request_template(prompt, VALUES), load_names(names)
        self.facts = FactReader(universe.key_facts, universe.firm)

    def requests(self, documents: Sequence[Document], number: int, tally: Tally) -> dict[str, Request]:
        """{document id: request of round `number`}. Each round asks anew, also about a draft that stayed as it was."""
        examiner = Examiner(self.facts, self.min_words)
        asked = {}
        for document in documents:
            if (reason := defect(document, self.min_words)) in NOTHING_TO_REVISE:
                tally["not_asked"][str(reason)] += 1
                continue
            found = examiner.findings(document)
            tally["findings"].update(list(found) or ["none"])
            asked[document.id] = self.request(document.spec, listed(found), document.text, number)
        return asked

    def request(self, spec: DocumentSpec, findings: str, draft: str, number: int) -> Request:
        """The request of a round for one draft."""
        values = commission(spec, self.universe, self.names)
        messages = self.template.messages(spec.seed, **values, findings=findings, draft=draft)
        return make_request(self.endpoint, messages, index=number, expected_tokens=spec.length_tokens)

    def revise(
        self, documents: Sequence[Document], number: int, max_failed: float, cache: Path | str
    ) -> tuple[list[Document], dict[str, Any]]:
        """Round `number`, from 1: the documents after it, and its account."""
        tally: Tally = {name: Counter() for name in TALLIED}
        asked = self.requests(documents, number, tally)
        label = f"revision of {self.universe.name}, round {number}"
        done = complete(list(asked.values()), self.endpoint, cache, label=label, max_failed=max_failed)
        answers = dict(zip(asked, done.answers, strict=True))
        after = []
        for document in documents:
            later, reason = document, None
            if request := asked.get(document.id):
                later, reason = self.judged(document, request, answers[document.id])
                tally["draft_kept"].update([reason] if reason else [])
                if reason == FAILED:
                    tally["failed_requests"][done.failures[request.key]] += 1
            after.append(later)
        spent = sum(b.cost_usd - a.cost_usd for a, b in zip(documents, after, strict=True))
        return after, {
            "round": number,
            "n_asked": len(asked),
            "n_revised": len(asked) - tally["draft_kept"].total(),
            **{name: dict(sorted(counts.items())) for name, counts in tally.items()},
            "cost_usd": round(spent, 6),
        }

    def judged(self, draft: Document, request: Request, answer: Answer | None) -> tuple[Document, str | None]:
        """What stands in the draft's place, and why it is the draft itself, or None."""
        if answer is None:
            return draft, FAILED
        price = draft.cost_usd + cost_usd(
            self.endpoint, answer.prompt_tokens, answer.completion_tokens, answer.batched
        )
        later = Document(
            id=make_id("d", draft.spec.id, request.key),
            spec=draft.spec,
            text=answer.text.strip(),
            request_hash=request.key,
            finish_reason=answer.finish_reason,
            tokens=answer.completion_tokens,
            cost_usd=price,
            revised_from=draft.revised_from or draft.id,
        )
        reason = self.lost(draft, later)
        return (draft.model_copy(update={"cost_usd": price}) if reason else later), reason

    def lost(self, draft: Document, later: Document) -> str | None:
        """Why a text may not take the place of its draft: the first reason that holds, None if it may."""
        if reason := defect(later, self.min_words):
            return reason
        if OPENING_REMARK.search(later.text) or CLOSING_REMARK.search(later.text):
            return "remark"
        if words(later.text) == words(draft.text):
            return "unchanged"
        if len(later.text.split()) < LEAST_SHARE * len(draft.text.split()):
            return "shrunk"
        if len(self._stated(later)) < len(self._stated(draft)):
            return "lost_facts"
        return None

    def _stated(self, document: Document) -> set[int]:
        return self.facts.stated(sentences(document.text))
