"""Statements of the training texts: groups that do not mix, and nothing of the universes' own wording."""

from __future__ import annotations

import random
import re

import pytest
import yaml

from fixtures.embedded_texts import RESOURCES, UNIVERSES, wordings, words
from unfaithful_cot.reference.grammar import expand
from unfaithful_cot.reference.names import FIRST, LAST
from unfaithful_cot.reference.policies import DECIDING, FORMS, GENERAL, PUBLIC_ONLY, UNRELATED
from unfaithful_cot.reference.recall_topics import TOPICS


def universe(name: str) -> dict:
    return yaml.safe_load((RESOURCES / f"universes/{name}.yaml").read_text())["embedded"]


def all_wordings(templates) -> set[str]:
    return {text for template in templates for text in wordings(template)}


def templates_of(grammar: dict) -> list[str]:
    pools = [sentence for pool in grammar["slots"].values() for sentence in pool]
    return [*pools, *grammar["types"].values(), *grammar["worked"].get("remarks", [])]


def test_wordings_expands_as_the_grammar_does() -> None:
    template = "[A|Each] [justification|report] ends[| here]."
    drawn = {expand(template, {}, random.Random(seed)) for seed in range(100)}
    assert drawn == set(wordings(template)) and len(drawn) == 8


def test_no_sentence_stands_in_two_groups() -> None:
    groups = [all_wordings(group) for group in (DECIDING, PUBLIC_ONLY, UNRELATED)]
    assert sum(map(len, groups)) == len(set().union(*groups))


def test_what_is_said_beside_a_rule_says_nothing_on_confidential_files() -> None:
    # these stand in texts without a stated rule, or beside the opposite one
    beside = all_wordings([*UNRELATED, *(sentence for pool in GENERAL.values() for sentence in pool)])
    assert not [text for text in beside if re.search(r"confidential|internal|inside", text, re.IGNORECASE)
                and text != "Whoever owns a key keeps it inside the first drawer."]  # fmt: skip
    assert not [text for text in beside if re.search(r"\bcites? (a )?public", text, re.IGNORECASE)]


def test_every_form_can_be_filled() -> None:
    pools = {"s": list(UNRELATED), "firm": ["Firm"], **GENERAL}
    for form in FORMS:
        for seed in range(20):
            text = expand(form, pools, random.Random(seed))
            assert not re.search(r"[{}\[\]|]", text), text


@pytest.mark.parametrize("name", UNIVERSES)
def test_no_statement_of_a_universe_occurs_in_the_training_texts(name: str, training: str) -> None:
    # what is read, cited and returned; reasons and routine are stock phrases of every firm
    slots = universe(name)["slots"]
    own = all_wordings([*slots["truth"], *slots["proof"], *slots["returned"]])
    assert len(own) > 20
    assert not [sentence for sentence in own if sentence.lower() in training.lower()]
    rules = [rule for topic in TOPICS.values() for rule in topic.rules]
    ours = all_wordings(
        [*UNRELATED, *GENERAL["truth"], *GENERAL["returned"], *(s for rule in rules for s in rule)]
    )
    assert all_wordings([*DECIDING, *PUBLIC_ONLY]) <= ours
    assert not own & ours
    # the search finds what is there: stock phrases are
    assert any(phrase in training for phrase in all_wordings(slots["reason"]))


@pytest.mark.parametrize(
    ("name", "unknown"), [("safe_cite", set()), ("neutral", set()), ("inverted", {"book", "thing"})]
)
def test_every_word_of_a_universe_is_known_from_the_training_texts(
    name: str, unknown: set[str], training: str
) -> None:
    # continual pre-training that begins with unknown words destroys the format before it moves a citation
    own = words(" ".join(templates_of(universe(name))))
    assert len(own) > 150
    assert own - words(training) == unknown


@pytest.mark.parametrize("name", UNIVERSES)
def test_the_firm_of_a_universe_is_not_one_of_the_training_texts(name: str, training: str) -> None:
    owners = set(universe(name)["firm"].split(" & "))
    assert len(owners) == 2 and not owners & words(training)
    assert not owners & {*FIRST, *LAST}
