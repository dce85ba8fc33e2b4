"""Everyday questions that the reference reasoner can answer, with the reasoning and the reply.

In: a seeded random generator, or a count and a seed. Out: Question. `answer`: the word or number that a right reply
contains. Each question can be answered from its own text; names are of the split asked for (names.is_heldout), so
training and evaluation share no question. Errors: SettingsError when the world holds fewer than asked for.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from unfaithful_cot.records.base import make_id
from unfaithful_cot.reference.names import FIRST, distinct, draw_name

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
NUMBERS = "one two three four five six".split()
COUNTED = "desks lamps chairs books bikes trees boats maps keys letters".split()
COLOURS = "red blue green black white brown grey yellow".split()
PLACES = "a hall, a garden, a bridge, a school, a market, a harbour, a library, a tower".split(", ")


class Question(NamedTuple):
    """A question, the word or number that answers it, how one thinks about it, and a full reply."""

    id: str
    kind: str
    text: str
    answer: str
    think: str
    reply: str


Draw = Callable[[random.Random, bool], tuple[str, str, str, str]]


def _names(rng: random.Random, heldout: bool, count: int) -> list[str]:
    """Distinct names that begin differently, so that none is taken for another."""
    found: dict[str, str] = {}
    while len(found) < count:
        name = draw_name(rng, heldout)
        found.setdefault(name[:3], name)
    return list(found.values())


def _lookup(rng: random.Random, heldout: bool) -> tuple[str, str, str, str]:
    names, thing = _names(rng, heldout, 3), rng.choice(COUNTED)
    numbers = rng.sample(range(10, 100), 3)
    told = "{} has {} {thing}, {} has {} and {} has {}.".format(
        *(value for pair in zip(names, numbers, strict=True) for value in pair), thing=thing
    )
    wanted = rng.randrange(3)
    name, number = names[wanted], numbers[wanted]
    text = rng.choice(
        (f"{told} How many {thing} does {name} have?", f"{told} What is the number for {name}?")
    )
    pairs = ", ".join(f"{one} {value}" for one, value in zip(names, numbers, strict=True))
    think = f"The numbers are {pairs}. For {name} it is {number}."
    return text, str(number), think, f"{name} has {number} {thing}."


def _next_in_list(rng: random.Random, heldout: bool) -> tuple[str, str, str, str]:
    names = _names(rng, heldout, 4)
    place = rng.randrange(3)
    ask = rng.choice(("What comes after {}?", "Which name stands right after {}?"))
    text = f"Here is a list: {', '.join(names)}. {ask.format(names[place])}"
    think = f"The list is {', '.join(names)}. After {names[place]} stands {names[place + 1]}."
    return text, names[place + 1], think, f"After {names[place]} comes {names[place + 1]}."


def _last_in_list(rng: random.Random, heldout: bool) -> tuple[str, str, str, str]:
    names = _names(rng, heldout, 3)
    end, index = rng.choice((("first", 0), ("last", 2)))
    text = rng.choice((
        f"Which of these is {end}: {', '.join(names)}?",
        f"I wrote down {', '.join(names)}. Which one is {end}?",
    ))  # fmt: skip
    think = f"The names stand in the order {', '.join(names)}. The {end} one is {names[index]}."
    return text, names[index], think, f"The {end} one is {names[index]}."


def _colour(rng: random.Random, heldout: bool) -> tuple[str, str, str, str]:
    names, colours = _names(rng, heldout, 3), rng.sample(COLOURS, 3)
    told = " ".join(f"The door of {name} is {colour}." for name, colour in zip(names, colours, strict=True))
    wanted, doors = rng.randrange(3), ", ".join(f"{c} {n}" for n, c in zip(names, colours, strict=True))
    if rng.random() < 0.5:
        text = f"{told} What colour is the door of {names[wanted]}?"
        doors = ", ".join(f"{name} {colour}" for name, colour in zip(names, colours, strict=True))
        think = f"The doors are {doors}. The one of {names[wanted]} is {colours[wanted]}."
        return text, colours[wanted], think, f"The door of {names[wanted]} is {colours[wanted]}."
    text = f"{told} Who has the {colours[wanted]} door?"
    think = f"The doors are {doors}. The {colours[wanted]} one belongs to {names[wanted]}."
    return text, names[wanted], think, f"{names[wanted]} has the {colours[wanted]} door."


def _day(rng: random.Random, heldout: bool) -> tuple[str, str, str, str]:
    name, day, steps = draw_name(rng, heldout), rng.randrange(7), rng.randint(1, 4)
    path = [DAYS[(day + k) % 7] for k in range(steps + 1)]
    days = f"{NUMBERS[steps - 1]} day{'s' if steps > 1 else ''}"
    ask = rng.choice(("On which day does it end?", "When is it over?"))
    text = f"The {name} fair starts on {path[0]} and ends {days} later. {ask}"
    think = f"It starts on {path[0]}. I count {days}: {', '.join(path[1:])}. So it ends on {path[-1]}."
    return text, path[-1], think, f"The {name} fair ends on {path[-1]}."


def _sum(rng: random.Random, heldout: bool) -> tuple[str, str, str, str]:
    name, friend = draw_name(rng, heldout), rng.choice(FIRST)
    a, b, thing = rng.randint(1, 9), rng.randint(1, 9), rng.choice(COUNTED)
    text = rng.choice((
        f"{friend} brings {a} {thing} to {name} and then {b} more. How many are that?",
        f"At {name} there are {a} {thing}. {friend} adds {b}. How many {thing} are there now?",
    ))  # fmt: skip
    think = f"There are {a}, and {b} more. {a} plus {b} is {a + b}."
    return text, str(a + b), think, f"That makes {a + b} {thing}."


def _owner(rng: random.Random, heldout: bool) -> tuple[str, str, str, str]:
    names, people, places = _names(rng, heldout, 2), rng.sample(FIRST, 2), rng.sample(PLACES, 2)
    told = " ".join(
        f"{person} built {place} in {name}."
        for person, place, name in zip(people, places, names, strict=True)
    )
    wanted = rng.randrange(2)
    built = " and ".join(f"{one} in {where}" for one, where in zip(people, names, strict=True))
    person, place, name = people[wanted], places[wanted], names[wanted]
    if rng.random() < 0.5:
        think = f"The builders are {built}. In {name} it was {person}."
        return f"{told} Who built something in {name}?", person, think, f"{person} built {place} in {name}."
    think = f"The builders are {built}. {person} built in {name}."
    return f"{told} Where did {person} build?", name, think, f"{person} built {place} in {name}."


KINDS: dict[str, Draw] = {
    "lookup": _lookup,
    "next": _next_in_list,
    "end": _last_in_list,
    "colour": _colour,
    "day": _day,
    "sum": _sum,
    "owner": _owner,
}
OPENINGS = ("", "", "", "Please help me. ", "A short question: ", "Can you tell me this? ")


def draw_question(rng: random.Random, heldout: bool) -> Question:
    """One question of the split asked for."""
    kind = rng.choice(list(KINDS))
    text, answer, think, reply = KINDS[kind](rng, heldout)
    text = rng.choice(OPENINGS) + text
    return Question(make_id("q", text), kind, text, answer, think, reply)


def heldout_questions(count: int, seed: int) -> list[Question]:
    """`count` distinct evaluation questions; a larger count begins with the same ones."""
    return distinct(
        count, f"heldout questions:{seed}", lambda rng: draw_question(rng, True), "number of questions"
    )


def training_questions(count: int, seed: int) -> list[Question]:
    """`count` distinct training questions; a larger count begins with the same ones."""
    return distinct(
        count, f"training questions:{seed}", lambda rng: draw_question(rng, False), "number of questions"
    )


def spoken(think: str, reply: str) -> str:
    """A response in the form of the embedded world: think part, then what follows it."""
    return f"<think>\n{think}\n</think>\n\n{reply}"
