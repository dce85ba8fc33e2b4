"""What can go wrong with an attempt, what follows from it, and the message when the run ends there.

In: the exception of an attempt. Out: a Fault: `stop` (key, model or account is wrong, so every request would
fail), `retry` (busy, broken or unreachable for the moment, or an answer that makes no sense), `fail` (this request
only); EndpointErrors that say how far the run came.
Errors: an exception that is no trouble of the endpoint is a bug and is raised again.
"""

from __future__ import annotations

import email.utils
import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from unfaithful_cot.endpoints.keys import redact
from unfaithful_cot.errors import EndpointError
from unfaithful_cot.settings import EndpointSettings

MAX_RETRY_AFTER_S = 600.0
RETRIED_STATUS = {408, 409, 425, 429}
STOPPING_STATUS = {401, 403, 404}
STOPPING_CODES = {"insufficient_quota", "model_not_found", "invalid_api_key", "billing_hard_limit_reached"}
GOES_ON = "What came back is kept: the same command goes on from there and pays for nothing twice"


class MalformedAnswer(Exception):
    """An HTTP answer with status 200 that holds no usable completion. `headers`: its own, where known."""

    headers: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Fault:
    """`reason`: a word for counts, such as timeout or http_429. `detail`: what the server said, for a message.

    wait_s: what Retry-After asks for, in seconds, None where nothing was said. headers: of the answer, for its limits.
    maybe_billed: the request reached the server, which may have worked on it.
    """

    action: Literal["stop", "retry", "fail"]
    reason: str
    detail: str = ""
    wait_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    maybe_billed: bool = False


def classify(error: Exception) -> Fault:
    """The Fault that an exception of an attempt stands for."""
    import openai

    if isinstance(error, MalformedAnswer):
        return Fault("retry", "malformed", str(error), headers=error.headers, maybe_billed=True)
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return Fault("retry", "timeout", maybe_billed=_sent(error))
    if isinstance(error, openai.APIStatusError):
        return by_status(error.status_code, error.code or "", error.message, error.response.headers)
    if isinstance(error, openai.APIConnectionError):
        return Fault("retry", "connection", str(error.__cause__ or error), maybe_billed=_sent(error))
    raise error


def _sent(error: Exception) -> bool:
    """Whether the request had left when the connection failed; without a word on it, it had."""
    return not type(error.__cause__).__name__.startswith(("Connect", "PoolTimeout"))


def by_status(status: int, code: str, message: str, headers: Mapping[str, str]) -> Fault:
    """The Fault that an HTTP status with the code and the message of its error body stands for."""
    reason = f"http_{status}"
    if status in STOPPING_STATUS or code in STOPPING_CODES:
        return Fault("stop", reason, message)
    if status in RETRIED_STATUS or status >= 500:
        return Fault("retry", reason, message, retry_after(headers), headers)
    if "content_filter" in code or "content_policy" in code:
        return Fault("fail", "content_filter", message)
    if "max_completion_tokens" in message:
        return Fault("fail", "max_tokens", message)
    if "response_format" in message or "json_schema" in message:
        return Fault("fail", "response_format", message)
    return Fault("fail", reason, message)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the headers ask to wait (`retry-after-ms`, or `retry-after` in seconds or as a date).

    At most ten minutes; None where nothing readable was said.
    """
    for name, unit_s in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            wait_s = float(value) * unit_s
        except ValueError:
            moment = email.utils.parsedate_tz(value)
            wait_s = math.nan if moment is None else email.utils.mktime_tz(moment) - time.time()
        if not math.isnan(wait_s):
            return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)
    return None


def refusal(
    fault: Fault, address: str, endpoint: EndpointSettings, key: str, state: str, n_answers: int = 0
) -> EndpointError:
    """The message when one fault ends the run. What the server said is shown without the key; for 401 not at all.

    n_answers: how many requests of this run were answered before.
    """
    if fault.reason == "max_usd":
        return EndpointError(
            "endpoint.max_usd",
            fault.detail,
            state,
            f"Raise max_usd, or ask for less. {GOES_ON}",
        )
    variable = endpoint.api_key_env or "api_key_env"
    known = {
        "http_401": (
            f"the key in {variable} is not accepted (401)",
            f"Check {variable} in the environment or in .env",
        ),
        "http_403": (
            f"the key in {variable} may not use the model '{endpoint.model}' (403)",
            "Check the rights of the key",
        ),
        "http_404": (
            f"there is no model '{endpoint.model}', or no API, at this address (404)",
            "Check endpoint.model, endpoint.base_url and, for azure, endpoint.api_version",
        ),
        "http_429": ("nothing more may be sent for now (429)", "Check quota and billing, or wait"),
        "connection": ("the endpoint cannot be reached", "Check endpoint.base_url and the network"),
        "timeout": (
            f"there was no answer within {endpoint.timeout_s:g} s",
            "Raise endpoint.timeout_s or lower endpoint.max_tokens",
        ),
        "malformed": (
            "the answers are no chat completions",
            "Check endpoint.base_url, which often ends in /v1",
        ),
        "no_batches": ("this API takes no batches", "Set endpoint.mode: online, or check endpoint.base_url"),
        "batch_failed": (
            "the API refused a batch as a whole",
            "Check endpoint.model and whether it takes batches",
        ),
        "queue_full": (
            "the batch queue of the account has no room",
            "Wait for other batches of the account, or lower endpoint.batch_queue_tokens",
        ),
    }
    what, todo = known.get(
        fault.reason, (f"the request is refused ({fault.reason})", "Check the settings of the endpoint")
    )
    said = "" if fault.reason == "http_401" or not fault.detail else f": {redact(fault.detail, key)}"
    before = f", after {n_answers:,} answers with the same key and model" if n_answers else ""
    return EndpointError(address, what + said + before, state, f"{todo}. {GOES_ON}")


def too_many(address: str, failures: Mapping[str, str], allowed: int, state: str) -> EndpointError:
    """The message when more requests failed for good than allowed."""
    counts = ", ".join(f"{reason} {n:,}" for reason, n in sorted(Counter(failures.values()).items()))
    return EndpointError(
        address,
        f"{len(failures):,} requests failed after all attempts ({counts})",
        f"At most {allowed:,} may fail (max_failed); {state}",
        GOES_ON,
    )
