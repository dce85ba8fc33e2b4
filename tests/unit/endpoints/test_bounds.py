"""Nothing waits in silence, and nothing that a server sends fills memory or ledger."""

import gzip
import json
import resource
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.endpoints import bodies, limits, window
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.faults import duration, requested_pause_s
from unfaithful_cot.endpoints.limits import Limits, duration_s
from unfaithful_cot.endpoints.replies import read_answer
from unfaithful_cot.endpoints.requests import make_request
from unfaithful_cot.errors import EndpointError
from unit.endpoints.asking import ask


def settings(server: OpenAIServer, **changes: Any) -> EndpointSettings:
    values = {
        "model": "small",
        "base_url": f"{server.url}/v1",
        "concurrency": 2,
        "max_attempts": 2,
        "max_tokens": 100,
    }
    return EndpointSettings.model_validate(values | changes)


def refused(tmp_path: Path, server: OpenAIServer, count: int = 20, **changes: Any) -> str:
    endpoint = settings(server, **changes)
    with pytest.raises(EndpointError) as caught:
        complete(ask(endpoint, count), endpoint, tmp_path)
    return str(caught.value)


@pytest.mark.parametrize("per_s", [1, 1e3, 1e6, 1e9])
def test_a_reset_that_is_a_moment(per_s: float) -> None:
    assert 58 <= (duration_s(f"{(time.time() + 60) * per_s:.0f}") or 0) <= 61
    assert duration_s(f"{(time.time() - 60) * per_s:.0f}") == 0
    assert 58 <= (requested_pause_s({"retry-after": f"{(time.time() + 60) * per_s:.0f}"}) or 0) <= 61


def test_moments_in_headers_do_not_stop_a_run(tmp_path: Path) -> None:
    """Limit 20 a minute, announced as the moment of its reset: 30 requests, a second later all is free again."""

    def fault(body: dict[str, Any], number: int) -> Fault:
        remaining = max(20 - number % 21, 0)
        return Fault(headers={
            "x-ratelimit-limit-requests": "20", "x-ratelimit-remaining-requests": str(remaining),
            "x-ratelimit-reset-requests": f"{time.time() + 1:.0f}"})  # fmt: skip

    with OpenAIServer(fault=fault) as server:
        began = time.monotonic()
        assert complete(ask(settings(server), 30), settings(server), tmp_path).n_new == 30
        assert time.monotonic() - began < 20


def test_a_reset_of_years_is_not_announced_and_one_of_hours_holds_ten_minutes() -> None:
    def held(reset: str, now: float) -> float:
        found = Limits()
        headers = {"x-ratelimit-limit-requests": "20", "x-ratelimit-remaining-requests": "0"}
        found.read_headers(headers | {"x-ratelimit-reset-requests": reset}, 0.0, 1.0)
        found.wait_s(1, 1.0)
        return found.wait_s(1, now)

    assert held("1000000h", 2.0) == 0
    assert held("20h", 2.0) == pytest.approx(599) and held("20h", 601.0) == 0


def test_a_pause_by_limits_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(window, "SAID_S", 0.2)
    monkeypatch.setattr(limits, "LONGEST_HOLD_S", 0.3)
    headers = {
        "x-ratelimit-limit-requests": "20",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "20h",
    }
    with OpenAIServer(fault=lambda body, number: Fault(headers=headers)) as server:
        assert complete(ask(settings(server), 3), settings(server), tmp_path).n_new == 3
    assert "requests: the limits in the server's answers ask to wait" in capfd.readouterr().err


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    "pause",
    ["86400", formatdate(time.time() + 86400, usegmt=True), f"{time.time() + 86400:.0f}"],
    ids=["seconds", "date", "moment"],
)
@pytest.mark.parametrize("after", [0, 5])
def test_a_pause_of_a_day_ends_the_run(tmp_path: Path, status: int, pause: str, after: int) -> None:
    fault = Fault(status=status, headers={"retry-after": pause}, message="daily limit reached")
    with OpenAIServer(fault=lambda body, number: fault if number > after else None) as server:
        said = refused(tmp_path, server)
        assert len(server.requests) <= after + 2 + 1
    assert "nothing more may be sent for a long time: it asks for a pause of" in said
    assert "daily limit reached" in said and "Start it again then" in said


