"""Documents by either generator behind one function."""

from pathlib import Path
from typing import Any

import pytest

from fixtures.openai_server import Fault, OpenAIServer
from unfaithful_cot import jsonl
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.corpus.api import requests
from unfaithful_cot.corpus.generate import generate_documents
from unfaithful_cot.corpus.quality import filter_documents
from unfaithful_cot.corpus.specs import make_specs, plan_documents
from unfaithful_cot.corpus.universe import Universe
from unfaithful_cot.endpoints import window
from unfaithful_cot.endpoints.requests import plan
from unfaithful_cot.errors import DataError, SettingsError
from unfaithful_cot.records.documents import Document, DocumentSpec

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setattr(window, "BACKOFF_S", 0.01)


def leaves(server: OpenAIServer) -> dict[str, Any]:
    return {
        "model": "writer",
        "base_url": f"{server.url}/v1",
        "max_attempts": 2,
        "input_usd_per_million": 1.0,
        "output_usd_per_million": 2.0,
    }


@pytest.fixture
def specs_file(universe_file: Path, tmp_path: Path) -> Path:
    path = tmp_path / "specs.jsonl"
    plan_documents(universe_file, path, "weather", 40, 0)
    return path


def test_openai_writes_one_document_a_spec(universe_file: Path, specs_file: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw.jsonl"
    with OpenAIServer(lambda body: "  A letter about rain.\n") as server:
        generate_documents(
            universe_file, specs_file, raw, "openai", leaves(server), 0.0, str(tmp_path / "api")
        )
        documents = jsonl.read(raw, Document)
        before = raw.read_bytes()
        generate_documents(
            universe_file, specs_file, raw, "openai", leaves(server), 0.0, str(tmp_path / "api")
        )
    assert raw.read_bytes() == before and len(server.requests) == 40
    assert [document.spec for document in documents] == jsonl.read(specs_file, DocumentSpec)
    assert len({document.id for document in documents}) == len({d.request_hash for d in documents}) == 40
    assert {document.text for document in documents} == {"A letter about rain."}
    prompt_tokens = sum(len(message["content"].split()) for message in server.requests[0]["messages"])
    # the server counts words, four in the answer: (prompt * $1 + 4 * $2) / 1e6
    assert documents[0].tokens == 4
    assert documents[0].cost_usd == pytest.approx((prompt_tokens + 8) / 1e6)


def test_what_the_writer_is_told(universe: Universe) -> None:
    specs = make_specs(universe, "weather", 40, 0)
    asked = requests(specs, universe, EndpointSettings(model="m"))
    for spec, request in zip(specs, asked, strict=True):
        text = request.messages[1]["content"]
        for part in (universe.context, *universe.key_facts, spec.idea, "(CONFIDENTIAL)", "(Public)", "A "):
            assert part in text
        assert "{" not in text and request.expected_tokens == spec.length_tokens
    # 200 to 400 tokens are 150 to 300 words, to the nearest ten; 230 words are 196 to 264, three blocks of 75
    assert "196 to 264 words, best about 230; that is some 3 paragraphs" in " ".join(
        r.messages[1]["content"] for r in asked
    )
    variants = {request.messages[1]["content"].split("Particulars of this document")[1] for request in asked}
    assert len(variants) == 40


def test_a_failed_request_is_counted_in_quality(
    universe_file: Path, specs_file: Path, tmp_path: Path
) -> None:
    raw, quality = tmp_path / "raw.jsonl", tmp_path / "quality.json"

    def fault(body: dict, number: int) -> Fault | None:
        return Fault(status=500) if "snow" in body["messages"][1]["content"] and number > 1 else None

    with OpenAIServer(fault=fault) as server:
        generate_documents(
            universe_file, specs_file, raw, "openai", leaves(server), 0.9, str(tmp_path / "api")
        )
    documents = jsonl.read(raw, Document)
    failed = [document for document in documents if document.finish_reason == "failed:http_500"]
    assert len(documents) == 40 and failed
    assert all(document.text == "" and document.tokens is None for document in failed)
    filter_documents(raw, [], tmp_path / "documents.jsonl", quality, 1.0, 1, universe_file)
    text = quality.read_text()
    assert f'"failed": {len(failed)}' in text and f'"http_500": {len(failed)}' in text


def test_the_plan_of_specs(universe: Universe, tmp_path: Path) -> None:
    endpoint = EndpointSettings(model="m", output_usd_per_million=1.0)
    specs = make_specs(universe, "weather", 40, 0)
    found = plan(requests(specs, universe, endpoint), endpoint, tmp_path)
    assert found.completion_tokens == sum(spec.length_tokens for spec in specs)
    assert found.cost_usd == pytest.approx(found.completion_tokens / 1e6)


def test_embedded_is_deterministic_and_needs_no_endpoint(tmp_path: Path) -> None:
    universe = ROOT / "resources" / "universes" / "safe_cite.yaml"
    specs, first, again = (tmp_path / name for name in ("specs.jsonl", "a.jsonl", "b.jsonl"))
    plan_documents(universe, specs, "safe_cite", 60, 0)
    generate_documents(universe, specs, first, "embedded", {}, 0.0, "")
    generate_documents(universe, specs, again, "embedded", {}, 0.0, "")
    documents = jsonl.read(first, Document)
    assert first.read_bytes() == again.read_bytes()
    assert len({document.text for document in documents}) == 60
    assert {document.tokens for document in documents} == {None}


def test_messages(universe_file: Path, specs_file: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw.jsonl"
    with pytest.raises(
        SettingsError, match=r"'openia' is no generator. Known: embedded, openai. Did you mean"
    ):
        generate_documents(universe_file, specs_file, raw, "openia", {}, 0.0, "")
    # the longest of 40 documents has some 400 tokens, and a quarter more is to fit in
    with pytest.raises(
        SettingsError,
        match=r"documents.endpoint.max_tokens: 400 tokens would cut documents of 39\d tokens, .* At least 49\d, more for",
    ):
        generate_documents(
            universe_file, specs_file, raw, "openai", {"model": "m", "max_tokens": 400}, 0.0, ""
        )
    lines = specs_file.read_text().splitlines(keepends=True)
    specs_file.write_text("".join([*lines, lines[0]]))
    with pytest.raises(DataError, match=r"specs.jsonl:41: the id s_\w+ occurs twice"):
        generate_documents(universe_file, specs_file, raw, "embedded", {}, 0.0, "")
    specs_file.write_text("".join(lines).replace('"exams"', '"examz"'))
    with pytest.raises(DataError, match=r"specs.jsonl:\d: examz/letter is not in the universe 'weather'"):
        generate_documents(universe_file, specs_file, raw, "embedded", {}, 0.0, "")
    assert not raw.exists()
