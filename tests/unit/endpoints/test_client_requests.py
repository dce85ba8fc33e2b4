"""The client against a real server on loopback: order, cache, window, retries, counts, Azure."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.cache import FILE
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.requests import make_request, plan
from unit.endpoints.asking import ask


def settings(server: OpenAIServer, **changes: object) -> EndpointSettings:
    values = {
        "model": "small",
        "base_url": f"{server.url}/v1",
        "concurrency": 8,
        "timeout_s": 5,
        "max_attempts": 3,
        "input_usd_per_million": 1.0,
        "output_usd_per_million": 10.0,
    }
    return EndpointSettings.model_validate(values | changes)


def last_word(body: dict) -> str:
    return "answer to " + body["messages"][-1]["content"].split()[-1]


def content(body: dict) -> str:
    return body["messages"][-1]["content"]


def test_answers_come_in_the_order_of_requests_and_are_counted(tmp_path: Path) -> None:
    def slow_evens(body: dict, number: int) -> Fault | None:
        return Fault(slow_s=0.05) if int(content(body).split()[-1]) % 2 == 0 else None

    with OpenAIServer(last_word, slow_evens) as server:
        endpoint = settings(server)
        done = complete(ask(endpoint, 20), endpoint, tmp_path)
    assert [answer.text for answer in done.answers if answer] == [f"answer to {i}" for i in range(20)]
    assert (done.n_requests, done.n_new, done.n_cached, done.n_failed) == (20, 20, 0, 0)
    # the server counts words: 2 a question, 3 an answer; 20 * (2 * $1 + 3 * $10) / 1e6 = $0.00064
    assert (done.prompt_tokens, done.completion_tokens) == (40, 60)
    assert done.cost_usd == pytest.approx(0.00064)
    assert server.requests[0]["temperature"] == 1.0 and server.requests[0]["max_tokens"] == 2048


def test_a_second_run_sends_nothing_and_needs_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(last_word) as server:
        endpoint = settings(server)
        first = complete(ask(endpoint, 10), endpoint, tmp_path)
        monkeypatch.delenv("OPENAI_API_KEY")
        again = complete(ask(endpoint, 10), endpoint, tmp_path)
        assert len(server.requests) == 10
    assert again.answers == first.answers
    assert (again.n_cached, again.n_new, again.cost_usd) == (10, 0, 0.0)


def test_what_counts_as_the_same_content(tmp_path: Path) -> None:
    """Model, messages, sampling and index are content; equal requests in one call are sent once."""
    with OpenAIServer() as server:
        endpoint = settings(server)
        message = [{"role": "user", "content": "q"}]
        base = make_request(endpoint, message)
        others = [
            make_request(endpoint, message, index=1),
            make_request(endpoint, message, temperature=0.5),
            make_request(endpoint, [{"role": "system", "content": "q"}]),
            make_request(endpoint.model_copy(update={"model": "large"}), message),
        ]
        same = make_request(endpoint, message, expected_tokens=7)
        done = complete([base, same, *others], endpoint, tmp_path)
    assert len(server.requests) == 5
    assert done.answers[0] == done.answers[1]
    assert len({request.key for request in [base, *others]}) == 5


def test_the_window_slides(tmp_path: Path) -> None:
    """One slow request holds one place; all others go through meanwhile. With barriers they would wait for it."""

    def one_slow(body: dict, number: int) -> Fault | None:
        return Fault(slow_s=1.5) if content(body) == "question 1" else None

    with OpenAIServer(fault=one_slow, delay_s=0.02) as server:
        endpoint = settings(server, concurrency=4)
        complete(ask(endpoint, 40), endpoint, tmp_path)
    assert content(server.finished[-1][1]) == "question 1"
    assert len(server.finished) == 40
    assert server.max_in_flight == 4


def test_the_first_request_goes_alone(tmp_path: Path) -> None:
    with OpenAIServer(fault=lambda body, number: Fault(slow_s=0.3) if number == 1 else None) as server:
        endpoint = settings(server)
        complete(ask(endpoint, 10), endpoint, tmp_path)
    assert server.times[1] - server.times[0] >= 0.3


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(status=429), "http_429"),
        (Fault(status=500), "http_500"),
        (Fault(status=503), "http_503"),
        (Fault(reset=True), "connection"),
        (Fault(body=b"<html>busy</html>"), "malformed"),
        (Fault(body=b'{"choices": [{"mess'), "malformed"),
        (Fault(body=b""), "malformed"),
        (Fault(body=b"\xff\xfe\x00"), "malformed"),
        (Fault(body=b"[" * 100_000), "malformed"),
        (Fault(body=b'{"choices": []}'), "malformed"),
        (Fault(body=b'{"choices": [{"message": {"content": " "}, "finish_reason": "stop"}]}'), "malformed"),
        (Fault(body=b'{"choices": null}'), "malformed"),
        (Fault(slow_s=1.0), "timeout"),
    ],
)
def test_a_passing_fault_is_retried_and_counted(tmp_path: Path, fault: Fault, reason: str) -> None:
    """Each of 5 requests fails once, also the first one, which goes alone; none is lost."""
    seen: set[str] = set()

    def once(body: dict, number: int) -> Fault | None:
        if content(body) in seen:
            return None
        seen.add(content(body))
        return fault

    with OpenAIServer(last_word, once) as server:
        endpoint = settings(server, timeout_s=0.5)
        done = complete(ask(endpoint, 5), endpoint, tmp_path)
    assert [answer.text for answer in done.answers if answer] == [f"answer to {i}" for i in range(5)]
    assert done.retries == {reason: 5}
    assert len(server.requests) == 10


@pytest.mark.parametrize("header", [{"retry-after": "1"}, {"retry-after-ms": "1000"}])
def test_retry_after_is_honoured(tmp_path: Path, header: dict[str, str]) -> None:
    """The third request is told to wait a second: nothing at all is sent within it."""

    def busy(body: dict, number: int) -> Fault | None:
        return Fault(status=429, headers=header) if number == 3 else None

    with OpenAIServer(fault=busy) as server:
        endpoint = settings(server, concurrency=1)
        complete(ask(endpoint, 6), endpoint, tmp_path)
    assert server.times[3] - server.times[2] >= 1.0
    assert len(server.requests) == 7


def test_429_halves_the_window_and_drops_nothing(tmp_path: Path) -> None:
    """A server that takes two at a time and turns the rest away gets all 60 requests answered."""

    def crowded(body: dict, number: int) -> Fault | None:
        return Fault(status=429, headers={"retry-after-ms": "10"}) if server.in_flight > 2 else None

    with OpenAIServer(fault=crowded, delay_s=0.01) as server:
        endpoint = settings(server, concurrency=16, max_attempts=2)
        done = complete(ask(endpoint, 60), endpoint, tmp_path)
    assert done.n_new == 60 and done.n_failed == 0
    # without a smaller window every round would send 16 and lose 14: 60 answers would cost about 400 refusals
    assert done.retries["http_429"] < 200


def test_a_slow_retry_does_not_hold_up_the_others(tmp_path: Path) -> None:
    def busy(body: dict, number: int) -> Fault | None:
        first = content(body) == "question 1" and not server.finished[1:]
        return Fault(status=503, headers={"retry-after": "1"}) if first else None

    with OpenAIServer(fault=busy) as server:
        endpoint = settings(server, concurrency=1)
        complete(ask(endpoint, 10), endpoint, tmp_path)
    assert content(server.finished[-1][1]) == "question 1"
    assert server.finished[-2][0] < server.times[1] + 0.9


def test_finish_reasons_and_missing_usage_are_kept(tmp_path: Path) -> None:
    bodies = {
        "question 1": b'{"choices": [{"message": {"content": "cut he"}, "finish_reason": "length"}]}',
        "question 2": b'{"choices": [{"message": {"content": null}, "finish_reason": "content_filter"}]}',
        "question 3": b'{"choices": [{"message": {"content": null, "refusal": "No."}, "finish_reason": "stop"}]}',
        "question 4": b'{"choices": [{"message": {"content": "B", "reasoning_content": "why"}}]}',
        "question 5": rb'{"choices": [{"message": {"content": "half \ud83d of it"}, "finish_reason": "stop"}]}',
    }
    with OpenAIServer(
        fault=lambda body, n: Fault(body=bodies[content(body)]) if content(body) in bodies else None
    ) as server:
        endpoint = settings(server)
        _, cut, filtered, refused, thought, half = complete(ask(endpoint, 6), endpoint, tmp_path).answers
    assert cut and (cut.text, cut.finish_reason, cut.completion_tokens) == ("cut he", "length", None)
    assert filtered and filtered.finish_reason == "content_filter"
    assert refused and (refused.text, refused.finish_reason) == ("No.", "content_filter")
    assert thought and (thought.text, thought.reasoning, thought.finish_reason) == ("B", "why", "stop")
    assert half and half.text == "half ? of it"


def test_azure(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        endpoint = settings(server, kind="azure", base_url=server.url, api_version="2024-10-21", model="mine")
        complete(ask(endpoint, 3), endpoint, tmp_path)
    assert set(server.paths) == {"/openai/deployments/mine/chat/completions?api-version=2024-10-21"}
    assert server.headers[0]["api-key"] == os.environ["OPENAI_API_KEY"]


def test_unknown_sampling_parameters_reach_the_server(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        endpoint = settings(server)
        asked = make_request(endpoint, [{"role": "user", "content": "q"}], top_p=0.9, top_k=20, seed=3)
        complete([asked], endpoint, tmp_path)
    assert {name: server.requests[0][name] for name in ("top_p", "top_k", "seed")} == {
        "top_p": 0.9,
        "top_k": 20,
        "seed": 3,
    }


def test_models_that_renamed_max_tokens(tmp_path: Path) -> None:
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    with OpenAIServer(
        fault=lambda body, n: Fault(status=400, message=message) if "max_tokens" in body else None
    ) as server:
        endpoint = settings(server)
        done = complete(ask(endpoint, 4), endpoint, tmp_path)
    assert done.n_new == 4 and len(server.requests) == 5
    assert server.requests[-1]["max_completion_tokens"] == 2048


SCRIPT = """
    import sys
    from unfaithful_cot.endpoints.client import complete
    from unfaithful_cot.endpoints.requests import make_request
    from unfaithful_cot.config.endpoint import EndpointSettings
    endpoint = EndpointSettings(model="small", base_url=sys.argv[1], concurrency=4)
    asked = [make_request(endpoint, [{"role": "user", "content": f"question {i}"}]) for i in range(60)]
    try:
        complete(asked, endpoint, sys.argv[2])
    except KeyboardInterrupt:
        sys.exit(130)
