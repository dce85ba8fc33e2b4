"""Cases from scenarios: IDs, order, and what is the same between two arms."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unfaithful_cot.cases.arms import ARMS
from unfaithful_cot.cases.build import build_case, build_cases, check_unique
from unfaithful_cot.cases.permute import displaced
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cases import Case, Evidence
from unfaithful_cot.reference.names import is_heldout
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


FOUR = heldout_scenarios(60, 0, options=4)
CASES = {
    (case.scenario, len(case.options), case.arm, case.variant): case
    for scenarios in (SCENARIOS[:60], FOUR)
    for case in suite(list(ARMS), scenarios=scenarios)
}
PAIRS = [(key[0], key[1], key[3]) for key in CASES if key[2] == "full"]


def said(item: Evidence) -> tuple[str, str]:
    return item.source, item.text


def test_no_two_cases_of_all_arms_and_forms_share_an_id() -> None:
    # 60 scenarios, ten arms, 2 + 4 variants
    assert len({case.id for case in CASES.values()}) == 60 * 10 * 6
    one = FOUR[0].id
    assert CASES[one, 2, "flipped", "b"].id == f"{one}.flipped.b"
    assert CASES[one, 4, "flipped", "d"].id == f"{one}.4options.flipped.d"


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_does_what_it_says_and_nothing_else(arm: str) -> None:
    """Against `full`, field by field: options, IDs, order, tags, sources and texts, what is supported, what is correct."""
    gone = {
        "no_confidential": {"confidential"},
        "no_proxy": {"proxy"},
        "distractor_only": {"confidential", "proxy"},
    }
    for scenario, count, variant in PAIRS:
        full, case = CASES[scenario, count, "full", variant], CASES[scenario, count, arm, variant]
        assert (case.question, case.scenario, case.variant) == (full.question, full.scenario, full.variant)
        if arm == "permuted":
            continue  # below
        assert case.options == full.options
        kept = [item for item in full.evidence if item.role not in gone.get(arm, set())]
        assert [(item.id, item.role) for item in case.evidence] == [(item.id, item.role) for item in kept]
        for mine, theirs in zip(case.evidence, kept, strict=True):
            flipped = arm == "flipped" and mine.role == "confidential"
            retagged = arm == "relabelled" or (arm == "unseen_tags" and mine.role == "confidential")
            assert (mine.tag != theirs.tag) == retagged
            assert (mine.supports != theirs.supports) == flipped
            assert (mine.text != theirs.text) == flipped
            assert mine.source == theirs.source
        letters = list(full.options)
        after = letters[(letters.index(str(full.correct)) + 1) % count]
        assert case.correct == {"flipped": after, "distractor_only": None}.get(arm, full.correct)


def test_permuted_is_the_same_case_under_other_names() -> None:
    for scenario, count, variant in PAIRS:
        full, case = (CASES[scenario, count, arm, variant] for arm in ("full", "permuted"))
        # no letter stands for what it stood for, no ID is used again, the order is another
        assert sorted(case.options.values()) == sorted(full.options.values())
        assert list(case.options) == list(full.options) == list("ABCD"[:count])
        assert all(case.options[letter] != text for letter, text in full.options.items())
        assert not {item.id for item in case.evidence} & {item.id for item in full.evidence}
        assert [said(item) for item in case.evidence] != [said(item) for item in full.evidence]
        # what is said, by whom, under which tag, in which role, and which claim it supports: all the same
        told = [
            {
                (item.role, item.tag, *said(item), None if item.supports is None else claims[item.supports])
                for item in one.evidence
            }
            for one in (full, case)
            for claims in (list(one.options.values()),)
        ]
        assert told[0] == told[1]
        assert case.options[str(case.correct)] == full.options[str(full.correct)]


def test_every_letter_is_correct_equally_often_and_each_derangement_occurs() -> None:
    for count in (2, 4):
        for arm in ("full", "flipped", "no_confidential"):
            found = Counter(c.correct for (_, n, a, _), c in CASES.items() if (n, a) == (count, arm))
            assert found == dict.fromkeys("ABCD"[:count], 60)
    orders = {
        tuple(CASES[s, n, "full", v].options[x] == t for x, t in CASES[s, n, "permuted", v].options.items())
        for s, n, v in PAIRS
    }
    assert orders == {(False,) * 2, (False,) * 4}


def test_two_and_four_options_ask_one_thing() -> None:
    for two, four in zip(SCENARIOS[:60], FOUR, strict=True):
        assert two.id == four.id and four.options[:2] == two.options
        assert four.confidential[:2] == two.confidential and four.proxy[:2] == two.proxy
        assert four.distractor == two.distractor
        assert len({*four.options}) == len({one.text for one in four.confidential}) == 4
        names = [option.split()[0] for option in four.options]
        listed = four.question.split(", ", 1)[1].rstrip("?").replace(" or ", ", ").split(", ")
        assert sorted(listed) == sorted(names)
        assert len({name[:3] for name in names}) == len({name[-2:] for name in names}) == 4
        assert all(is_heldout(name) for name in names)
        for variant in "ab":
            a, b = (CASES[two.id, n, "full", variant] for n in (2, 4))
            # the same ID, place, tag and text in both forms: only question and options differ
            assert [i.model_dump() for i in a.evidence] == [i.model_dump() for i in b.evidence]
            assert a.correct == b.correct


@given(st.integers(2, 6), st.integers(0, 10**6))
def test_displaced_moves_everything(count: int, seed: int) -> None:
    drawn = displaced(range(count), random.Random(seed))
    assert sorted(drawn) == list(range(count))
    assert all(now != place for place, now in enumerate(drawn))


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
