"""How far a run over an API is: answers, failures, retries, tokens, money, and the bar that shows them.

In: what came back for each request. Out: counts for Completions and for messages.
Money is reserved in the ledger before a request goes out and settled when it came back (spending.py).
Errors: none of its own (StorageError of the ledger).
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from typing import Any

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.faults import Fault
from unfaithful_cot.endpoints.keys import NO_KEY, redact
from unfaithful_cot.endpoints.refusals import causes
from unfaithful_cot.endpoints.requests import Request, cost_usd, max_cost_usd
from unfaithful_cot.endpoints.spending import Ledger
from unfaithful_cot.host import progress

log = logging.getLogger(__name__)


def is_counted(answer: Answer) -> bool:
    """Whether the API counted the tokens of an answer; text that took none of them is not counted."""
    if answer.prompt_tokens is None or answer.completion_tokens is None:
        return False
    return answer.completion_tokens > 0 or not (answer.text.strip() or answer.reasoning)


class Tally:
    """n_open: requests without an answer at the start; n_cached: those with one. allowed: how many may fail for good.

    stopped: the fault that ends the run, once there is one.
    """

    def __init__(
        self, endpoint: EndpointSettings, n_open: int, n_cached: int, allowed: int, label: str
    ) -> None:
        self.endpoint, self.n_open, self.n_cached = endpoint, n_open, n_cached
        self.allowed, self.label = allowed, label
        self.answers: dict[str, Answer] = {}
        self.failures: dict[str, str] = {}
        self.retries: Counter[str] = Counter()
        self.prompt_tokens = self.completion_tokens = 0
        self.cost_usd = 0.0
        self.refused: set[str] = set()  # parameters that the server does not take
        self.stopped: Fault | None = None
        self.words: dict[str, str] = {}  # by reason of a failure, what the server said first
        self.notices: Counter[str] = Counter()
        self.key = NO_KEY  # redacted wherever the server is quoted
        self.ledger = Ledger(endpoint.ledger, endpoint.max_usd)
        self.bar = progress.bar(n_cached + n_open, label, "request", initial=n_cached)

    def reserve(self, request: Request) -> bool:
        """Count a request as paid at its highest price before it goes out; False where that would pass the ceiling."""
        return self.ledger.reserve(max_cost_usd(self.endpoint, request, False), request.key)

    def settle(self, request: Request, answer: Answer) -> None:
        """Let the real price of an answer take the place of the reserved one; where no tokens were counted, it stays."""
        if is_counted(answer):
            paid = cost_usd(self.endpoint, answer.prompt_tokens, answer.completion_tokens, False)
            self.ledger.settle(paid - max_cost_usd(self.endpoint, request, False), request.key)

    def unpaid(self, request: Request, fault: Fault) -> None:
        """Give the reserved price of an attempt back, unless the API may have billed it."""
        if not fault.maybe_billed:
            self.ledger.settle(-max_cost_usd(self.endpoint, request, False), request.key)

    def answered(self, answer: Answer) -> None:
        """Count an answer."""
        self.answers[answer.key] = answer
        self.notices["without content"] += bool(
            answer.reasoning and not answer.text.strip() and answer.finish_reason == "stop"
        )
        self.notices["not counted"] += not is_counted(answer)
        self.prompt_tokens += answer.prompt_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0
        self.cost_usd += cost_usd(
            self.endpoint, answer.prompt_tokens, answer.completion_tokens, answer.batched
        )
        self.show()
        self.bar.update()

    def failed(self, key: str, fault: Fault) -> None:
        """A request that stays without an answer; one more than allowed ends the run."""
        self.failures[key] = fault.reason
        words = self.quoted(fault)
        log.warning("request %s failed: %s%s", key[:12], fault.reason, f" ({words})" if words else "")
        if words:
            self.words.setdefault(fault.reason, words)
        if len(self.failures) > self.allowed:
            self.stop(fault)
        self.show()

    def stop(self, fault: Fault) -> None:
        """End the run with the first fault that asks for it."""
        self.stopped = self.stopped or fault

    def quoted(self, fault: Fault) -> str:
        """What the server said, without secrets; nothing of a refused key, which it may repeat."""
        address = self.endpoint.base_url or ""
        return "" if fault.reason == "http_401" else redact(fault.detail, self.key, address)

    def waits(self, fault: Fault, pause_s: float) -> None:
        """Say that nothing goes out for a while: the bar stands still meanwhile."""
        words = self.quoted(fault)
        self.say(
            f"no answers ({fault.reason}); asked again in {pause_s:.0f} s. What came back is kept, so it may be stopped as "
            "well (Ctrl-C) and started later with the same command."
            + (f" The server says: {words}" if words else "")
        )

    def say(self, text: str) -> None:
        """A line on the console and in the log."""
        log.warning("%s: %s", self.label, text)
        print(f"{self.label}: {text}", file=sys.stderr, flush=True)

    def show(self, more: str = "") -> None:
        """The words behind the bar."""
        words = (
            f"cached {self.n_cached:,}, failed {len(self.failures):,}, "
            f"{self.prompt_tokens + self.completion_tokens:,} tokens, ${self.cost_usd:,.2f}"
        )
        self.bar.set_postfix_str(words + more, refresh=False)

    def at_server(self, n_answered: int, more: str = "") -> None:
        """Show what batches have answered, though it is not here yet."""
        self.bar.n = self.n_cached + len(self.answers) + n_answered
        self.show(more)
        if n_answered:
            self.bar.refresh()

    def state(self) -> str:
        """How far the run is, for messages."""
        n_left = self.n_open - len(self.answers) - len(self.failures)
        return (
            f"done {len(self.answers):,}, cached {self.n_cached:,}, failed {len(self.failures):,}, "
            f"not finished {n_left:,} of {self.n_cached + self.n_open:,} requests"
        )

    def counts(self) -> dict[str, Any]:
        """What this run used: retries by reason, tokens, dollars."""
        return {
            "retries": dict(sorted(self.retries.items())),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "cost_usd": self.cost_usd,
        }

    def close(self) -> None:
        """The last line of the bar, and what to know of the answers; the ledger is let go."""
        self.bar.close()
        self.ledger.close()
        if n := self.notices["without content"]:
            self.say(
                f"{n:,} of {len(self.answers):,} replies ended by themselves without content: all their text is reasoning, so they "
                "count as reasoning without an answer. Check the reasoning parser of the server and the chat template."
            )
        if self.endpoint.max_usd is not None and (n := self.notices["not counted"]):
            self.say(
                f"{n:,} replies came without a usable count of tokens; they count at their highest price."
            )
        if self.failures and not self.stopped:
            self.say(f"{len(self.failures):,} requests have no answer {causes(self.failures, self.words)}.")
