"""Two servers that know a model by one name: their answers stay apart; old lines, which name no server, stay usable."""

from pathlib import Path

from fixtures.openai_server import OpenAIServer
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.cache import FILE, Answer, AnswerCache
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.requests import plan, server_name
from unit.endpoints.asking import ask


def settings(server: OpenAIServer) -> EndpointSettings:
    return EndpointSettings(model="small", base_url=f"{server.url}/v1", concurrency=4)


def test_each_server_answers_for_itself(tmp_path: Path) -> None:
    with OpenAIServer(lambda body: "from one") as one, OpenAIServer(lambda body: "from two") as two:
        first, second = settings(one), settings(two)
        assert [request.key for request in ask(first, 3)] == [request.key for request in ask(second, 3)]
        complete(ask(first, 3), first, tmp_path)
        assert plan(ask(second, 3), second, tmp_path).n_cached == 0
        done = complete(ask(second, 3), second, tmp_path)
        assert {answer.text for answer in done.answers if answer} == {"from two"}
        again = complete(ask(first, 3), first, tmp_path)
        assert {answer.text for answer in again.answers if answer} == {"from one"} and again.n_cached == 3
        assert len(one.requests) == len(two.requests) == 3


def test_lines_without_a_server_are_taken_where_the_servers_own_are_missing(tmp_path: Path) -> None:
    """A line as it was written before servers were noted."""
    old = '{"key":"%s","text":"%s","finish_reason":"stop","reasoning":null,"prompt_tokens":1,"completion_tokens":1,"model":"small"}\n'
    with OpenAIServer(lambda body: "new") as server:
        endpoint = settings(server)
        asked = ask(endpoint, 2)
        (tmp_path / FILE).write_text(old % (asked[0].key, "old") + old % (asked[1].key, "old"))
        store = AnswerCache(tmp_path)
        store.append(
            Answer(key=asked[1].key, text="its own", finish_reason="stop", server=server_name(endpoint))
        )
        store.append(Answer(key=asked[0].key, text="foreign", finish_reason="stop", server="elsewhere/v1"))
        store.close()
        done = complete(asked, endpoint, tmp_path)
        assert not server.requests
    assert [answer and answer.text for answer in done.answers] == ["old", "its own"]


def test_server_name() -> None:
    def named(url: str | None) -> str:
        return server_name(EndpointSettings(base_url=url))

    assert named(None) == "api.openai.com/v1"
    assert named("https://API.openai.com/v1/") == "api.openai.com/v1"
    assert named("http://user:sk-secret@localhost:8000/v1?key=sk-secret") == "localhost:8000/v1"
