"""The sliding window: as many requests in flight as allowed, a new one as soon as one comes back, no barrier.

In: requests that are not cached, and a function that sends one. Out: answers by key, failures, counts.
The first request goes alone: a wrong key, model or address ends the run there. An attempt that fails for a reason
that may pass is repeated after a growing pause, or after the pause that Retry-After asks for, while others go on;
on 429 all wait, the window is halved, and it grows again by a tenth a round trip. Each answer is stored before
anything else happens to it.
Errors: EndpointError (stopped, or more failures than allowed); whatever storing an answer raises.
Source: what public clients of batch APIs learnt (delay instead of drop, halve on 429, stop on a dead key).
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import random
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from unfaithful_cot import console
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.faults import Fault, classify, refusal, too_many
from unfaithful_cot.endpoints.requests import Request, cost_usd
from unfaithful_cot.settings import EndpointSettings

Send = Callable[[Request, Set[str]], Awaitable[Answer]]

BACKOFF_S = 1.0
"""Pause before the second attempt; it doubles with each further one, give or take a quarter."""
BACKOFF_MAX_S = 60.0
PATIENCE = 4
"""How many times `max_attempts` a request may be put off by 429 while answers to others come in."""
GROWTH = 0.1
OPTIONAL = {"max_tokens", "response_format"}
"""Parameters that a server may refuse: newer models renamed the first, older servers do not know the second."""
log = logging.getLogger(__name__)


@dataclass
class Job:
    """A request with its history. attempts: that failed; delays: by 429; started_s: of the latest attempt."""

    request: Request
    attempts: int = 0
    delays: int = 0
    started_s: float = 0.0


class Window:
    """One pass over open requests: what is ready, put off, in flight, answered and failed.

    n_cached: for the bar and messages. allowed: how many requests may fail for good.
    """

    def __init__(
        self, endpoint: EndpointSettings, requests: Sequence[Request], n_cached: int, allowed: int, label: str
    ) -> None:
        self.endpoint, self.n_cached, self.allowed, self.label = endpoint, n_cached, allowed, label
        self.jobs = [Job(request) for request in requests]
        self.ready = deque(self.jobs)
        self.later: list[tuple[float, int, Job]] = []
        self.running: set[asyncio.Task[tuple[Job, Answer | Fault]]] = set()
        self.answers: dict[str, Answer] = {}
        self.failures: dict[str, str] = {}
        self.retries: Counter[str] = Counter()
        self.prompt_tokens = self.completion_tokens = 0
        self.size, self.paused_until_s, self.cut_s = 1.0, 0.0, 0.0
        self.refused: set[str] = set()
        self.stopped: Fault | None = None

    def counts(self) -> dict[str, Any]:
        """What this pass used: retries by reason, tokens, cost."""
        return {
            "retries": dict(sorted(self.retries.items())),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_usd": cost_usd(self.endpoint, self.prompt_tokens, self.completion_tokens),
        }

    async def run(
        self, send: Send, store: Callable[[Answer], None], address: str, key: str
    ) -> dict[str, Answer]:
        """Send every request until all are settled or one fault stops the run; then answers by key.

        address and key: for messages; the key is what they must not show.
        """
        self.send, self.store = send, store
        with self._bar() as self.bar:
            try:
                while self.running or (not self.stopped and (self.ready or self.later)):
                    self._start()
                    await self._settle()
            finally:
                for task in self.running:
                    task.cancel()
                await asyncio.gather(*self.running, return_exceptions=True)
        log.info("%s: %s; retries %s", self.label, self.state(), dict(self.retries))
        if len(self.failures) > self.allowed:
            raise too_many(address, self.failures, self.allowed, self.state())
        if self.stopped:
            raise refusal(self.stopped, address, self.endpoint, key, self.state())
        return self.answers

    def state(self) -> str:
        """How far the run is, for messages."""
        n_open = len(self.jobs) - len(self.answers) - len(self.failures)
        return (
            f"done {len(self.answers):,}, cached {self.n_cached:,}, failed {len(self.failures):,}, "
            f"not finished {n_open:,} of {self.n_cached + len(self.jobs):,} requests"
        )

    def _start(self) -> None:
        """Put requests in flight as far as the window allows."""
        now = time.monotonic()
        while self.later and self.later[0][0] <= now:
            self.ready.appendleft(heapq.heappop(self.later)[2])
        probing = bool(self.later) and not self.answers  # the first request is still being tried
        if self.stopped or probing or now < self.paused_until_s:
            return
        while self.ready and len(self.running) < int(self.size):
            job = self.ready.popleft()
            job.started_s = now
            self.running.add(asyncio.create_task(self._attempt(job)))

    async def _settle(self) -> None:
        """Wait until something comes back or falls due, and take note of it."""
        now = time.monotonic()
        due = [self.later[0][0]] if self.later else []
        if self.ready and now < self.paused_until_s:
            due.append(self.paused_until_s)
        pause_s = max(min(due) - now, 0.0) if due and not self.stopped else None
        if not self.running:
            await asyncio.sleep(pause_s or 0.0)
            return
        done, self.running = await asyncio.wait(
            self.running, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED
        )
        errors = [error for task in done if (error := task.exception())]
        if errors:
            raise errors[0]
        for job, outcome in (task.result() for task in done):
            if isinstance(outcome, Answer):
                self._answered(outcome)
            else:
                self._faulted(job, outcome)

    async def _attempt(self, job: Job) -> tuple[Job, Answer | Fault]:
        """One HTTP request; a good answer is stored when this returns."""
        try:
            answer = await self.send(job.request, self.refused)
        except Exception as error:
            return job, classify(error)
        self.store(answer)
        return job, answer

    def _answered(self, answer: Answer) -> None:
        top = self.endpoint.concurrency
        self.size = min(top, self.size + GROWTH) if self.answers else top
        self.answers[answer.key] = answer
        self.prompt_tokens += answer.prompt_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0
        self.bar.set_postfix_str(self._postfix(), refresh=False)
        self.bar.update()

    def _faulted(self, job: Job, fault: Fault) -> None:
        """Repeat, put off, give up or stop."""
        if fault.reason in OPTIONAL and job.attempts + 1 < self.endpoint.max_attempts:
            self.refused.add(fault.reason)
            job.attempts += 1
            self.ready.appendleft(job)
            return
        busy = fault.reason == "http_429" and bool(self.answers)
        job.attempts, job.delays = job.attempts + (not busy), job.delays + busy
        limit = self.endpoint.max_attempts
        if fault.action == "stop":
            self.stopped = self.stopped or fault
        elif fault.action == "retry" and job.attempts < limit and job.delays < PATIENCE * limit:
            self._put_off(job, fault)
        elif not self.answers and fault.reason != "content_filter" and len(self.jobs) > self.allowed:
            self.stopped = self.stopped or fault
        else:
            self.failures[job.request.key] = fault.reason
            if len(self.failures) > self.allowed:
                self.stopped = self.stopped or fault
        self.bar.set_postfix_str(self._postfix(), refresh=False)

    def _put_off(self, job: Job, fault: Fault) -> None:
        now = time.monotonic()
        growing_s = BACKOFF_S * 2.0 ** min(job.attempts + job.delays - 1, 10) * random.uniform(0.75, 1.25)
        wait_s = min(growing_s, BACKOFF_MAX_S) if fault.wait_s is None else fault.wait_s
        if fault.reason == "http_429":
            self.paused_until_s = max(self.paused_until_s, now + wait_s)
            if job.started_s >= self.cut_s:  # one cut for all that were in flight together
                self.size, self.cut_s = max(self.size / 2, 1.0), now
        self.retries[fault.reason] += 1
        heapq.heappush(self.later, (now + wait_s, sum(self.retries.values()), job))

    def _postfix(self) -> str:
        cost = cost_usd(self.endpoint, self.prompt_tokens, self.completion_tokens)
        return (
            f"cached {self.n_cached:,}, failed {len(self.failures):,}, "
            f"{self.prompt_tokens + self.completion_tokens:,} tokens, ${cost:,.2f}"
        )

    def _bar(self) -> Any:
        total = self.n_cached + len(self.jobs)
        bar = console.bar(total, self.label, "request", initial=self.n_cached)
        bar.set_postfix_str(self._postfix(), refresh=False)
        return bar
