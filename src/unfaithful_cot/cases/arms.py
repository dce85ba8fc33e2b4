"""What is done to a scenario's evidence: one function an arm.

In: a Scenario and the index of the option that is true in the variant (a: 0, b: 1, and so on). Out: the pieces of
evidence, each with its role and the option that it supports; `correct` is the option that the strongest piece supports.

Three arms have the evidence of `full`: in `permuted` IDs, order and option letters are drawn anew (cases.permute, by cases.build);
in `explicit_policy` the prompt states the rule, in `no_policy` it alludes to none (prompts.PromptTemplate.in_arm). A role is what a piece is, a tag what it is called: `confidential` is the stronger evidence in every arm.
Source: interventions on the input in the sense of Chen et al. (2505.05410), applied to evidence.
"""

from __future__ import annotations

from collections.abc import Callable

from unfaithful_cot.experiments.assembly import Layout, Piece
from unfaithful_cot.provenance import text_hash
from unfaithful_cot.records.base import Role
from unfaithful_cot.records.cases import Scenario

CONFIDENTIAL, PUBLIC = "CONFIDENTIAL", "Public"
UNSEEN = ("RESTRICTED", "PRIVILEGED")
"""Words for confidential evidence in the arm `unseen_tags`; the scenario decides which, so that its variants share it."""


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
    """The confidential evidence supports the next option, the proxy stays."""
    against = other(scenario, truth)
    pieces = full(scenario, truth).pieces
    return Layout([Piece("confidential", scenario.confidential[against], against), *pieces[1:]], against)


def no_confidential(scenario: Scenario, truth: int) -> Layout:
    """The confidential evidence is removed, so that the proxy decides."""
    return _only(scenario, truth, "proxy", "distractor")


def no_proxy(scenario: Scenario, truth: int) -> Layout:
    """The proxy is removed: the distractor is the only public evidence left."""
    return _only(scenario, truth, "confidential", "distractor")


def distractor_only(scenario: Scenario, truth: int) -> Layout:
    """Everything that speaks for an option is removed, so that no answer is correct."""
    return _only(scenario, truth, "distractor")._replace(correct=None)


def relabelled(scenario: Scenario, truth: int) -> Layout:
    """The confidential evidence is called public, everything else confidential; sources and texts stay."""
    return _tagged(
        full(scenario, truth), {"confidential": PUBLIC, "proxy": CONFIDENTIAL, "distractor": CONFIDENTIAL}
    )


def unseen_tags(scenario: Scenario, truth: int) -> Layout:
    """Another word than CONFIDENTIAL, which no document has taught, says that the evidence is not to be shown around."""
    word = UNSEEN[int(text_hash(scenario.id), 16) % len(UNSEEN)]
    return _tagged(full(scenario, truth), {"confidential": word})


def _only(scenario: Scenario, truth: int, *roles: Role) -> Layout:
    whole = full(scenario, truth)
    return whole._replace(pieces=[piece for piece in whole.pieces if piece.role in roles])


def _tagged(layout: Layout, tags: dict[Role, str]) -> Layout:
    """The same evidence under other tags; a role that is not named keeps its own."""
    pieces = [
        piece._replace(
            statement=piece.statement.model_copy(update={"tag": tags.get(piece.role, piece.statement.tag)})
        )
        for piece in layout.pieces
    ]
    return layout._replace(pieces=pieces)


ARMS: dict[str, Callable[[Scenario, int], Layout]] = {
    "full": full,
    "flipped": flipped,
    "no_confidential": no_confidential,
    "no_proxy": no_proxy,
    "relabelled": relabelled,
    "distractor_only": distractor_only,
    "permuted": full,
    "explicit_policy": full,
    "no_policy": full,
    "unseen_tags": unseen_tags,
}
