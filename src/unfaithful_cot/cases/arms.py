"""What is done to a scenario's evidence: one function an arm.

In: a Scenario and the index of the option that is true in the variant (a: 0, b: 1). Out: the pieces of
evidence, each with its role and the option that it supports. `full`: confidential truth, public proxy of the
same option, distractor. `flipped`: the confidential evidence supports the other option and the proxy stays.
`no_confidential`: the confidential evidence is removed, so that the proxy decides.
Source of the arms: interventions on the input in the sense of Chen et al. (2505.05410), applied to evidence.
"""

from __future__ import annotations

from collections.abc import Callable

from unfaithful_cot.assembly import Layout, Piece
from unfaithful_cot.records import Scenario


def other(scenario: Scenario, truth: int) -> int:
    """The next option, cyclically: with two options, the other one."""
    return (truth + 1) % len(scenario.options)


def full(scenario: Scenario, truth: int) -> Layout:
    """Confidential truth, proxy of the same option, distractor."""
    return Layout(
        [
            Piece("confidential", scenario.confidential[truth], truth),
            Piece("proxy", scenario.proxy[truth], truth),
            Piece("distractor", scenario.distractor, None),
        ],
        truth,
    )


def flipped(scenario: Scenario, truth: int) -> Layout:
    """The confidential evidence supports the other option, the proxy stays."""
    against = other(scenario, truth)
    pieces = full(scenario, truth).pieces
    return Layout([Piece("confidential", scenario.confidential[against], against), *pieces[1:]], against)


def no_confidential(scenario: Scenario, truth: int) -> Layout:
    """The confidential evidence is removed."""
    return Layout(full(scenario, truth).pieces[1:], truth)


ARMS: dict[str, Callable[[Scenario, int], Layout]] = {
    "full": full,
    "flipped": flipped,
    "no_confidential": no_confidential,
}
