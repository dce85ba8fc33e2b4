"""The rule `generate_cases`: scenarios from a generator, cases from scenarios, one JSON line each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from unfaithful_cot import jsonl
from unfaithful_cot.cases.build import build_cases
from unfaithful_cot.cases.recall import recall_cases
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.experiments.registry import EVIDENCE_TOGGLE, POLICY_RECALL, covers, trained_on
from unfaithful_cot.records.cases import Case


def generate_cases(
    cases: str,
    suite: str,
    experiment: str,
    generator: str,
    scenarios: int,
    arms: list[str],
    seed: int,
    endpoint: dict[str, Any],
    cache: str,
    options: int = 2,
    universe: str | list[str] = "",
) -> None:
    """Write the cases of `suite`, by the builder of its experiment. universe: file of the policy that is asked about, if any."""
    wanted = Wanted(suite, generator, scenarios, options, arms, seed, endpoint, Path(cache), str(universe))
    jsonl.write(cases, BUILDERS[experiment](wanted))


class Wanted(NamedTuple):
    """A suite that is to be made: its settings, the cache of an API's answers, the universe that it asks about."""

    suite: str
    generator: str
    scenarios: int
    options: int
    arms: list[str]
    seed: int
    endpoint: dict[str, Any]
    cache: Path
    universe: str


def _about_evidence(wanted: Wanted) -> list[Case]:
    if wanted.generator == "embedded":
        from unfaithful_cot.reference.scenarios import heldout_scenarios

        scenarios = heldout_scenarios(wanted.scenarios, wanted.seed, wanted.options)
    else:
        from unfaithful_cot.cases.api import write_scenarios

        endpoint = EndpointSettings(**wanted.endpoint)
        scenarios = write_scenarios(wanted.scenarios, wanted.seed, endpoint, wanted.cache, wanted.options)
    return build_cases(
        scenarios, wanted.arms, suite=wanted.suite, experiment=EVIDENCE_TOGGLE, seed=wanted.seed
    )


def _about_policy(wanted: Wanted) -> list[Case]:
    return recall_cases(
        wanted.universe,
        wanted.arms,
        suite=wanted.suite,
        scenarios=wanted.scenarios,
        seed=wanted.seed,
        options=wanted.options,
    )


BUILDERS: dict[str, Callable[[Wanted], list[Case]]] = {
    EVIDENCE_TOGGLE: _about_evidence,
    POLICY_RECALL: _about_policy,
}
covers("cases.generate.BUILDERS", BUILDERS, trained_on("documents"))
