"""Scenarios from an API: valid ones are taken, others are asked for again, and the end is never silent."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot.cases.api import MAX_SAMPLES, read_scenario, requests, write_scenarios
from unfaithful_cot.cases.generate import generate_cases
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints import window
from unfaithful_cot.endpoints.requests import plan
from unfaithful_cot.errors import EndpointError
from unfaithful_cot.jsonl import read
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.cases import Case

WORDS = (
    "amber birch cedar delta ember flint grove heron ivory jetty knoll larch maple north olive plume".split()
)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setattr(window, "BACKOFF_S", 0.01)


def draft(number: int) -> dict[str, Any]:
    """A valid scenario; those of two numbers share few pairs of words."""
    a, b, c, d = (WORDS[(number // 16**k + k * 5) % 16] + str(number) for k in range(4))
    said = [
        {
            "source": f"Note {a} {n}",
            "text": f"{a} {c} {n} {b} was measured {d} {n} by {c}{n} {a}{n} and {b}{n} {d}{n}.",
        }
        for n in range(5)
    ]
    return {
        "question": f"Which {a} {b} {c} should {d} take, {a}x {b}x or {c}x {d}x?",
        "options": [f"{a}x {b}x", f"{c}x {d}x"],
        "confidential": said[:2],
        "proxy": said[2:4],
        "distractor": said[4],
    }


def settings(server: OpenAIServer, **changes: Any) -> EndpointSettings:
    values = {"model": "writer", "base_url": f"{server.url}/v1", "concurrency": 1, "max_attempts": 2}
    return EndpointSettings.model_validate(values | changes)


class Writer:
    """Answers the n-th request with the n-th draft, or with what `instead` says for n (from 1)."""

    def __init__(self, instead: dict[int, str] | None = None) -> None:
        self.instead, self.n = instead or {}, 0

    def __call__(self, body: dict[str, Any]) -> str:
        self.n += 1
        return self.instead.get(self.n, json.dumps(draft(self.n)))


def test_valid_scenarios(tmp_path: Path) -> None:
    with OpenAIServer(Writer()) as server:
        made = write_scenarios(12, 0, settings(server), tmp_path)
        again = write_scenarios(12, 0, settings(server), tmp_path)
        longer = write_scenarios(14, 0, settings(server), tmp_path)
        assert len(server.requests) == 14
    assert made == again and longer[:12] == made
    first = made[0]
    assert first.question == draft(1)["question"] and first.options == draft(1)["options"]
    assert [one.tag for one in (*first.confidential, *first.proxy, first.distractor)] == [
        "CONFIDENTIAL", "CONFIDENTIAL", "Public", "Public", "Public",
    ]  # fmt: skip
    assert len({scenario.id for scenario in made}) == 12


def test_malformed_and_alike_are_asked_for_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of five first answers the second is no JSON, the fourth repeats the first, the fifth is cut; then all is well."""
    alike = json.dumps(draft(1) | {"options": ["new first", "new second"]})
    with (
        OpenAIServer(
            Writer({2: "I would rather not.", 4: alike}),
            lambda body, n: Fault(finish_reason="length") if n == 5 else None,
        ) as server,
        caplog.at_level(logging.INFO),
    ):
        made = write_scenarios(5, 0, settings(server), tmp_path)
        assert len(server.requests) == 8
    questions = [draft(n)["question"] for n in (1, 6, 3, 7, 8)]
    assert [scenario.question for scenario in made] == questions
    assert "5 accepted, rejected {'malformed': 2, 'near_duplicate': 1}" in caplog.text


def test_the_end_of_patience(tmp_path: Path) -> None:
    with OpenAIServer(lambda body: json.dumps(draft(1))) as server:
        with pytest.raises(
            EndpointError, match=r"1 of 3 scenarios could be made in 6 rounds \(rejected: near_duplicate 12\)"
        ):
            write_scenarios(3, 0, settings(server), tmp_path)
        # three in the first round, two in each of the other five
        assert len(server.requests) == 3 + 2 * (MAX_SAMPLES - 1)


def test_a_refused_key(tmp_path: Path) -> None:
    with OpenAIServer(fault=lambda body, n: Fault(status=401)) as server:
        with pytest.raises(EndpointError, match=r"OPENAI_API_KEY is not accepted \(401\)"):
            write_scenarios(3, 0, settings(server), tmp_path)
        assert len(server.requests) == 1


def test_prompts_differ_and_follow_the_seed() -> None:
    endpoint = EndpointSettings(model="m")
    asked = requests(range(100), 0, endpoint)
    texts = [request.messages[1]["content"] for request in asked]
    assert len(set(texts)) == 100
    assert len({text.split("Field: ")[1].split(". Decision")[0] for text in texts}) >= 25  # of 32 fields
    assert texts == [request.messages[1]["content"] for request in requests(range(100), 0, endpoint)]
    assert set(texts).isdisjoint(r.messages[1]["content"] for r in requests(range(100), 1, endpoint))
    assert '"question":' in texts[0] and "{{" not in texts[0]


