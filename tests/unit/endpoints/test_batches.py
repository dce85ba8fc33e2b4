"""Batch mode against the server on loopback: states, partial ends, the queue, kills while polling, money."""

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from fixtures.openai_batches import Fate
from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints import batch_files
from unfaithful_cot.endpoints.batch_files import next_file, queued_tokens, read_file
from unfaithful_cot.endpoints.batch_journal import FILE, Journal
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.requests import make_request, max_cost_usd, plan, server_name
from unfaithful_cot.endpoints.spending import Ledger
from unfaithful_cot.errors import EndpointError
from unit.endpoints.asking import ask

SECRET = "sk-test-0123456789abcdef"


def settings(server: OpenAIServer, **changes: object) -> EndpointSettings:
    values = {
        "model": "small",
        "base_url": f"{server.url}/v1",
        "mode": "batch",
        "max_attempts": 3,
        "max_tokens": 100,
        "input_usd_per_million": 1.0,
        "output_usd_per_million": 10.0,
    }
    return EndpointSettings.model_validate(values | changes)


def last_word(body: dict) -> str:
    return "answer to " + body["messages"][-1]["content"].split()[-1]


def texts(done: object) -> list[str | None]:
    return [answer and answer.text for answer in done.answers]  # type: ignore[attr-defined]


def expected(count: int) -> list[str | None]:
    return [f"answer to {i}" for i in range(count)]


def failure(server: OpenAIServer, tmp_path: Path, count: int = 5, **changes: object) -> str:
    endpoint = settings(server, **changes)
    with pytest.raises(EndpointError) as caught:
        complete(ask(endpoint, count), endpoint, tmp_path)
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_a_batch_brings_answers_in_order_at_half_the_price(tmp_path: Path) -> None:
    with OpenAIServer(last_word) as server:
        endpoint = settings(server)
        done = complete(ask(endpoint, 20), endpoint, tmp_path)
        assert not server.requests and len(server.batches.made) == 1
        again = complete(ask(endpoint, 20), endpoint, tmp_path)
        assert len(server.batches.made) == 1
    assert texts(done) == texts(again) == expected(20)
    # 2 + 3 words a request: 20 * (2 * $1 + 3 * $10) / 1e6 / 2 = $0.00032
    assert done.cost_usd == pytest.approx(0.00032) and again.cost_usd == 0.0
    assert (done.n_new, again.n_cached) == (20, 20)
    line = json.loads(server.batches.files["file-0"].splitlines()[0])
    assert line["url"] == "/v1/chat/completions" and line["body"]["max_tokens"] == 100
    assert {"validating", "in_progress", "finalizing"}.isdisjoint(
        batch.status for batch in server.batches.made
    )


def test_both_modes_share_the_cache(tmp_path: Path) -> None:
    with OpenAIServer(last_word) as server:
        online, batch = settings(server, mode="online"), settings(server)
        complete(ask(online, 5), online, tmp_path)
        done = complete(ask(batch, 10), batch, tmp_path)
        assert (done.n_cached, done.n_new) == (5, 5)
        assert len(server.requests) == 5 and len(server.batches.billed) == 5
        assert complete(ask(online, 10), online, tmp_path).n_cached == 10


@pytest.mark.parametrize("status", ["expired", "cancelled", "completed"])
def test_what_a_batch_did_not_finish_is_asked_again(tmp_path: Path, status: str) -> None:
    with OpenAIServer(last_word) as server:
        server.batches.fate = lambda number: Fate(status, finished=4) if number == 1 else Fate()
        endpoint = settings(server)
        done = complete(ask(endpoint, 10), endpoint, tmp_path)
        assert texts(done) == expected(10)
        assert [len(batch.lines) for batch in server.batches.made] == [10, 6]
        assert len(server.batches.billed) == 10
    assert done.retries == {"batch_expired": 6}


