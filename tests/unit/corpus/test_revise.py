"""The revision: what is found, what is asked, what may take a draft's place, and the account; against a real server."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot import jsonl
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.corpus.cast import NAMES
from unfaithful_cot.corpus.facts import FactReader
from unfaithful_cot.corpus.findings import NOTHING, Examiner, listed
from unfaithful_cot.corpus.revise import PROMPT, Reviser, expected_requests, is_done, revise_documents
from unfaithful_cot.corpus.specs import make_specs
from unfaithful_cot.corpus.universe import Universe
from unfaithful_cot.endpoints import window
from unfaithful_cot.errors import DataError, EndpointError
from unfaithful_cot.records.documents import Document

Make = Callable[..., Document]
FACTS = "Forecasts are made at dawn. Maps are blue."
REFUSAL = "I'm sorry, but I can't help with that."


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setattr(window, "BACKOFF_S", 0.01)


def text(number: int, n_words: int = 220, facts: str = FACTS) -> str:
    """A whole text of its own with so many words and some facts."""
    said = f"Letter {number} opens. {facts}".split()
    return " ".join([*said, *(f"w{number}x{i}" for i in range(n_words - len(said) - 1)), "Ends."])


def draft_of(body: dict[str, Any]) -> str:
    """The draft in a request for a revision."""
    return str(body["messages"][1]["content"].split("\nDraft\n", 1)[1])


def number_of(body: dict[str, Any]) -> int:
    return int(re.search(r"Letter (\d+) opens", draft_of(body))[1])


ANSWERS: dict[int, Callable[[str], str]] = {
    0: lambda draft: draft.replace("Ends.", "It is better. Ends."),
    1: lambda draft: REFUSAL,
    2: lambda draft: draft + " And then the",  # the server ends it with finish_reason length
    3: lambda draft: draft.replace("Maps are blue.", "Nobody came. It rained."),
    4: lambda draft: draft.upper(),
    5: lambda draft: f"Here is the revised document:\n\n{draft} More.",
    6: lambda draft: f"{FACTS} " + " ".join(draft.split()[-80:]),
    7: lambda draft: "never sent",
    8: lambda draft: draft + " Better.\n\nChanges made:\n- more detail",
    9: lambda draft: draft.replace("Ends.", "It is better still. Ends."),
}


def fault(body: dict[str, Any], number: int) -> Fault | None:
    return {2: Fault(finish_reason="length"), 7: Fault(status=500)}.get(number_of(body))


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    def write(body: dict[str, Any]) -> str:
        return ANSWERS[number_of(body)](draft_of(body))

    with OpenAIServer(write, fault) as running:
        yield running


@pytest.fixture
def drafts(document: Make, tmp_path: Path) -> list[Document]:
    """Ten sound drafts, one that failed and one that was refused."""
    made = [document(i, text(i), cost_usd=0.5) for i in range(10)]
    made += [document(10, "", finish_reason="failed:timeout"), document(11, REFUSAL)]
    jsonl.write(tmp_path / "raw.jsonl", made)
    return made


@pytest.fixture
def revise(universe_file: Path, tmp_path: Path) -> Callable[..., tuple[list[Document], dict[str, Any]]]:
    def run(server: OpenAIServer, rounds: int = 1, **changes: Any) -> tuple[list[Document], dict[str, Any]]:
        endpoint = {
            "model": "writer", "base_url": f"{server.url}/v1", "max_attempts": 2,
            "input_usd_per_million": 1.0, "output_usd_per_million": 2.0,
        }  # fmt: skip
        arguments: dict[str, Any] = {
            "raw": tmp_path / "raw.jsonl", "universe": universe_file, "prompt": PROMPT, "names": NAMES,
            "revised": tmp_path / "revised.jsonl", "account": tmp_path / "revision.json", "endpoint": endpoint,
            "rounds": rounds, "min_words": 30, "max_failed": 0.2, "cache": tmp_path / "api",
        } | changes  # fmt: skip
        revise_documents(**arguments)
        told = json.loads((tmp_path / "revision.json").read_text())
        return jsonl.read(tmp_path / "revised.jsonl", Document), told

    return run


def test_what_is_worse_than_its_draft_leaves_it(
    server: OpenAIServer, drafts: list[Document], revise: Callable[..., Any]
) -> None:
    documents, told = revise(server)
    assert [one.spec for one in documents] == [one.spec for one in drafts]
    for number, (draft, document) in enumerate(zip(drafts, documents, strict=True)):
        if number in (0, 9):
            assert document.text == ANSWERS[number](draft.text)
            assert document.revised_from == draft.id and document.id != draft.id
        else:
            assert (document.id, document.text, document.revised_from) == (draft.id, draft.text, None), number
    (first,) = told["rounds"]
    assert (told["n_documents"], told["n_revised"], first["n_asked"], first["n_revised"]) == (12, 2, 10, 2)
    assert first["draft_kept"] == {
        "failed": 1, "lost_facts": 1, "refusal": 1, "remark": 2, "shrunk": 1, "truncated": 1, "unchanged": 1,
    }  # fmt: skip
    assert first["failed_requests"] == {"http_500": 1} and first["not_asked"] == {"failed": 1, "refusal": 1}
    # every answer is paid for, those of no use too; the request that failed is not
    costs = [one.cost_usd - draft.cost_usd for one, draft in zip(documents, drafts, strict=True)]
    assert all((cost > 0) == (number not in (7, 10, 11)) for number, cost in enumerate(costs))
    assert first["cost_usd"] == pytest.approx(sum(costs), abs=1e-6)
    # the server counts words: prompt by $1 and answer by $2 a million
    body = next(body for body in server.answered if number_of(body) == 0)
    prompt = sum(len(message["content"].split()) for message in body["messages"])
    assert costs[0] == pytest.approx((prompt + 2 * len(documents[0].text.split())) / 1e6)


def test_nothing_is_asked_twice(
    server: OpenAIServer, drafts: list[Document], revise: Callable[..., Any]
) -> None:
    first = revise(server)
    n = len(server.answered)
    assert revise(server) == first and len(server.answered) == n
    with pytest.raises(EndpointError, match="http_500"):
        revise(server, max_failed=0.05)


def test_a_second_round_goes_on_from_the_first(
    server: OpenAIServer, drafts: list[Document], revise: Callable[..., Any]
) -> None:
    documents, told = revise(server, rounds=2)
    assert documents[0].text.count("It is better.") == 2
    # the id stays that of the first draft, which raw.jsonl holds; the request is that of the second round
    assert documents[0].revised_from == "d_0" and [one["round"] for one in told["rounds"]] == [1, 2]
    again = [body for body in server.answered if number_of(body) == 0]
    assert len(again) == 2 and "It is better." in draft_of(again[1])
    # a draft that stayed is asked for anew, not read from the cache
    assert len([body for body in server.answered if number_of(body) == 3]) == 2


def test_what_the_reviser_is_told(
    server: OpenAIServer, universe: Universe, drafts: list[Document], revise: Callable[..., Any]
) -> None:
    revise(server)
    for body in server.answered:
        told = body["messages"][1]["content"]
        for part in (
            universe.context,
            *universe.key_facts,
            "(CONFIDENTIAL)",
            "best about 220",
            "People, as far",
        ):
            assert part in told


def findings(universe: Universe, documents: list[Document]) -> list[dict[str, str]]:
    examiner = Examiner(FactReader(universe.key_facts, universe.firm), 30)
    return [examiner.findings(one) for one in documents]


def test_findings_by_hand(universe: Universe, document: Make) -> None:
    sound = document(0, text(0))
    assert findings(universe, [sound]) == [{}] and listed({}) == NOTHING
    cut = document(1, text(1).removesuffix(" Ends."), finish_reason="length")
    thin = document(2, text(2, 100, facts=""))
    again = document(3, sound.text.replace("w0x40", "other"))
    twice = document(4, text(4).replace("Ends.", f"It went on. {'This is said once or twice. ' * 2}Ends."))
    found = findings(universe, [sound, cut, thin, again, twice])
    assert [sorted(one) for one in found] == [
        [], ["truncated"], ["few_facts", "length"], ["like_another"], ["repeats_itself"],
    ]  # fmt: skip
    # 300 tokens are 220 words; none of two facts, and both are named, in an order drawn by the seed
    assert found[2]["length"] == "It has 100 words; about 220 were asked for."
    assert found[2]["few_facts"].startswith("It shows 0 of the 2 facts of the world.")
    assert all(fact in found[2]["few_facts"] for fact in universe.key_facts)
    assert "“this is said once or twice”" in found[4]["repeats_itself"]
    assert listed(found[2]) == f"- {found[2]['length']}\n- {found[2]['few_facts']}"


def test_the_fourth_that_begins_alike_is_told(universe: Universe, document: Make) -> None:
    alike = [document(i, "Dear colleagues, today " + text(i)) for i in range(5)]
    assert ["common_opening" in one for one in findings(universe, alike)] == [False, False, False, True, True]


def test_more_documents_ask_the_same_of_those_before(universe: Universe, document: Make) -> None:
    """A larger count pays for its new documents alone."""
    documents = [document(i, "Dear colleagues, today " + text(i % 7)) for i in range(20)]

    def keys(some: list[Document]) -> list[str]:
        reviser = Reviser(universe, PROMPT, NAMES, EndpointSettings(model="m"), 30)
        tally = {name: Counter[str]() for name in ("not_asked", "findings")}
        return [request.key for request in reviser.requests(some, 1, tally).values()]

    assert keys(documents)[:12] == keys(documents[:12]) and len(set(keys(documents))) == 20


def test_whether_it_is_done(
    server: OpenAIServer,
    drafts: list[Document],
    revise: Callable[..., Any],
    tmp_path: Path,
    universe_file: Path,
) -> None:
    endpoint = EndpointSettings(model="writer", base_url=f"{server.url}/v1")
    asked = (tmp_path, universe_file, PROMPT, NAMES)
    assert not is_done(*asked, endpoint, 1)
    revise(server)
    assert is_done(*asked, endpoint, 1) and not is_done(*asked, endpoint, 2)
    assert is_done(*asked, endpoint.model_copy(update={"concurrency": 3}), 1)
    assert not is_done(*asked, endpoint.model_copy(update={"temperature": 0.5}), 1)
    assert not is_done(*asked, endpoint.model_copy(update={"base_url": "http://other/v1"}), 1)
    whole = (tmp_path / "revision.json").read_text()
    for damaged in ("{", "[]", "{}"):
        (tmp_path / "revision.json").write_text(damaged)
        assert not is_done(*asked, endpoint, 1)
    (tmp_path / "revision.json").write_text(whole)
    jsonl.write(tmp_path / "raw.jsonl", drafts[:5])
    assert not is_done(*asked, endpoint, 1)


def test_the_price_before_is_near_the_price_afterwards(
    server: OpenAIServer, universe: Universe, document: Make
) -> None:
    """Estimated prompts of 40 drafts against those that are sent, in characters: within a tenth."""
    specs = make_specs(universe, "weather", 40, 0)
    endpoint = EndpointSettings(model="m")
    expected = expected_requests(specs, universe, endpoint, 2)
    assert len(expected) == 80 and len({one.key for one in expected}) == 80
    # four characters a token; texts of this test have words of some six characters, so as many words as make the tokens
    documents = [
        document(i, " ".join(["sixteen"] * (spec.length_tokens // 2))).model_copy(update={"spec": spec})
        for i, spec in enumerate(specs)
    ]
    tally = {name: Counter[str]() for name in ("not_asked", "findings")}
    sent = Reviser(universe, PROMPT, NAMES, endpoint, 30).requests(documents, 1, tally).values()
    assert sum(one.prompt_tokens for one in expected[:40]) == pytest.approx(
        sum(one.prompt_tokens for one in sent), rel=0.1
    )


def test_a_prompt_that_is_none(drafts: list[Document], revise: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("version: p\nsystem: s\nuser: '{draft} {shoe}'\n")
    with (
        OpenAIServer() as server,
        pytest.raises(DataError, match=r"p.yaml: nothing fills the place \{shoe\}"),
    ):
        revise(server, prompt=tmp_path / "p.yaml")
    assert server.requests == []
