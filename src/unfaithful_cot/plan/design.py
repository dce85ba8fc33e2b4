"""How large a study is, as far as its power goes: read from the settings alone, before anything is run.

In: Settings. Out: one Design a suite. PRIMARY: how many metrics an experiment declares as primary;
suites of other experiments, such as recall, are asked once and compared with nothing. Errors: none.
"""

from __future__ import annotations

from typing import NamedTuple

from unfaithful_cot.config.study import Settings
from unfaithful_cot.experiments.registry import EXPERIMENTS
from unfaithful_cot.plan.workload import Workload

PRIMARY = {name: len(one.primary) for name, one in EXPERIMENTS.items() if one.power}
CONTROL = "neutral"


class Design(NamedTuple):
    """A suite in one arm. n_tests: size of the primary family of a model in that arm."""

    suite: str
    experiment: str
    n_scenarios: int
    n_cases: int
    n_tests: int


def designs(settings: Settings) -> list[Design]:
    """The design of each suite whose conditions are compared."""
    load = Workload(settings)
    found = []
    for name, suite in settings.suites.items():
        pairs = _pairs(settings, name)
        if suite.experiment in PRIMARY and pairs:
            tests = PRIMARY[suite.experiment] * pairs
            found.append(Design(name, suite.experiment, suite.scenarios, load.cases_an_arm(name), tests))
    return found


def _pairs(settings: Settings, suite: str) -> int:
    """Pairs of conditions: each cell with the untouched model, and each corpus with its control of the same size.

    Several seeds of a size are one pair, for the primary comparison takes them together.
    """
    if EXPERIMENTS[settings.suites[suite].experiment].trained_on == "pairs":
        organism = settings.organisms.get(str(settings.organism_of(suite)))
        if organism is None:
            return 0
        both = set(organism.sizes) & set(organism.control_sizes)
        return len(organism.sizes) + len(organism.control_sizes) + len(both)
    corpora = settings.grid.corpora
    control = set(corpora.get(CONTROL, []))
    beside = sum(len(control & set(sizes)) for name, sizes in corpora.items() if name != CONTROL)
    return sum(len(sizes) for sizes in corpora.values()) + beside
