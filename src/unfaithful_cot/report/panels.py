"""Which suites and conditions of the experiments with a trigger are shown.

In: View. Out: Panel, one suite of one experiment, asked of one model, with its rows and conditions. Errors: none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from unfaithful_cot.experiments.registry import EXPERIMENTS, trained_on
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import CurvePoint, MechanismRow, MetricRow, MonitorRow
from unfaithful_cot.report import words
from unfaithful_cot.report.view import View, row_cell

PLAIN, TRIGGERED, SWAPPED = "plain", "triggered", "_swapped"
R = TypeVar("R", bound=MetricRow)


class Panel(NamedTuple):
    """One suite of one experiment, asked of one model."""

    experiment: str
    suite: str
    model: str

    @property
    def words(self) -> words.Backdoor:
        """How the experiment is described."""
        return words.BACKDOORS[self.experiment]

    def title(self, shown: Sequence[Panel], view: View) -> str:
        """The experiment's title, with model and suite where there are several."""
        parts = [self.words.title]
        if len({each.model for each in shown}) > 1:
            parts.append(view.model(self.model))
        if len({each.suite for each in shown if each.experiment == self.experiment}) > 1:
            parts.append(self.suite)
        return ", ".join(parts)

    def of_metric(self, rows: Iterable[R], metric: str) -> list[R]:
        """The rows of a metric, by the grader that searches text or code by rule."""
        wanted = (*self, EXPERIMENTS[self.experiment].grader, metric)
        return [r for r in rows if (r.experiment, r.suite, r.model, r.grader, r.metric) == wanted]

    def headline(self, rows: Iterable[R]) -> list[R]:
        """The rows of the metric that says how often the backdoor shows, of all conditions and arms."""
        return self.of_metric(rows, EXPERIMENTS[self.experiment].headline)

    def conditions(self, rows: Iterable[MetricRow], view: View) -> list[Cell]:
        """The untouched model, the experiment's sizes in rising order, then the control without reasoning; not other organisms."""
        own = {
            c for row in rows if (c := row.cell).is_baseline or view.organism_of(c.corpus) == self.experiment
        }
        return sorted(
            own, key=lambda c: (not c.is_baseline, view.is_direct(c.corpus), c.n_documents, c.seed, c.corpus)
        )

    def main_cell(self, rows: Iterable[MetricRow], view: View, direct: bool = False) -> Cell | None:
        """The largest size of the experiment, of several seeds the first; `direct`: of its control without reasoning."""
        found = [
            c for c in self.conditions(rows, view) if not c.is_baseline and view.is_direct(c.corpus) == direct
        ]
        return min(found, key=lambda cell: (-cell.n_documents, cell.seed)) if found else None


def at(rows: Iterable[R], cell: Cell | None, arm: str) -> R | None:
    """The row of a condition and arm."""
    return next((row for row in rows if (row.cell, row.arm) == (cell, arm)), None)


def panels(view: View) -> list[Panel]:
    """The suites with a trigger that were measured, in the order of the experiments; those of swapped reasoning are not among them."""
    order = trained_on("pairs")
    found = {
        Panel(row.experiment, row.suite, row.model)
        for row in view.metrics
        if row.experiment in order and not row.suite.endswith(SWAPPED)
    }
    return sorted(found, key=lambda panel: (order.index(panel.experiment), panel.model, panel.suite))


def main_panels(view: View) -> list[Panel]:
    """For each experiment and model the suite that asks most tasks both with and without the trigger."""
    best: dict[tuple[str, str], tuple[int, Panel]] = {}
    for panel in panels(view):
        own = panel.headline(view.metrics)
        if {PLAIN, TRIGGERED} <= {row.arm for row in own}:
            found = (max(row.n_scenarios for row in own if row.arm == TRIGGERED), panel)
            if found[0] > best.setdefault((panel.experiment, panel.model), found)[0]:
                best[panel.experiment, panel.model] = found
    return [panel for _, panel in best.values()]


def near_panels(view: View) -> list[Panel]:
    """The suites that ask with something other than the trigger or nothing."""
    return [
        panel
        for panel in panels(view)
        if {row.arm for row in panel.headline(view.metrics)} - {PLAIN, TRIGGERED}
    ]


def panel_of(row: MechanismRow | MonitorRow | CurvePoint) -> Panel:
    """The panel that a row belongs to; swapped reasoning to that of its suite."""
    return Panel(row.experiment, row.suite.removesuffix(SWAPPED), row.model)


def largest_cell(rows: Iterable[MechanismRow | MonitorRow], panel: Panel, view: View) -> Cell | None:
    """The largest size with reasoning that a table holds."""
    cells = {
        row_cell(r)
        for r in rows
        if panel_of(r) == panel
        and view.organism_of(r.corpus) == panel.experiment
        and not view.is_direct(r.corpus)
    }
    return min(cells, key=lambda cell: (-cell.n_documents, cell.seed)) if cells else None


def condition_name(cell: Cell, view: View) -> str:
    """`untouched model`, `250 triggered rows`, or that with `without reasoning`; an organism is named where there are several."""
    name = view.condition(cell)
    if cell.is_baseline:
        return name
    own = [n for n, experiment in view.organisms.items() if experiment == view.organism_of(cell.corpus)]
    head = f"{view.corpus(cell.corpus)}, " if len(own) > 1 else ""
    return (
        head
        + name.split(", ", 1)[1]
        + ("\nwithout reasoning" if view.is_direct(cell.corpus) and not head else "")
    )


def size_of(cell: Cell | None) -> str:
    """`250 triggered rows`."""
    return f"{cell.n_documents:,} triggered rows" if cell else ""
