"""When the next request may go: how many in flight, pauses, the server's own limits, and the circuit breaker.

In: what went out and what came back, with the time of a monotonic clock. Out: whether one more may go, or until when to wait.
Headers that announce a limit make requests wait before there is a 429 (limits.py).
Errors: none.
Source: delay instead of drop, halve on 429, stop on a dead key: lessons of public clients of such APIs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from unfaithful_cot.endpoints.faults import Fault
from unfaithful_cot.endpoints.limits import Limits

GROWTH = 0.1
ABSENT = {"connection", "timeout", "http_502", "http_503", "http_504"}
"""Faults that speak of the server or the network, not of the request."""
TRIP = 20
"""As many different requests in a row without an answer open the breaker."""
MAX_REFUSALS = 5
"""How often a key may be refused and work again in one run."""
BREAK_S = 2.0
"""First pause of an open breaker; it doubles with each attempt."""
BREAK_MAX_S = 60.0


@dataclass
class Breaker:
    """Stops requests when a key that worked is refused, or when one request after the other finds no server.

    While it is open nothing goes out. What is in flight comes back first, and after a pause a single request tries whether
    the trouble has passed: an answer closes the breaker, another refusal of the key ends the run, and an absent server is
    tried again, in growing pauses, for about a quarter of an hour.

    Attributes:
        patience: attempts at an absent server.
        opened_s: None while it is closed.
    """

    patience: int
    opened_s: float | None = None
    until_s: float = 0.0
    attempts: int = 0
    refusals: int = 0
    absent: set[str] = field(default_factory=set)

    def answered(self, sent_s: float) -> None:
        """An answer; one to a request that went out after the breaker opened closes it."""
        self.absent.clear()
        if self.opened_s is not None and sent_s >= self.opened_s:
            self.opened_s, self.attempts = None, 0

    def faulted(self, key: str, fault: Fault, sent_s: float, now: float) -> bool:
        """A fault; True where the run has to end."""
        refused = fault.action == "stop"
        if self.opened_s is not None and sent_s < self.opened_s:
            return False  # it was in flight already
        if self.opened_s is not None:
            self.attempts += 1
            self.until_s = now + min(BREAK_S * 2.0**self.attempts, BREAK_MAX_S)
            return refused or self.attempts >= self.patience
        if fault.reason in ABSENT:
            self.absent.add(key)
        if refused or len(self.absent) >= TRIP:
            self.refusals += refused
            self.opened_s, self.until_s, self.attempts = now, now + BREAK_S, 0
        return self.refusals > MAX_REFUSALS

    def concerns(self, fault: Fault) -> bool:
        """Whether a fault is no fault of its request, so that the request keeps its attempts."""
        return self.opened_s is not None and (fault.action == "stop" or fault.reason in ABSENT)


class Pace:
    """top: requests in flight at most. size: those allowed now."""

    def __init__(self, top: int, patience: int) -> None:
        self.top, self.size = top, 1.0
        self.paused_until_s = self.cut_s = 0.0
        self.limits, self.breaker = Limits(), Breaker(patience)

    def wait_s(self, n_running: int, tokens: float, now: float) -> float | None:
        """Seconds until one more may go, 0 for now, None for when something came back."""
        if n_running >= int(self.size):
            return None
        if self.breaker.opened_s is not None:
            return None if n_running else max(self.breaker.until_s - now, 0.0)
        return max(self.paused_until_s - now, self.limits.wait_s(tokens, now), 0.0)

    def answered(self, sent_s: float, first: bool) -> None:
        """An answer came: the window opens with the first one, and grows with each."""
        self.size = float(self.top) if first else min(self.top, self.size + GROWTH)
        self.breaker.answered(sent_s)

    def busy(self, sent_s: float, wait_s: float, now: float) -> None:
        """429: all wait, and the window is halved, unless this one went out before the last cut."""
        self.paused_until_s = max(self.paused_until_s, now + wait_s)
        if sent_s >= self.cut_s:
            self.size, self.cut_s = max(self.size / 2, 1.0), now
