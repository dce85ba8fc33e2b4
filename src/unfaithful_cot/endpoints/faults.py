"""What can go wrong with an attempt, and what follows from it. The messages are in refusals.py.

In: the exception of an attempt. Out: a Fault: `stop` (key, model or account is wrong, so every request would
fail), `retry` (busy, broken or unreachable for the moment, or an answer that makes no sense), `fail` (this request
only); EndpointErrors that say how far the run came.
Errors: an exception that is no trouble of the endpoint is a bug and is raised again.
"""

from __future__ import annotations

import email.utils
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Literal

MAX_RETRY_AFTER_S = 600.0
LONGEST_PAUSE_S = 3600.0
"""A pause that a server asks for beyond this is no pause: the run ends and says how long it is."""
EARLIEST_MOMENT_S, LATEST_MOMENT_S = 1e9, 1e10
"""Unix times of the years 2001 to 2286; no duration is so long."""
UNKNOWN_PARAMETER = {"unsupported_parameter", "unknown_parameter", "unrecognized_parameter"}
UNKNOWN_WORDS = re.compile(
    r"unsupported|not support|unknown|unrecognized|unexpected|not permitted|deprecated", re.I
)
RENAMED_LIMIT = re.compile(r"\buse ['`\"]?max_completion_tokens|max_completion_tokens['`\"]? instead", re.I)
TOO_LONG = re.compile(r"too (large|long|high)|exceed|context (length|window)|at most", re.I)
RETRIED_STATUS = {408, 409, 425, 429}
STOPPING_STATUS = {401, 402, 403, 404}
STOPPING_CODES = {
    "insufficient_quota", "insufficient_credits", "insufficient_balance", "model_not_found", "invalid_api_key",
    "billing_hard_limit_reached",
}  # fmt: skip
STATUS_OF_CODE = {
    "invalid_api_key": "http_401",
    "insufficient_credits": "http_402",
    "insufficient_balance": "http_402",
    "billing_hard_limit_reached": "http_402",
    "insufficient_quota": "http_429",
    "model_not_found": "http_404",
    "rate_limit_exceeded": "http_429",
}


class MalformedAnswer(Exception):
    """An HTTP answer with status 200 that holds no usable completion. `headers`: its own, where known.

    reason: `malformed`, or `unfinished` where the service says that the answer did not come to its end.
    """

    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, what: str, reason: str = "malformed") -> None:
        super().__init__(what)
        self.reason = reason


class BodyTooLarge(MalformedAnswer):
    """A body that is larger than any answer."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "too_large")


class ErrorInAnswer(MalformedAnswer):
    """An HTTP answer with status 200 in which the service reports an error: its code and its words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words or code, "error_in_200")
        self.code, self.words = code, words

    def fault(self) -> Fault:
        """What follows: as for an HTTP status where the code is one, else as the code says, else it may pass."""
        if self.code.isdecimal() and 400 <= int(self.code) <= 599:
            found = by_status(int(self.code), "", self.words, self.headers)
            return replace(found, maybe_billed=True)
        action: Literal["stop", "retry"] = "stop" if self.code in STOPPING_CODES else "retry"
        reason = STATUS_OF_CODE.get(self.code, self.reason)
        words = f"{self.code}: {self.words}" if self.code and self.code not in self.words else self.words
        return Fault(action, reason, words, retry_after(self.headers), self.headers, maybe_billed=True)


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

    if isinstance(error.__cause__, MalformedAnswer):
        error = error.__cause__
    if isinstance(error, ErrorInAnswer):
        return error.fault()
    if isinstance(error, MalformedAnswer):
        return Fault("retry", error.reason, str(error), headers=error.headers, maybe_billed=True)
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return Fault("retry", "timeout", maybe_billed=_sent(error))
    if isinstance(error, openai.APIStatusError):
        return by_status(
            error.status_code,
            str(error.code or ""),
            error.message,
            error.response.headers,
            str(error.param or ""),
        )
    if isinstance(error, openai.APIConnectionError):
        return Fault("retry", "connection", str(error.__cause__ or error), maybe_billed=_sent(error))
    raise error


def _sent(error: Exception) -> bool:
    """Whether the request had left when the connection failed; without a word on it, it had."""
    return not type(error.__cause__).__name__.startswith(("Connect", "PoolTimeout"))


def by_status(status: int, code: str, message: str, headers: Mapping[str, str], param: str = "") -> Fault:
    """The Fault that an HTTP status with the code, the message and the parameter of its error body stands for."""
    reason = f"http_{status}"
    if status in STOPPING_STATUS or code in STOPPING_CODES:
        return Fault("stop", reason, message)
    if status in RETRIED_STATUS or status >= 500:
        wait_s = requested_pause_s(headers)
        if wait_s is not None and wait_s > LONGEST_PAUSE_S:
            words = f"it asks for a pause of {duration(wait_s)}: {message}" if message else duration(wait_s)
            return Fault("stop", "long_pause", words, headers=headers)
        return Fault("retry", reason, message, retry_after(headers), headers)
    if "content_filter" in code or "content_policy" in code:
        return Fault("fail", "content_filter", message)
    return Fault("fail", _refused_parameter(code, param, message) or reason, message)


def _refused_parameter(code: str, param: str, message: str) -> str:
    """The parameter that the server does not know at all, where it names one; not one whose value it refuses."""
    if param == "max_tokens":
        return "max_tokens" if code in UNKNOWN_PARAMETER or UNKNOWN_WORDS.search(message) else ""
    if not param and RENAMED_LIMIT.search(message) and not TOO_LONG.search(message):
        return "max_tokens"
    if "response_format" in message or "json_schema" in message or param.startswith("response_format"):
        return "response_format"
    named = param or next(iter(re.findall(r"['`\"](temperature|top_p)['`\"]", message)), "")
    return named if named in ("temperature", "top_p") else ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the headers ask for it, at most ten minutes; None where nothing readable was said."""
    wait_s = requested_pause_s(headers)
    return None if wait_s is None else min(wait_s, MAX_RETRY_AFTER_S)


def requested_pause_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the headers ask to wait: `retry-after-ms`, or `retry-after` in seconds or as a moment."""
    for name, unit_s in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            wait_s = seconds_left(float(value)) if unit_s == 1.0 else float(value) * unit_s
        except ValueError:
            wait_s = moment_s(value) - time.time()
        if not math.isnan(wait_s):
            return max(wait_s, 0.0)
    return None


def seconds_left(number: float) -> float:
    """A number of seconds, or what is left until the moment that it stands for (Unix time in seconds, ms, us or ns)."""
    for unit_s in (1.0, 1e-3, 1e-6, 1e-9):
        if EARLIEST_MOMENT_S <= number * unit_s <= LATEST_MOMENT_S:
            return max(number * unit_s - time.time(), 0.0)
    return number


def moment_s(text: str) -> float:
    """The Unix time of a date as HTTP or ISO 8601 write it; nan where it is none."""
    parsed = email.utils.parsedate_tz(text)
    try:
        if parsed is not None:
            return float(email.utils.mktime_tz(parsed))
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `5.0 h` or `3.0 days`, for messages."""
    for unit_s, name, digits in ((86400, "days", 1), (3600, "h", 1), (120, "min", 0)):
        if seconds >= unit_s:
            return f"{seconds / (60 if name == 'min' else unit_s):.{digits}f} {name}"
    return f"{seconds:.0f} s"
