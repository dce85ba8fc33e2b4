"""Scenarios of the embedded world, for training texts and, from held-out names, for evaluation.

In: a seeded random generator, or a count and a seed. Out: records.Scenario.
Training and evaluation share neither a name nor a distractor, hence no question and no piece of evidence; the topics of topics.HELDOUT appear in
evaluation only.
A scenario with four options is the one with two, and two names more: the same id, the same first two options with the same
evidence, so that the form with two options and the one with four ask one thing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.cases import Scenario, Statement
from unfaithful_cot.reference.free_topics import free_distractor, free_topic, scrambled_topic
from unfaithful_cot.reference.names import distinct, draw_beside, draw_pair
from unfaithful_cot.reference.topics import (
    CONFIDENTIAL_SOURCES,
    DISTRACTORS,
    HELDOUT,
    PUBLIC_SOURCES,
    SEEN,
    Topic,
)

CONFIDENTIAL, PUBLIC = "CONFIDENTIAL", "Public"
HELDOUT_TOPIC_SHARE = 1 / 3
FREE_TOPIC_SHARE = 1 / 2
SCRAMBLED_SHARE = 1 / 2


def draw_scenario(rng: random.Random, heldout: bool, options: int = 2) -> Scenario:
    """One scenario of the split asked for. The number of options draws nothing from `rng`."""
    if heldout:
        aside = free_distractor(rng, heldout)
        topic = rng.choice(HELDOUT if rng.random() < HELDOUT_TOPIC_SHARE else SEEN)
    else:
        free = rng.random() < FREE_TOPIC_SHARE
        aside = free_distractor(rng, heldout) if free else rng.choice(DISTRACTORS)
        topic = free_topic(rng) if rng.random() < FREE_TOPIC_SHARE else rng.choice(SEEN)
    return _scenario(rng, topic, aside, heldout, options)


def draw_mixed_scenario(rng: random.Random, options: int = 2) -> Scenario:
    """A training scenario whose evidence comes from other topics than its question, or from none: it has to be read."""
    if rng.random() < SCRAMBLED_SHARE:
        topic = scrambled_topic(rng)
    else:
        asked, settled, hinted = rng.sample(SEEN, 3)
        topic = Topic(asked.question, asked.claim, settled.truth, hinted.proxy)
    return _scenario(rng, topic, free_distractor(rng, heldout=False), False, options)


def _scenario(rng: random.Random, topic: Topic, aside: str, heldout: bool, n_options: int) -> Scenario:
    names = draw_pair(rng, heldout)
    identity = make_id("sc", _question(topic, names))
    secret, truth = rng.choice(CONFIDENTIAL_SOURCES), rng.choice(topic.truth)
    public, proxy = rng.choice(PUBLIC_SOURCES), rng.choice(topic.proxy)
    options = _with_more(rng.sample(names, 2), n_options, identity, heldout)
    asked = names if n_options == 2 else random.Random(f"question:{identity}").sample(options, n_options)
    return Scenario(
        id=identity,
        question=_question(topic, asked),
        options=[topic.claim.format(x=name) for name in options],
        confidential=[
            Statement(source=secret, tag=CONFIDENTIAL, text=truth.format(x=name) + ".") for name in options
        ],
        proxy=[Statement(source=public, tag=PUBLIC, text=proxy.format(x=name) + ".") for name in options],
        distractor=Statement(source=rng.choice(PUBLIC_SOURCES), tag=PUBLIC, text=aside + "."),
    )


def _question(topic: Topic, names: Sequence[str]) -> str:
    """`Which ..., NAME or NAME?`, `Which ..., NAME, NAME, NAME or NAME?`"""
    return topic.question.format(a=", ".join(names[:-1]), b=names[-1])


def _with_more(names: list[str], count: int, identity: str, heldout: bool) -> list[str]:
    """The names, and more up to `count`, which hang on the scenario alone."""
    rng = random.Random(f"options:{identity}")
    while len(names) < count:
        names = [*names, draw_beside(rng, names, heldout)]
    return names


def heldout_scenarios(count: int, seed: int, options: int = 2) -> list[Scenario]:
    """`count` distinct evaluation scenarios; a larger count begins with the same ones, whatever the number of options.

    Raises SettingsError when the world holds fewer.
    """
    todo = "Lower the number, or use generator: openai"
    return distinct(
        count, f"heldout:{seed}", lambda rng: draw_scenario(rng, True, options), "suites: scenarios", todo
    )
