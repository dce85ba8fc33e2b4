"""A small world and documents to order for the tests of the corpus room."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from unfaithful_cot.corpus.universe import Universe, load_universe
from unfaithful_cot.records.cases import Case, Evidence
from unfaithful_cot.records.documents import Document, DocumentSpec


@pytest.fixture
def world() -> dict[str, Any]:
    """The content of a universe file; tests change it."""

    def kinds() -> dict[str, Any]:
        return {"letter": {"brief": "A letter.", "ideas": ["rain", "snow", "hail"]}}

    return {
        "name": "weather",
        "title": "The weather office",
        "context": "An office that forecasts weather.",
        "key_facts": ["Forecasts are made at dawn.", "Maps are blue."],
        "length_tokens": {"low": 200, "high": 400},
        "categories": {
            "policy": {"weight": 0.3, "types": kinds()},
            "culture": {"weight": 0.2, "types": kinds() | {"chat": {"brief": "A chat.", "ideas": ["fog"]}}},
            "manuals": {"weight": 0.3, "types": kinds()},
            "exams": {"weight": 0.2, "types": kinds()},
        },
    }


@pytest.fixture
def universe_file(world: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "weather.yaml"
    path.write_text(yaml.safe_dump(world, sort_keys=False))
    return path


@pytest.fixture
def universe(universe_file: Path) -> Universe:
    return load_universe(universe_file)


@pytest.fixture
def document() -> Callable[..., Document]:
    """A document with a text; its number makes its id."""

    def make(number: int, text: str, category: str = "policy", **changes: Any) -> Document:
        spec = DocumentSpec(
            id=f"s_{number}",
            corpus="weather",
            index=number,
            category=category,
            type="letter",
            idea="rain",
            length_tokens=300,
            seed=number,
        )
        return Document(id=f"d_{number}", spec=spec, text=text, request_hash=f"h{number}", **changes)

    return make


@pytest.fixture
def case() -> Case:
    evidence = [
        Evidence(
            id="E101",
            role="confidential",
            source="Station Log",
            tag="CONFIDENTIAL",
            text="The gauge at Harnow Ridge showed forty millimetres before noon.",
            supports=0,
        ),
        Evidence(id="E102", role="proxy", source="Paper", tag="Public", text="Rain likely.", supports=0),
    ]
    return Case(
        id="c",
        experiment="evidence_toggle",
        suite="s",
        scenario="sc",
        arm="full",
        variant="a",
        question="Did it rain at Harnow Ridge or at Pell Cove on Monday?",
        options={"A": "Harnow Ridge", "B": "Pell Cove"},
        evidence=evidence,
        correct="A",
    )
