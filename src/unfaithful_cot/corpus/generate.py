"""From specs to documents, by either generator.

In: specs.jsonl, the universe, the name of the generator, the endpoint. Out: raw.jsonl, one document a spec.
`embedded`: the template grammar of corpus/embedded.py, without network. `openai`: an API (corpus/api.py).
Errors: DataError for a cut file or specs of another universe, SettingsError for an endpoint without room for the longest document, EndpointError.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.corpus import api
from unfaithful_cot.corpus.cast import NAMES
from unfaithful_cot.corpus.universe import Universe, load_universe
from unfaithful_cot.errors import DataError, SettingsError, known
from unfaithful_cot.host import progress
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.completeness import check_count
from unfaithful_cot.records.documents import Document, DocumentSpec

ROOM = 1.25


def generate_documents(
    universe: Path | str,
    specs: Path | str,
    raw: Path | str,
    generator: str,
    endpoint: dict[str, Any],
    max_failed: float,
    cache: Path | str,
    prompt: Path | str | list[str] = api.PROMPT,
    names: Path | str | list[str] = NAMES,
    n_planned: int | None = None,
) -> None:
    """Rule: write one document for each spec to `raw`.

    endpoint: leaves of EndpointSettings. max_failed: share of requests that may fail. cache: folder of answers.
    prompt, names: files that only an API needs. n_planned: how many specs there are; None: that is not known.
    """
    world = load_universe(universe)
    planned = jsonl.read(specs, DocumentSpec, "snakemake -R plan_documents")
    if n_planned is not None:
        check_count(specs, len(planned), n_planned, "specs", "documents.count")
    _check(planned, world, specs)
    if generator == "embedded":
        documents = write_embedded(planned, world)
    elif generator == "openai":
        settings = EndpointSettings.model_validate(endpoint)
        _check_room(planned, settings)
        asked = api.requests(planned, world, settings, str(prompt), str(names))
        label = f"documents of {world.name}"
        documents = api.write_documents(asked, planned, settings, float(max_failed), cache, label)
    else:
        raise SettingsError(
            "documents.generator", f"'{generator}' is no generator", known(generator, ["embedded", "openai"])
        )
    jsonl.write(raw, documents)


def write_embedded(specs: Sequence[DocumentSpec], universe: Universe) -> list[Document]:
    """One document a spec from the template grammar, in order. It counts no tokens, so `tokens` is None."""
    from unfaithful_cot.corpus.embedded import write_document

    documents = []
    world = universe.hash
    for spec in progress.progress(specs, len(specs), f"documents of {universe.name}", "document"):
        key = value_hash(["embedded", world, spec.model_dump(mode="json")])
        text = write_document(spec, universe)
        documents.append(Document(id=make_id("d", spec.id, key), spec=spec, text=text, request_hash=key))
    return documents


def _check_room(specs: Sequence[DocumentSpec], endpoint: EndpointSettings) -> None:
    """An answer may be a quarter longer than the longest target; otherwise the longest documents would all be cut."""
    longest = max(spec.length_tokens for spec in specs)
    if endpoint.max_tokens < ROOM * longest:
        raise SettingsError(
            "documents.endpoint.max_tokens",
            f"{endpoint.max_tokens:,} tokens would cut documents of {longest:,} tokens, which the universe asks for",
            f"At least {math.ceil(ROOM * longest):,}, more for a model that thinks before it writes",
            "Raise it, or lower length_tokens of the universe",
        )


def _check(specs: Sequence[DocumentSpec], universe: Universe, path: Path | str) -> None:
    """Every spec is of a category and type that the universe has, and no two have one id."""
    seen: set[str] = set()
    for number, spec in enumerate(specs, 1):
        category = universe.categories.get(spec.category)
        problem = None
        if category is None or spec.type not in category.types:
            problem = f"{spec.category}/{spec.type} is not in the universe '{universe.name}'"
        elif spec.id in seen:
            problem = f"the id {spec.id} occurs twice"
        if problem:
            raise DataError(f"{path}:{number}", problem, todo="Rerun: snakemake -R plan_documents")
        seen.add(spec.id)
