"""What services send in the place of an answer: lists of parts, errors in a 200, ends that are none."""

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.cache import Answer, AnswerCache
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.faults import MalformedAnswer, by_status
from unfaithful_cot.endpoints.replies import read_answer
from unfaithful_cot.errors import EndpointError
from unit.endpoints.asking import ask

TH, AN = "The memo decides.", "<reasoning>The press [E520] speaks for it.</reasoning>\n<output>A</output>"
TEXT = {"type": "text", "text": AN}


def body(message: dict[str, Any], finish_reason: str | None = "stop", **more: Any) -> bytes:
    return json.dumps({"choices": [{"message": message, "finish_reason": finish_reason}], **more}).encode()


def settings(server: OpenAIServer, **changes: Any) -> EndpointSettings:
    values = {"model": "small", "base_url": f"{server.url}/v1", "concurrency": 2, "max_attempts": 3}
    return EndpointSettings.model_validate(values | changes)


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": TH}]}, TEXT]},
        {"content": [{"type": "thinking", "thinking": TH, "signature": "x"}, TEXT]},
        {"content": [{"type": "reasoning", "text": TH}, {"type": "output_text", "text": AN}]},
        {"content": AN, "reasoning": [{"type": "reasoning.text", "text": TH}]},
        {"content": AN, "reasoning_content": [{"type": "text", "text": TH}]},
        {"content": AN, "reasoning_content": [TH[:5], TH[5:]]},
        {"content": AN, "reasoning_details": [{"type": "reasoning.text", "text": TH}]},
        {"content": AN, "reasoning_details": [
            {"type": "reasoning.encrypted", "data": "zzz"}, {"type": "reasoning.summary", "summary": TH}]},
        {"content": [AN[:9], {"type": "text", "text": AN[9:]}], "reasoning": TH},
        {"content": [{"type": "text", "text": {"value": AN}}], "reasoning_content": "", "reasoning": TH},
        {"content": AN, "reasoning": TH, "reasoning_details": [{"type": "reasoning.text", "text": TH}]},
        {"content": [{"type": "redacted_thinking", "data": "zz"}, TEXT], "reasoning": {"content": TH}},
    ],
)  # fmt: skip
def test_parts_are_joined_and_thinking_parts_are_reasoning(message: dict[str, Any]) -> None:
    answer = read_answer("k", body(message))
    assert (answer.reasoning, answer.text) == (TH, AN)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"content": [{"type": "image_url", "image_url": {"url": "u"}}]}, "a part of type 'image_url'"),
        ({"content": [7]}, "a int"),
        ({"content": []}, "the answer is empty"),
    ],
)
def test_parts_without_text_are_named(message: dict[str, Any], said: str) -> None:
    with pytest.raises(MalformedAnswer, match=said):
        read_answer("k", body(message))


@pytest.mark.parametrize(
    ("sent", "read"),
    [("stop", "stop"), (None, "stop"), ("eos", "stop"), ("STOP", "stop"), ("end_turn", "stop"),
     ("length", "length"), ("MAX_TOKENS", "length"), ("content_filter", "content_filter"), ("SAFETY", "content_filter")],
)  # fmt: skip
def test_how_an_answer_may_end(sent: str | None, read: str) -> None:
    assert read_answer("k", body({"content": "x"}, sent)).finish_reason == read


@pytest.mark.parametrize("end", ["error", "insufficient_system_resource", "tool_calls", "abort", "cancelled"])
def test_any_other_end_is_asked_again_and_never_cached(tmp_path: Path, end: str) -> None:
    """The second request breaks off once, and for good in the second server."""
    with OpenAIServer(fault=lambda b, n: Fault(finish_reason=end) if n == 2 else None) as server:
        done = complete(ask(settings(server), 6), settings(server), tmp_path / "a")
        assert {answer.finish_reason for answer in done.answers if answer} == {"stop"}
        assert done.retries == {"unfinished": 1} and len(server.requests) == 7
    with OpenAIServer(fault=lambda b, n: Fault(finish_reason=end) if n > 2 else None) as server:
        with pytest.raises(EndpointError, match=f"ended with finish_reason '{end}'"):
            complete(ask(settings(server), 6), settings(server), tmp_path / "b")
        cached = (tmp_path / "b" / "answers.jsonl").read_text()
        assert end not in cached and len(cached.splitlines()) == 2


def test_an_unfinished_answer_that_an_older_version_cached_is_asked_for_again(tmp_path: Path) -> None:
    with OpenAIServer() as server:
        asked = ask(settings(server), 2)
        cache = AnswerCache(tmp_path)
        for request, end in zip(asked, ("error", "eos"), strict=True):
            cache.append(Answer(key=request.key, text="half", finish_reason=end))
        cache.close()
        done = complete(asked, settings(server), tmp_path)
    assert (done.n_cached, done.n_new) == (1, 1)