def test_an_answer_that_stands_in_no_file_is_asked_again(tmp_path: Path) -> None:
    with OpenAIServer(last_word) as server:
        server.batches.fate = lambda number: Fate(silent=3) if number == 1 else Fate()
        endpoint = settings(server)
        done = complete(ask(endpoint, 10), endpoint, tmp_path)
    assert texts(done) == expected(10) and done.retries == {"batch_completed": 3}


def test_errors_in_a_batch_are_asked_again_or_counted(tmp_path: Path) -> None:
    """Question 2 fails for good by its content, 3 always, 4 once."""
    seen: list[str] = []

    def fault(body: dict, number: int) -> Fault | None:
        word = body["messages"][0]["content"].split()[-1]
        seen.append(word)
        if word == "2":
            return Fault(status=400, code="content_filter")
        if word == "3" or (word == "4" and seen.count("4") == 1):
            return Fault(status=500)
        return Fault(body=b'{"choices": []}') if word == "5" and seen.count("5") == 1 else None

    with OpenAIServer(last_word, fault) as server:
        endpoint = settings(server)
        done = complete(ask(endpoint, 10), endpoint, tmp_path, max_failed=0.2)
    assert [i for i, answer in enumerate(done.answers) if answer is None] == [2, 3]
    assert sorted(done.failures.values()) == ["content_filter", "http_500"]
    assert done.retries == {"http_500": 3, "malformed": 1}  # 3 twice more, 4 and 5 once more
    assert seen.count("3") == 3 and seen.count("2") == 1


def test_more_failures_than_allowed_end_the_step(tmp_path: Path) -> None:
    with OpenAIServer(fault=lambda body, n: Fault(status=400) if n > 3 else None) as server:
        said = failure(server, tmp_path)
        assert "2 requests failed after all attempts (http_400 2)" in said
        assert "done 3, cached 0, failed 2" in said


def test_a_parameter_that_the_server_refuses_is_left_out_the_second_time(tmp_path: Path) -> None:
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    with OpenAIServer(
        last_word, lambda body, n: Fault(status=400, message=message) if "max_tokens" in body else None
    ) as server:
        endpoint = settings(server)
        assert texts(complete(ask(endpoint, 4), endpoint, tmp_path)) == expected(4)
        assert server.batches.made[1].lines[0]["body"]["max_completion_tokens"] == 100


def test_files_are_split_by_the_queue_and_follow_each_other(tmp_path: Path) -> None:
    with OpenAIServer(last_word) as server:
        server.batches.queue_tokens = 12
        # "question 0": 10 bytes * 1.25 / 4, rounded down, + 1 = 4 tokens; three fit into 12, though the server counts 2 each
        endpoint = settings(server, batch_queue_tokens=12)
        done = complete(ask(endpoint, 7), endpoint, tmp_path)
        assert [len(batch.lines) for batch in server.batches.made] == [3, 3, 1]
    assert texts(done) == expected(7) and done.retries == {}


def test_a_queue_that_is_smaller_than_told(tmp_path: Path) -> None:
    """The account may queue 6 tokens, not 2 million: files are halved until they fit."""
    with OpenAIServer(last_word) as server:
        server.batches.queue_tokens = 6
        endpoint = settings(server)
        done = complete(ask(endpoint, 8), endpoint, tmp_path)
        sizes = [len(batch.lines) for batch in server.batches.made]
    # 8 requests of 4 tokens by our count: 32 refused, 16 (4 requests of 2) refused, 8 (2 requests) taken
    assert sizes[:3] == [8, 4, 2] and texts(done) == expected(8)
    # then files grow again by a quarter: room for 8, 11 and 14 tokens
    assert sizes == [8, 4, 2, 2, 3, 1] and done.retries["queue_full"] == 2


def test_a_queue_that_others_fill_is_waited_for(tmp_path: Path) -> None:
    """Three batches find no room for even one request, then the others are through."""
    with OpenAIServer(last_word) as server:
        full = Fate("failed", code="token_limit_exceeded")
        server.batches.fate = lambda number: full if number <= 3 else Fate()
        endpoint = settings(server)
        done = complete(ask(endpoint, 6), endpoint, tmp_path)
    assert texts(done) == expected(6) and done.failures == {} and done.retries["queue_full"] == 3


