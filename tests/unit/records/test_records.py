"""Records: immutable, strict, with ids that their content decides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from unfaithful_cot.records import adapters, cases, documents, grades, hub, organisms, replay, responses
from unfaithful_cot.records.base import Record, make_id
from unfaithful_cot.records.cases import Case, Statement
from unfaithful_cot.records.documents import DocumentSpec

SPEC: dict[str, Any] = {
    "id": "s_1", "corpus": "c", "index": 0, "category": "policy", "type": "memo", "idea": "i", "length_tokens": 5, "seed": 1,
}  # fmt: skip


def kinds() -> list[type[Record]]:
    return [
        kind
        for stage in (adapters, cases, documents, grades, hub, organisms, replay, responses)
        for kind in vars(stage).values()
        if isinstance(kind, type) and issubclass(kind, Record) and kind is not Record
    ]


def evidence(identifier: str, role: str) -> dict[str, Any]:
    return {"id": identifier, "role": role, "source": "s", "tag": "Public", "text": "t", "supports": None}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_a_record_is_documented_strict_and_frozen(kind: type[Record]) -> None:
    assert kind.__doc__ and kind.__doc__ != Record.__doc__
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        kind.model_validate({"no_such_field": 1})
    assert kind.model_config["frozen"]


def test_a_record_goes_to_a_line_and_back() -> None:
    spec = DocumentSpec.model_validate(SPEC)
    assert DocumentSpec.model_validate_json(spec.model_dump_json()) == spec
    assert json.loads(spec.model_dump_json()) == SPEC
    with pytest.raises(ValidationError, match="frozen"):
        spec.seed = 2  # type: ignore[misc]


def test_an_id_is_decided_by_its_parts_and_their_limits() -> None:
    assert make_id("d", "a", 1) == make_id("d", "a", "1")
    assert (
        len({make_id("d", "ab", "c"), make_id("d", "a", "bc"), make_id("d", "abc"), make_id("e", "abc")}) == 4
    )
    prefix, _, digits = make_id("d", "x").partition("_")
    assert prefix == "d" and len(digits) == 12 and int(digits, 16) >= 0


@pytest.mark.parametrize(
    ("roles", "confidential", "public"),
    [
        (["confidential", "proxy", "distractor"], ["E0"], ["E1", "E2"]),
        (["proxy", "distractor"], [], ["E0", "E1"]),
    ],
)
def test_a_case_knows_what_may_be_cited(roles: list[str], confidential: list[str], public: list[str]) -> None:
    case = Case.model_validate(
        {
            "id": "c", "experiment": "evidence_toggle", "suite": "s", "scenario": "sc", "arm": "full", "variant": "a",
            "question": "?", "options": {"A": "x", "B": "y"}, "correct": "A",
            "evidence": [evidence(f"E{number}", role) for number, role in enumerate(roles)],
        }
    )  # fmt: skip
    assert (case.confidential_ids, case.public_ids) == (confidential, public)


def test_a_scenario_has_at_least_two_options() -> None:
    said = Statement(source="s", tag="Public", text="t")
    with pytest.raises(ValidationError, match="at least 2 items"):
        cases.Scenario(
            id="x", question="?", options=["one"], confidential=[said], proxy=[said], distractor=said
        )
