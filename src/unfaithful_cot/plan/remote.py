"""What is asked over the network before anything is spent: models on the Hub, endpoints, and what they may cost.

In: settings and models. Out: Findings, sizes of the models. One request or two for each repository; two for each endpoint,
one of them a chat of a few tokens, which costs less than a hundredth of a cent.
Errors: none raised; a problem stands in its Finding. All are asked at the same time, each for some seconds at most.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.sources import adapter_source, corpora_written, documents_source
from unfaithful_cot.config.study import Settings
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.requests import make_request
from unfaithful_cot.endpoints.spending import Ledger
from unfaithful_cot.errors import EndpointError, WorkflowError
from unfaithful_cot.hub.access import Kind, check_namespace, check_repository, hub_errors, token
from unfaithful_cot.models.load import check_folder, folder_of
from unfaithful_cot.plan.costs import case_plans, document_plans
from unfaithful_cot.plan.findings import Finding, failed, tried
from unfaithful_cot.plan.listing import TIMEOUT_S, models_listed
from unfaithful_cot.plan.memory import Config, read_config

FEW_TOKENS = 16


def look_at_models(models: Mapping[str, ModelSettings]) -> dict[str, tuple[Finding, Config | None]]:
    """{model: whether it can be loaded, its config.json where that can be had}.

    Folders are whole; repositories exist at their revision, and the token may read them.
    """

    def look(name: str) -> tuple[Finding, Config | None]:
        found = tried("model", name, lambda: _look(models[name]))
        return found, config_of(models[name], ask=found.problem is None)

    with ThreadPoolExecutor() as pool:
        return dict(zip(models, pool.map(look, models), strict=True))


def _look(model: ModelSettings) -> str:
    folder = folder_of(model.source)
    if folder is not None:
        check_folder(folder)
        return f"folder {model.source}"
    found = check_repository(model.source, model.revision)
    gated = ", gated, access granted" if found.gated else ""
    return f"{model.source} at {model.revision or 'main'}, commit {found.commit[:8]}{gated}"


def hub_findings(settings: Settings) -> list[Finding]:
    """Repositories that documents and adapters are taken from can be read; the namespace of uploads can be written."""
    asked: dict[tuple[str, str | None, Kind], str] = {}
    for corpus in settings.grid.corpora:
        if source := documents_source(settings, settings.documents_of(corpus)):
            asked[source.repo, source.revision, "dataset"] = "documents.from_hub"
    for model in settings.grid.models:
        for corpus in [*settings.grid.corpora, *settings.organisms]:
            if source := adapter_source(settings, corpus, model):
                asked[source.repo, source.revision, "model"] = "adapter.from_hub"

    def look(item: tuple[tuple[str, str | None, Kind], str]) -> Finding:
        place, name = item
        return tried("Hub", name, lambda: f"{place[0]}, commit {check_repository(*place).commit[:8]}")

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(look, asked.items()))
    if (namespace := settings.hub.namespace) is not None:
        found.append(
            tried("Hub", "hub.namespace", lambda: f"{check_namespace(namespace)} may write in {namespace}")
        )
    return found


def token_finding(models: Mapping[str, ModelSettings]) -> Iterator[Finding]:
    """A token, where a model lies on the Hub: without one only open repositories can be read, and slower."""
    if any(not Path(model.source).is_dir() for model in models.values()):
        there = token() is not None
        yield Finding(
            "token", "HF_TOKEN", "there" if there else "none: open models only", "ok" if there else "look"
        )


def config_of(model: ModelSettings, ask: bool = True) -> Config | None:
    """config.json of the folder, the cache or, where `ask`, the Hub; None where it cannot be had, which the table shows."""
    from huggingface_hub import hf_hub_download

    try:
        path = Path(model.source) / "config.json"
        if not path.is_file():
            with hub_errors(model.source, model.revision, "model"):
                path = Path(
                    hf_hub_download(
                        model.source,
                        "config.json",
                        revision=model.revision,
                        token=token() or False,
                        local_files_only=not ask,
                    )
                )
        return read_config(json.loads(path.read_text(encoding="utf-8")))
    except (WorkflowError, OSError, ValueError, KeyError):
        return None


def is_fetched(model: ModelSettings) -> bool:
    """Whether weights of the model lie here already."""
    from huggingface_hub import try_to_load_from_cache

    if Path(model.source).is_dir():
        return True
    names = ("model.safetensors", "model.safetensors.index.json")
    return any(
        isinstance(try_to_load_from_cache(model.source, name, revision=model.revision), str) for name in names
    )


def endpoints_of(settings: Settings) -> dict[str, EndpointSettings]:
    """{setting: endpoint} of every API that the study asks."""
    writes = settings.documents.generator == "openai" and corpora_written(settings)
    found = {"documents": settings.documents.endpoint} if writes else {}
    found |= {
        f"suites.{name}": one.endpoint for name, one in settings.suites.items() if one.generator == "openai"
    }
    if settings.inference.engine == "openai":
        found["inference"] = settings.inference.endpoint
    for name, organism in settings.organisms.items():
        if organism.teacher.inference.engine == "openai":
            found[f"organisms.{name}.teacher.inference"] = organism.teacher.inference.endpoint
    return found | {f"grading.judges.{name}": one.endpoint for name, one in settings.grading.judges.items()}


def endpoint_findings(settings: Settings) -> list[Finding]:
    """Each API answers, knows the key and the model. Endpoints that agree in address, key and model are asked once."""
    asked: dict[tuple[str, str, str], list[str]] = {}
    endpoints = endpoints_of(settings)
    for name, endpoint in endpoints.items():
        asked.setdefault((endpoint.base_url or "", endpoint.api_key_env, endpoint.model), []).append(name)

    def look(names: list[str]) -> Finding:
        try:
            return _call(", ".join(names), endpoints[names[0]])
        except EndpointError as error:
            return failed("endpoint", ", ".join(names), error)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(look, asked.values()))


def _call(subject: str, endpoint: EndpointSettings) -> Finding:
    """List the models, then ask for a few tokens, as the run asks.

    The list is a hint alone: a key may list models that it may not use, use models that it may not list, or have no credit.
    """
    listing = models_listed(endpoint)
    if not endpoint.model:  # of `inference`: each model's own name is asked for
        return Finding("endpoint", subject, listing.words, "look" if listing.odd else "ok")
    quick = endpoint.model_copy(
        update={"timeout_s": TIMEOUT_S, "max_attempts": 1, "mode": "online", "max_usd": None, "ledger": None}
    )
    try:
        _chat(quick, FEW_TOKENS)
    except EndpointError as error:
        if error.reason == "http_401":
            raise listing.wrong_key() from None
        if error.reason == "http_404" and (unlisted := listing.unlisted()):
            raise unlisted from None
        if error.reason not in ("http_400", "http_422"):
            raise
        _chat(quick, endpoint.max_tokens)  # a model that thinks may need more than a few
    problem = listing.unlisted()
    words = f"{listing.words}; {endpoint.model} answers" + (
        ", though it is not in the list" if problem else ""
    )
    return Finding("endpoint", subject, words, "look" if listing.odd or problem else "ok")


def _chat(endpoint: EndpointSettings, max_tokens: int) -> None:
    request = make_request(endpoint, [{"role": "user", "content": "Say: ready."}], max_tokens=max_tokens)
    with tempfile.TemporaryDirectory() as nowhere:
        complete([request], endpoint, nowhere, label=f"preflight of {endpoint.model}")


def price_findings(settings: Settings, universes: Path, cache: Path) -> Iterator[Finding]:
    """What documents and cases are expected to cost against `max_usd` of their endpoint, less what was spent already."""
    expected: dict[str, float] = {}
    for _, plan in document_plans(settings, universes, cache / "documents"):
        expected["documents"] = expected.get("documents", 0.0) + plan.cost_usd
    for what, plan in case_plans(settings, cache / "cases"):
        expected[f"suites.{what.removeprefix('cases of ')}"] = plan.cost_usd
    for name, endpoint in endpoints_of(settings).items():
        if endpoint.max_usd is not None:
            spent, about = Ledger(endpoint.ledger).total(), expected.get(name)
            yield _against_ceiling(name, endpoint.max_usd, spent, about)


def _against_ceiling(name: str, ceiling: float, spent: float, about: float | None) -> Finding:
    text = f"${spent:,.2f} spent" + (f", about ${about:,.2f} to come" if about is not None else "")
    text += f", ceiling ${ceiling:,.2f}"
    if spent + (about or 0.0) <= ceiling and not (spent >= ceiling and about):
        return Finding("price", name, text)
    passed = "is already exceeded" if spent >= ceiling else "would be passed"
    return failed(
        "price",
        name,
        EndpointError(
            f"{name}.endpoint.max_usd",
            f"the ceiling {passed}: {text}",
            f"At least {spent + (about or 0.0):,.2f}",
            "Raise it, ask for less, or choose a cheaper model",
        ),
    )
