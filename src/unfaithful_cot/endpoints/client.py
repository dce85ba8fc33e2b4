"""Many requests to one OpenAI-compatible API, or to Azure OpenAI, with every answer cached.

In: requests, the endpoint, the folder of cached answers. Out: Completions, answers in the order of the requests.
How they are sent: one by one in the sliding window (window.py), or in files (batches.py). Batches that an earlier run
left at the server are collected first, in either mode.
Errors: EndpointError (no key, no model, no address; refused; unreachable; more failures than allowed; the ceiling of cost
is too low for what is asked, or reached), StorageError (disk full). Ctrl-C leaves what came back in the cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from unfaithful_cot.config.addresses import shown_address
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.batch_journal import Journal
from unfaithful_cot.endpoints.batches import Batches
from unfaithful_cot.endpoints.cache import Answer, AnswerCache
from unfaithful_cot.endpoints.faults import MalformedAnswer
from unfaithful_cot.endpoints.keys import read_key
from unfaithful_cot.endpoints.replies import read_answer
from unfaithful_cot.endpoints.requests import (
    OPENAI_URL,
    Completions,
    Plan,
    Request,
    accepted_sampling,
    plan,
    server_name,
)
from unfaithful_cot.endpoints.tally import Tally
from unfaithful_cot.endpoints.window import Send, Window
from unfaithful_cot.errors import EndpointError

KNOWN_SAMPLING = {
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "seed", "stop", "frequency_penalty",
    "presence_penalty", "response_format", "reasoning_effort", "logit_bias",
}  # fmt: skip


def complete(
    requests: Sequence[Request],
    endpoint: EndpointSettings,
    cache: Path | str,
    label: str = "requests",
    max_failed: float = 0.0,
) -> Completions:
    """Answer all requests, from the cache or from the API.

    label: name on the bar. max_failed: share of the distinct requests, in [0, 1], that may stay without an answer
    after all attempts; their place in `answers` is None and `failures` says why. Requests with equal content are
    sent once. Nothing is sent, and no key is needed, where the cache holds every answer.
    Raises: EndpointError, StorageError.
    """
    return asyncio.run(acomplete(requests, endpoint, cache, label, max_failed))


async def acomplete(
    requests: Sequence[Request],
    endpoint: EndpointSettings,
    cache: Path | str,
    label: str = "requests",
    max_failed: float = 0.0,
) -> Completions:
    """`complete` for a caller that has an event loop already."""
    distinct = {request.key: request for request in requests}
    store = AnswerCache(cache)
    answers = store.load(set(distinct), server_name(endpoint))
    todo = [request for key, request in distinct.items() if key not in answers]
    counts: dict[str, Any] = {}
    failures: dict[str, str] = {}
    if todo:
        journal = Journal(Path(cache), server_name(endpoint))
        there = {key for batch in journal.open({request.key for request in todo}) for key in batch.keys}
        check_ceiling(endpoint, plan([one for one in todo if one.key not in there], endpoint, cache))
        allowed = int(max_failed * len(distinct) + 1e-9)
        tally = Tally(endpoint, len(todo), len(answers), allowed, label)
        with contextlib.closing(store), contextlib.closing(tally), _quiet_libraries():
            await _through(todo, tally, store, journal)
        answers |= tally.answers
        failures, counts = tally.failures, tally.counts()
    return Completions(
        answers=[answers.get(request.key) for request in requests],
        failures=failures,
        n_requests=len(distinct),
        n_cached=len(distinct) - len(todo),
        n_new=len(todo) - len(failures),
        **counts,
    )


async def _through(todo: list[Request], tally: Tally, store: AnswerCache, journal: Journal) -> None:
    """Open the API and send what is open; each answer is appended before it is counted."""
    endpoint = tally.endpoint
    address = check_endpoint(endpoint, todo[0].model)
    key = tally.key = read_key(endpoint)
    async with open_client(endpoint, address, key) as api:
        await Batches(todo, journal, tally).run(api, store.append, address, key)
        rest = [request for request in todo if request.key not in tally.answers | tally.failures]
        if rest:
            await Window(rest, tally).run(sender(api, endpoint), store.append, address, key)


def sender(api: Any, endpoint: EndpointSettings) -> Send:
    """The function that sends one request and reads its answer."""
    server = server_name(endpoint)

    async def send(request: Request, refused: Set[str]) -> tuple[Answer, Mapping[str, str]]:
        sampling = accepted_sampling(request, refused)
        extra = {name: sampling.pop(name) for name in list(sampling) if name not in KNOWN_SAMPLING}
        async with asyncio.timeout(endpoint.timeout_s):
            raw = await api.chat.completions.with_raw_response.create(
                model=request.model, messages=request.messages, extra_body=extra or None, **sampling
            )
        try:
            return read_answer(request.key, raw.content, server), raw.headers
        except MalformedAnswer as error:
            error.headers = raw.headers
            raise

    return send


def check_ceiling(endpoint: EndpointSettings, planned: Plan) -> None:
    """EndpointError where the expected cost exceeds what is left of `endpoint.max_usd`."""
    if not planned.fits:
        raise EndpointError(
            "endpoint.max_usd",
            f"about ${planned.cost_usd:,.2f} are needed for {planned.n_requests - planned.n_cached:,} requests, and "
            f"${planned.spent_usd:,.2f} of the ceiling of ${planned.ceiling_usd:,.2f} are spent",
            "Nothing was sent",
            "Raise max_usd, ask for less, or set mode: batch for half the price",
        )


def check_endpoint(endpoint: EndpointSettings, model: str) -> str:
    """The address of the API; EndpointError where model, address or version is missing or cannot be one."""
    if not model:
        raise EndpointError(
            "endpoint.model", "no model is named", todo="Name the model that the API is to use"
        )
    if endpoint.kind == "azure" and not (endpoint.base_url and endpoint.api_version):
        raise EndpointError(
            "endpoint",
            "azure needs base_url and api_version",
            todo="Add both; base_url is https://NAME.openai.azure.com",
        )
    address = endpoint.base_url or OPENAI_URL
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EndpointError(
            "endpoint.base_url",
            f"'{shown_address(address)}' is no address",
            "It begins with http:// or https:// and names a host",
        )
    return address


def open_client(endpoint: EndpointSettings, address: str, key: str) -> Any:
    """The openai package's client; requests are repeated by the window, so its own repeating is off."""
    import httpx2
    import openai

    from unfaithful_cot.endpoints.bodies import bounded

    places = endpoint.concurrency + 8
    limits = httpx2.Limits(max_connections=places, max_keepalive_connections=places)
    common: dict[str, Any] = {"api_key": key, "max_retries": 0, "timeout": endpoint.timeout_s}
    common["http_client"] = openai.DefaultAsyncHttpxClient(
        limits=limits,
        timeout=endpoint.timeout_s,
        event_hooks={"response": [bounded]},
        headers={"accept-encoding": "gzip"},
    )
    bare, _, query = address.partition("#")[0].partition("?")
    if query:  # of each call, behind its path
        common["default_query"] = dict(parse_qsl(query, keep_blank_values=True))
    if endpoint.kind == "azure":
        return openai.AsyncAzureOpenAI(azure_endpoint=bare, api_version=endpoint.api_version, **common)
    return openai.AsyncOpenAI(base_url=bare, **common)


@contextlib.contextmanager
def _quiet_libraries() -> Iterator[None]:
    """No line in the log for each request."""
    loggers = [logging.getLogger(name) for name in ("httpx2", "httpcore2", "openai")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