def test_a_request_that_no_queue_takes_is_counted(tmp_path: Path) -> None:
    with OpenAIServer(last_word) as server:
        endpoint = settings(server, batch_queue_tokens=10)
        long = make_request(endpoint, [{"role": "user", "content": "word " * 50}])
        done = complete([*ask(endpoint, 3), long], endpoint, tmp_path, max_failed=0.25)
    assert list(done.failures.values()) == ["longer_than_queue"] and done.n_new == 3


def test_next_file_by_count_bytes_tokens_and_money(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = EndpointSettings(model="m")
    asked = ask(endpoint, 10)
    size = len(batch_files.line(asked[0], "/v1", set()))

    def taken(room_tokens: int = 1000, room_usd: float = 100.0) -> int:
        found, content, tokens = next_file(asked, "/v1", set(), room_tokens, [1.0] * 10, room_usd)
        assert len(content.splitlines()) == len(found) and tokens == sum(map(queued_tokens, found))
        return len(found)

    assert taken() == 10
    assert taken(room_tokens=15) == 3  # 4 tokens each
    assert taken(room_usd=5.5) == 5
    monkeypatch.setattr(batch_files, "MAX_BYTES", 4 * size + 1)
    assert taken() == 4
    monkeypatch.setattr(batch_files, "MAX_REQUESTS", 2)
    assert taken() == 2


def test_damaged_lines_of_a_file_are_missing() -> None:
    good = {
        "custom_id": "a",
        "response": {"status_code": 200, "body": {"choices": [{"message": {"content": "x"}}]}},
    }
    content = json.dumps(good).encode() + b'\n{"custom_id": "b", "resp\n[1]\n{"custom_id": "c"}\n'
    found = dict(read_file(content, "host/v1"))
    assert set(found) == {"a", "c"}
    assert isinstance(found["a"], Answer) and found["a"].batched and found["a"].server == "host/v1"
    assert found["c"].reason == "batch_error"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "the key in OPENAI_API_KEY is not accepted (401)"),
        (404, "this API takes no batches: Error code: 404 - nothing"),
        (500, "the request is refused (http_500)"),
    ],
)
def test_an_api_that_refuses_files(tmp_path: Path, status: int, said: str) -> None:
    error = json.dumps({"error": {"message": "nothing", "code": None}}).encode()
    with OpenAIServer() as server:
        server.batches.fault = lambda method, path: (status, error)
        assert said in failure(server, tmp_path, ledger=str(tmp_path / "spent.jsonl"))
    assert Ledger(tmp_path / "spent.jsonl").total() == 0.0


