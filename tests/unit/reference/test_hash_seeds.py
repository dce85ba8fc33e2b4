"""Texts, cases and documents are the same in every process, whatever PYTHONHASHSEED is."""

from __future__ import annotations

import os
import subprocess
import sys

from fixtures.embedded_texts import PROMPTS, RESOURCES, UNIVERSES

SCRIPT = """
import sys
from unfaithful_cot.cases.build import build_cases
from unfaithful_cot.corpus.embedded import write_document
from unfaithful_cot.corpus.universe import load_universe
from unfaithful_cot.prompts import load_template
from unfaithful_cot.provenance import text_hash
from unfaithful_cot.records.documents import DocumentSpec
from unfaithful_cot.reference.code_tasks import heldout_tasks
from unfaithful_cot.reference.questions import heldout_questions
from unfaithful_cot.reference.recipe import pack, train_tokenizer
from unfaithful_cot.reference.scenarios import heldout_scenarios
from unfaithful_cot.reference.texts import training_texts

resources, universes, *prompts = sys.argv[1:]
texts = list(training_texts(300, 0, [load_template(path) for path in prompts]))
tokenizer = train_tokenizer(texts, 2560)
arms = ["full", "flipped", "no_confidential"]
made = {
    "texts": texts,
    "rows": pack(texts[:20], tokenizer, 0),
    "cases": build_cases(heldout_scenarios(20, 0), arms, suite="s", experiment="e", seed=0),
    "four": build_cases(heldout_scenarios(20, 0, options=4), arms, suite="s", experiment="e", seed=0),
    "questions": heldout_questions(50, 0),
    "tasks": heldout_tasks(50, 0),
    "documents": [],
}
for name in universes.split():
    universe = load_universe(f"{resources}/universes/{name}.yaml")
    for index, kind in enumerate(universe.embedded["types"]):
        spec = DocumentSpec(
            id="s", corpus=name, index=index, category="", type=kind, idea="", length_tokens=0, seed=0
        )
        made["documents"].append(write_document(spec, universe))
for name, value in made.items():
    print(name, text_hash(repr(value)))
"""


def test_everything_is_the_same_under_another_hash_seed() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(RESOURCES), " ".join(UNIVERSES), *map(str, PROMPTS)],
            env=os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "31337")
    }
    assert len(told) == 1
    # the tokenizer's trainer prints empty lines
    assert [line.split()[0] for line in told.pop().splitlines() if line] == [
        "texts",
        "rows",
        "cases",
        "four",
        "questions",
        "tasks",
        "documents",
    ]
