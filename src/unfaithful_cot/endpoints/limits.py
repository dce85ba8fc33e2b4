"""The rate limits that a server announces in the headers of each answer, so that requests wait before it refuses them.

In: `x-ratelimit-limit-X`, `-remaining-X` and `-reset-X` (X: requests, tokens) of answers. Out: seconds to wait before the
next request. A server that refills in another manner than Bucket assumes refuses now and then, which the window handles.
Errors: none; a header that cannot be read says nothing.
Source: the headers of OpenAI's API, which others have taken over.
"""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from unfaithful_cot.endpoints.faults import seconds_left

KINDS = ("requests", "tokens")
PARTS = re.compile(r"([\d.]+)(ms|[dhms])")
ARRIVAL_S = 0.1
"""A request may come in by so much later than another one that was sent at the same time."""
REMEMBERED = 50_000
"""Moments that are remembered: more than ever are in flight."""
LONGEST_RESET_S = 86400.0
"""A longer time until a limit is whole again is of no use: the limit counts as not announced."""
LONGEST_HOLD_S = 600.0
UNIT_S = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration_s(text: str) -> float | None:
    """Seconds in `1s`, `6m0s`, `20ms`, `1h30m`, a plain number of seconds, or until a moment; None where it is none of these.

    A moment is a Unix time, as some gateways send it.
    """
    text = text.strip()
    try:
        seconds = seconds_left(float(text))
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
    """One limit, taken for a bucket that refills evenly: `reset` is the time until it is full again.

    Attributes:
        limit: what it holds when full.
        level: what may still be used, at updated_s.
        per_s: its refill, (limit - remaining) / reset; None until a server announced enough.
        updated_s: moment of `level`.
    """

    limit: float = math.inf
    level: float = math.inf
    per_s: float | None = None
    updated_s: float = 0.0

    def announced(
        self,
        limit: float,
        remaining: float,
        reset_s: float,
        age_s: float,
        since: tuple[float, float],
        now: float,
    ) -> None:
        """Correct the level by what a server announced.

        `remaining` is that of the moment when the answered request came in, and requests do not come in in the order in
        which they went out, nor at once. So an answer gives two bounds, between which the present level stays.

        Args:
            limit, remaining, reset_s: the headers.
            age_s: their age at most.
            since: used after that moment, at least and at most.
            now: the present moment.
        """
        self._refill(now)
        self.limit = limit
        if limit > remaining and reset_s > 0:
            self.per_s = (limit - remaining) / reset_s
        highest = min(remaining + (self.per_s or 0.0) * age_s - since[0], limit)
        self.level = min(max(self.level, remaining - since[1]), highest)

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


class Limits:
    """The buckets of requests and tokens, and what was used of them until when."""

    def __init__(self) -> None:
        self.buckets = {kind: Bucket() for kind in KINDS}
        self.times_s: list[float] = []
        self.used: dict[str, list[float]] = {kind: [0.0] for kind in KINDS}  # one entry more than times_s
        self.held_s: float | None = None  # since when nothing may go

    def sent(self, tokens: float, now: float) -> None:
        """Count a request of so many tokens that goes out now."""
        self.times_s.append(now)
        self.held_s = None
        for kind, amount in zip(KINDS, (1.0, tokens), strict=True):
            self.used[kind].append(self.used[kind][-1] + amount)
            self.buckets[kind].take(amount, now)
        if len(self.times_s) > 2 * REMEMBERED:
            del self.times_s[:REMEMBERED]
            for used in self.used.values():
                del used[:REMEMBERED]

    def read_headers(self, headers: Mapping[str, str], sent_s: float, now: float) -> None:
        """Read the headers of the answer to the request that was sent at sent_s."""
        for kind, bucket in self.buckets.items():
            remaining = _number(headers.get(f"x-ratelimit-remaining-{kind}", ""))
            reset_s = duration_s(headers.get(f"x-ratelimit-reset-{kind}", ""))
            if remaining is None or reset_s is None or reset_s > LONGEST_RESET_S:
                continue
            stated = _number(headers.get(f"x-ratelimit-limit-{kind}", ""))
            seen = bucket.limit if math.isfinite(bucket.limit) else 0.0
            limit = max(stated if stated is not None else seen, remaining)
            since = self._used_since(kind, sent_s + ARRIVAL_S), self._used_since(kind, sent_s - ARRIVAL_S)
            bucket.announced(limit, remaining, reset_s, now - sent_s, since, now)

    def _used_since(self, kind: str, moment_s: float) -> float:
        """What was sent after a moment."""
        used = self.used[kind]
        return used[-1] - used[bisect.bisect_right(self.times_s, moment_s)]

    def wait_s(self, tokens: float, now: float) -> float:
        """Seconds until a request of so many tokens may go: at most LONGEST_HOLD_S after the first that had to wait.

        Then one goes all the same, so that new headers, or a refusal, say how it is.
        """
        needs = zip(KINDS, (1.0, tokens), strict=True)
        wait_s = max(self.buckets[kind].wait_s(amount, now) for kind, amount in needs)
        if wait_s <= 0:
            return 0.0
        self.held_s = now if self.held_s is None else self.held_s
        return max(min(wait_s, self.held_s + LONGEST_HOLD_S - now), 0.0)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
