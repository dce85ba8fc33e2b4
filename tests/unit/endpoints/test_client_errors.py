"""Every way a run over an API can end, each in one message without a key."""

import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.errors import EndpointError
from unit.endpoints.asking import ask

SECRET = "sk-test-0123456789abcdef"


def settings(url: str, **changes: object) -> EndpointSettings:
    values = {"model": "small", "base_url": url, "concurrency": 4, "timeout_s": 2, "max_attempts": 3}
    return EndpointSettings.model_validate(values | changes)


def failure(
    tmp_path: Path, endpoint: EndpointSettings, count: int = 10, max_failed: float = 0.0
) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        complete(ask(endpoint, count), endpoint, tmp_path, max_failed=max_failed)
    assert SECRET not in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, None, "the key in OPENAI_API_KEY is not accepted (401)"),
        (403, None, "may not use the model 'small' (403)"),
        (404, "model_not_found", "there is no model 'small', or no API, at this address (404)"),
        (429, "insufficient_quota", "nothing more may be sent for now (429)"),
        (422, None, "the request is refused (http_422)"),
    ],
)
def test_a_refusal_stops_at_once(tmp_path: Path, status: int, code: str | None, said: str) -> None:
    message = f"bad key {SECRET} of\nyours"
    with OpenAIServer(fault=lambda body, n: Fault(status=status, code=code, message=message)) as server:
        error = failure(tmp_path, settings(f"{server.url}/v1"))
        assert len(server.requests) == 1
    assert said in str(error)
    assert "done 0, cached 0, failed 0, not finished 10 of 10 requests" in str(error)


def test_what_the_server_says_is_shown_but_for_401(tmp_path: Path) -> None:
    with OpenAIServer(fault=lambda body, n: Fault(status=403, message=f"no {SECRET} here")) as server:
        assert "no *** here" in str(failure(tmp_path, settings(f"{server.url}/v1")))
    with OpenAIServer(fault=lambda body, n: Fault(status=401, message="your key sk-te***def")) as server:
        assert "sk-te" not in str(failure(tmp_path, settings(f"{server.url}/v1")))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(status=429), "nothing more may be sent for now (429)"),
        (Fault(status=500), "the request is refused (http_500)"),
        (Fault(body=b"<html>"), "the answers are no chat completions"),
        (Fault(body=b""), "the answers are no chat completions"),
        (Fault(reset=True), "the endpoint cannot be reached"),
        (Fault(slow_s=0.5), "there was no answer within 0.2 s"),
    ],
)
def test_an_endpoint_that_never_answers_is_asked_one_request_only(
    tmp_path: Path, fault: Fault, said: str
) -> None:
    with OpenAIServer(fault=lambda body, n: fault) as server:
        error = failure(tmp_path, settings(f"{server.url}/v1", timeout_s=0.2))
        assert len(server.requests) == 3
        assert len({str(body) for body in server.requests}) == 1
    assert said in str(error)


