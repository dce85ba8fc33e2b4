"""What is asked of an API and what comes back: requests, answers, counts, and the cost before anything is sent.

In: messages and sampling of each request. Out: Request (with the key that its answer is cached under), Answer,
Completions (answers in the order of the requests), Plan (a cost line without network).
Errors: none of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field

from unfaithful_cot.endpoints.cache import Answer, AnswerCache
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records import Record
from unfaithful_cot.settings import EndpointSettings

CHARACTERS_PER_TOKEN = 4.0
"""Rule of thumb for English in the tokenizers of current APIs; good to about a fifth."""


class Request(Record):
    """One chat request. `sampling` is sent as it is (temperature, max_tokens, top_p, seed …).

    index: number of the sample; the same question with another index is asked anew instead of read from the
    cache. expected_tokens: guess of the length of the answer for the cost estimate, no part of the content.
    """

    model: str
    messages: list[dict[str, str]] = Field(min_length=1)
    sampling: dict[str, Any]
    index: int = 0
    expected_tokens: int | None = None

    @property
    def key(self) -> str:
        """Hash of the content: model, messages, sampling and index."""
        return value_hash([self.model, self.messages, self.sampling, self.index])

    @property
    def prompt_tokens(self) -> int:
        """Estimated prompt tokens, from the number of characters."""
        return round(sum(len(message["content"]) for message in self.messages) / CHARACTERS_PER_TOKEN)


def make_request(
    endpoint: EndpointSettings,
    messages: list[dict[str, str]],
    index: int = 0,
    expected_tokens: int | None = None,
    **sampling: Any,
) -> Request:
    """A request with the endpoint's model, temperature and max_tokens; `sampling` adds to them or replaces them."""
    merged = {"temperature": endpoint.temperature, "max_tokens": endpoint.max_tokens, **sampling}
    return Request(
        model=endpoint.model,
        messages=messages,
        sampling=json.loads(json.dumps(merged)),
        index=index,
        expected_tokens=expected_tokens,
    )


def cost_usd(
    endpoint: EndpointSettings, prompt_tokens: float | None, completion_tokens: float | None
) -> float:
    """Price in USD of some tokens at the endpoint's prices; tokens that the API did not count cost nothing here."""
    return (
        (prompt_tokens or 0) * endpoint.input_usd_per_million
        + (completion_tokens or 0) * endpoint.output_usd_per_million
    ) / 1e6


@dataclass(frozen=True)
class Completions:
    """Answers in the order of the requests, None where a request failed after all attempts.

    failures: {request key: reason}. retries: {reason: how often an attempt was repeated}. Counts are of distinct
    requests; tokens and cost_usd are those of this run: what came out of the cache was paid for before.
    """

    answers: list[Answer | None]
    failures: dict[str, str] = field(default_factory=dict)
    retries: dict[str, int] = field(default_factory=dict)
    n_requests: int = 0
    n_cached: int = 0
    n_new: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0

    @property
    def n_failed(self) -> int:
        """Distinct requests without an answer."""
        return len(self.failures)


@dataclass(frozen=True)
class Plan:
    """What a step would ask of an API. Tokens and cost are estimates for the requests that are not cached.

    cost_usd: with the expected length of each answer. max_cost_usd: if every answer were as long as it may be.
    """

    n_requests: int
    n_cached: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    max_cost_usd: float

    def __str__(self) -> str:
        open_requests = self.n_requests - self.n_cached
        return (
            f"{self.n_requests:,} API requests ({self.n_cached:,} cached, {open_requests:,} to send), "
            f"about {self.prompt_tokens:,} + {self.completion_tokens:,} tokens, "
            f"about ${self.cost_usd:,.2f} (at most ${self.max_cost_usd:,.2f})"
        )


def plan(requests: Sequence[Request], endpoint: EndpointSettings, cache: Path | str) -> Plan:
    """Count what is cached and estimate the rest, without network and without a key.

    endpoint: gives the prices. cache: the folder of answers.
    """
    distinct = {request.key: request for request in requests}
    cached = AnswerCache(cache).load(set(distinct))
    todo = [request for key, request in distinct.items() if key not in cached]
    longest = [int(request.sampling.get("max_tokens", endpoint.max_tokens)) for request in todo]
    expected = [min(request.expected_tokens or top, top) for request, top in zip(todo, longest, strict=True)]
    prompt = sum(request.prompt_tokens for request in todo)
    return Plan(
        n_requests=len(distinct),
        n_cached=len(distinct) - len(todo),
        prompt_tokens=prompt,
        completion_tokens=sum(expected),
        cost_usd=cost_usd(endpoint, prompt, sum(expected)),
        max_cost_usd=cost_usd(endpoint, prompt, sum(longest)),
    )
