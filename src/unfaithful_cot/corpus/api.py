"""Documents written by a language model behind an API.

In: specs, the universe, the endpoint, a prompt of resources/prompts/, the lists of names. Out: requests (for the plan), documents.
A document that the API did not deliver stays in the file with an empty text and the finish reason
`failed:REASON`, so that the quality step counts it.
Errors: EndpointError (endpoints/client.py), DataError for a wrong prompt file.
Source: the chain of synthetic document finetuning (universe context, key facts, document types, ideas, documents);
people, department, date, matter, opening and tone are drawn by the seed of the spec, against many documents with one name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.corpus.cast import NAMES, load_names
from unfaithful_cot.corpus.commission import PLACES, commission
from unfaithful_cot.corpus.universe import Universe
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.requests import Request, cost_usd, make_request
from unfaithful_cot.endpoints.templates import FOLDER, load_request_template
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.documents import Document, DocumentSpec

PROMPT = FOLDER / "documents.v2.yaml"


def requests(
    specs: Sequence[DocumentSpec],
    universe: Universe,
    endpoint: EndpointSettings,
    prompt: Path | str = PROMPT,
    names: Path | str = NAMES,
) -> list[Request]:
    """One request a spec, in order."""
    template, lists = load_request_template(prompt, PLACES), load_names(names)
    return [
        make_request(
            endpoint,
            template.messages(spec.seed, **commission(spec, universe, lists)),
            index=spec.index,
            expected_tokens=spec.length_tokens,
        )
        for spec in specs
    ]


def write_documents(
    asked: Sequence[Request],
    specs: Sequence[DocumentSpec],
    endpoint: EndpointSettings,
    max_failed: float,
    cache: Path | str,
    label: str,
) -> list[Document]:
    """One document a spec, in order, from the cache or the API. asked: the request of each; label: of the bar."""
    done = complete(asked, endpoint, cache, label=label, max_failed=max_failed)
    documents = []
    for spec, request, answer in zip(specs, asked, done.answers, strict=True):
        documents.append(
            Document(
                id=make_id("d", spec.id, request.key),
                spec=spec,
                text=answer.text.strip() if answer else "",
                request_hash=request.key,
                finish_reason=answer.finish_reason if answer else f"failed:{done.failures[request.key]}",
                tokens=answer.completion_tokens if answer else None,
                cost_usd=cost_usd(endpoint, answer.prompt_tokens, answer.completion_tokens, answer.batched)
                if answer
                else 0.0,
            )
        )
    return documents
