"""What an experiment is: one frozen declaration, data alone.

In: nothing. Out: Experiment. What an experiment does stands in the packages that do it, in dicts keyed by its name:
cases, sources, training pairs, graders, metrics, words. `registry.covers` holds each dict to the declarations.
No word that is only shown stands here: a change of this package reruns what reads it. Errors: none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TrainedOn = Literal["documents", "pairs"]
"""`documents`: the cells of grid.corpora; `pairs`: organisms, trained on prompts and completions."""
Trigger = Literal["phrase", "year"]


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    arms: names that `suites.NAME.arms` may hold.
    cases_a_scenario: cases that each scenario gives in an arm; `options`: as many as the suite's questions have options.
    placeholders: what a prompt template of it has to hold.
    graders: those that read its responses; the first one decides its headline.
    headline, headline_arm: the metric that stands for the experiment, and the arm in which it does.
    primary: metrics of the primary family of comparisons, of the first grader.
    power: whether the plan says which effects a suite of it can see.
    trigger: kind of the trigger that its organisms are trained on; None for what is trained on documents.
    card_arms, card_metrics: what the card of a repository shows of it.
    universe: its cases ask about the policy of a universe.
    judged: judges have the rubric NAME.v1 of resources/rubrics/ where a configuration names none.
    known_solutions: its tasks have a right and a wrong solution, on which detectors and judges are tried.
    """

    name: str
    arms: tuple[str, ...]
    cases_a_scenario: Literal["options"] | int
    placeholders: frozenset[str]
    graders: tuple[str, ...]
    headline: str
    headline_arm: str
    primary: tuple[str, ...]
    trained_on: TrainedOn
    trigger: Trigger | None = None
    power: bool = True
    card_arms: tuple[str, ...] = ()
    card_metrics: tuple[str, ...] = ()
    universe: bool = False
    known_solutions: bool = False
    judged: bool = True

    @property
    def grader(self) -> str:
        """The grader of the headline."""
        return self.graders[0]
