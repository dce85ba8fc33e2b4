"""Batch mode: requests in files that the API answers within a day, at half the price.

In: open requests, the journal of batches (batch_journal.py), the tally. Out: answers and failures in the tally.
Requests go out in files as large as the API and the queue of the account allow; the next file follows when one ended.
An expired or cancelled batch gives what it finished, and the rest is requested again, as is what came back as a transient
error; a batch that does not fit into the queue waits; one that is refused as a whole ends the run.
A restart collects what earlier runs left at the API, in either mode, before anything is requested.
Errors: EndpointError (refused; unreachable; more failures than allowed; ceiling of cost), StorageError.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from unfaithful_cot.endpoints import window
from unfaithful_cot.endpoints.batch_files import first_error, next_file, queued_tokens, read_file, url_of
from unfaithful_cot.endpoints.batch_journal import Entry, Journal
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.faults import Fault, classify
from unfaithful_cot.endpoints.refusals import refusal, too_many
from unfaithful_cot.endpoints.requests import Request, cost_usd, max_cost_usd
from unfaithful_cot.endpoints.tally import Tally

Result = TypeVar("Result")
POLL_S = 30.0
"""Between two looks at the batches."""
UPLOAD_S = 900.0
ENDED = {"completed", "failed", "expired", "cancelled"}
TAG = "unfaithful_cot"
FULL_QUEUE = 200
"""How many batches in a row may not fit into the queue, though none of ours is in it: a day and a half of pauses."""
FULL_QUEUE_MAX_S = 600.0
LISTED_BATCHES = 10_000
"""How many batches are looked through for a tag, the newest first: some servers list without end."""
GROWTH = 1.25
"""By how much files grow again, up to `batch_queue_tokens`, with each batch that was taken after one that was not."""
log = logging.getLogger(__name__)


class _Halt(Exception):
    """A call that will not succeed; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class Batches:
    """What waits for a batch, and the batches at the API."""

    def __init__(self, requests: Sequence[Request], journal: Journal, tally: Tally) -> None:
        self.journal, self.tally, self.endpoint = journal, tally, tally.endpoint
        self.requests = {request.key: request for request in requests}
        self.open = journal.open(set(self.requests))
        there = {key for entry in self.open for key in entry.keys}
        waiting = requests if self.endpoint.mode == "batch" else []
        self.waiting = deque(request for request in waiting if request.key not in there)
        self.attempts: Counter[str] = Counter()
        self.free_tokens, self.full = self.endpoint.batch_queue_tokens, 0
        self.url = url_of(self.endpoint)

    async def run(self, api: Any, store: Callable[[Answer], None], address: str, key: str) -> None:
        """Send and collect until nothing is open. address, key: for messages, in which the key is redacted."""
        if not (self.open or self.waiting):
            return
        self.api, self.store, tally = api, store, self.tally
        try:
            await self._adopt()
            while not tally.stopped and (self.open or self.waiting):
                await self._fill()
                if self.open:
                    await asyncio.sleep(POLL_S)
                    await self._look()
        except _Halt as halt:
            tally.stop(halt.fault)
        finally:
            self.journal.close()
            if self.open:
                log.info("%d batches stay at the API; the next run collects them", len(self.open))
        log.info("%s: %s; retries %s", tally.label, tally.state(), dict(tally.retries))
        if len(tally.failures) > tally.allowed:
            raise too_many(address, tally.failures, tally.allowed, tally.state(), tally.words)
        if tally.stopped:
            raise refusal(
                tally.stopped,
                address,
                self.endpoint,
                key,
                tally.state(),
                len(tally.answers),
                self.journal.path,
            )

    async def _adopt(self) -> None:
        """Find by their tags the batches that a killed run made without noting their IDs; forget those never made."""
        nameless = [entry for entry in self.open if entry.id is None]
        found = await self._tagged({entry.tag for entry in nameless}) if nameless else {}
        for entry in nameless:
            self.open.remove(entry)
            if entry.tag in found:
                self.open.append(self.journal.created(entry, found[entry.tag]))
            else:
                self._end(entry, "never_made", 0.0)
                self._again(entry.keys)
        if self.open:
            log.info("%d batches of an earlier run are collected", len(self.open))

    async def _tagged(self, tags: set[str]) -> dict[str, str]:
        """IDs of the batches at the API that bear one of the tags."""

        async def listed() -> dict[str, str]:
            found: dict[str, str] = {}
            looked = 0
            async for batch in self.api.batches.list(limit=100):
                looked += 1
                tag = (batch.metadata or {}).get(TAG, "")
                if tag in tags:
                    found[tag] = batch.id
                if len(found) == len(tags) or looked >= LISTED_BATCHES:
                    break
            return found

        return await self._call(listed)

    async def _fill(self) -> None:
        """Make batches as long as requests wait and the queue and the ceiling allow it."""
        while self.waiting and not self.tally.stopped:
            free = self.free_tokens - sum(entry.tokens for entry in self.open)
            ledger = self.tally.ledger
            left_usd = float("inf") if ledger.ceiling_usd is None else ledger.ceiling_usd - ledger.total()
            prices = (max_cost_usd(self.endpoint, request, True) for request in self.waiting)
            taken, content, tokens = next_file(
                self.waiting, self.url, self.tally.refused, free, prices, left_usd
            )
            if not taken:
                if not self.open:
                    self._nothing_fits(left_usd)
                return
            for _ in taken:
                self.waiting.popleft()
            await self._make(taken, content, tokens)

    def _nothing_fits(self, left_usd: float) -> None:
        """The next request fits nowhere, though none is at the API."""
        request = self.waiting[0]
        if max_cost_usd(self.endpoint, request, True) > left_usd:
            self.tally.stop(window.ceiling(self.tally))
        elif queued_tokens(request) > self.endpoint.batch_queue_tokens:
            self.waiting.popleft()
            self.tally.failed(request.key, Fault("fail", "longer_than_queue"))
        else:
            self.free_tokens = queued_tokens(request)

    async def _make(self, taken: list[Request], content: bytes, tokens: int) -> None:
        """Upload a file and make its batch; its price is counted, and it is noted, before and after."""
        keys = [request.key for request in taken]
        price_usd = sum(max_cost_usd(self.endpoint, request, True) for request in taken)
        file = (f"{keys[0]}.jsonl", content)
        try:
            uploaded = await self._call(self.api.files.create, file=file, purpose="batch", timeout=UPLOAD_S)
            while uploaded.status == "pending":  # Azure reads the file first
                await asyncio.sleep(POLL_S)
                uploaded = await self._call(self.api.files.retrieve, uploaded.id)
            if not self.tally.ledger.reserve(price_usd, "batch"):  # another job was quicker
                self.waiting.extendleft(reversed(taken))
                return
            entry = self.journal.creating(keys, tokens, price_usd)
            self.open.append(entry)
            batch_id = await self._create(entry, uploaded.id)
        except _Halt as halt:
            missing = halt.fault.reason in ("http_404", "http_405", "http_501")
            raise _Halt(Fault("stop", "no_batches", halt.fault.detail)) if missing else halt from None
        self.open[-1] = self.journal.created(entry, batch_id)
        log.info("batch %s: %d requests, about %d prompt tokens", batch_id, len(keys), tokens)

    async def _create(self, entry: Entry, file_id: str) -> str:
        """The ID of the new batch. A call whose answer was lost may have made it, so its tag is looked for first."""
        tried = False

        async def create() -> str:
            nonlocal tried
            if tried and (found := (await self._tagged({entry.tag})).get(entry.tag)):
                return found
            tried = True
            created = await self.api.batches.create(
                input_file_id=file_id,
                endpoint=self.url,
                completion_window="24h",
                metadata={TAG: entry.tag},
            )
            return str(created.id)

        return await self._call(create)

    async def _look(self) -> None:
        """Ask for the state of each batch; collect those that ended."""
        answered = 0
        for entry in list(self.open):
            batch = await self._seen(entry)
            if batch.status in ENDED:
                self.tally.at_server(0)
                self.open.remove(entry)
                await self._collect(entry, batch)
            elif batch.request_counts:
                answered += batch.request_counts.completed
        self.tally.at_server(answered, f", {len(self.open)} batches at the API")

    async def _seen(self, entry: Entry) -> Any:
        """The state of a batch; one that this key does not see is said, for only the user knows the other key."""
        try:
            return await self._call(self.api.batches.retrieve, entry.id)
        except _Halt as halt:
            if halt.fault.reason != "http_404":
                raise
            words = f"{entry.id}, {len(entry.keys):,} requests; {halt.fault.detail}"
            raise _Halt(Fault("stop", "batch_not_seen", words)) from None

    async def _collect(self, entry: Entry, batch: Any) -> None:
        """Store what a batch brought; ask again, or give up, what it did not."""
        faults: dict[str, Fault] = {key: Fault("retry", f"batch_{batch.status}") for key in entry.keys}
        paid_usd = 0.0
        for file_id in filter(None, (batch.output_file_id, batch.error_file_id)):
            content = (await self._call(self.api.files.content, file_id)).content
            for key, outcome in read_file(content, self.journal.server):
                if isinstance(outcome, Fault):
                    faults[key] = outcome
                    continue
                faults.pop(key, None)
                paid_usd += cost_usd(self.endpoint, outcome.prompt_tokens, outcome.completion_tokens, True)
                self.store(outcome)
                if key in self.requests and key not in self.tally.answers:
                    self.tally.answered(outcome)
        self._end(entry, batch.status, paid_usd)
        log.info("batch %s: %s, %d without an answer", entry.id, batch.status, len(faults))
        code, message = first_error((batch.errors and batch.errors.data) or [])
        if batch.status == "failed" and code == "token_limit_exceeded":
            await self._queue_is_full(entry)
        elif batch.status == "failed":
            self.tally.stop(Fault("stop", "batch_failed", f"{code} {message}".strip()))
        else:
            self.full = 0
            self.free_tokens = min(int(self.free_tokens * GROWTH) + 1, self.endpoint.batch_queue_tokens)
            for key, fault in faults.items():
                if key in self.requests:
                    self._faulted(self.requests[key], fault)

    async def _queue_is_full(self, entry: Entry) -> None:
        """Wait for our own batches to end, or for those of others, and make smaller ones."""
        self._again(entry.keys)
        self.tally.retries["queue_full"] += 1
        if not self.open:
            self.full += 1
            self.free_tokens = max(entry.tokens // 2, queued_tokens(self.waiting[0]) if self.waiting else 1)
            if self.full >= FULL_QUEUE:
                self.tally.stop(Fault("stop", "queue_full"))
            await asyncio.sleep(min(POLL_S * 2.0 ** min(self.full, 10), FULL_QUEUE_MAX_S))

    def _faulted(self, request: Request, fault: Fault) -> None:
        self.attempts[request.key] += 1
        again = self.attempts[request.key] < self.endpoint.max_attempts
        if fault.action == "stop":
            self.tally.stop(fault)
        elif again and (fault.action == "retry" or fault.reason in window.OPTIONAL):
            self.tally.refused |= {fault.reason} & window.OPTIONAL
            self.tally.retries[fault.reason] += 1
            self._again([request.key])
        else:
            self.tally.failed(request.key, fault)

    def _again(self, keys: Sequence[str]) -> None:
        """Let requests wait for a batch, or leave them to the window where the mode is `online`."""
        if self.endpoint.mode == "batch":
            self.waiting.extend(self.requests[key] for key in keys if key in self.requests)

    def _end(self, entry: Entry, status: str, paid_usd: float) -> None:
        self.journal.ended(entry, status)
        self.tally.ledger.settle(paid_usd - entry.usd, "batch")

    async def _call(self, ask: Callable[..., Awaitable[Result]], *args: Any, **more: Any) -> Result:
        """What a call returns; repeated in growing pauses while it fails for a reason that may pass."""
        patience = window.PATIENCE * self.endpoint.max_attempts
        for attempt in range(patience):
            try:
                said = await ask(*args, **more)
                if not hasattr(type(said), "model_fields") or getattr(said, "id", None):
                    return said
                fault = Fault("retry", "malformed", "the body is no file and no batch")
            except (ValueError, RecursionError):
                fault = Fault("retry", "malformed", "the body is no JSON")
            except Exception as error:
                fault = classify(error)
            if fault.action != "retry" or attempt == patience - 1:
                break
            self.tally.retries[fault.reason] += 1
            growing_s = min(window.BACKOFF_S * 2.0**attempt, window.BACKOFF_MAX_S)
            pause_s = growing_s if fault.wait_s is None else fault.wait_s
            if pause_s >= window.SAID_S:
                self.tally.waits(fault, pause_s)
            await asyncio.sleep(pause_s)
        raise _Halt(fault)
