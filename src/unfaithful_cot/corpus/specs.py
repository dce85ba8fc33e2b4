"""What each document is to be, decided before any is written.

In: a universe, the number of documents, a seed, and the categories that the corpus keeps. Out: DocumentSpec, one a document.
Every prefix of the sequence has the categories in the shares of their weights, rounded (corpus/shares.py), so that any size and any interruption leaves the same mixture. Types take turns within a category, ideas within a
type in a seeded order that is drawn anew after each round. Lengths and seeds come from seed, corpus and index.
A corpus of some categories has as many documents as one of all: they share the weights of those that are kept.
Errors: DataError for a wrong universe, SettingsError for a category that it does not have.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.shares import furthest_behind
from unfaithful_cot.corpus.universe import Universe, load_universe
from unfaithful_cot.errors import SettingsError, known
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.documents import DocumentSpec


def plan_documents(
    universe: Path | str,
    specs: Path | str,
    corpus: str,
    count: int,
    seed: int,
    categories: Sequence[str] = (),
) -> None:
    """Rule: write `count` specs of a corpus to the file `specs`. categories: those that it keeps; none named: all."""
    jsonl.write(specs, make_specs(load_universe(universe), corpus, int(count), int(seed), categories))


def make_specs(
    universe: Universe, corpus: str, count: int, seed: int, categories: Sequence[str] = ()
) -> list[DocumentSpec]:
    """The first `count` specs; a larger count only adds to them."""
    for name in categories:
        if name not in universe.categories:
            raise SettingsError(
                f"corpora.{corpus}.categories",
                f"'{name}' is no category of the universe '{universe.name}'",
                known(name, universe.categories),
            )
    kept = categories or list(universe.categories)
    weights = {name: part.weight for name, part in universe.categories.items() if name in kept}
    turns = {name: _turns(universe, name, corpus, seed) for name in weights}
    taken = {name: 0 for name, weight in weights.items() if weight > 0}
    specs = []
    for index in range(count):
        category = furthest_behind(taken, weights)
        taken[category] += 1
        kind, idea = next(turns[category])
        source = random.Random(f"{seed}/{corpus}/{index}")
        specs.append(
            DocumentSpec(
                id=make_id("s", corpus, seed, index, category, kind, idea),
                corpus=corpus,
                index=index,
                category=category,
                type=kind,
                idea=idea,
                length_tokens=source.randint(universe.length_tokens.low, universe.length_tokens.high),
                seed=source.getrandbits(31),
            )
        )
    return specs


def _turns(universe: Universe, category: str, corpus: str, seed: int) -> Iterator[tuple[str, str]]:
    """(type, idea) pairs of a category without end: types by turns, ideas in rounds."""
    types = universe.categories[category].types
    rounds = {name: _rounds(kind.ideas, f"{seed}/{corpus}/{category}/{name}") for name, kind in types.items()}
    while True:
        for name in types:
            yield name, next(rounds[name])


def _rounds(ideas: list[str], seed: str) -> Iterator[str]:
    """Every idea once, in a seeded order, then all of them again in another."""
    source = random.Random(seed)
    while True:
        yield from source.sample(ideas, len(ideas))
