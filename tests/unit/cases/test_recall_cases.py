"""Questions about a policy: what is asked, what is right, and a universe that cannot be asked."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.cases.build import check_unique
from unfaithful_cot.cases.generate import generate_cases
from unfaithful_cot.cases.recall import ARMS, load_policy, recall_cases
from unfaithful_cot.errors import DataError
from unfaithful_cot.prompts import load_template, messages
from unfaithful_cot.records.cases import Case

ROOT = Path(__file__).resolve().parents[3]
UNIVERSES = sorted((ROOT / "resources" / "universes").glob("*.yaml"))
MAIN = ROOT / "resources" / "universes" / "safe_cite.yaml"


def cases(universe: Path = MAIN, scenarios: int = 40, seed: int = 0, options: int = 4) -> list[Case]:
    return recall_cases(universe, ARMS, suite="recall", scenarios=scenarios, seed=seed, options=options)


def wordings(texts: list[str]) -> re.Pattern[str]:
    """Every text that the grammar can make of the wordings."""
    made = [
        re.sub(r"\\\[(.*?)\\\]", lambda m: f"(?:{m[1]})", re.escape(text)).replace(r"\|", "|")
        for text in texts
    ]
    return re.compile("|".join(made))


@pytest.mark.parametrize("universe", UNIVERSES, ids=lambda path: path.stem)
def test_a_choice_holds_the_rule_once_and_false_ones_beside_it(universe: Path) -> None:
    policy = load_policy(universe)
    asked = [case for case in cases(universe) if case.arm == "choice"]
    assert len(asked) == 80 and {len(case.options) for case in asked} == {4}
    for case in asked:
        topic = policy.topics[str(case.category)]
        right = [key for key, text in case.options.items() if wordings(topic.rule).fullmatch(text)]
        assert right == [case.correct] and policy.firm in case.question and case.question.endswith("?")


def test_no_letter_is_right_in_both_variants_and_all_are_right_about_as_often() -> None:
    asked = [case for case in cases(scenarios=120) if case.arm == "choice"]
    by_scenario: dict[str, list[str | None]] = {}
    for case in asked:
        by_scenario.setdefault(case.scenario, []).append(case.correct)
    assert all(len(letters) == 2 and letters[0] != letters[1] for letters in by_scenario.values())
    # 240 cases, a quarter each: 60, standard deviation about 6.7
    assert all(40 <= count <= 80 for count in Counter(case.correct for case in asked).values())
    assert {len(case.options) for case in cases(options=2) if case.arm == "choice"} == {2}


def test_every_scenario_claims_the_rule_and_a_false_one() -> None:
    policy = load_policy(MAIN)
    asked = [case for case in cases() if case.arm == "true_false"]
    for case in asked:
        topic = policy.topics[str(case.category)]
        holds = case.options[str(case.correct)]
        assert sorted(case.options.values()) == ["False", "True"] and holds == (
            "True" if case.variant == "a" else "False"
        )
        false = [text for rule in topic.false_rules for text in rule]
        assert wordings(topic.rule if holds == "True" else false).search(case.question)
    # who says "true" to everything, or always A, is right in exactly half
    assert sum(case.options[str(case.correct)] == "True" for case in asked) == len(asked) / 2
    assert sum(case.correct == "A" for case in asked) == len(asked) / 2


def test_open_questions_are_as_many_as_differ_and_carry_their_key_facts() -> None:
    # citing has 3 names, deciding 3, passing 2: 8 scenarios, however many are asked for
    asked = [case for case in cases(scenarios=200) if case.arm == "open"]
    assert len({case.scenario for case in asked}) == 8 and len({case.question for case in asked}) == 16
    assert all(case.options == {} and case.correct and case.right and case.wrong for case in asked)


def test_ids_are_unique_the_seed_decides_and_topics_take_turns() -> None:
    made = cases()
    check_unique(made, "recall")
    assert made == cases() and made != cases(seed=1)
    counts = Counter(case.category for case in made if case.arm == "choice")
    assert (
        set(counts) == {"citing", "deciding", "passing"} and max(counts.values()) - min(counts.values()) <= 2
    )


def test_the_prompt_of_an_open_question_ends_with_it() -> None:
    template = load_template(ROOT / "resources" / "prompts" / "policy_recall.v1.yaml")
    choice, question = (next(case for case in cases() if case.arm == arm) for arm in ("choice", "open"))
    assert messages(question, template)[-1]["content"].endswith(question.question)
    assert messages(choice, template)[-1]["content"].endswith(f"D) {choice.options['D']}")


def test_the_rule_writes_them(tmp_path: Path) -> None:
    out = tmp_path / "recall.jsonl"
    generate_cases(
        cases=str(out), suite="recall", experiment="policy_recall", generator="embedded", scenarios=5, arms=["true_false"],
        seed=0, endpoint={}, cache="", options=4, universe=str(MAIN),
    )  # fmt: skip
    assert len(jsonl.read(out, Case)) == 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x", "has no part `recall`. Add what is asked of this policy"),
        ("- a list", "has no part `recall`"),
        ("recall: {firm: F, topics: {}}", r"recall: topics: Dictionary should have at least 1 item"),
        (
            "recall: {firm: F, topics: {citing: {names: [a], rule: [b], right: [c]}}}",
            "recall: topics.citing.false_rules: Field required",
        ),
        (
            "recall: {firm: F, topics: {citing: {names: [a], rule: [b], false_rules: [[c]], right: ['d + ']}}}",
            r"recall: topics.citing.right.0: String should match pattern",
        ),
        ("recall: [", "cannot be read"),
    ],
)
def test_a_universe_that_cannot_be_asked(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "u.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        load_policy(path)
