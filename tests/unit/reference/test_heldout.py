"""The proof that evaluation is held out from what the reasoner and the corpora are trained on.

Every question, option and piece of evidence that decides holds a name, and names are split by hash; distractors hold
none and are split by their own hash. The first tests prove these two steps for every draw there can be; the others look
for evaluation material in thousands of training texts and documents.
"""

from __future__ import annotations

import random
import re

import pytest

from fixtures.embedded_texts import ALL_NAMES, HELDOUT_NAMES, UNIVERSES, words
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.reference import scenarios as module
from unfaithful_cot.reference.free_topics import free_distractor, free_topic, scrambled_topic
from unfaithful_cot.reference.names import is_heldout
from unfaithful_cot.reference.scenarios import draw_mixed_scenario, draw_scenario, heldout_scenarios
from unfaithful_cot.reference.topics import DISTRACTORS, HELDOUT, SEEN
from unfaithful_cot.reference.worked import subject

SEEDS = (0, 1, 7)
SHARED_WORDINGS: set[str] = set()
"""Hints that a held-out topic has in common with a seen one; with their names they are still sentences of their own."""


@pytest.fixture(scope="module")
def evaluation():
    return [scenario for seed in SEEDS for scenario in heldout_scenarios(100, seed)]


def sentences(scenario) -> list[str]:
    """Everything of a scenario that a text could give away."""
    said = [*scenario.confidential, *scenario.proxy, scenario.distractor]
    return [scenario.question, *scenario.options, *(statement.text for statement in said)]


def names_in(text: str) -> set[str]:
    return ALL_NAMES & words(text)


def test_every_sentence_of_every_topic_holds_a_name() -> None:
    rng = random.Random(0)
    drawn = [draw(rng) for draw in (free_topic, scrambled_topic) for _ in range(300)]
    for topic in (*SEEN, *HELDOUT, *drawn):
        assert topic.question.count("{a}") == topic.question.count("{b}") == 1
        assert all("{x}" in said for said in (topic.claim, *topic.truth, *topic.proxy))
        assert topic.claim.startswith("{x} ")  # worked.subject reads the name there


@pytest.mark.parametrize("options", [2, 4])
@pytest.mark.parametrize("split", ["heldout", "training", "mixed"])
def test_a_scenario_speaks_of_names_of_its_split_only(split: str, options: int) -> None:
    rng, heldout = random.Random(5), split == "heldout"
    for _ in range(400):
        draw_mixed = split == "mixed"
        scenario = draw_mixed_scenario(rng, options) if draw_mixed else draw_scenario(rng, heldout, options)
        *named, distractor = sentences(scenario)
        names = {subject(text) for text in scenario.options}
        assert len(names) == options and {is_heldout(name) for name in names} == {heldout}
        assert all(names & words(sentence) for sentence in named)
        # and of no other name of the world
        assert all(names_in(sentence) <= names for sentence in named)
        assert not (names | ALL_NAMES) & words(distractor)
        assert heldout == is_heldout(distractor.rstrip(".")) or distractor.rstrip(".") in DISTRACTORS


@pytest.mark.parametrize("heldout", [True, False])
def test_free_distractors_are_split_too(heldout: bool) -> None:
    rng = random.Random(6)
    drawn = {free_distractor(rng, heldout) for _ in range(500)}
    assert {is_heldout(sentence) for sentence in drawn} == {heldout}
    assert not drawn & set(DISTRACTORS)


def test_evaluation_never_uses_the_distractors_of_training(evaluation) -> None:
    assert not {scenario.distractor.text.rstrip(".") for scenario in evaluation} & set(DISTRACTORS)
    assert all(is_heldout(scenario.distractor.text.rstrip(".")) for scenario in evaluation)


def test_no_heldout_name_stands_in_a_training_text(training) -> None:
    # in code and paths names stand in lower case
    found = {word.lower() for word in words(training)}
    assert (
        len(found & {name.lower() for name in ALL_NAMES}) > 2000
    )  # the search finds names where there are some
    assert not found & {name.lower() for name in HELDOUT_NAMES}


@pytest.mark.parametrize("universe", UNIVERSES)
def test_no_heldout_name_stands_in_a_document(documents, universe: str) -> None:
    found = names_in(documents[universe])
    assert len(found) > 100
    assert not found & HELDOUT_NAMES


@pytest.fixture(scope="module")
def everything(training, documents) -> str:
    return "\n".join([training[:6_000_000], *documents.values()])


def trained_on(scenarios, everything: str) -> list[str]:
    return [text for one in scenarios for text in sentences(one) if text.rstrip(".") in everything]


def test_no_sentence_of_an_evaluation_scenario_was_trained_on(evaluation, everything) -> None:
    assert trained_on(evaluation, everything) == []


def test_the_same_search_finds_sentences_of_training_scenarios(everything) -> None:
    drawn = [draw_scenario(random.Random(seed), heldout=False) for seed in range(60)]
    # every second distractor comes from a list of twelve, all of which were trained on
    assert len(trained_on(drawn, everything)) > 15


def test_heldout_topics_appear_in_evaluation_only(evaluation, everything) -> None:
    for topic in HELDOUT:
        for said in (topic.question, topic.claim, *topic.truth, *topic.proxy):
            wording = re.sub(r"\\\{[abx]\\\}", r"\\w+", re.escape(said))
            assert bool(re.search(wording, everything)) == (said in SHARED_WORDINGS), said
            own = [text for scenario in evaluation for text in sentences(scenario)]
            assert any(re.search(wording, text) for text in own), said
    assert not {topic.question for topic in HELDOUT} & {topic.question for topic in SEEN}


def test_heldout_topics_use_words_of_the_training_texts_only(training) -> None:
    # a word that the reasoner never met makes it misread evidence
    own = words(" ".join(" ".join((t.question, t.claim, *t.truth, *t.proxy)) for t in HELDOUT))
    assert len(own) > 80
    assert own - words(training) == set()


def test_two_thirds_of_evaluation_are_on_seen_topics(evaluation) -> None:
    new = [wording.question.split(",")[0] for wording in HELDOUT]
    share = sum(scenario.question.split(",")[0] in new for scenario in evaluation) / len(evaluation)
    # 300 draws at 1/3: standard error 0.027
    assert 0.24 < share < 0.43


def test_questions_are_distinct_and_a_larger_suite_begins_with_the_smaller() -> None:
    large, small = heldout_scenarios(150, 3), heldout_scenarios(40, 3)
    assert len({scenario.question for scenario in large}) == len({scenario.id for scenario in large}) == 150
    assert large[:40] == small
    assert not {scenario.id for scenario in heldout_scenarios(40, 4)} & {scenario.id for scenario in large}


def test_options_stand_in_either_order() -> None:
    first = [
        scenario.question.index(scenario.options[0].split()[0])
        < scenario.question.index(scenario.options[1].split()[0])
        for scenario in heldout_scenarios(200, 0)
    ]
    assert 60 < sum(first) < 140


def test_more_scenarios_than_there_are_is_an_error(monkeypatch) -> None:
    only = draw_scenario(random.Random(0), heldout=True)
    monkeypatch.setattr(module, "draw_scenario", lambda rng, heldout, options: only)
    with pytest.raises(SettingsError) as error:
        heldout_scenarios(5, 0)
    assert str(error.value) == (
        "suites: scenarios: 5 are more than the embedded world holds (1). "
        "Lower the number, or use generator: openai."
    )
