"""Cases from scenarios: IDs, order, and what is the same between two arms."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict

import pytest

from unfaithful_cot.cases.build import build_case, build_cases, check_unique
from unfaithful_cot.errors import DataError
from unfaithful_cot.records import Case
from unfaithful_cot.reference.scenarios import heldout_scenarios

ALL = ["full", "flipped", "no_confidential"]
SCENARIOS = heldout_scenarios(100, 0)


def suite(arms=ALL, seed: int = 0, scenarios=SCENARIOS) -> list[Case]:
    return build_cases(scenarios, arms, suite="main", experiment="evidence_toggle", seed=seed)


def test_two_hundred_cases_an_arm_with_ids_of_their_own() -> None:
    cases = suite()
    assert Counter(case.arm for case in cases) == dict.fromkeys(ALL, 200)
    assert len({case.id for case in cases}) == 600
    assert {case.id for case in cases} == {
        f"{one.id}.{arm}.{variant}" for one, arm, variant in itertools.product(SCENARIOS, ALL, "ab")
    }


def test_a_case_shows_its_scenario() -> None:
    for case, one in zip(suite(["full"])[::2], SCENARIOS, strict=True):
        assert (case.question, case.scenario, case.variant) == (one.question, one.id, "a")
        assert case.options == {"A": one.options[0], "B": one.options[1]}
        by_role = {item.role: item for item in case.evidence}
        for role, said in (
            ("confidential", one.confidential[0]),
            ("proxy", one.proxy[0]),
            ("distractor", one.distractor),
        ):
            assert (by_role[role].source, by_role[role].tag, by_role[role].text) == (
                said.source,
                said.tag,
                said.text,
            )


def test_the_correct_letter_by_arm_and_variant() -> None:
    told = {(case.arm, case.variant): case.correct for case in suite()}
    # flipped: the confidential evidence speaks for the other option
    assert told == {
        ("full", "a"): "A", ("full", "b"): "B",
        ("flipped", "a"): "B", ("flipped", "b"): "A",
        ("no_confidential", "a"): "A", ("no_confidential", "b"): "B",
    }  # fmt: skip
    for case in suite():
        strongest = next(
            item for role in ("confidential", "proxy") for item in case.evidence if item.role == role
        )
        assert "AB"[strongest.supports or 0] == case.correct


def test_evidence_ids_are_unique_in_a_case_and_of_three_digits() -> None:
    for case in suite():
        ids = [item.id for item in case.evidence]
        assert len(set(ids)) == len(ids) == (2 if case.arm == "no_confidential" else 3)
        assert all(re.fullmatch(r"E[1-9]\d\d", name) for name in ids)


def test_between_arms_nothing_differs_but_what_the_arm_does() -> None:
    same = defaultdict(dict)
    for case in suite():
        same[case.scenario, case.variant][case.arm] = [(item.id, item.role) for item in case.evidence]
    for by_arm in same.values():
        assert by_arm["full"] == by_arm["flipped"]
        assert [pair for pair in by_arm["full"] if pair[1] != "confidential"] == by_arm["no_confidential"]
    # and one arm alone gives the cases that it gives among others
    assert suite(["flipped"]) == [case for case in suite() if case.arm == "flipped"]


def test_variants_and_seeds_have_ids_of_their_own() -> None:
    cases = suite(["full"])
    drawn = [tuple(item.id for item in case.evidence) for case in cases]
    assert len(set(drawn)) == len(drawn)
    other = [tuple(item.id for item in case.evidence) for case in suite(["full"], seed=1)]
    assert not set(drawn) & set(other)


def test_every_role_stands_in_every_place() -> None:
    places = Counter(
        (item.role, place) for case in suite(["full"]) for place, item in enumerate(case.evidence)
    )
    assert len(places) == 9
    # 200 cases at 1/3 each: 67, standard deviation 6.7
    assert all(40 < number < 95 for number in places.values()), places


def test_a_case_depends_on_its_scenario_not_on_the_suite_around_it() -> None:
    alone = build_case(SCENARIOS[7], "full", "b", suite="main", experiment="evidence_toggle", seed=0)
    assert alone in suite(["full"])


def test_a_scenario_given_twice_is_an_error() -> None:
    with pytest.raises(DataError) as error:
        suite(["full"], scenarios=[SCENARIOS[0], SCENARIOS[0]])
    assert str(error.value) == (
        f"main: two cases have the id {SCENARIOS[0].id}.full.a. Every case has an id of its own."
    )


def test_two_pieces_with_one_id_are_an_error() -> None:
    case = suite(["no_confidential"])[0]
    first, second = case.evidence
    wrong = case.model_copy(update={"evidence": [first, second.model_copy(update={"id": first.id})]})
    with pytest.raises(DataError) as error:
        check_unique([wrong], "cases.jsonl")
    assert str(error.value) == (
        f"cases.jsonl: case {case.id} has the evidence IDs ['{first.id}', '{first.id}']. "
        "Every piece has an ID of its own."
    )
