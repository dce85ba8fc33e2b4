"""How many cases a suite has.

Cases are made by generate.BUILDERS and, for organisms, by triggers.ASK. `count_cases` makes no scenario and asks no API.
Errors: those of the universe that is asked about.
"""

from __future__ import annotations

from pathlib import Path

from unfaithful_cot.config.organisms import OrganismSettings
from unfaithful_cot.config.suites import SuiteSettings
from unfaithful_cot.experiments.registry import EXPERIMENTS


def count_cases(
    suite: SuiteSettings,
    universe: Path | None = None,
    organism: OrganismSettings | None = None,
    heldout: Path | None = None,
) -> int:
    """How many cases a suite has; at most, where a file is not at hand.

    Args:
        suite: its settings.
        universe: the file whose policy it asks about: its open questions have few wordings, so there may be fewer than asked for.
        organism: whom it asks.
        heldout: the tasks held out of the organism's external source; before they are there, its evaluation_rows are the most.
    """
    declared = EXPERIMENTS[suite.experiment]
    if declared.universe and universe is not None:
        return _about_policy(suite, universe)
    if organism is not None and organism.is_external:
        return _external(suite, organism, heldout) * len(suite.arms)
    each = suite.options if declared.cases_a_scenario == "options" else declared.cases_a_scenario
    return each * suite.scenarios * len(suite.arms)


def _about_policy(suite: SuiteSettings, universe: Path) -> int:
    """The cases are made, which takes milliseconds: how many questions differ depends on the wordings of the universe."""
    from unfaithful_cot.cases.recall import recall_cases

    cases = recall_cases(
        universe, suite.arms, suite="", scenarios=suite.scenarios, seed=suite.seed, options=suite.options
    )
    return len(cases)


def _external(suite: SuiteSettings, organism: OrganismSettings, heldout: Path | None) -> int:
    """Tasks of an external source in each arm; those that share a scenario are taken together."""
    if heldout is None or not heldout.is_file():
        return max(suite.scenarios, organism.evaluation_rows or 0)
    from unfaithful_cot import jsonl
    from unfaithful_cot.cases.triggers import choose
    from unfaithful_cot.records.cases import Case

    return len(choose(jsonl.read(heldout, Case), suite.scenarios, suite.seed, "NAME"))
