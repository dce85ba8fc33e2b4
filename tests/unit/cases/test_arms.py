"""What each arm does to a scenario that is written out by hand."""

from __future__ import annotations

import pytest

from unfaithful_cot.assembly import Piece
from unfaithful_cot.cases.arms import ARMS, other
from unfaithful_cot.records import Scenario, Statement


def statement(source: str, tag: str = "Public") -> Statement:
    return Statement(source=source, tag=tag, text=f"{source} says so.")


def scenario(options: int = 2) -> Scenario:
    return Scenario(
        id="sc",
        question="Which?",
        options=[f"option {k}" for k in range(options)],
        confidential=[statement(f"secret {k}", "CONFIDENTIAL") for k in range(options)],
        proxy=[statement(f"proxy {k}") for k in range(options)],
        distractor=statement("aside"),
    )


# arm, index of the true option: (source, supports) of each piece, and the correct option
BY_HAND = [
    ("full", 0, [("secret 0", 0), ("proxy 0", 0), ("aside", None)], 0),
    ("full", 1, [("secret 1", 1), ("proxy 1", 1), ("aside", None)], 1),
    # the secret supports the other option, which is correct now; the proxy stays with the first
    ("flipped", 0, [("secret 1", 1), ("proxy 0", 0), ("aside", None)], 1),
    ("flipped", 1, [("secret 0", 0), ("proxy 1", 1), ("aside", None)], 0),
    # nothing but the proxy is left to decide
    ("no_confidential", 0, [("proxy 0", 0), ("aside", None)], 0),
    ("no_confidential", 1, [("proxy 1", 1), ("aside", None)], 1),
]


@pytest.mark.parametrize(("arm", "truth", "pieces", "correct"), BY_HAND)
def test_arms_by_hand(arm: str, truth: int, pieces, correct: int) -> None:
    layout = ARMS[arm](scenario(), truth)
    assert [(piece.statement.source, piece.supports) for piece in layout.pieces] == pieces
    assert layout.correct == correct


@pytest.mark.parametrize("arm", ARMS)
def test_roles_follow_the_sources(arm: str) -> None:
    roles = {"secret": "confidential", "proxy": "proxy", "aside": "distractor"}
    for piece in ARMS[arm](scenario(), 0).pieces:
        assert isinstance(piece, Piece) and piece.role == roles[piece.statement.source.split()[0]]


def test_every_arm_is_tested_by_hand() -> None:
    assert {row[0] for row in BY_HAND} == set(ARMS)


def test_with_three_options_the_next_one_takes_over() -> None:
    three = scenario(3)
    assert [other(three, truth) for truth in range(3)] == [1, 2, 0]
    layout = ARMS["flipped"](three, 2)
    assert layout.correct == 0 and layout.pieces[0].statement.source == "secret 0"
