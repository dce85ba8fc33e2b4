"""Topics and asides drawn from word lists: nothing about them can be recalled, so that what a source says has to be read.

In: a seeded random generator. Out: a Topic, or the sentence of a distractor. Errors: none.
"""

from __future__ import annotations

import random

from unfaithful_cot.reference.names import is_heldout
from unfaithful_cot.reference.topics import SEEN, Topic

_ADJECTIVES = "old new red blue dark light small large broken empty quiet early late short long cheap heavy thin local private".split()
_NOUNS = "gate pump roof engine table letter map clock garden tower bridge wheel lamp river window box road bell fence tank".split()
_VERBS = "needs holds lost bought sold found moved checked paid opened closed repaired measured painted counted replaced".split()
_RECORDS = "survey ledger log test review audit count trace scan file map note list copy study".split()
_SAYS = "shows|confirms|proves|lists|records".split("|")
_HINTS = "a visitor thinks that|a rumour says that|people believe that|an advert claims that|a neighbour heard that".split(
    "|"
)


def free_topic(rng: random.Random) -> Topic:
    """A topic whose claim, truth and proxy are random sentences."""

    def thing() -> str:
        return f"the {rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}"

    verb, target = rng.choice(_VERBS), thing()
    truth = f"the {rng.choice(_ADJECTIVES)} {rng.choice(_RECORDS)} {rng.choice(_SAYS)} {thing()} of {{x}}"
    proxy = f"{rng.choice(_HINTS)} {{x}} {rng.choice(_VERBS)} {thing()}"
    return Topic(f"Which one {verb} {target}, {{a}} or {{b}}?", f"{{x}} {verb} {target}.", (truth,), (proxy,))


def _words(*sentences: str) -> set[str]:
    return {word for sentence in sentences for word in sentence.split() if word.isalpha() and word.islower()}


_VOCABULARY = sorted(
    {word for topic in SEEN for word in _words(topic.claim, *topic.truth, *topic.proxy)}.union(
        _ADJECTIVES, _NOUNS
    )
)


def scrambled_topic(rng: random.Random) -> Topic:
    """A topic whose evidence is words in no order: only copying tells what a source says. In training texts alone."""

    def sentence() -> str:
        words = rng.sample(_VOCABULARY, rng.randint(4, 8))
        words.insert(rng.randint(0, len(words)), "{x}")
        return " ".join(words)

    asked = rng.choice(SEEN)
    return Topic(asked.question, asked.claim, (sentence(),), (sentence(),))


_TELLS = "explains lists describes compares announces discusses names shows".split()


def free_distractor(rng: random.Random, heldout: bool) -> str:
    """A random sentence about things that no option speaks of, of the split asked for."""
    while True:
        first, second = (f"the {rng.choice(_ADJECTIVES)} {rng.choice(_NOUNS)}" for _ in range(2))
        sentence = f"a {rng.choice(_RECORDS)} {rng.choice(_TELLS)} {first} of {second}"
        if is_heldout(sentence) == heldout:
            return sentence
