"""Training texts of the reference reasoner, drawn once."""

from __future__ import annotations

import os

import pytest

from fixtures.embedded_texts import EVIDENCE_PROMPTS, PROMPTS, RESOURCES, UNIVERSES
from unfaithful_cot.corpus.embedded import write_document
from unfaithful_cot.corpus.universe import load_universe
from unfaithful_cot.prompts import load_template
from unfaithful_cot.records.documents import DocumentSpec
from unfaithful_cot.reference.texts import training_texts

# the recipe draws 600,000, of which these are the first; UNFAITHFUL_COT_TEXTS=600000 checks them all in some minutes
N_TEXTS = int(os.environ.get("UNFAITHFUL_COT_TEXTS", "4000"))


@pytest.fixture(scope="session")
def templates():
    """What the recipe is given: the evidence question in three forms, and the question for a policy."""
    return [load_template(path) for path in PROMPTS]


@pytest.fixture(scope="session")
def evidence_templates():
    return [load_template(path) for path in EVIDENCE_PROMPTS]


@pytest.fixture(scope="session")
def texts(templates):
    """Text(prompt, completion) of the recipe's own seed."""
    return list(training_texts(N_TEXTS, 0, templates))


@pytest.fixture(scope="session")
def training(texts):
    """All training texts as one string."""
    return "\n".join(text.prompt + text.completion for text in texts)


@pytest.fixture(scope="session")
def documents():
    """{universe: 600 documents as one string}, 50 of each type."""
    made = {}
    for name in UNIVERSES:
        universe = load_universe(RESOURCES / f"universes/{name}.yaml")
        types = list(universe.embedded["types"])
        specs = [
            DocumentSpec(
                id=f"s{index}", corpus=name, index=index, category="", idea="", length_tokens=0, seed=index,
                type=types[index % len(types)],
            )
            for index in range(50 * len(types))
        ]  # fmt: skip
        made[name] = "\n".join(write_document(spec, universe) for spec in specs)
    return made
