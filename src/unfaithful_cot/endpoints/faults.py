"""What can go wrong with an attempt, and what follows from it. The messages are in refusals.py.

In: the exception of an attempt. Out: a Fault: `stop` (key, model or account is wrong, so every request would
fail), `retry` (busy, broken or unreachable for the moment, or an answer that makes no sense), `fail` (this request
only); EndpointErrors that say how far the run came.
Errors: an exception that is no trouble of the endpoint is a bug and is raised again.
"""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

MAX_RETRY_AFTER_S = 600.0
RETRIED_STATUS = {408, 409, 425, 429}
STOPPING_STATUS = {401, 403, 404}
STOPPING_CODES = {"insufficient_quota", "model_not_found", "invalid_api_key", "billing_hard_limit_reached"}


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
