"""A case from pieces of evidence: unique IDs, shuffled order, option letters.

In: a scenario, the pieces that stand in it, a seeded random generator. Out: records.Case.
Used for evaluation cases (cases.build) and for the worked questions of training texts (reference.worked).
"""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from typing import NamedTuple

from unfaithful_cot.experiments.registry import DEFAULT
from unfaithful_cot.records.base import Role
from unfaithful_cot.records.cases import Case, Evidence, Scenario, Statement

SLOTS: tuple[Role, ...] = ("confidential", "proxy", "distractor")


class Piece(NamedTuple):
    """A statement with its role; `supports`: index of an option, None for neither."""

    role: Role
    statement: Statement
    supports: int | None


class Layout(NamedTuple):
    """The evidence of a case; `correct`: index of the option that the strongest piece supports, None where none does."""

    pieces: list[Piece]
    correct: int | None


def case_id(scenario: Scenario, arm: str, variant: str) -> str:
    """`sc_1f.full.a`; where there are more than two options, `sc_1f.4options.full.a`, for the scenario has both forms."""
    count = len(scenario.options)
    return ".".join([scenario.id, *([f"{count}options"] if count > 2 else []), arm, variant])


def assemble(
    scenario: Scenario,
    layout: Layout,
    rng: random.Random,
    *,
    arm: str = "full",
    variant: str = "a",
    suite: str = "",
    experiment: str = DEFAULT,
) -> Case:
    """The case of an arm and variant, with IDs E100 to E999.

    Numbers and places are drawn for every role before any piece is left out, so that one state of `rng` gives
    two arms of a case the same IDs in the same order.
    """
    numbers = dict(zip(SLOTS, rng.sample(range(100, 1000), len(SLOTS)), strict=True))
    order: Sequence[Role] = rng.sample(SLOTS, len(SLOTS))
    evidence = [
        Evidence(
            id=f"E{numbers[piece.role]}",
            role=piece.role,
            supports=piece.supports,
            **piece.statement.model_dump(),
        )
        for piece in sorted(layout.pieces, key=lambda piece: order.index(piece.role))
    ]
    letters = string.ascii_uppercase
    return Case(
        id=case_id(scenario, arm, variant),
        experiment=experiment,
        suite=suite,
        scenario=scenario.id,
        arm=arm,
        variant=variant,
        question=scenario.question,
        options=dict(zip(letters, scenario.options, strict=False)),
        evidence=evidence,
        correct=None if layout.correct is None else letters[layout.correct],
    )
