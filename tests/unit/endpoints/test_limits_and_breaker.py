"""Limits read from headers, and the circuit breaker: by hand, and against the server on loopback."""

import threading
import time
from pathlib import Path

import pytest

from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints import limits as limits_module
from unfaithful_cot.endpoints import pace
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.faults import Fault as Trouble
from unfaithful_cot.endpoints.limits import Bucket, Limits, duration_s
from unfaithful_cot.endpoints.pace import Breaker, Pace
from unfaithful_cot.errors import EndpointError
from unit.endpoints.asking import ask


def settings(server: OpenAIServer, **changes: object) -> EndpointSettings:
    values = {
        "model": "small",
        "base_url": f"{server.url}/v1",
        "concurrency": 8,
        "timeout_s": 5,
        "max_attempts": 3,
    }
    return EndpointSettings.model_validate(values | changes)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1h30m", 5400), ("1.5s", 1.5), ("7", 7), ("1d2h", 93600), ("0s", 0)],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "1x", "-3", "nan", "1..2s", "inf", "2026-01-01T00:00:00Z"])
def test_what_is_no_duration(text: str) -> None:
    assert duration_s(text) is None


def test_a_bucket_by_hand() -> None:
    """100 of 600 left and full again in 50 s: 10 a second."""
    bucket = Bucket()
    assert bucket.wait_s(1e9, 0.0) == 0.0  # nothing is known
    bucket.announced(600, 100, 50, age_s=2.0, since=(40, 60), now=12.0)
    # 100 + 2 s * 10, less 40 that were surely used since; so far nothing was known, so the higher bound holds
    assert bucket.level == pytest.approx(80) and bucket.per_s == pytest.approx(10)
    assert bucket.wait_s(80, 12.0) == 0.0
    assert bucket.wait_s(100, 12.0) == pytest.approx(2.0)
    bucket.take(50, 12.0)
    assert bucket.wait_s(80, 13.0) == pytest.approx(4.0)  # 30 + 10 are there
    assert bucket.wait_s(10_000, 13.0) == pytest.approx(56.0)  # more than fits: wait until it is full
    bucket.announced(600, 590, 1, age_s=0.0, since=(0, 570), now=13.0)
    assert bucket.level == pytest.approx(40)  # between 20 and 590: what was reckoned stays
    bucket.announced(600, 100, 50, age_s=0.0, since=(70, 90), now=13.0)
    assert bucket.level == pytest.approx(30)  # between 10 and 30: somebody else used some
    bucket.announced(600, 300, 30, age_s=0.0, since=(10, 50), now=13.0)
    assert bucket.level == pytest.approx(250)  # between 250 and 290: the answers were shorter than reckoned
    assert bucket.wait_s(600, 100.0) == 0.0 and bucket.level == 600
    small = Bucket()
    small.announced(100, 50, 5, age_s=10.0, since=(120, 140), now=0.0)
    assert small.level == pytest.approx(
        30
    )  # 50 + 10 s * 10 - 120: it never overflowed, as it was used meanwhile


