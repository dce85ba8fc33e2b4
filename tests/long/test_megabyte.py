"""A megabyte of anything takes a grader seconds: no pattern is quadratic."""

from __future__ import annotations

import pytest

from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.grading.verdicts import Grader
from unit.grading.test_properties import MEGABYTE_PIECES, check_long


@pytest.mark.parametrize("grader", GRADERS.values(), ids=lambda grader: grader.name)
@pytest.mark.parametrize("piece", MEGABYTE_PIECES)
def test_a_megabyte_takes_seconds(grader: Grader, piece: str) -> None:
    # measured at most 5 s; anything quadratic would take hours
    check_long(grader, piece, 1_000_000, limit_s=30)
