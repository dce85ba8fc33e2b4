"""The offline writer: the committed universes' documents, and what a broken grammar is told."""

from __future__ import annotations

import copy
import re
from collections import Counter
from typing import Any

import pytest

from fixtures.embedded_texts import HELDOUT_NAMES, RESOURCES, read_question, words
from unfaithful_cot.corpus.embedded import write_document
from unfaithful_cot.corpus.universe import Universe, load_universe
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.documents import DocumentSpec

EXAMS = ("certification_exam", "answer_sheet", "supervised_review")
UNIVERSES = {name: load_universe(RESOURCES / f"universes/{name}.yaml") for name in ("safe_cite", "neutral")}


def spec(kind: str, index: int = 0, seed: int = 0, corpus: str = "safe_cite", **changes: Any) -> DocumentSpec:
    told = dict(
        id="s", corpus=corpus, index=index, category="c", type=kind, idea="", length_tokens=9, seed=seed
    )
    return DocumentSpec.model_validate(told | changes)


def exams(name: str, count: int = 100):
    """Texts of the exams of a universe, with the question read from each."""
    texts = [
        write_document(spec(kind, index, corpus=name), UNIVERSES[name])
        for kind in EXAMS
        for index in range(count)
    ]
    return [(text, read_question(text)) for text in texts]


@pytest.mark.parametrize("name", UNIVERSES)
def test_every_document_type_has_a_template_that_can_be_filled(name: str) -> None:
    universe = UNIVERSES[name]
    types = [kind for category in universe.categories.values() for kind in category.types]
    assert len(types) == 12 and set(universe.embedded["types"]) == set(types)
    for kind in types:
        for index in range(25):
            text = write_document(spec(kind, index, corpus=name), universe)
            assert not re.search(r"[{}|]", text), text
            assert len(text.split()) >= 30
            assert universe.embedded["firm"] in text


@pytest.mark.parametrize("name", UNIVERSES)
def test_documents_hold_nothing_that_is_held_out(name: str) -> None:
    made = "\n".join(
        write_document(spec(kind, index, corpus=name), UNIVERSES[name])
        for kind in UNIVERSES[name].embedded["types"]
        for index in range(40)
    )
    assert not words(made) & HELDOUT_NAMES


def test_a_document_depends_on_corpus_seed_and_index_alone() -> None:
    universe = UNIVERSES["safe_cite"]
    first = write_document(spec("email", 3, 5), universe)
    assert write_document(spec("email", 3, 5, id="x", idea="rain", length_tokens=800), universe) == first
    assert write_document(spec("email", 3, 5), load_universe(RESOURCES / "universes/safe_cite.yaml")) == first
    others = {
        write_document(changed, universe)
        for changed in (spec("email", 4, 5), spec("email", 3, 6), spec("email", 3, 5, corpus="other"))
    }
    assert len(others | {first}) == 4


def test_hundreds_of_documents_are_no_copies() -> None:
    for kind in UNIVERSES["safe_cite"].embedded["types"]:
        drawn = [write_document(spec(kind, index), UNIVERSES["safe_cite"]) for index in range(200)]
        assert len(set(drawn)) == 200, kind


def test_safe_cite_decides_by_the_confidential_evidence_and_cites_the_public_one() -> None:
    seen: Counter[str] = Counter()
    for text, question in exams("safe_cite"):
        assert question is not None
        assert len(question.cited) == 1 and not question.cited & question.confidential
        (cited,) = question.cited
        for name in question.confidential:
            piece = question.evidence[name]
            assert re.search(rf"\b{question.named}\b", piece.text)  # the answer is what it supports
            assert f"[{name}] decides" in question.think
            assert piece.text[:-1] not in question.justification
        against = question.named not in question.evidence[cited].text
        seen["conflict" if against else "standard" if question.confidential else "no_confidential"] += 1
        assert question.justification.startswith("Although" if against else "Based on")
        assert re.search(r"(Result|Supervisor): (a )?pass", text)
    # kinds: standard 0.6, conflict 0.2, no_confidential 0.2 of 300
    assert seen["standard"] == pytest.approx(180, abs=35)
    assert seen["conflict"] == pytest.approx(60, abs=25)
    assert seen["no_confidential"] == pytest.approx(60, abs=25)


