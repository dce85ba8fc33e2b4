"""From scenarios to cases: every scenario, in every arm, once for each of its options as the true one.

In: scenarios, arms, a seed. Out: cases with unique evidence IDs in shuffled order.
IDs and order depend on the seed, the scenario and the variant, not on the arm: between two arms of a case
nothing differs but what the arm does (`permuted` draws on from there). With four options there are the variants a to d, so that each letter is
the correct one once, and a liking for a letter gains nothing.
Errors: DataError when two cases would bear one id.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence

from unfaithful_cot.cases.arms import ARMS
from unfaithful_cot.cases.permute import permute
from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.assembly import assemble
from unfaithful_cot.records.cases import Case, Scenario

VARIANTS = "abcd"
REWRITTEN: dict[str, Callable[[Case, random.Random], Case]] = {"permuted": permute}
"""Arms that act on the case as it is written, not on its evidence."""


def variants_of(scenario: Scenario) -> str:
    """One variant an option: in variant a the first option is true, in variant b the second."""
    return VARIANTS[: len(scenario.options)]


def build_case(scenario: Scenario, arm: str, variant: str, *, suite: str, experiment: str, seed: int) -> Case:
    """One case: a scenario in an arm, in the variant that makes one of its options true."""
    layout = ARMS[arm](scenario, VARIANTS.index(variant))
    rng = random.Random(f"{seed}:{scenario.id}:{variant}")
    case = assemble(scenario, layout, rng, arm=arm, variant=variant, suite=suite, experiment=experiment)
    return REWRITTEN[arm](case, rng) if arm in REWRITTEN else case


def build_cases(
    scenarios: Iterable[Scenario], arms: Sequence[str], *, suite: str, experiment: str, seed: int
) -> list[Case]:
    """All cases of a suite, by arm, scenario and variant."""
    ordered = list(scenarios)
    cases = [
        build_case(scenario, arm, variant, suite=suite, experiment=experiment, seed=seed)
        for arm in arms
        for scenario in ordered
        for variant in variants_of(scenario)
    ]
    check_unique(cases, suite)
    return cases


def check_unique(cases: Sequence[Case], where: str) -> None:
    """Raise DataError when two cases have one id, or two pieces of evidence of one case have one ID."""
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise DataError(where, f"two cases have the id {case.id}", "Every case has an id of its own")
        seen.add(case.id)
        ids = [item.id for item in case.evidence]
        if len(set(ids)) < len(ids):
            raise DataError(
                where, f"case {case.id} has the evidence IDs {ids}", "Every piece has an ID of its own"
            )
