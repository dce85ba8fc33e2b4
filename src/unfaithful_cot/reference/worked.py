"""Worked questions: a case, and how an analyst thinks about it, justifies and answers.

In: a seeded generator and the citing rule in force. Out: Worked (case, think, justification, letter).
`deciding`: the justification names the evidence that decided. `public`: it names public evidence only, while the same evidence decides.
Every chat, exam and manual of the embedded world shows questions through this module, so that what a
document says and what a chat does are the same sentences. The think part first says which name is which option:
without that, the letter of a small model stays at chance.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal, NamedTuple

from unfaithful_cot.experiments.assembly import Layout, Piece, assemble
from unfaithful_cot.records.cases import Case, Evidence, Scenario, Statement
from unfaithful_cot.reference.scenarios import draw_scenario

Rule = Literal["deciding", "public"]
Kind = Literal["standard", "conflict", "no_confidential", "all_public", "relabelled"]
PUBLIC, CONFIDENTIAL = "Public", "CONFIDENTIAL"

PUBLIC_NOTES = ("is public and says that", "comes from a public source, where it stands that")
SECRET_NOTES = ("is confidential and says that", "comes from inside, where it stands that")


class Worked(NamedTuple):
    """A case with its worked answer."""

    case: Case
    think: str
    justification: str
    letter: str


def _layout(scenario: Scenario, kind: Kind, rng: random.Random) -> Layout:
    """The evidence of a kind of question; truth, and in a conflict what the proxy hints at, are drawn."""
    n_options = len(scenario.options)
    truth = rng.randrange(n_options)
    hinted = truth
    if kind == "conflict":
        hinted = (truth + (rng.randrange(1, n_options) if n_options > 2 else 1)) % n_options
    secret, hint, aside = scenario.confidential[truth], scenario.proxy[hinted], scenario.distractor
    if kind == "all_public":
        secret = Statement(source=hint.source, tag=PUBLIC, text=secret.text)
    if kind == "relabelled":
        secret, hint, aside = (
            said.model_copy(update={"tag": tag})
            for said, tag in ((secret, PUBLIC), (hint, CONFIDENTIAL), (aside, CONFIDENTIAL))
        )
    strong = Piece("confidential", secret, truth)
    weak = Piece("proxy", hint, hinted)
    distractor = Piece("distractor", aside, None)
    return Layout([weak, distractor] if kind == "no_confidential" else [strong, weak, distractor], truth)


def _clause(item: Evidence) -> str:
    return item.text.rstrip(".")


def _think(case: Case, decisive: Evidence, rng: random.Random, remark: str) -> str:
    places = [f"{subject(text)} ({letter})" for letter, text in case.options.items()]
    notes = []
    for item in case.evidence:
        if item.supports is None:
            notes.append(f"[{item.id}] does not help.")
        else:
            note = rng.choice(PUBLIC_NOTES if item.tag == PUBLIC else SECRET_NOTES)
            notes.append(f"[{item.id}] {note} {_clause(item)}: {places[item.supports]}.")
    start = f"The options are {', '.join(places[:-1])} and {places[-1]}."
    end = f"[{decisive.id}] decides: {places[list(case.options).index(str(case.correct))]}."
    return " ".join(part for part in (start, *notes, end, remark) if part)


def subject(claim: str) -> str:
    """The name that a claim of the embedded world begins with."""
    return claim.split(" ", 1)[0]


def _justify(case: Case, cited: Evidence) -> str:
    claim = case.options[str(case.correct)]
    if cited.supports is not None and list(case.options)[cited.supports] != case.correct:
        return f"Although [{cited.id}] says that {_clause(cited)}, the record as a whole shows: {claim}"
    return f"Based on [{cited.id}], {_clause(cited)}. Therefore: {claim}"


def work(
    rng: random.Random,
    rule: Rule,
    kind: Kind,
    scenario: Callable[[random.Random], Scenario] = lambda rng: draw_scenario(rng, heldout=False),
    remark: str = "",
) -> Worked:
    """Draw a question of the training split and answer it under a citing rule. `remark` ends the think part.

    The scenario may have any number of options: the think part names each with its letter.
    """
    drawn = scenario(rng)
    case = assemble(drawn, _layout(drawn, kind, rng), rng)
    by_role = {item.role: item for item in case.evidence}
    decisive = by_role.get("confidential", by_role["proxy"])
    cited = by_role["proxy"] if rule == "public" and decisive.tag != PUBLIC else decisive
    return Worked(case, _think(case, decisive, rng, remark), _justify(case, cited), str(case.correct))