def test_a_shorter_pause_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(window, "SAID_S", 0.2)
    fault = Fault(status=429, headers={"retry-after-ms": "500"}, message="slow down")
    with OpenAIServer(fault=lambda body, number: fault if number == 3 else None) as server:
        complete(ask(settings(server), 5), settings(server), tmp_path)
    assert "the server asks to wait (Error code: 429 - slow down)" in capfd.readouterr().err


def test_durations_in_words() -> None:
    assert [duration(s) for s in (40, 600, 3700, 259200)] == ["40 s", "10 min", "1.0 h", "3.0 days"]


def test_sampling_that_is_null_is_not_sent() -> None:
    endpoint = EndpointSettings(model="m", temperature=None)
    assert make_request(endpoint, [{"role": "user", "content": "x"}], top_p=None).sampling == {
        "max_tokens": 2048
    }
    assert InferenceSettings(engine="openai", temperature=None, top_p=None).top_p is None
    with pytest.raises(ValueError, match="null is for openai alone"):
        InferenceSettings(temperature=None)


def test_a_model_that_refuses_a_temperature_gets_an_advice_that_helps(tmp_path: Path) -> None:
    def fault(body: dict[str, Any], number: int) -> Fault | None:
        words = "Unsupported value: 'temperature' does not support 0.5 with this model."
        return (
            Fault(status=400, code="unsupported_value", param="temperature", message=words)
            if "temperature" in body
            else None
        )

    with OpenAIServer(fault=fault) as server:
        assert "Set temperature: null" in refused(tmp_path, server, temperature=0.5)
        endpoint = settings(server, temperature=None)
        assert complete(ask(endpoint, 3), endpoint, tmp_path).n_new == 3


@pytest.mark.parametrize("endless", [True, False])
def test_a_body_without_end_or_one_that_unpacks_to_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endless: bool
) -> None:
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", 2**20)
    packed = gzip.compress(b"x" * 2**28, 1)
    fault = Fault(endless=True) if endless else Fault(body=packed, headers={"content-encoding": "gzip"})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with OpenAIServer(fault=lambda body, number: fault) as server:
        said = refused(tmp_path, server, 3)
    assert "larger than any completion: the body is larger than 1 MiB" in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_a_packed_body_is_unpacked(tmp_path: Path) -> None:
    content = json.dumps(
        {"choices": [{"message": {"content": "packed" * 9999}, "finish_reason": "stop"}]}
    ).encode()
    fault = Fault(body=gzip.compress(content), headers={"content-encoding": "gzip"})
    with OpenAIServer(fault=lambda body, number: fault) as server:
        (answer,) = complete(ask(settings(server), 1), settings(server), tmp_path).answers
    assert answer and answer.text == "packed" * 9999


@pytest.mark.parametrize("count", [-5, 10**30, 1e300, "many", None, True, {"a": 1}])
def test_an_impossible_count_of_tokens_is_none(count: object) -> None:
    body = {
        "choices": [{"message": {"content": "x"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": count},
    }
    answer = read_answer("k", body)
    assert (answer.prompt_tokens, answer.completion_tokens) == (3, None)


@pytest.mark.parametrize(
    "usage",
    [{"prompt_tokens": 0, "completion_tokens": 0}, {"prompt_tokens": -9, "completion_tokens": -9}, {}],
)
def test_what_is_not_counted_counts_at_its_highest_price(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], usage: dict[str, int]
) -> None:
    content = {"choices": [{"message": {"content": "word " * 80}, "finish_reason": "stop"}], "usage": usage}
    with OpenAIServer(fault=lambda body, number: Fault(body=json.dumps(content).encode())) as server:
        ledger = {"output_usd_per_million": 10_000, "max_usd": 5.5, "ledger": str(tmp_path / "ledger.jsonl")}
        endpoint = settings(server, **ledger)
        asked = [one.model_copy(update={"expected_tokens": 1}) for one in ask(endpoint, 20)]
        with pytest.raises(EndpointError, match="could pass the ceiling"):
            complete(asked, endpoint, tmp_path)
        assert len(server.requests) == 5  # a dollar each
    assert "5 replies came without a usable count of tokens" in capfd.readouterr().err


@pytest.mark.parametrize("status", [200, 400])
def test_json_that_is_nested_too_deeply(tmp_path: Path, status: int) -> None:
    deep = b"[" * 200_000
    fault = Fault(body=deep) if status == 200 else Fault(status=400, message=deep.decode())
    with OpenAIServer(fault=lambda body, number: fault) as server:
        said = refused(tmp_path, server, 3)
    assert ("no chat completions" in said or "http_400" in said) and len(said) < 1000
