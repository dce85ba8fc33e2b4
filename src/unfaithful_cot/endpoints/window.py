"""The sliding window: as many requests in flight as allowed, a new one as soon as one comes back, no barrier.

In: requests that are not cached, and a function that sends one. Out: answers, failures and counts in the tally.
The first request goes alone: a wrong key, model or address ends the run there. An attempt that fails for a reason
that may pass is repeated after a growing pause, or after the pause that Retry-After asks for, while others go on. When
the next one may go is decided by pace.py. Each answer is stored before anything else happens to it.
Errors: EndpointError (stopped, or more failures than allowed); whatever storing an answer raises.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.faults import Fault, classify, duration
from unfaithful_cot.endpoints.pace import Pace
from unfaithful_cot.endpoints.refusals import refusal, too_many
from unfaithful_cot.endpoints.requests import Request
from unfaithful_cot.endpoints.tally import Tally

Send = Callable[[Request, Set[str]], Awaitable[tuple[Answer, Mapping[str, str]]]]
"""Sends a request without the refused parameters; the answer, and the headers that came with it."""

BACKOFF_S = 1.0
"""Pause before the second attempt; it doubles with each further one, give or take a quarter."""
BACKOFF_MAX_S = 60.0
SAID_S = 30.0
"""A pause from here on is said on the console."""
PATIENCE = 4
"""How many times `max_attempts` a request may be put off by 429 while answers to others come in."""
OPTIONAL = {"max_tokens", "response_format"}
"""Parameters that a server may refuse: newer models renamed the first, older servers do not know the second."""
log = logging.getLogger(__name__)


@dataclass
class Job:
    """A request with its history. attempts: that failed; delays: by 429; sent_s, without: when the latest one went out,
    and which parameters did not."""

    request: Request
    attempts: int = 0
    delays: int = 0
    sent_s: float = 0.0
    without: frozenset[str] = frozenset()

    @property
    def tokens(self) -> int:
        """As limits count them before there is an answer: prompt and the longest answer."""
        return self.request.prompt_tokens + self.request.max_tokens


Outcome = tuple[Job, Answer | Fault | BaseException, Mapping[str, str]]


class Window:
    """One pass over open requests: what is ready, put off and in flight; the rest is in the tally."""

    def __init__(self, requests: Sequence[Request], tally: Tally) -> None:
        self.tally, self.endpoint = tally, tally.endpoint
        self.jobs = [Job(request) for request in requests]
        self.ready = deque(self.jobs)
        self.later: list[tuple[float, int, Job]] = []
        self.running: dict[str, asyncio.Task[None]] = {}
        self.outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self.said_until_s = 0.0
        self.pace = Pace(self.endpoint.concurrency, PATIENCE * self.endpoint.max_attempts)

    async def run(self, send: Send, store: Callable[[Answer], None], address: str, key: str) -> None:
        """Send everything. store: keeps an answer. address, key: for messages, where the key is blotted out."""
        self.send, self.store, tally = send, store, self.tally
        try:
            while self.running or (not tally.stopped and (self.ready or self.later)):
                await self._settle(self._start())
        finally:
            for task in self.running.values():
                task.cancel()
            await asyncio.gather(*self.running.values(), return_exceptions=True)
        log.info("%s: %s; retries %s", tally.label, tally.state(), dict(tally.retries))
        if len(tally.failures) > tally.allowed:
            raise too_many(address, tally.failures, tally.allowed, tally.state(), tally.words)
        if tally.stopped:
            raise refusal(
                tally.stopped, address, self.endpoint, key, tally.state(), n_answers=len(tally.answers)
            )

    def _start(self) -> float | None:
        """Put requests in flight as far as the window allows; seconds until more may go, None for not before one is back."""
        now = time.monotonic()
        while self.later and self.later[0][0] <= now:
            self.ready.appendleft(heapq.heappop(self.later)[2])
        probing = bool(self.later) and not self.tally.answers  # the first request is still being tried
        due_s = max(self.later[0][0] - now, 0.0) if self.later else None
        while self.ready and not self.tally.stopped and not probing:
            job = self.ready[0]
            wait_s = self.pace.wait_s(len(self.running), job.tokens, now)
            if wait_s is not None and wait_s >= SAID_S and self.pace.breaker.opened_s is None:
                self._say_pause(now + wait_s, "the limits in the server's answers ask to wait", now)
            if wait_s != 0.0:
                return wait_s if due_s is None else due_s if wait_s is None else min(wait_s, due_s)
            if not self.tally.reserve(job.request):
                if not self.running:
                    self.tally.stop(ceiling(self.tally))
                return None
            self.ready.popleft()
            job.sent_s, job.without = now, frozenset(self.tally.refused)
            self.pace.limits.sent(job.tokens, now)
            self.running[job.request.key] = asyncio.create_task(self._attempt(job))
        return None if self.tally.stopped else due_s

    async def _settle(self, wait_s: float | None) -> None:
        """Wait until something comes back or falls due, and take note of all that is there."""
        if not self.running:
            await asyncio.sleep(wait_s or 0.0)
            return
        try:
            async with asyncio.timeout(wait_s):
                outcomes = [await self.outcomes.get()]
        except TimeoutError:
            return
        while not self.outcomes.empty():
            outcomes.append(self.outcomes.get_nowait())
        for job, outcome, headers in outcomes:
            now = time.monotonic()
            del self.running[job.request.key]
            self.pace.limits.read_headers(headers, job.sent_s, now)
            if isinstance(outcome, BaseException):
                raise outcome
            if isinstance(outcome, Answer):
                self.pace.answered(job.sent_s, first=not self.tally.answers)
                self.tally.settle(job.request, outcome)
                self.tally.answered(outcome)
            else:
                self.tally.unpaid(job.request, outcome)
                self._faulted(job, outcome, now)
                self.tally.show()

    async def _attempt(self, job: Job) -> None:
        """One HTTP request; a good answer is stored when its outcome is known."""
        outcome: Answer | Fault | BaseException
        headers: Mapping[str, str] = {}
        try:
            outcome, headers = await self.send(job.request, job.without)
        except Exception as error:
            try:
                outcome = classify(error)
                headers = outcome.headers
            except Exception as bug:
                outcome = bug
        if isinstance(outcome, Answer):
            try:
                self.store(outcome)
            except Exception as error:
                outcome = error
        self.outcomes.put_nowait((job, outcome, headers))

    def _faulted(self, job: Job, fault: Fault, now: float) -> None:
        """Repeat, put off, give up or stop."""
        tally, limit = self.tally, self.endpoint.max_attempts
        if fault.reason in OPTIONAL and fault.reason not in job.without:
            tally.refused.add(fault.reason)
            self.ready.appendleft(job)
            return
        if tally.answers:
            before_s = self.pace.breaker.until_s
            if self.pace.breaker.faulted(job.request.key, fault, job.sent_s, now):
                tally.stop(fault)
            elif self.pace.breaker.until_s != before_s:
                tally.waits(fault, self.pace.breaker.until_s - now)
            if self.pace.breaker.concerns(fault):
                tally.retries[fault.reason] += 1
                self.ready.append(job)
                return
        busy = fault.reason == "http_429" and bool(tally.answers)
        job.attempts, job.delays = job.attempts + (not busy), job.delays + busy
        if fault.action == "stop":
            tally.stop(fault)
        elif fault.action == "retry" and job.attempts < limit and job.delays < PATIENCE * limit:
            self._put_off(job, fault, now)
        elif not tally.answers and fault.reason != "content_filter" and len(self.jobs) > tally.allowed:
            tally.stop(fault)
        else:
            tally.failed(job.request.key, fault)

    def _put_off(self, job: Job, fault: Fault, now: float) -> None:
        growing_s = BACKOFF_S * 2.0 ** min(job.attempts + job.delays - 1, 10) * random.uniform(0.75, 1.25)
        wait_s = min(growing_s, BACKOFF_MAX_S) if fault.wait_s is None else fault.wait_s
        if fault.reason == "http_429":
            self.pace.busy(job.sent_s, wait_s, now)
        if wait_s >= SAID_S and fault.wait_s is not None:
            self._say_pause(
                now + wait_s, f"the server asks to wait ({self.tally.quoted(fault) or fault.reason})", now
            )
        self.tally.retries[fault.reason] += 1
        heapq.heappush(self.later, (now + wait_s, sum(self.tally.retries.values()), job))

    def _say_pause(self, until_s: float, why: str, now: float) -> None:
        """Say a pause once: others that end at about the same time are the same."""
        if until_s > self.said_until_s + SAID_S:
            self.said_until_s = until_s
            self.tally.say(
                f"{why}; asked again in {duration(until_s - now)}. Ctrl-C stops it, and what came back is kept."
            )


def ceiling(tally: Tally) -> Fault:
    """The fault of a run that may spend no more."""
    spent, top = tally.ledger.total(), tally.endpoint.max_usd or 0.0
    return Fault(
        "stop",
        "max_usd",
        f"the next request could pass the ceiling of ${top:,.2f}: ${spent:,.2f} are spent, or in flight in other jobs",
    )
