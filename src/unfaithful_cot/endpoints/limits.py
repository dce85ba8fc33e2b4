"""What a server says about its limits in the headers of each answer, so that requests wait before it refuses them.

In: `x-ratelimit-limit-X`, `-remaining-X` and `-reset-X` (X: requests, tokens) of answers. Out: seconds to wait before the
next request. Each limit is taken for a bucket that refills evenly: `reset` is the time until it is full again, so
(limit - remaining) / reset is its rate. `remaining` is that of the moment when the answered request came in; what
was sent after it is taken off. A server that refills in another manner refuses now and then, which the window stands.
Errors: none; a header that cannot be read says nothing.
Source: the headers of OpenAI's API, which others have taken over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("requests", "tokens")
PARTS = re.compile(r"([\d.]+)(ms|[dhms])")
UNIT_S = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration_s(text: str) -> float | None:
    """Seconds in `1s`, `6m0s`, `20ms`, `1h30m`, or a plain number of seconds; None where it is none of these."""
    text = text.strip()
    try:
        seconds = float(text)
    except ValueError:
        if not text or PARTS.sub("", text):
            return None
        try:
            seconds = sum(float(number) * UNIT_S[unit] for number, unit in PARTS.findall(text))
        except ValueError:
            return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


@dataclass
class Bucket:
    """One limit. level: what may still be used, at updated_s; per_s: its refill, None until a server said enough."""

    limit: float = math.inf
    level: float = math.inf
    per_s: float | None = None
    updated_s: float = 0.0
    told_s: float = -math.inf

    def told(
        self, limit: float, remaining: float, reset_s: float, sent_s: float, since: float, now: float
    ) -> None:
        """Take a server's word in: that of sent_s, with `since` used after that moment."""
        if sent_s < self.told_s:
            return  # a later request came back earlier, and knew more
        self.told_s, self.updated_s, self.limit = sent_s, now, limit
        if limit > remaining and reset_s > 0:
            self.per_s = (limit - remaining) / reset_s
        refilled = (self.per_s or 0.0) * (now - sent_s)
        self.level = min(remaining + refilled, limit) - since

    def take(self, amount: float, now: float) -> None:
        """Use some."""
        self._refill(now)
        self.level -= amount

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until there is enough; 0 where the refill is not known."""
        self._refill(now)
        short = min(amount, self.limit) - self.level
        return max(short / self.per_s, 0.0) if self.per_s and short > 0 else 0.0

    def _refill(self, now: float) -> None:
        self.level = min(self.level + (self.per_s or 0.0) * (now - self.updated_s), self.limit)
        self.updated_s = now


@dataclass
class Limits:
    """The buckets of requests and tokens. `used`: everything that was sent, by kind."""

    buckets: dict[str, Bucket] = field(default_factory=lambda: {kind: Bucket() for kind in KINDS})
    used: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))

    def sent(self, tokens: float, now: float) -> dict[str, float]:
        """Count a request of so many tokens; what had been used with it, which belongs to its answer."""
        for kind, amount in zip(KINDS, (1.0, tokens), strict=True):
            self.used[kind] += amount
            self.buckets[kind].take(amount, now)
        return dict(self.used)

    def heard(self, headers: Mapping[str, str], used: Mapping[str, float], sent_s: float, now: float) -> None:
        """Read the headers of the answer to a request that was sent at sent_s, when `used` had been used."""
        for kind, bucket in self.buckets.items():
            remaining = _number(headers.get(f"x-ratelimit-remaining-{kind}", ""))
            reset_s = duration_s(headers.get(f"x-ratelimit-reset-{kind}", ""))
            if remaining is None or reset_s is None:
                continue
            told = _number(headers.get(f"x-ratelimit-limit-{kind}", ""))
            seen = bucket.limit if math.isfinite(bucket.limit) else 0.0
            limit = max(told if told is not None else seen, remaining)
            bucket.told(limit, remaining, reset_s, sent_s, self.used[kind] - used[kind], now)

    def wait_s(self, tokens: float, now: float) -> float:
        """Seconds until a request of so many tokens may go."""
        needs = zip(KINDS, (1.0, tokens), strict=True)
        return max(self.buckets[kind].wait_s(amount, now) for kind, amount in needs)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