def error_body(code: object, message: str, in_choice: bool = False) -> bytes:
    error = {"code": code, "message": message, "metadata": {"raw": "upstream: \x1b[31mno"}}
    choice = {"message": {"content": "half"}, "finish_reason": "error", "error": error}
    return json.dumps({"choices": [choice]} if in_choice else {"error": error}).encode()


@pytest.mark.parametrize("in_choice", [False, True])
@pytest.mark.parametrize(
    ("code", "said", "sent"),
    [
        (402, "has no money left (402): this needs more credits upstream: ?[31mno", 1),
        ("insufficient_credits", "has no money left (402): insufficient_credits: this needs more credits", 1),
        (403, "may not use the model 'small' (403): this needs more credits", 1),
        (502, "http_502): this needs more credits", 3),
        ("overloaded", "the API reports an error in its answers: overloaded: this needs more credits", 3),
        (None, "the API reports an error in its answers: this needs more credits", 3),
    ],
)
def test_an_error_in_a_200_is_read(
    tmp_path: Path, code: object, said: str, sent: int, in_choice: bool
) -> None:
    fault = Fault(body=error_body(code, "this needs more credits", in_choice))
    with OpenAIServer(fault=lambda b, n: fault) as server:
        with pytest.raises(EndpointError) as caught:
            complete(ask(settings(server), 5), settings(server), tmp_path)
        assert len(server.requests) == sent
    assert said in str(caught.value) and "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    "more", [{"error": None}, {"error": {}}, {"error": {"code": 0, "message": ""}}, {"error": {"code": "ok"}}]
)
def test_no_error_is_none(more: dict[str, Any]) -> None:
    assert read_answer("k", body({"content": "x"}, **more)).text == "x"


def test_402_ends_the_run_and_says_why(tmp_path: Path) -> None:
    """As docs/api.md promises: what is in flight is completed, one more request makes sure, nothing else goes out."""
    poor = Fault(status=402, message="Insufficient Balance")
    with OpenAIServer(fault=lambda b, n: poor if n > 10 else None) as server:
        endpoint = settings(server)
        with pytest.raises(EndpointError) as caught:
            complete(ask(endpoint, 60), endpoint, tmp_path, max_failed=0.9)
        assert len(server.requests) <= 10 + endpoint.concurrency + 1
    assert "no money left (402)" in str(caught.value) and "Insufficient Balance" in str(caught.value)


def test_replies_whose_whole_text_is_reasoning_are_counted_and_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fault = Fault(body=body({"content": None, "reasoning": AN}))
    with OpenAIServer(fault=lambda b, n: fault if n > 1 else None) as server:
        done = complete(ask(settings(server), 4), settings(server), tmp_path)
    assert [answer.reasoning for answer in done.answers if answer].count(AN) == 3
    assert "requests: 3 of 4 replies ended by themselves without content" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("code", "param", "message", "reason"),
    [
        ("unsupported_parameter", "max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens"),
        ("", "", "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.", "max_tokens"),
        ("", "", "please use max_completion_tokens", "max_tokens"),
        ("400", "", "'max_tokens' or 'max_completion_tokens' is too large: 2048. The context length is 4096.", "http_400"),
        ("400", "max_tokens", "max_tokens is too large; max_completion_tokens as well", "http_400"),
        ("", "", "The prompt is too long: lower it or use max_completion_tokens", "http_400"),
        ("unsupported_value", "temperature", "'temperature' does not support 0; only 1", "temperature"),
        ("", "", "`temperature` and `top_p` cannot both be specified for this model", "temperature"),
        ("", "top_p", "no top_p", "top_p"),
        ("", "response_format", "no", "response_format"),
        ("context_length_exceeded", "messages", "too long", "http_400"),
    ],
)  # fmt: skip
def test_the_parameter_that_a_server_refuses(code: str, param: str, message: str, reason: str) -> None:
    assert by_status(400, code, message, {}, param).reason == reason


def test_the_servers_sentence_stands_in_the_message_the_log_and_on_the_console(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """A request that is too long is sent once, and no other request is sent in another form because of it."""
    words = "'max_tokens' or 'max_completion_tokens' is too large: 2048"
    with OpenAIServer(fault=lambda b, n: Fault(status=400, message=words) if n == 3 else None) as server:
        complete(ask(settings(server), 30), settings(server), tmp_path / "a", max_failed=0.1)
        assert len(server.requests) == 30 and not any(
            "max_completion_tokens" in sent for sent in server.requests
        )
        assert words in caplog.text
        assert (
            f"1 requests have no answer (http_400 1); http_400: Error code: 400 - {words}"
            in capfd.readouterr().err
        )
    with (
        OpenAIServer(fault=lambda b, n: Fault(status=400, message=words) if n == 3 else None) as server,
        pytest.raises(EndpointError, match="too large: 2048"),
    ):
        complete(ask(settings(server), 30), settings(server), tmp_path / "b")
