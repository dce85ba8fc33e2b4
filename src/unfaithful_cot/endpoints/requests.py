"""What is requested of an API and what comes back: requests, answers, counts, and the cost before anything is sent.

In: messages and sampling of each request. Out: Request (with the key that its answer is cached under), Answer,
Completions (answers in the order of the requests), Plan (a cost line without network).
Errors: none of its own (StorageError where the file of spendings cannot be read).
"""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.cache import Answer, AnswerCache
from unfaithful_cot.endpoints.spending import Ledger
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.base import Record

OPENAI_URL = "https://api.openai.com/v1"
CHARACTERS_PER_TOKEN = 4.0
"""Rule of thumb for English in the tokenizers of current APIs; good to about a fifth."""
NULLABLE = {"temperature", "top_p"}
PROMPT_MARGIN = 1.25
BATCH_PRICE = 0.5
"""What Batch mode costs, as a share of the prices of single requests."""


class Request(Record):
    """One chat request. `sampling` is sent as it is (temperature, max_tokens, top_p, seed …).

    index: number of the sample; the same question with another index is requested again instead of read from the
    cache. expected_tokens: guess of the length of the answer for the cost estimate, no part of the content.
    """

    model: str
    messages: list[dict[str, str]] = Field(min_length=1)
    sampling: dict[str, Any]
    index: int = 0
    expected_tokens: int | None = None

    @property
    def key(self) -> str:
        """Hash of the content: model, messages, sampling and index. Of which server the answer is, `server_name` says."""
        return value_hash([self.model, self.messages, self.sampling, self.index])

    @property
    def prompt_tokens(self) -> int:
        """Estimated prompt tokens, from the number of characters."""
        return round(sum(len(message["content"]) for message in self.messages) / CHARACTERS_PER_TOKEN)

    @property
    def max_tokens(self) -> int:
        """Upper limit of completion tokens; 0 where the request sets none."""
        return int(self.sampling.get("max_tokens") or self.sampling.get("max_completion_tokens") or 0)


def make_request(
    endpoint: EndpointSettings,
    messages: list[dict[str, str]],
    index: int = 0,
    expected_tokens: int | None = None,
    **sampling: Any,
) -> Request:
    """A request with the endpoint's model, temperature and max_tokens; `sampling` adds to them or replaces them.

    A temperature or top_p of None is left out, for models that refuse it.
    """
    merged = {"temperature": endpoint.temperature, "max_tokens": endpoint.max_tokens, **sampling}
    merged = {name: value for name, value in merged.items() if value is not None or name not in NULLABLE}
    return Request(
        model=endpoint.model,
        messages=messages,
        sampling=json.loads(json.dumps(merged)),
        index=index,
        expected_tokens=expected_tokens,
    )


def accepted_sampling(request: Request, refused: Set[str]) -> dict[str, Any]:
    """The sampling of a request for a server that refuses some parameters: renamed, or left out."""
    sampling = dict(request.sampling)
    if "max_tokens" in refused and "max_tokens" in sampling:
        sampling["max_completion_tokens"] = sampling.pop("max_tokens")
    if "response_format" in refused:
        sampling.pop("response_format", None)  # whoever asked reads the text strictly
    return sampling


def server_name(endpoint: EndpointSettings) -> str:
    """Host, port and path of the API: what the cache calls it. A user name or password in the address is left out."""
    parts = urlsplit(endpoint.base_url or OPENAI_URL)
    return f"{parts.netloc.rpartition('@')[2].lower()}{parts.path.rstrip('/')}"


def cost_usd(
    endpoint: EndpointSettings,
    prompt_tokens: float | None,
    completion_tokens: float | None,
    batched: bool | None = None,
) -> float:
    """Price in USD of some tokens at the endpoint's prices; tokens that the API did not count cost nothing here.

    batched: whether they came by Batch mode, at half the price; None: as `endpoint.mode` says.
    """
    half = endpoint.mode == "batch" if batched is None else batched
    full = (prompt_tokens or 0) * endpoint.input_usd_per_million
    full += (completion_tokens or 0) * endpoint.output_usd_per_million
    return full / 1e6 * (BATCH_PRICE if half else 1.0)


def max_cost_usd(endpoint: EndpointSettings, request: Request, batched: bool | None = None) -> float:
    """Price of a request whose prompt is a quarter longer than estimated and whose answer is as long as it may be."""
    letters = sum(len(message["content"].encode("utf-8", "replace")) for message in request.messages)
    prompt = PROMPT_MARGIN * letters / CHARACTERS_PER_TOKEN
    return cost_usd(endpoint, prompt, request.max_tokens or endpoint.max_tokens, batched)


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
    ceiling_usd, spent_usd: `endpoint.max_usd`, and what its part of the study has cost so far.
    """

    n_requests: int
    n_cached: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    max_cost_usd: float
    batched: bool = False
    ceiling_usd: float | None = None
    spent_usd: float = 0.0

    @property
    def fits(self) -> bool:
        """Whether the expected cost stays below the ceiling."""
        return self.ceiling_usd is None or self.spent_usd + self.cost_usd <= self.ceiling_usd

    def __str__(self) -> str:
        open_requests = self.n_requests - self.n_cached
        return (
            f"{self.n_requests:,} API requests ({self.n_cached:,} cached, {open_requests:,} to send"
            f"{' in batches, at half the price' if self.batched else ''}), "
            f"about {self.prompt_tokens:,} + {self.completion_tokens:,} tokens, "
            f"about ${self.cost_usd:,.2f} (at most ${self.max_cost_usd:,.2f})"
            + ceiling_words(self.ceiling_usd, self.spent_usd, self.cost_usd)
        )


def ceiling_words(ceiling_usd: float | None, spent_usd: float, expected_usd: float) -> str:
    """What follows a cost where there is a ceiling: `; ceiling $5.00, $1.20 spent`, and whether it would be passed."""
    if ceiling_usd is None:
        return ""
    over = spent_usd + expected_usd > ceiling_usd
    return f"; ceiling ${ceiling_usd:,.2f}, ${spent_usd:,.2f} spent" + (
        ": TOO LITTLE, raise max_usd or ask for less" if over else ""
    )


def plan(requests: Sequence[Request], endpoint: EndpointSettings, cache: Path | str) -> Plan:
    """Count what is cached and estimate the rest, without network and without a key.

    endpoint: gives the prices and the ceiling. cache: the folder of answers.
    """
    distinct = {request.key: request for request in requests}
    cached = AnswerCache(cache).load(set(distinct), server_name(endpoint))
    todo = [request for key, request in distinct.items() if key not in cached]
    longest = [request.max_tokens or endpoint.max_tokens for request in todo]
    expected = [min(request.expected_tokens or top, top) for request, top in zip(todo, longest, strict=True)]
    prompt = sum(request.prompt_tokens for request in todo)
    return Plan(
        n_requests=len(distinct),
        n_cached=len(distinct) - len(todo),
        prompt_tokens=prompt,
        completion_tokens=sum(expected),
        cost_usd=cost_usd(endpoint, prompt, sum(expected)),
        max_cost_usd=cost_usd(endpoint, prompt, sum(longest)),
        batched=endpoint.mode == "batch",
        ceiling_usd=endpoint.max_usd,
        spent_usd=Ledger(endpoint.ledger).total() if endpoint.max_usd else 0.0,
    )
