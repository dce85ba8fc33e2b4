"""The files of Batch mode: requests in, one JSON object a line; answers and errors out.

In: requests; the bytes of an output or an error file. Out: the requests that fit into the next file, its bytes; an Answer
or a Fault for each request that a file speaks of.
Errors: none; a line that cannot be read is counted as missing, so its request is sent again.
Source: OpenAI's Batch API: at most 50,000 requests and 200 MB a file, and a limit on the prompt tokens that an account has
in its queue.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.faults import Fault, MalformedAnswer, by_status, classify
from unfaithful_cot.endpoints.replies import read_answer
from unfaithful_cot.endpoints.requests import CHARACTERS_PER_TOKEN, PROMPT_MARGIN, Request, accepted_sampling

MAX_REQUESTS = 50_000
MAX_BYTES = 200_000_000
log = logging.getLogger(__name__)


def url_of(endpoint: EndpointSettings) -> str:
    """The path that a batch names; Azure's has no version in it."""
    return "/chat/completions" if endpoint.kind == "azure" else "/v1/chat/completions"


def line(request: Request, url: str, refused: Set[str]) -> bytes:
    """The line of one request, without the parameters that the server refuses."""
    body = {"model": request.model, "messages": request.messages, **accepted_sampling(request, refused)}
    entry = {"custom_id": request.key, "method": "POST", "url": url, "body": body}
    return json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def queued_tokens(request: Request) -> int:
    """Prompt tokens as the queue may count them: the estimate from above."""
    letters = sum(len(message["content"].encode("utf-8", "replace")) for message in request.messages)
    return int(PROMPT_MARGIN * letters / CHARACTERS_PER_TOKEN) + 1


def next_file(
    requests: Iterable[Request],
    url: str,
    refused: Set[str],
    free_tokens: int,
    prices_usd: Iterable[float],
    free_usd: float,
) -> tuple[list[Request], bytes, int]:
    """As many requests, from the first on, as fit: those, the bytes of their file, and their prompt tokens.

    free_tokens, free_usd: what the queue and the ceiling still take. prices_usd: highest price of each request.
    """
    taken: list[Request] = []
    content = bytearray()
    tokens, cost_usd = 0, 0.0
    for request, price_usd in zip(requests, prices_usd, strict=False):
        entry, size = line(request, url, refused), queued_tokens(request)
        if (
            len(taken) == MAX_REQUESTS
            or len(content) + len(entry) > MAX_BYTES
            or tokens + size > free_tokens
            or cost_usd + price_usd > free_usd
        ):
            break
        taken.append(request)
        content += entry
        tokens, cost_usd = tokens + size, cost_usd + price_usd
    return taken, bytes(content), tokens


def read_file(content: bytes, server: str) -> Iterator[tuple[str, Answer | Fault]]:
    """Each request that an output or error file speaks of: its key, and its Answer or Fault."""
    for raw in content.splitlines():
        try:
            entry: dict[str, Any] = json.loads(raw)
            key = entry["custom_id"]
            yield key, _outcome(key, entry, server)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            log.warning("a line of a batch cannot be read; its request is sent again")


def _outcome(key: str, entry: dict[str, Any], server: str) -> Answer | Fault:
    response, error = entry.get("response") or {}, entry.get("error") or {}
    if not response:
        code = str(error.get("code"))
        reason = code if code.isidentifier() and error.get("code") else "batch_error"
        return Fault("retry", reason[:40], str(error.get("message") or ""))
    status, body = int(response["status_code"]), response.get("body") or {}
    if status == 200:
        try:
            return read_answer(key, body, server, batched=True)
        except MalformedAnswer as malformed:
            return classify(malformed)
    error = body.get("error") or {}
    if isinstance(error, str):
        return by_status(status, "", error, {})
    code, words, param = (str(error.get(name) or "") for name in ("code", "message", "param"))
    return by_status(status, code, words, {}, param)


def first_error(errors: Sequence[Any]) -> tuple[str, str]:
    """Code and message of the first thing that is wrong with a batch as a whole."""
    return (str(errors[0].code or ""), str(errors[0].message or "")) if errors else ("", "no reason is given")