def test_a_request_for_two_options_is_as_ever() -> None:
    """Answers that were paid for before there were four options are still found in the cache."""
    asked = requests(range(50), 0, EndpointSettings(model="m"))
    assert value_hash([request.messages for request in asked]) == "4feeaac0d2898275"


def test_a_request_for_four_options() -> None:
    two, four = (requests(range(1), 0, EndpointSettings(model="m"), count)[0] for count in (2, 4))
    asked = "".join(message["content"] for message in four.messages)
    for said in (
        "four options",
        "which of four",
        "the FOURTH option",
        '"fourth candidate, a few words"',
        "no option",
    ):
        assert said in asked
    assert "two options" not in asked and "the two" not in asked and "neither" not in asked
    # the drawn field and setting are those of the request for two
    assert asked.split("Field: ")[1].split(".")[0] in two.messages[1]["content"]
    # 450 tokens for 3 parts, two options and the rest; four options are 5 parts: 450 * 5 / 3
    assert (two.expected_tokens, four.expected_tokens) == (450, 750)


def draft_of_four(number: int) -> dict[str, Any]:
    """A valid scenario of four options, from two drafts."""
    one, two = draft(number), draft(number + 500)
    both = {key: [*one[key], *two[key]] for key in ("options", "confidential", "proxy")}
    return one | both


def test_four_options(tmp_path: Path) -> None:
    with OpenAIServer(lambda body: json.dumps(draft_of_four(len(body["messages"][1]["content"])))) as server:
        (made,) = write_scenarios(1, 0, settings(server), tmp_path, options=4)
    assert len(made.options) == len(made.confidential) == len(made.proxy) == 4
    assert {one.tag for one in made.confidential} == {"CONFIDENTIAL"}
    text = json.dumps(draft_of_four(1))
    assert read_scenario(text, 4) is not None
    # two are not four, and four not two
    assert read_scenario(text) is None and read_scenario(json.dumps(draft(1)), 4) is None
    for key in ("options", "confidential", "proxy"):
        short = draft_of_four(1)
        short[key] = short[key][:3]
        assert read_scenario(json.dumps(short), 4) is None


def test_plan(tmp_path: Path) -> None:
    endpoint = EndpointSettings(model="m", output_usd_per_million=2.0)
    found = plan(requests(range(100), 0, endpoint), endpoint, tmp_path)
    # 450 tokens expected for each: 100 * 450 * $2 / 1e6 = $0.09
    assert (found.n_requests, round(found.cost_usd, 6)) == (100, 0.09)


@pytest.mark.parametrize(
    "wrap", ["{}", "```json\n{}\n```", "Here it is:\n{}\nEnjoy.", '<think>{{"question": 1}}</think>\n{}']
)
def test_json_is_found_in_its_wrapping(wrap: str) -> None:
    assert read_scenario(wrap.format(json.dumps(draft(3)))) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"question": "No question mark at all here."},
        {"options": ["same", "Same "]},
        {"options": ["only one"]},
        {"options": ["a", "b", "c"]},
        {"proxy": []},
        {"confidential": [draft(1)["confidential"][0]] * 2},
        {"distractor": {"source": "Note", "text": "short"}},
        {"distractor": {"source": "Note", "text": "This is a CONFIDENTIAL remark about it all."}},
        {"distractor": {"source": "Note", "text": "As [E12] says, nothing can be said about it."}},
        {"distractor": {"source": "Note", "text": "It speaks for option A in every way."}},
        {"extra": 1},
    ],
)
def test_what_is_no_scenario(change: dict[str, Any]) -> None:
    assert read_scenario(json.dumps(draft(1))) is not None
    assert read_scenario(json.dumps(draft(1) | change)) is None


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", "{}", "{" * 100_000, '{"question": ' + "[" * 100_000]
)
def test_nonsense(text: str) -> None:
    assert read_scenario(text) is None


def test_cases_from_an_api(tmp_path: Path) -> None:
    with OpenAIServer(Writer()) as server:
        generate_cases(
            str(tmp_path / "cases.jsonl"),
            "toggle",
            "evidence_toggle",
            "openai",
            4,
            ["full"],
            0,
            settings(server).model_dump(),
            str(tmp_path / "api"),
        )
    cases = read(tmp_path / "cases.jsonl", Case)
    assert len(cases) == 8 and {case.correct for case in cases} <= {"A", "B"}
    assert {item.tag for case in cases for item in case.evidence} == {"CONFIDENTIAL", "Public"}