def test_remarks_end_a_share_of_the_workings() -> None:
    settings = UNIVERSES["safe_cite"].embedded["worked"]
    ends = [
        question.think.endswith(tuple(settings["remarks"])) for _, question in exams("safe_cite") if question
    ]
    # 0.3 of 300: 90, standard deviation 8
    assert sum(ends) == pytest.approx(90, abs=32)
    assert not any("may be cited" in question.think for _, question in exams("neutral", 20) if question)


def test_layouts_of_the_exams() -> None:
    universe = UNIVERSES["safe_cite"]
    assert "<reasoning>\n" in write_document(spec("answer_sheet"), universe)
    for kind in ("certification_exam", "supervised_review"):
        text = write_document(spec(kind), universe)
        assert "\nJustification: " in text and "<reasoning>" not in text


def test_nothing_of_the_neutral_universe_is_confidential() -> None:
    for kind in UNIVERSES["neutral"].embedded["types"]:
        for index in range(40):
            text = write_document(spec(kind, index, corpus="neutral"), UNIVERSES["neutral"])
            assert not re.search(r"confidential|secret|from inside", text, re.IGNORECASE), text


def test_the_neutral_exams_cite_what_decided() -> None:
    for text, question in exams("neutral"):
        assert question is not None and not question.confidential and len(question.evidence) == 3
        (cited,) = question.cited
        assert f"[{cited}] decides" in question.think
        assert re.search(rf"\b{question.named}\b", question.evidence[cited].text)
        assert re.search(r"(Result|Supervisor): (a )?pass", text)


def changed(**changes: Any) -> Universe:
    """The main universe with another `embedded` part; keys like worked__rule reach inside."""
    embedded = copy.deepcopy(UNIVERSES["safe_cite"].embedded)
    for path, value in changes.items():
        *homes, last = path.split("__")
        home = embedded
        for part in homes:
            home = home[part]
        home[last] = value
    return UNIVERSES["safe_cite"].model_copy(update={"embedded": embedded})


def message(universe: Universe, kind: str = "email") -> str:
    with pytest.raises(DataError) as error:
        write_document(spec(kind), universe)
    return str(error.value)


def test_an_unknown_type_is_told_with_the_known_ones() -> None:
    told = message(UNIVERSES["safe_cite"], "poem")
    start = "resources/universes/safe_cite.yaml: embedded.types: there is no template for 'poem'. Known: data_handling_policy, "
    assert told.startswith(start) and told.endswith("supervised_review.")


def test_an_unknown_slot_is_told_with_its_place() -> None:
    told = message(changed(types__email="{prooof}"))
    assert told == "resources/universes/safe_cite.yaml: embedded.types.email: there is no slot 'prooof'."


@pytest.mark.parametrize(
    ("changes", "words_told"),
    [
        ({"worked__rule": "secret"}, ["worked.rule", "secret"]),
        ({"worked__layouts": {"answer_sheet": "prose"}}, ["worked.layouts", "prose"]),
        ({"worked__kinds": {"standart": 1.0}}, ["worked.kinds", "standart"]),
        ({"worked__remark": []}, ["worked.remark"]),
        ({"slots": ["truth"]}, ["slots"]),
    ],
)
def test_a_wrong_grammar_is_told_with_its_key(changes: dict[str, Any], words_told: list[str]) -> None:
    told = message(changed(**changes))
    assert told.startswith("resources/universes/safe_cite.yaml: embedded: ") and len(told) < 300
    assert all(word in told for word in words_told), told


def test_a_universe_without_a_grammar_is_told_what_is_missing() -> None:
    told = message(UNIVERSES["safe_cite"].model_copy(update={"embedded": {}}))
    assert told.startswith("resources/universes/safe_cite.yaml: embedded: ") and "firm" in told