def test_headers_by_hand() -> None:
    limits = Limits()
    for now, tokens in ((0.0, 300), (0.05, 100), (1.0, 200)):
        limits.sent(tokens, now)
    headers = {
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "700",
        "x-ratelimit-reset-tokens": "30s",
        "x-ratelimit-limit-requests": "many",
        "x-ratelimit-remaining-requests": "3",
        "x-ratelimit-reset-requests": "1s",
    }
    limits.read_headers(headers, sent_s=0.0, now=2.0)
    # tokens: 700 + 2 s * 10 - 200; what went out 0.05 s later may have come in before
    assert limits.buckets["tokens"].level == pytest.approx(520)
    # requests: no limit is stated, so 3 is the most that was seen; one went out since
    assert limits.buckets["requests"].level == pytest.approx(2)
    assert limits.wait_s(570, 2.0) == pytest.approx(5.0)
    limits.read_headers({"x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "1s"}, 0.0, 2.0)
    assert limits.buckets["tokens"].level == pytest.approx(520)


def test_what_was_sent_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits_module, "REMEMBERED", 3)
    limits = Limits()
    for second in range(8):
        limits.sent(10, float(second))
    assert len(limits.times_s) == 5 and limits._used_since("tokens", 5.0) == 20  # of seconds 6 and 7


class Limited:
    """A server with a real bucket: 429 when it is empty, headers that tell of it."""

    def __init__(self, capacity: float, per_s: float) -> None:
        self.capacity, self.per_s, self.level, self.refilled_s = capacity, per_s, capacity, time.monotonic()
        self.refused = 0
        self.lock = threading.Lock()

    def __call__(self, body: dict, number: int) -> Fault:
        with self.lock:
            now = time.monotonic()
            self.level = min(self.level + (now - self.refilled_s) * self.per_s, self.capacity)
            self.refilled_s = now
            full = self.level < 1
            self.refused += full
            self.level -= 0 if full else 1
            headers = {
                "x-ratelimit-limit-requests": f"{self.capacity:.0f}",
                "x-ratelimit-remaining-requests": f"{max(self.level, 0):.2f}",
                "x-ratelimit-reset-requests": f"{1000 * (self.capacity - self.level) / self.per_s:.0f}ms",
            }
        return (
            Fault(status=429, headers={**headers, "retry-after-ms": "50"}) if full else Fault(headers=headers)
        )


def test_a_limit_that_headers_announce_is_kept(tmp_path: Path) -> None:
    """20 at once and 20 a second: 60 requests with 40 in flight, hardly one is refused, and no time is lost."""
    limited = Limited(20, 20)
    with OpenAIServer(fault=limited, delay_s=0.02) as server:
        endpoint = settings(server, concurrency=40)
        began_s = time.monotonic()
        done = complete(ask(endpoint, 60), endpoint, tmp_path)
        took_s = time.monotonic() - began_s
    assert done.n_new == 60 and limited.refused <= 20  # 1 or 2 on an idle machine
    assert 1.9 <= took_s < 20  # (60 - 20) / 20 = 2 s at least, but for rounding


def test_without_headers_the_same_limit_is_hit(tmp_path: Path) -> None:
    """The control: the server says nothing of its limit until it refuses."""
    limited = Limited(20, 20)

    def silent(body: dict, number: int) -> Fault:
        fault = limited(body, number)
        return Fault(status=fault.status, headers={"retry-after-ms": "50"})

    with OpenAIServer(fault=silent, delay_s=0.02) as server:
        endpoint = settings(server, concurrency=40)
        assert complete(ask(endpoint, 60), endpoint, tmp_path).n_new == 60
    assert limited.refused > 35  # 70 on an idle machine


REFUSED, GONE = Trouble("stop", "http_401"), Trouble("retry", "connection")


def test_a_breaker_by_hand() -> None:
    breaker = Breaker(patience=3)
    assert not breaker.faulted("a", REFUSED, sent_s=1.0, now=2.0) and breaker.opened_s == 2.0
    assert not breaker.faulted("b", REFUSED, sent_s=1.5, now=2.1)  # was in flight already
    breaker.answered(sent_s=1.6)  # so was this
    assert breaker.opened_s == 2.0
    breaker.answered(sent_s=5.0)  # the one that tried: the key works
    assert breaker.opened_s is None
    assert not breaker.faulted("a", REFUSED, sent_s=6.0, now=7.0)
    assert breaker.faulted("b", REFUSED, sent_s=9.0, now=9.5)  # refused once more: the end


def test_an_absent_server_opens_the_breaker_after_twenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BREAK_S", 2.0)
    breaker = Breaker(patience=3)
    for n in range(19):
        assert not breaker.faulted(str(n), GONE, sent_s=0.0, now=1.0)
        assert not breaker.faulted("0", GONE, sent_s=0.0, now=1.0)  # one bad request is not twenty
    assert breaker.opened_s is None
    assert not breaker.faulted("19", GONE, sent_s=0.0, now=1.0) and breaker.opened_s == 1.0
    assert breaker.until_s == 3.0
    assert not breaker.faulted("20", GONE, sent_s=3.0, now=4.0) and breaker.until_s == 8.0  # 4 + 2 * 2
    assert not breaker.faulted("21", GONE, sent_s=8.0, now=9.0) and breaker.until_s == 17.0
    assert breaker.faulted("22", GONE, sent_s=17.0, now=18.0)  # the third attempt


def test_pace_by_hand() -> None:
    rate = Pace(top=10, patience=3)
    assert rate.wait_s(0, 1, 0.0) == 0.0 and rate.wait_s(1, 1, 0.0) is None  # the first goes alone
    rate.answered(0.0, first=True)
    assert rate.size == 10 and rate.wait_s(9, 1, 0.0) == 0.0 and rate.wait_s(10, 1, 0.0) is None
    rate.busy(sent_s=1.0, wait_s=2.0, now=3.0)
    rate.busy(sent_s=2.0, wait_s=1.0, now=3.5)  # in flight together with the other: one cut
    assert rate.size == 5 and rate.wait_s(0, 1, 4.0) == pytest.approx(1.0)
    rate.answered(4.0, first=False)
    assert rate.size == pytest.approx(5.1)


def test_a_key_that_is_refused_for_a_moment_goes_on(tmp_path: Path) -> None:
    """One request gets 401, as when a gateway reloads: all 40 are answered in the end."""
    with OpenAIServer(fault=lambda body, n: Fault(status=401) if n == 11 else None, delay_s=0.02) as server:
        endpoint = settings(server, concurrency=4)
        done = complete(ask(endpoint, 40), endpoint, tmp_path)
        assert len(server.requests) == 41
    assert done.n_new == 40 and done.retries == {"http_401": 1}


@pytest.mark.parametrize(("status", "code"), [(403, None), (429, "insufficient_quota")])
def test_a_dead_key_wastes_what_is_in_flight_and_one(tmp_path: Path, status: int, code: str | None) -> None:
    def dead(body: dict, number: int) -> Fault | None:
        return Fault(status=status, code=code, message="no more") if number > 50 else None

    with OpenAIServer(fault=dead, delay_s=0.02) as server:
        endpoint = settings(server, concurrency=16)
        with pytest.raises(EndpointError, match="after 50 answers with the same key and model") as caught:
            complete(ask(endpoint, 500), endpoint, tmp_path)
        assert len(server.requests) <= 50 + 16 + 1
    assert f"({status})" in str(caught.value) and "no more" in str(caught.value)
    assert "done 50, cached 0, failed 0, not finished 450 of 500 requests" in str(caught.value)


def test_a_server_that_is_gone_for_a_while_costs_no_attempts(tmp_path: Path) -> None:
    """33 connections in a row break, with one attempt a request: without a breaker, the run would end there."""
    with OpenAIServer(
        fault=lambda body, n: Fault(reset=True) if 31 <= n <= 63 else None, delay_s=0.01
    ) as server:
        endpoint = settings(server, concurrency=30, max_attempts=2)
        done = complete(ask(endpoint, 100), endpoint, tmp_path)
    assert done.n_new == 100 and done.n_failed == 0


def test_a_server_that_stays_away_ends_the_run(tmp_path: Path) -> None:
    with OpenAIServer(fault=lambda body, n: Fault(reset=True) if n > 30 else None) as server:
        endpoint = settings(server, concurrency=30, max_attempts=1)
        with pytest.raises(EndpointError) as caught:
            complete(ask(endpoint, 200), endpoint, tmp_path, max_failed=0.2)
    assert "the endpoint cannot be reached" in str(caught.value)
    assert "done 30" in str(caught.value)
