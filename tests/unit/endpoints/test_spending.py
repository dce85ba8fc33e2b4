"""The ceiling of cost: before anything is sent, and while it is spent, over processes and restarts."""

import json
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
from unfaithful_cot.endpoints.requests import Request, make_request, max_cost_usd, plan
from unfaithful_cot.endpoints.spending import Ledger
from unfaithful_cot.errors import EndpointError


def settings(server: OpenAIServer, **changes: object) -> EndpointSettings:
    values = {
        "model": "small",
        "base_url": f"{server.url}/v1",
        "concurrency": 8,
        "timeout_s": 5,
        "max_attempts": 3,
        "max_tokens": 100,
        "output_usd_per_million": 1e4,  # a cent a token: an answer costs a dollar at most
    }
    return EndpointSettings.model_validate(values | changes)


def ask(endpoint: EndpointSettings, count: int, expected_tokens: int | None = None) -> list[Request]:
    return [
        make_request(
            endpoint, [{"role": "user", "content": f"question {i}"}], expected_tokens=expected_tokens
        )
        for i in range(count)
    ]


def words(count: int) -> str:
    return " ".join(["word"] * count)


def test_the_ledger_sums_over_processes_and_skips_damage(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "spent.jsonl"
    mine, other = Ledger(path, 10.0), Ledger(path, 10.0)
    assert mine.reserve(4.0, "a") and other.reserve(4.0, "b")
    assert not mine.reserve(4.0, "c") and mine.total() == 8.0
    other.settle(-3.0, "b")
    assert mine.total() == 5.0 and mine.reserve(4.0, "c")
    mine.close()
    other.close()
    path.write_bytes(path.read_bytes() + b'{"usd": 1')  # cut by a kill
    later = Ledger(path, 10.0)
    assert later.total() == 9.0
    assert later.reserve(1.0, "d") and later.total() == 10.0
    assert Ledger(path).total() == 10.0
    path.unlink()
    assert Ledger(path).total() == 0.0


def test_an_estimate_above_the_ceiling_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")  # nor is a key looked for
    with OpenAIServer() as server:
        endpoint = settings(server, max_usd=9.5)
        with pytest.raises(EndpointError) as caught:
            complete(ask(endpoint, 10), endpoint, tmp_path)
        assert not server.requests
    said = str(caught.value)
    assert said.startswith(
        "endpoint.max_usd: about $10.00 are needed for 10 requests, and $0.00 of the ceiling"
    )
    assert "of $9.50 are spent. Nothing was sent. Raise max_usd" in said


def test_it_stops_before_the_ceiling_counting_those_in_flight(tmp_path: Path) -> None:
    """20 cents are expected an answer, and each costs 50: $10 are enough for 19, as the 20th could cost a dollar."""
    ledger = tmp_path / "spent.jsonl"
    with OpenAIServer(lambda body: words(50), delay_s=0.02) as server:
        endpoint = settings(server, max_usd=10.0, ledger=str(ledger))
        with pytest.raises(EndpointError) as caught:
            complete(ask(endpoint, 40, 20), endpoint, tmp_path)
        assert len(server.requests) == len(server.answered) == 19
        said = str(caught.value)
        assert said.startswith(
            "endpoint.max_usd: the next request could pass the ceiling of $10.00: $9.50 are spent"
        )
        assert "done 19, cached 0, failed 0, not finished 21 of 40 requests" in said and "kept" in said
        assert Ledger(ledger).total() == pytest.approx(9.5)
        # the same command again sends nothing: about $4.20 are needed and 50 cents are left
        with pytest.raises(EndpointError, match=r"about \$4.20 are needed for 21 requests, and \$9.50"):
            complete(ask(endpoint, 40, 20), endpoint, tmp_path)
        more = endpoint.model_copy(update={"max_usd": 25.0})
        assert complete(ask(more, 40, 20), more, tmp_path).n_cached == 19
        assert len(server.requests) == 40 and Ledger(ledger).total() == pytest.approx(20.0)


def test_what_was_not_billed_is_given_back_and_what_may_have_been_is_not(tmp_path: Path) -> None:
    seen: set[str] = set()

    def once(body: dict, number: int) -> Fault | None:
        word = body["messages"][0]["content"].split()[-1]
        if word in seen or word == "0":
            return None
        seen.add(word)
        return {
            "1": Fault(status=500),
            "2": Fault(body=b"<html>"),
            "3": Fault(slow_s=1.0),
            "4": Fault(status=429),
        }[word]

    ledger = tmp_path / "spent.jsonl"
    with OpenAIServer(lambda body: words(10), once) as server:
        endpoint = settings(server, timeout_s=0.5, max_usd=100.0, ledger=str(ledger))
        assert complete(ask(endpoint, 5), endpoint, tmp_path).n_new == 5
    # five answers of 10 cents, and a dollar each for the malformed body and for the one that was given up
    assert Ledger(ledger).total() == pytest.approx(2.5)


def test_what_others_paid_is_free(tmp_path: Path) -> None:
    """Answers in the cache were paid by the study that asked first: they count in its ledger alone."""
    with OpenAIServer(lambda body: words(10)) as server:
        first = settings(server, ledger=str(tmp_path / "first.jsonl"))
        complete(ask(first, 10), first, tmp_path)
        second = settings(server, ledger=str(tmp_path / "second.jsonl"), max_usd=1.0)
        assert complete(ask(second, 10), second, tmp_path).n_cached == 10
        found = plan(ask(second, 11), second, tmp_path)
    assert Ledger(tmp_path / "first.jsonl").total() == pytest.approx(1.0)
    assert not (tmp_path / "second.jsonl").exists()
    assert found.fits and str(found).endswith("(at most $1.00); ceiling $1.00, $0.00 spent")


SCRIPT = """
    import sys
    from unfaithful_cot.endpoints.client import complete
    from unfaithful_cot.endpoints.requests import make_request
    from unfaithful_cot.errors import EndpointError
    from unfaithful_cot.config.endpoint import EndpointSettings
    url, cache, first = sys.argv[1:]
    endpoint = EndpointSettings(model="small", base_url=url, concurrency=8, max_tokens=100, max_usd=20.0,
        output_usd_per_million=1e4, ledger=cache + "/spent.jsonl")
    asked = [make_request(endpoint, [{"role": "user", "content": f"question {first} {i}"}], expected_tokens=10)
             for i in range(60)]
    try:
        complete(asked, endpoint, cache)
    except EndpointError as error:
        sys.exit(f"{error}")
"""


def start(server: OpenAIServer, cache: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), f"{server.url}/v1", str(cache), name]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_jobs_side_by_side_share_the_ceiling(tmp_path: Path) -> None:
    """Two jobs of 60 answers of 25 cents, $20 in all: 80 would cost exactly that."""
    with OpenAIServer(lambda body: words(25), delay_s=0.02) as server:
        jobs = [start(server, tmp_path, name) for name in ("one", "two")]
        said = [job.communicate(timeout=120)[1] for job in jobs]
        assert any("could pass the ceiling of $20.00" in words for words in said)
        assert all("Traceback" not in words for words in said)
        paid = 0.25 * len(server.answered)
    # the last ones wait for up to a dollar of room, which no answer leaves
    assert 18.0 <= paid <= 20.0
    assert Ledger(tmp_path / "spent.jsonl").total() == pytest.approx(paid)


