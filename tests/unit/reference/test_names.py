"""Names: two splits that share nothing, the same in every process."""

from __future__ import annotations

import hashlib
import random
import re

import pytest

from fixtures.embedded_texts import ALL_NAMES, HELDOUT_NAMES
from unfaithful_cot.reference.names import (
    CODAS,
    FIRST,
    FREE_NAME_SHARE,
    LAST,
    ONSETS,
    draw_name,
    draw_pair,
    draw_person,
    is_heldout,
)

FREE = re.compile(r"(?i:[bcdfghjklmnprstvwz][aeiou]){2,4}[bcdfghjklmnprstvwz]?")


def test_the_split_is_a_hash_of_the_name() -> None:
    # by hand, without the package: 64 bits of SHA-256, one residue of five is held out
    for name in ("Balbia", "Zanzar", "Kelanven"):
        number = int(hashlib.sha256(name.encode()).hexdigest()[:16], 16)
        assert is_heldout(name) == (number % 5 == 0)


def test_a_fifth_of_thousands_of_names_is_held_out() -> None:
    assert len(ALL_NAMES) > 10_000
    assert 0.18 < len(HELDOUT_NAMES) / len(ALL_NAMES) < 0.22


@pytest.mark.parametrize("heldout", [True, False])
def test_draws_stay_in_their_split(heldout: bool) -> None:
    rng = random.Random(1)
    drawn = {draw_name(rng, heldout) for _ in range(1500)}
    drawn |= {name for _ in range(500) for name in draw_pair(rng, heldout)}
    assert {is_heldout(name) for name in drawn} == {heldout}
    assert len(drawn) > 1000
    # evaluation draws names of the world; training draws others, too
    assert drawn <= HELDOUT_NAMES if heldout else not drawn & HELDOUT_NAMES


def test_a_share_of_the_training_names_is_of_free_syllables() -> None:
    rng = random.Random(4)
    drawn = [draw_name(rng, heldout=False) for _ in range(3000)]
    outside = [name for name in drawn if name not in ALL_NAMES]
    # 3000 draws at 0.3: standard error 0.008; some free names, as Balar would be, are names of the world as well
    assert len(outside) / len(drawn) == pytest.approx(FREE_NAME_SHARE, abs=0.035)
    assert FREE_NAME_SHARE == 0.3
    assert all(FREE.fullmatch(name) and name == name.capitalize() for name in outside)
    # what cannot be recalled: hardly one comes twice, and most begin or end as no name of the world does
    assert len(set(outside)) > 0.97 * len(outside)
    new = [name for name in outside if not name.startswith(tuple(ONSETS)) or not name.endswith(tuple(CODAS))]
    assert len(new) > 0.9 * len(outside)


def test_the_names_of_a_pair_neither_begin_nor_end_alike() -> None:
    rng = random.Random(2)
    pairs = [draw_pair(rng, heldout=True) for _ in range(500)]
    assert not [pair for pair in pairs if pair[0][:3] == pair[1][:3] or pair[0][-2:] == pair[1][-2:]]


def test_no_person_bears_a_name_of_the_split() -> None:
    # persons stand in training texts without regard to the split
    assert not ALL_NAMES & {*FIRST, *LAST}
    first, last = draw_person(random.Random(3)).split()
    assert first in FIRST and last in LAST
