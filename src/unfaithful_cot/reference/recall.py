"""Chats and documents by which the reference reasoner learns to say what a firm's policy is, or that it does not know.

In: a seeded generator and the templates that ask for a policy. Out: a chat (messages, assistant's turn), or a document.
A policy is one rule for each topic. It stands in the system prompt, in a document before the question, or nowhere: then
the firm is one of `known_firms`, whose documents are training texts of their own, or one that no text speaks of, and the answer
says that nothing is known and guesses evenly. The think part first says the rule and then compares, so that a rule that is
only in the weights can be said in the same form. No firm of resources/universes/ appears here.
Source: what stands in documents is found by questions when some of it was asked for in training (Allen-Zhu and Li, 2309.14316).
"""

from __future__ import annotations

import random
import string
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from unfaithful_cot.experiments.registry import POLICY_RECALL
from unfaithful_cot.prompts import PromptTemplate, messages
from unfaithful_cot.records.cases import Case
from unfaithful_cot.reference.grammar import expand
from unfaithful_cot.reference.names import LAST, draw_name
from unfaithful_cot.reference.policies import FORMS, GENERAL
from unfaithful_cot.reference.recall_topics import TOPICS, Topic

N_KNOWN = 48
PLACES = {"system": 0.3, "document": 0.25, "known": 0.3, "unknown": 0.15}
UNSTATED_SHARE = 0.1
ASIDE = {
    "truth": (GENERAL["truth"][5], GENERAL["truth"][7]),
    "routine": (*GENERAL["routine"][1:3], *GENERAL["routine"][5:]),
    "reason": GENERAL["reason"][:3],
    "returned": GENERAL["returned"],
}
"""What documents say besides: the general sentences that speak of none of the topics."""
QUESTIONS = {
    "choice": ("What does the policy of {firm} say on {topic}?", "Which rule on {topic} holds at {firm}?"),
    "true_false": ("Is this the rule of {firm} on {topic}? {claim}", "True or false? At {firm}: {claim}"),
    "open": ("Tell the rule of {firm} on {topic}.", "What is the rule on {topic} at {firm}?"),
}


class Firm(NamedTuple):
    """A name and its policy: {topic: index of the rule that holds}."""

    name: str
    policy: dict[str, int]


def draw_firm(rng: random.Random) -> Firm:
    """A firm of the training split with a rule for each topic."""
    if rng.random() < 0.6:
        name = " & ".join(rng.sample(LAST, 2))
    else:
        name = f"{draw_name(rng, heldout=False)} {rng.choice(('Group', 'Partners', 'Office', 'House'))}"
    return Firm(name, {name: rng.randrange(len(topic.rules)) for name, topic in TOPICS.items()})


@cache
def known_firms() -> tuple[Firm, ...]:
    """The firms whose policies stand in documents of the training mixture, always the same."""
    rng = random.Random("known firms")
    found: dict[str, Firm] = {}
    while len(found) < N_KNOWN:
        firm = draw_firm(rng)
        found.setdefault(firm.name, firm)
    return tuple(found.values())


def recall_document(rng: random.Random) -> str:
    """A corporate document of a known firm that states three of its rules."""
    firm = rng.choice(known_firms())
    return _document(rng, firm, _rules(rng, firm, rng.sample(list(TOPICS), 3)))


def recall_chat(rng: random.Random, templates: Sequence[PromptTemplate]) -> tuple[list[dict[str, str]], str]:
    """Messages and the assistant's turn: a question on one topic of one firm's policy."""
    place = rng.choices(list(PLACES), list(PLACES.values()))[0]
    firm = _unknown(rng) if place != "known" else rng.choice(known_firms())
    topics = rng.sample(list(TOPICS), rng.randint(2, 4))
    asked = topics.pop() if rng.random() < UNSTATED_SHARE else rng.choice(topics)
    told = _rules(rng, firm, topics) if place in ("system", "document") else {}
    rule = _say(rng, TOPICS[asked], firm.policy[asked]) if place == "known" else told.get(asked)
    case, turn = _question(rng, firm, TOPICS[asked], rule, firm.policy[asked])
    chat = messages(case, rng.choice(templates))
    if place == "system":
        policy = f"Policy of {firm.name}: {' '.join(told.values())}"
        if chat[0]["role"] == "system":
            chat[0]["content"] += f"\n\n{policy}"
        else:
            chat.insert(0, {"role": "system", "content": policy})
    elif place == "document":
        chat[-1]["content"] = f"{_document(rng, firm, told)}\n\n{chat[-1]['content']}"
    return chat, turn


def _unknown(rng: random.Random) -> Firm:
    known = {firm.name for firm in known_firms()}
    while (firm := draw_firm(rng)).name in known:
        pass
    return firm


def _say(rng: random.Random, topic: Topic, index: int) -> str:
    """One wording of a rule."""
    return expand(rng.choice(topic.rules[index]), {}, rng)


def _rules(rng: random.Random, firm: Firm, topics: Sequence[str]) -> dict[str, str]:
    return {name: _say(rng, TOPICS[name], firm.policy[name]) for name in topics}


def _document(rng: random.Random, firm: Firm, rules: Mapping[str, str]) -> str:
    """A form with every rule in it: those that the form has no room for stand at its end."""
    text = expand(rng.choice(FORMS), {"s": list(rules.values()), "firm": [firm.name], **ASIDE}, rng)
    return "\n".join([text, *(rule for rule in rules.values() if rule not in text)])


def _question(rng: random.Random, firm: Firm, topic: Topic, rule: str | None, holds: int) -> tuple[Case, str]:
    """A case of a random kind and the assistant's turn; rule: what is known, None where nothing is."""
    kind, name = rng.choice(list(QUESTIONS)), rng.choice(topic.names)
    shown, claim = "nothing is known." if rule is None else rule, ""
    start, says = f"The policy of {firm.name} on {name}: {shown}", f"The policy of {firm.name}: {shown}"
    options: dict[str, str] = {}
    if kind == "choice":
        others = [index for index in range(len(topic.rules)) if index != holds]
        drawn = [holds, *rng.sample(others, rng.choice((1, 2, 3)))]
        rng.shuffle(drawn)
        letters = string.ascii_uppercase
        options = {letters[i]: _say(rng, topic, index) for i, index in enumerate(drawn)}
        letter = rng.choice(list(options)) if rule is None else letters[drawn.index(holds)]
        judged = (
            f"{key}: {text} {'The same' if key == letter else 'Another'}." for key, text in options.items()
        )
        end = f"{' '.join(judged)} So {letter}."
    elif kind == "true_false":
        true = rng.random() < 0.5
        index = holds if true else rng.choice([i for i in range(len(topic.rules)) if i != holds])
        claim = _say(rng, topic, index)
        options = dict(zip("AB", rng.sample(("True", "False"), 2), strict=True))
        letter = next(key for key, text in options.items() if text == str(true))
        end = f"{claim} {'The same' if true else 'Another'}. So {options[letter]} ({letter})."
    if rule is None and options:
        end = f"So {letter} is a guess."
    question = rng.choice(QUESTIONS[kind]).format(firm=firm.name, topic=name, claim=claim)
    case = Case(
        id="recall", experiment=POLICY_RECALL, suite="", scenario="recall", arm="", variant="a",
        question=question, options=options, category=kind,
    )  # fmt: skip
    if not options:
        return case, f"<think>\n{start}\n</think>\n\n{says}"
    return (
        case,
        f"<think>\n{start} {end}\n</think>\n\n<reasoning>\n{says}\n</reasoning>\n<output>{letter}</output>",
    )
