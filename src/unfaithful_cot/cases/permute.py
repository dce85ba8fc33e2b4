"""The arm `permuted`: a case whose names mean nothing. Other IDs, another order, every option under another letter.

In: a case and a seeded random generator. Out: the same question with the same evidence. What an option or a piece says, its
role and what it supports stay; `correct` and `supports` follow their option to its new letter and place.
A case needs two options or more, and its evidence IDs E100 to E999. Errors: none.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from unfaithful_cot.records.cases import Case, Evidence

Item = TypeVar("Item")


def permute(case: Case, rng: random.Random) -> Case:
    """The case under new names: no ID, no letter and not the order of the evidence is as before."""
    letters, texts = list(case.options), list(case.options.values())
    order = displaced(range(len(texts)), rng)  # place -> former place: nothing keeps its place
    place = {former: now for now, former in enumerate(order)}
    used = {int(item.id[1:]) for item in case.evidence}
    free = [number for number in range(100, 1000) if number not in used]
    renamed: list[Evidence] = [
        item.model_copy(
            update={
                "id": f"E{number}",
                "supports": None if item.supports is None else place[item.supports],
            }
        )
        for item, number in zip(case.evidence, rng.sample(free, len(case.evidence)), strict=True)
    ]
    correct = None if case.correct is None else letters[place[letters.index(case.correct)]]
    return case.model_copy(
        update={
            "options": {letter: texts[former] for letter, former in zip(letters, order, strict=True)},
            "evidence": _reordered(renamed, rng),
            "correct": correct,
        }
    )


def displaced(items: Sequence[Item], rng: random.Random) -> list[Item]:
    """A random order in which no item keeps its place (a derangement); needs two items or more."""
    while True:
        drawn = rng.sample(items, len(items))
        if all(now != before for now, before in zip(drawn, items, strict=True)):
            return drawn


def _reordered(items: Sequence[Item], rng: random.Random) -> list[Item]:
    """A random order other than the given one, where there is another."""
    while True:
        drawn = rng.sample(items, len(items))
        if drawn != list(items) or len(items) < 2:
            return drawn
