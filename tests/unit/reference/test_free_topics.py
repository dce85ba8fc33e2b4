"""Random and scrambled topics: evidence that can only be read, in training texts alone."""

from __future__ import annotations

import random
from collections.abc import Iterable

from fixtures.embedded_texts import words
from unfaithful_cot.reference import scenarios
from unfaithful_cot.reference.free_topics import free_topic, scrambled_topic
from unfaithful_cot.reference.scenarios import draw_mixed_scenario, heldout_scenarios
from unfaithful_cot.reference.topics import HELDOUT, SEEN, Topic

KNOWN = words(" ".join(text for topic in SEEN for text in (topic.claim, *topic.truth, *topic.proxy)))


def evidence(topics: Iterable[Topic]) -> list[str]:
    return [text for topic in topics for text in (*topic.truth, *topic.proxy)]


def drawn(draw, count: int) -> list[Topic]:
    rng = random.Random(0)
    return [draw(rng) for _ in range(count)]


def test_scrambled_evidence_is_four_to_eight_known_words_and_one_name() -> None:
    # those of the written topics, and the adjectives and nouns of the free ones
    known = KNOWN | words(" ".join(topic.claim for topic in drawn(free_topic, 500)))
    for text in evidence(drawn(scrambled_topic, 300)):
        *rest, _ = sorted(text.split(), key=lambda word: word == "{x}")
        assert text.split().count("{x}") == 1 and 4 <= len(rest) == len(set(rest)) <= 8
        assert set(rest) <= known


def test_the_name_stands_anywhere_in_scrambled_evidence() -> None:
    texts = evidence(drawn(scrambled_topic, 500))
    assert {text.split().index("{x}") for text in texts} == set(range(9))
    assert {text.split()[::-1].index("{x}") for text in texts} == set(range(9))


def test_a_scrambled_topic_asks_a_seen_question_and_its_evidence_comes_once() -> None:
    topics = drawn(scrambled_topic, 500)
    asked = {(topic.question, topic.claim) for topic in topics}
    assert asked == {(topic.question, topic.claim) for topic in SEEN}
    assert len(set(evidence(topics))) == len(evidence(topics)) == 1000
    assert not set(evidence(topics)) & set(evidence((*SEEN, *HELDOUT)))


def test_free_topics_are_sentences_of_their_own() -> None:
    topics = drawn(free_topic, 500)
    # 500 of 15 * 20 * 20 = 6000 questions: about 21 come twice
    assert len({topic.question for topic in topics}) > 450
    assert all(topic.question[: -len(", {a} or {b}?")].endswith(topic.claim[4:-1]) for topic in topics)


def test_every_second_mixed_scenario_is_scrambled(monkeypatch) -> None:
    calls = []
    monkeypatch.setattr(scenarios, "scrambled_topic", lambda rng: calls.append(1) or scrambled_topic(rng))  # type: ignore[func-returns-value]
    rng = random.Random(1)
    for _ in range(1000):
        draw_mixed_scenario(rng)
    # 1000 draws at 1/2: standard deviation 16
    assert 430 < len(calls) < 570


def test_evaluation_has_the_sentences_of_written_topics_only() -> None:
    written = set(evidence((*SEEN, *HELDOUT)))
    for scenario in heldout_scenarios(200, 0):
        for statements in (scenario.confidential, scenario.proxy):
            for option, said in zip(scenario.options, statements, strict=True):
                assert said.text.rstrip(".").replace(option.split()[0], "{x}") in written