def test_a_kill_leaves_what_was_in_flight_counted(tmp_path: Path) -> None:
    """Those eight requests at most may have been billed, so they stay at their highest price: a dollar each."""
    with OpenAIServer(lambda body: words(10), delay_s=0.05) as server:
        job = start(server, tmp_path, "one")
        deadline = time.monotonic() + 60
        while len(server.answered) < 20 and time.monotonic() < deadline:
            time.sleep(0.005)
        job.send_signal(signal.SIGKILL)
        job.wait(30)
        stored = (tmp_path / FILE).read_bytes().count(b"\n")
        counted = Ledger(tmp_path / "spent.jsonl").total()
    assert 0.1 * stored <= counted <= 0.1 * stored + 8 * 1.0


def test_prices_are_needed_for_a_ceiling() -> None:
    with pytest.raises(ValueError, match="max_usd needs prices"):
        EndpointSettings(model="m", max_usd=1.0)


def test_the_highest_price_by_hand() -> None:
    endpoint = EndpointSettings(
        model="m", max_tokens=100, input_usd_per_million=4.0, output_usd_per_million=10.0
    )
    request = make_request(endpoint, [{"role": "user", "content": "ü" * 16}])
    # 32 bytes * 1.25 / 4 = 10 prompt tokens at $4, 100 at $10
    assert max_cost_usd(endpoint, request) == pytest.approx(1040e-6)
    assert max_cost_usd(endpoint, request, batched=True) == pytest.approx(520e-6)


def test_lines_of_the_ledger(tmp_path: Path) -> None:
    with OpenAIServer(lambda body: words(10)) as server:
        endpoint = settings(server, ledger=str(tmp_path / "spent.jsonl"))
        (request,) = ask(endpoint, 1)
        complete([request], endpoint, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "spent.jsonl").read_text().splitlines()]
    assert lines == [{"usd": 1.0, "for": request.key}, {"usd": -0.9, "for": request.key}]