def test_nobody_listens(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        url = server.url
    assert "cannot be reached" in str(failure(tmp_path, settings(f"{url}/v1")))


def test_a_key_that_dies_half_way_keeps_what_came_back(tmp_path: Path) -> None:
    with OpenAIServer(fault=lambda body, n: Fault(status=401) if n > 10 else None) as server:
        endpoint = settings(f"{server.url}/v1")
        error = failure(tmp_path, endpoint, 40)
        # what was in flight comes back, and one more request makes sure that the refusal stands
        assert 12 <= len(server.requests) <= 10 + endpoint.concurrency + 1
        assert "is not accepted (401), after 10 answers with the same key and model" in str(error)
        assert "done 10, cached 0, failed 0, not finished 30 of 40 requests" in str(error)
        assert "goes on from there" in str(error)
        server.fault = lambda body, n: None
        done = complete(ask(endpoint, 40), endpoint, tmp_path)
    assert (done.n_cached, done.n_new) == (10, 30)


def only_bad(body: dict, number: int) -> Fault | None:
    index = int(body["messages"][0]["content"].split()[-1])
    return Fault(status=500) if index in (3, 5, 7) else None


def test_failures_below_the_share_are_counted(tmp_path: Path) -> None:
    with OpenAIServer(fault=only_bad) as server:
        endpoint = settings(f"{server.url}/v1")
        done = complete(ask(endpoint, 30), endpoint, tmp_path, max_failed=0.1)  # 3 of 30 may fail
        assert [i for i, answer in enumerate(done.answers) if answer is None] == [3, 5, 7]
        assert set(done.failures.values()) == {"http_500"} and done.n_failed == 3
        assert done.retries == {"http_500": 6}  # two more attempts each
        assert len(server.requests) == 27 + 9


def test_a_rerun_in_which_only_the_failed_are_left_may_fail_again(tmp_path: Path) -> None:
    with OpenAIServer(fault=only_bad) as server:
        endpoint = settings(f"{server.url}/v1")
        complete(ask(endpoint, 30), endpoint, tmp_path, max_failed=0.1)
        again = complete(ask(endpoint, 30), endpoint, tmp_path, max_failed=0.1)
    assert (again.n_cached, again.n_failed) == (27, 3)


def test_failures_above_the_share_end_the_step(tmp_path: Path) -> None:
    with OpenAIServer(fault=only_bad) as server:
        error = failure(tmp_path, settings(f"{server.url}/v1"), 30, max_failed=0.09)  # int(2.7) = 2 of 30
    assert "3 requests failed after all attempts (http_500 3)" in str(error)
    assert "At most 2 may fail (max_failed)" in str(error)
    assert "failed 3" in str(error) and "goes on from there and pays for nothing twice" in str(error)


def test_a_content_filter_concerns_one_request(tmp_path: Path) -> None:
    """Azure answers 400 with this code; the first request is hit, and the others go on."""
    with OpenAIServer(
        fault=lambda body, n: Fault(status=400, code="content_filter") if n == 1 else None
    ) as server:
        endpoint = settings(f"{server.url}/v1")
        done = complete(ask(endpoint, 10), endpoint, tmp_path, max_failed=0.1)
    assert list(done.failures.values()) == ["content_filter"] and done.n_new == 9


def test_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer() as server:
        url = f"{server.url}/v1"
        assert "no model is named" in str(failure(tmp_path, settings(url, model="")))
        assert "'api.test/v1' is no address" in str(failure(tmp_path, settings("api.test/v1")))
        assert "azure needs base_url and api_version" in str(failure(tmp_path, settings(url, kind="azure")))
        monkeypatch.delenv("OPENAI_API_KEY")
        assert "there is no key" in str(failure(tmp_path, settings(url)))
        assert not server.requests


LIMITED = """
    import resource, sys
    from unfaithful_cot.endpoints.client import complete
    from unfaithful_cot.endpoints.requests import make_request
    from unfaithful_cot.errors import StorageError
    from unfaithful_cot.config.endpoint import EndpointSettings
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    endpoint = EndpointSettings(model="small", base_url=sys.argv[1], concurrency=2)
    asked = [make_request(endpoint, [{"role": "user", "content": f"question {i}"}]) for i in range(40)]
    try:
        complete(asked, endpoint, sys.argv[2])
    except StorageError as error:
        sys.exit(f"{error}")
"""


def test_a_disk_that_fills_up_half_way(tmp_path: Path) -> None:
    """The file may not grow beyond 1,000 bytes: one message, and what was written before is not asked for again."""
    with OpenAIServer() as server:
        command = [sys.executable, "-c", textwrap.dedent(LIMITED), f"{server.url}/v1", str(tmp_path)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert run.returncode == 1 and "Traceback" not in run.stderr
        assert f"{tmp_path}/answers.jsonl: cannot be written" in run.stderr
        assert "what was finished is kept" in run.stderr
        asked = len(server.requests)
        endpoint = settings(f"{server.url}/v1")
        done = complete(ask(endpoint, 40), endpoint, tmp_path)
    assert 0 < done.n_cached < asked < 15
    assert done.n_cached + done.n_new == 40


def test_no_key_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), OpenAIServer() as server:
        endpoint = settings(f"{server.url}/v1")
        complete(ask(endpoint, 5), endpoint, tmp_path, label="five")
    assert SECRET not in caplog.text
    assert "five: done 5, cached 0, failed 0, not finished 0 of 5 requests" in caplog.text
    assert "HTTP Request" not in caplog.text


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(status=403, message="no ann:planted-pw here, nor planted-query"),
        Fault(status=400, message="at http://ann:planted-pw@h/v1?api_key=planted-query"),
        Fault(status=500, message="planted-query"),
        Fault(reset=True),
        Fault(body=b"<html>"),
    ],
)
def test_secrets_in_an_address_are_in_no_message_and_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], fault: Fault | None
) -> None:
    """User and password go out as basic authorization, the query behind the path of each call."""
    with caplog.at_level(logging.DEBUG), OpenAIServer(fault=lambda body, n: fault) as server:
        url = server.url.replace("http://", "http://ann:planted-pw@") + "/v1?api_key=planted-query"
        endpoint = settings(url, max_attempts=2)
        if fault is None:
            complete(ask(endpoint, 3), endpoint, tmp_path)
        else:
            assert "http://***@127.0.0.1" in str(failure(tmp_path, endpoint, 3))
        assert {path for path in server.paths} == {"/v1/chat/completions?api_key=planted-query"}
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).decode()
    output = capfd.readouterr()
    assert "planted" not in caplog.text + output.out + output.err + written
