"""The rule `generate_cases`: scenarios from a generator, cases from scenarios, one JSON line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.cases.build import build_cases
from unfaithful_cot.cases.recall import recall_cases
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.records.cases import Scenario


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
    """Write the cases of `suite`: scenarios x arms x options lines (policy_recall: x 2, about the policy of `universe`)."""
    if experiment == "policy_recall":
        asked = recall_cases(
            str(universe), arms, suite=suite, scenarios=scenarios, seed=seed, options=options
        )
        jsonl.write(cases, asked)
        return
    made = write_scenarios(generator, scenarios, seed, EndpointSettings(**endpoint), Path(cache), options)
    jsonl.write(cases, build_cases(made, arms, suite=suite, experiment=experiment, seed=seed))


def write_scenarios(
    generator: str, count: int, seed: int, endpoint: EndpointSettings, cache: Path, options: int = 2
) -> list[Scenario]:
    """`count` distinct scenarios of so many options, from the template grammar or from an API."""
    if generator == "embedded":
        from unfaithful_cot.reference.scenarios import heldout_scenarios

        return heldout_scenarios(count, seed, options)
    from unfaithful_cot.cases import api

    return api.write_scenarios(count, seed, endpoint, cache, options)