"""


def start_and_signal(server: OpenAIServer, cache: Path, number: int) -> int:
    """Run SCRIPT until a third of its answers is out, then send the signal; its exit status."""
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), f"{server.url}/v1", str(cache)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(server.answered) < 20 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(number)
    return process.wait(30)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_run_that_is_stopped_half_way_pays_for_nothing_twice(
    tmp_path: Path, number: int, status: int
) -> None:
    with OpenAIServer(last_word, delay_s=0.03) as server:
        assert start_and_signal(server, tmp_path, number) == status
        time.sleep(0.2)
        stored = (tmp_path / FILE).read_bytes().count(b"\n")
        before = len(server.requests)
        assert 10 <= stored < 60 and before < 60
        endpoint = EndpointSettings(model="small", base_url=f"{server.url}/v1", concurrency=4)
        done = complete(ask(endpoint, 60), endpoint, tmp_path)
    assert [answer.text for answer in done.answers if answer] == [f"answer to {i}" for i in range(60)]
    assert done.n_cached == stored
    assert len(server.requests) - before == 60 - stored
    assert len(server.requests) - before == 60 - stored
    # only what was in flight when the signal came, four at most, is ever asked twice
    assert before - stored <= 4


def test_plan_counts_without_network(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        endpoint = settings(server)
        complete(ask(endpoint, 5), endpoint, tmp_path)
    asked = [
        make_request(endpoint, [{"role": "user", "content": f"question {i}"}], expected_tokens=100)
        for i in range(9)
    ]
    found = plan([*asked, asked[-1]], endpoint, tmp_path)
    # 4 open requests of 10 characters: round(10 / 4) = 2 tokens each; 4 * (2 * $1 + 100 * $10) / 1e6
    assert (found.n_requests, found.n_cached) == (9, 5)
    assert (found.prompt_tokens, found.completion_tokens) == (8, 400)
    assert found.cost_usd == pytest.approx(0.004008)
    # 4 * (2 + 2048 * 10) / 1e6
    assert found.max_cost_usd == pytest.approx(0.081928)
    assert "9 API requests (5 cached, 4 to send)" in str(found)


def test_plan_of_an_empty_list_and_a_missing_folder(tmp_path: Path) -> None:
    endpoint = EndpointSettings(model="small")
    assert plan([], endpoint, tmp_path / "none").n_requests == 0
    assert plan(ask(endpoint, 2), endpoint, tmp_path / "none").n_cached == 0
    assert not (tmp_path / "none").exists()


def test_nothing_to_ask(tmp_path: Path) -> None:
    done = complete([], EndpointSettings(model="small"), tmp_path)
    assert done.answers == [] and done.n_requests == 0
