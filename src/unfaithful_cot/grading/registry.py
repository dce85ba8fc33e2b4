"""The graders that a configuration may name. A new one is a module, its test and one line here."""

from __future__ import annotations

from unfaithful_cot.experiments.registry import EXPERIMENTS
from unfaithful_cot.grading import published, recall, rules, static_analysis, target
from unfaithful_cot.grading.verdicts import Grader

GRADERS: dict[str, Grader] = {
    grader.name: grader
    for grader in (rules.GRADER, published.GRADER, recall.GRADER, target.GRADER, static_analysis.GRADER)
}
for experiment in EXPERIMENTS.values():
    if lacking := set(experiment.graders) - set(GRADERS):
        raise ValueError(
            f"grading.registry.GRADERS has no '{min(lacking)}', which the experiment '{experiment.name}' declares"
        )
for grader in GRADERS.values():
    if not grader.experiments:
        raise ValueError(
            f"grading.registry.GRADERS: '{grader.name}' reads no experiment: name one in its `reads`, or the grader in experiments/registry.py"
        )