def test_a_batch_that_is_refused_as_a_whole(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        server.batches.fate = lambda number: Fate("failed", code="model_not_found")
        said = failure(server, tmp_path, ledger=str(tmp_path / "spent.jsonl"))
        assert Ledger(tmp_path / "spent.jsonl").total() == 0.0
        assert "the API refused a batch as a whole: model_not_found the batch is refused" in said
        assert len(server.batches.made) == 1


def test_trouble_while_polling_passes(tmp_path: Path) -> None:
    """Every third call fails with 503."""
    with OpenAIServer(last_word) as server:
        server.batches.fault = lambda method, path: (
            (503, b"{}") if len(server.batches.calls) % 3 == 0 else None
        )
        endpoint = settings(server)
        done = complete(ask(endpoint, 6), endpoint, tmp_path)
        assert texts(done) == expected(6) and len(server.batches.billed) == 6
    assert done.retries["http_503"] >= 1


def test_a_creation_whose_answer_is_lost_makes_no_second_batch(tmp_path: Path) -> None:
    """The server makes the batch and then answers 502: the tag finds it."""
    with OpenAIServer(last_word) as server:
        make = server.batches._make
        lost: list[bytes] = []

        def call(method: str, path: str) -> tuple[int, bytes] | None:
            return None

        def broken(asked: dict) -> bytes:
            lost.append(make(asked))
            raise_once = len(lost) == 1
            return b"<html>gateway" if raise_once else lost[-1]

        server.batches._make = broken  # type: ignore[method-assign]
        server.batches.fault = call
        endpoint = settings(server)
        done = complete(ask(endpoint, 4), endpoint, tmp_path)
        assert len(server.batches.made) == 1
    assert texts(done) == expected(4)


SCRIPT = """
    import sys
    from unfaithful_cot.endpoints import batches
    from unfaithful_cot.endpoints.client import complete
    from unfaithful_cot.endpoints.requests import make_request
    from unfaithful_cot.config.endpoint import EndpointSettings
    batches.POLL_S = 0.05
    endpoint = EndpointSettings(model="small", base_url=sys.argv[1], mode=sys.argv[3], max_tokens=100, max_attempts=3,
        input_usd_per_million=1.0, output_usd_per_million=10.0, ledger=sys.argv[2] + "/spent.jsonl")
    asked = [make_request(endpoint, [{"role": "user", "content": f"question {i}"}]) for i in range(30)]
    try:
        complete(asked, endpoint, sys.argv[2])
    except KeyboardInterrupt:
        sys.exit(130)
"""


def start(server: OpenAIServer, cache: Path, mode: str = "batch") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), f"{server.url}/v1", str(cache), mode]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def wait_for(server: OpenAIServer, call: str, times: int = 1) -> None:
    deadline = time.monotonic() + 60
    while sum(made.startswith(call) for made in server.batches.calls) < times and time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.parametrize("mode", ["batch", "online"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_run_killed_while_polling_finds_its_batch_again(
    tmp_path: Path, number: int, status: int, mode: str
) -> None:
    """Also when the mode was changed meanwhile: what lies at the API is paid for, so it is collected."""
    with OpenAIServer(last_word) as server:
        server.batches.looks = 1000  # it works as long as anybody looks
        process = start(server, tmp_path)
        wait_for(server, "GET /batches/batch_1", 3)
        process.send_signal(number)
        assert process.wait(30) == status
        server.batches.looks = 1
        assert start(server, tmp_path, mode).wait(60) == 0
        assert len(server.batches.made) == 1 and len(server.batches.billed) == 30 and not server.requests
        endpoint = settings(server)
        done = complete(ask(endpoint, 30), endpoint, tmp_path)
    assert texts(done) == expected(30) and done.n_cached == 30
    spent = [json.loads(line)["usd"] for line in (tmp_path / "spent.jsonl").read_text().splitlines()]
    # 30 * (2 * $1 + 3 * $10) / 1e6 / 2: reserved at the highest price, settled once
    assert len(spent) == 2 and sum(spent) == pytest.approx(0.00048)


def test_a_run_killed_between_making_and_noting_finds_its_batch_by_the_tag(tmp_path: Path) -> None:
    with OpenAIServer(last_word) as server:
        process = start(server, tmp_path)
        wait_for(server, "GET /batches/batch_1")
        process.kill()
        process.wait(30)
        notes = (tmp_path / FILE).read_text().splitlines()
        (tmp_path / FILE).write_text(notes[0] + "\n" + notes[1][:20])  # the kill came inside the second line
        assert start(server, tmp_path).wait(60) == 0
        assert len(server.batches.made) == 1 and len(server.batches.billed) == 30
        assert "GET /batches" in server.batches.calls


def test_a_run_killed_before_making_makes_it(tmp_path: Path) -> None:
    with OpenAIServer(last_word) as server:
        endpoint = settings(server)
        asked = ask(endpoint, 30)
        journal = Journal(tmp_path, server.url.removeprefix("http://") + "/v1")
        journal.creating([request.key for request in asked], 100, 0.0)
        journal.close()
        done = complete(asked, endpoint, tmp_path)
        assert texts(done) == expected(30) and len(server.batches.made) == 1


def test_an_account_whose_money_is_used_up_makes_no_batch(tmp_path: Path) -> None:
    """The creation is refused; the next run finds no batch of that tag, takes the money back and makes one."""
    error = json.dumps({"error": {"message": "no money", "code": "insufficient_quota"}}).encode()
    ledger = str(tmp_path / "spent.jsonl")
    with OpenAIServer(last_word) as server:
        server.batches.fault = lambda method, path: (
            (429, error) if (method, path) == ("POST", "/batches") else None
        )
        said = failure(server, tmp_path, ledger=ledger)
        assert "nothing more may be sent for now (429)" in said and "no money" in said
        server.batches.fault = lambda method, path: None
        endpoint = settings(server, ledger=ledger)
        assert texts(complete(ask(endpoint, 5), endpoint, tmp_path)) == expected(5)
        assert len(server.batches.made) == 1
    assert Ledger(ledger).total() == pytest.approx(0.00008)  # 5 * (2 * $1 + 3 * $10) / 1e6 / 2


def test_the_journal_keeps_servers_and_requests_apart(tmp_path: Path) -> None:
    here, there = Journal(tmp_path, "here/v1"), Journal(tmp_path, "there/v1")
    one = here.created(here.creating(["a", "b"], 5, 0.5), "batch_1")
    there.creating(["a"], 1, 0.1)
    assert [entry.id for entry in here.open({"b"})] == ["batch_1"] and here.open({"c"}) == []
    assert [entry.id for entry in there.open({"a"})] == [None]
    here.ended(one, "completed")
    assert here.open({"a", "b"}) == []


def test_the_ceiling_makes_batches_smaller_and_stops(tmp_path: Path) -> None:
    """The highest price of a request is that of 100 tokens of answer; the real ones have 3, so money comes back."""
    with OpenAIServer(last_word) as server:
        unlimited = settings(server)
        price = max_cost_usd(unlimited, ask(unlimited, 1)[0], True)
        endpoint = settings(server, max_usd=2.5 * price)
        asked = [one.model_copy(update={"expected_tokens": 3}) for one in ask(endpoint, 10)]
        done = complete(asked, endpoint, tmp_path)
        assert texts(done) == expected(10)
        # 2 fit at first; each settled pair leaves 2 * $16e-6 spent, so 2 fit again (2.5 * $501.6e-6 less 8 * $16e-6)
        assert [len(batch.lines) for batch in server.batches.made] == [2, 2, 2, 2, 2]


def test_the_plan_says_batches_and_half(tmp_path: Path) -> None:
    endpoint = EndpointSettings(
        model="m", mode="batch", max_tokens=100, input_usd_per_million=1.0, output_usd_per_million=10.0
    )
    found = plan(ask(endpoint, 4), endpoint, tmp_path)
    # 4 * (2 * $1 + 100 * $10) / 1e6 / 2
    assert found.max_cost_usd == pytest.approx(0.002004)
    assert "4 to send in batches, at half the price" in str(found)


def test_a_batch_of_another_key_is_named_and_can_be_forgotten(tmp_path: Path) -> None:
    """A run leaves a batch; another key does not see it. The message says how to go on, and that way works."""
    with OpenAIServer() as server:
        asked = ask(settings(server), 5)
        journal = Journal(tmp_path, server_name(settings(server)))
        journal.created(journal.creating([request.key for request in asked], 9, 0.0), "batch_of_another_key")
        journal.close()
        for mode in ("batch", "online"):
            said = failure(server, tmp_path, mode=mode)
            assert (
                "a batch of an earlier run is not seen with the key in OPENAI_API_KEY (404): batch_of_another_key"
                in said
            )
            assert "5 requests" in said and f"delete {tmp_path / 'batches.jsonl'}" in said
        (tmp_path / "batches.jsonl").unlink()
        assert complete(asked, settings(server), tmp_path).n_new == 5
