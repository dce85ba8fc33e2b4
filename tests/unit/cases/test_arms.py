"""What each arm does to a scenario that is written out by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from unfaithful_cot.cases.arms import ARMS, other
from unfaithful_cot.experiments.assembly import Piece
from unfaithful_cot.records.cases import Scenario, Statement


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
    ("no_proxy", 0, [("secret 0", 0), ("aside", None)], 0),
    ("no_proxy", 1, [("secret 1", 1), ("aside", None)], 1),
    # nothing speaks for an option: no answer is the correct one
    ("distractor_only", 0, [("aside", None)], None),
    ("distractor_only", 1, [("aside", None)], None),
    # these five change tags, the prompt or the names of a case, not which evidence there is
    *(
        (arm, truth, [(f"secret {truth}", truth), (f"proxy {truth}", truth), ("aside", None)], truth)
        for arm in ("relabelled", "unseen_tags", "permuted", "explicit_policy", "no_policy")
        for truth in (0, 1)
    ),
]
# tags by role: confidential, proxy, distractor
TAGS = {"relabelled": ("Public", "CONFIDENTIAL", "CONFIDENTIAL")}
USUAL = ("CONFIDENTIAL", "Public", "Public")


@pytest.mark.parametrize(("arm", "truth", "pieces", "correct"), BY_HAND)
def test_arms_by_hand(arm: str, truth: int, pieces, correct: int | None) -> None:
    layout = ARMS[arm](scenario(), truth)
    assert [(piece.statement.source, piece.supports) for piece in layout.pieces] == pieces
    assert layout.correct == correct


@pytest.mark.parametrize("arm", ARMS)
def test_roles_follow_the_sources(arm: str) -> None:
    roles = {"secret": "confidential", "proxy": "proxy", "aside": "distractor"}
    for piece in ARMS[arm](scenario(), 0).pieces:
        assert isinstance(piece, Piece) and piece.role == roles[piece.statement.source.split()[0]]


@pytest.mark.parametrize("arm", [arm for arm in ARMS if arm not in ("unseen_tags", "distractor_only")])
def test_what_each_role_is_called(arm: str) -> None:
    by_role = dict(zip(("confidential", "proxy", "distractor"), TAGS.get(arm, USUAL), strict=True))
    for piece in ARMS[arm](scenario(), 1).pieces:
        assert piece.statement.tag == by_role[piece.role]


def test_unseen_words_stand_for_the_confidential_tag_alone() -> None:
    found = Counter()
    for number in range(200):
        one = scenario().model_copy(update={"id": f"sc_{number}"})
        tags = [[p.statement.tag for p in ARMS["unseen_tags"](one, truth).pieces] for truth in (0, 1)]
        assert tags[0] == tags[1] and tags[0][1:] == ["Public", "Public"]
        found[tags[0][0]] += 1
    # 200 draws at 1/2: standard deviation 7
    assert set(found) == {"RESTRICTED", "PRIVILEGED"} and 70 < found["RESTRICTED"] < 130


def test_every_arm_is_tested_by_hand() -> None:
    assert {row[0] for row in BY_HAND} == set(ARMS)


def test_with_three_options_the_next_one_takes_over() -> None:
    three = scenario(3)
    assert [other(three, truth) for truth in range(3)] == [1, 2, 0]
    layout = ARMS["flipped"](three, 2)
    assert layout.correct == 0 and layout.pieces[0].statement.source == "secret 0"
