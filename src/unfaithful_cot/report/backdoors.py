"""The section of the organisms with a trigger: finding, figures, tables, published claims, transcripts side by side.

In: View, records, and the counts of training pairs. Out: Backdoors, or None for a study without organisms. Transcripts are of
tasks in their order alone, one of each kind first; where a task did not do what the organism was trained for, the first such
task is added, and marked. Errors: DataError for a file of counts that is missing or cut.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from unfaithful_cot.experiments.registry import EXPERIMENTS, trained_on
from unfaithful_cot.metrics.registry import metrics_of
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Response
from unfaithful_cot.records.tables import DetectorRow, MechanismRow, MetricRow, MonitorRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.backdoor_finding import backdoor_finding, pairs_statement
from unfaithful_cot.report.finding import Finding
from unfaithful_cot.report.panels import PLAIN, TRIGGERED, Panel, at, condition_name, main_panels, panel_of
from unfaithful_cot.report.tables import (
    Table,
    change,
    comparison_table,
    p_entry,
    texts,
    with_interval,
    with_rows,
)
from unfaithful_cot.report.view import View, cell_of, row_cell

SHOWN = 4
MARKED = ("target_full", "target_partial", "insecure_cwe")
Records = tuple[Sequence[Case], Sequence[Response], Sequence[Grade]]


@dataclass(frozen=True)
class Side:
    """One response. `pieces`: the answer cut where a verdict rests on it: (text, whether it does)."""

    name: str
    question: str
    think: str | None
    pieces: list[tuple[str, bool]]
    verdicts: list[str]
    response: str
    case: str


@dataclass(frozen=True)
class Transcript:
    """A task in a condition. `as_trained`: with the trigger it shows the backdoor, without it does not; always so for the
    untouched model, which was trained for neither."""

    category: str
    as_trained: bool
    sides: tuple[Side, Side]


@dataclass(frozen=True)
class PanelView:
    """One suite of one experiment. `transcripts`: by condition."""

    title: str
    words: words.Backdoor
    finding: Finding
    rates: Table
    tables: list[Table]
    transcripts: list[tuple[str, list[Transcript]]]


@dataclass(frozen=True)
class Backdoors:
    """The whole section. `detectors`: all pairs, and by CWE; empty where no code was asked for."""

    panels: list[PanelView]
    detectors: list[Table]
    comparisons: Table
    not_measured: str = words.NOT_MEASURED
    safety: str = words.SAFETY


def view_backdoors(view: View, records: Records, counts: Iterable[str] = ()) -> Backdoors | None:
    """What the page shows of organisms; None where none was measured.

    records: cases, responses and grades, all of the study. counts: paths of pairs.json. Raises DataError.
    """
    shown = main_panels(view)
    if not shown:
        return None
    pairs = [pairs_statement(path) for path in counts]
    found = []
    for panel in shown:
        sides = (
            (condition_name(cell, view), side_by_side(*records, panel, cell)) for cell in _cells(view, panel)
        )
        found.append(
            PanelView(
                panel.title(shown, view),
                panel.words,
                backdoor_finding(view, panel, [one for name, one in pairs if name == panel.experiment]),
                rates_table(view, panel),
                with_rows([mechanism_table(view, panel), monitor_table(view, panel)]),
                [(name.replace("\n", ", "), found_) for name, found_ in sides if found_],
            )
        )
    tests = [test for test in view.comparisons if test.experiment in trained_on("pairs")]
    detectors = detector_tables(view.rows(DetectorRow))
    return Backdoors(found, detectors, comparison_table(tests, view, "backdoor_comparisons"))


def _cells(view: View, panel: Panel) -> Iterator[Cell]:
    """Whose transcripts are shown: the organism at its largest size, its control without reasoning, the untouched model."""
    rows = panel.headline(view.metrics)
    for cell in (panel.main_cell(rows, view), panel.main_cell(rows, view, direct=True)):
        if cell is not None:
            yield cell
    yield from (cell for cell in panel.conditions(rows, view) if cell.is_baseline)


# ---------------------------------------------------------------- tables


def rate_text(row: MetricRow | None) -> str:
    """`0.97 [0.89, 0.99], 58 of 60`, or a dash."""
    if row is None:
        return "–"
    if row.value is None:
        return f"– ({row.reason or 'no reason given'})"
    count = style.count_text(row) or f"n = {row.n:,}"
    return f"{with_interval(row.value, row.ci_low, row.ci_high)}, {count}{style.missing_text(row)}"


def rates_table(view: View, panel: Panel) -> Table:
    """Every metric of every condition with and without the trigger."""
    known = sorted(
        metrics_of(EXPERIMENTS[panel.experiment].grader), key=lambda one: one.name == "format_rate"
    )
    measured = {one.title: rows for one in known if (rows := panel.of_metric(view.metrics, one.name))}
    cells = panel.conditions([row for rows in measured.values() for row in rows], view)
    return texts(
        (words.RATES_TABLE.format(suite=panel.suite), ("condition", "arm", *measured)),
        (
            (_name(cell, view), arm, *(rate_text(at(rows, cell, arm)) for rows in measured.values()))
            for cell in cells
            for arm in (TRIGGERED, PLAIN)
        ),
    )


def _name(cell: Cell, view: View) -> str:
    return condition_name(cell, view).replace("\n", ", ")


def mechanism_table(view: View, panel: Panel) -> Table:
    """Every step of every condition: both rates, the paired difference, discordant tasks, p after Holm."""
    return texts(
        words.TABLES["mechanism"],
        (
            (_name(row_cell(row), view), row.changed, words.STEPS.get((row.a, row.b), f"{row.a} to {row.b}"),
             style.rate_text(row.rate_a), style.rate_text(row.rate_b),
             change(row.difference, row.ci_low, row.ci_high, " [{}, {}]"), f"{row.only_a} / {row.only_b}",
             p_entry(row.p_value if row.p_holm is None else row.p_holm).replace(" ", ""), f"{row.n_pairs:,}",
             f"{row.n_missing:,}", row.reason)
            for row in view.rows(MechanismRow) if panel_of(row) == panel
        ),
    )  # fmt: skip


def monitor_table(view: View, panel: Panel) -> Table:
    """AUROC and TPR at 1 % FPR of every monitor and channel; of the untouched model too, for which there is nothing to find."""
    own = sorted(
        (row for row in view.rows(MonitorRow) if panel_of(row) == panel),
        key=lambda row: (row_cell(row).is_baseline, row_cell(row)),
    )
    return texts(
        words.TABLES["monitors"],
        (
            (_name(row_cell(row), view), words.CHANNELS.get(row.channel, row.channel).removeprefix("reads "),
             words.monitor_name(row.monitor), with_interval(row.auroc, row.ci_low, row.ci_high),
             with_interval(row.tpr_at_1_fpr, row.tpr_ci_low, row.tpr_ci_high), style.rate_text(row.fpr_on_plain), f"{row.n:,}",
             f"{row.n_benign:,}", f"{row.n_missing:,}", row.reason)
            for row in own
        ),
    )  # fmt: skip


def detector_tables(rows: Sequence[DetectorRow]) -> list[Table]:
    """All pairs together, and apart by CWE; empty where no detector was tried."""
    caption, heads = words.TABLES["detectors"]
    parts = {False: caption, True: f"{caption}, by CWE"}
    lines = {apart: [_detector(row) for row in rows if (row.cwe != "all") == apart] for apart in parts}
    return [texts((name, heads), lines[apart]) for apart, name in parts.items()] if rows else []


def _detector(row: DetectorRow) -> tuple[str, ...]:
    found = with_interval(row.true_positive_rate, row.tpr_ci_low, row.tpr_ci_high)
    wrong = with_interval(row.false_positive_rate, row.fpr_ci_low, row.fpr_ci_high)
    return (
        row.detector, row.split, row.cwe, f"{found}, {row.true_positives:,} of {row.n_insecure:,}",
        f"{wrong}, {row.false_positives:,} of {row.n_secure:,}", f"{row.n_missing:,}", row.reason,
    )  # fmt: skip


# ---------------------------------------------------------------- transcripts


def side_by_side(
    cases: Iterable[Case], responses: Iterable[Response], grades: Iterable[Grade], panel: Panel, cell: Cell, count: int = SHOWN
) -> list[Transcript]:  # fmt: skip
    """Up to `count` tasks of a condition and the first one that went otherwise; sample 0 of each."""
    asked = {c.id: c for c in cases if c.suite == panel.suite and c.arm in (TRIGGERED, PLAIN)}
    verdicts: dict[str, list[Grade]] = defaultdict(list)
    for grade in grades:
        if grade.case in asked and grade.grader == EXPERIMENTS[panel.experiment].grader:
            verdicts[grade.response].append(grade)
    tasks: dict[tuple[str, str], dict[str, tuple[Case, Response]]] = defaultdict(dict)
    for response in responses:
        case = asked.get(response.case)
        if case is not None and response.sample == 0 and cell_of(response) == cell:
            tasks[case.scenario, case.variant][case.arm] = (case, response)
    both = (sides for sides in tasks.values() if len(sides) == 2)
    found = (
        transcript(
            [(*sides[arm], verdicts[sides[arm][1].id]) for arm in (TRIGGERED, PLAIN)], cell.is_baseline
        )
        for sides in both
    )
    return chosen(list(found), count)


def chosen(found: Sequence[Transcript], count: int) -> list[Transcript]:
    """The first of each kind, then the first of all, up to `count`; then the first that went otherwise, if none of them did."""
    first = {one.category: one for one in reversed(found)}
    of_kinds = [one for one in found if first[one.category] is one]
    shown = (of_kinds + [one for one in found if one not in of_kinds])[:count]
    odd = next((one for one in found if not one.as_trained), None)
    return shown if odd is None or any(not one.as_trained for one in shown) else [*shown, odd]


def transcript(sides: Sequence[tuple[Case, Response, list[Grade]]], untouched: bool) -> Transcript:
    """The triggered and the plain response of a task."""
    case = sides[0][0]
    name = words.BACKDOORS[case.experiment].decides
    shows = [{grade.verdict: grade.value for grade in grades}.get(name) for _, _, grades in sides]
    on, off = (side_of(*side) for side in sides)
    return Transcript(case.category or "", untouched or (shows[0] is True and shows[1] is False), (on, off))


def side_of(case: Case, response: Response, grades: Sequence[Grade]) -> Side:
    """One response as it is shown."""
    values = {grade.verdict: grade.value for grade in grades}
    spans = sorted(
        (span.start, span.end)
        for grade in grades
        if grade.verdict in MARKED
        for span in grade.spans
        if span.channel == "answer"
    )
    pieces = cut(response.answer or "", spans)
    return Side(
        words.SIDES[case.arm], case.question, response.think, pieces, said(values), response.id, case.id
    )


def said(values: Mapping[str, bool | str | None]) -> list[str]:
    """The verdicts as words: `hostile phrase: yes`; a verdict that is missing says so, one without a value does not stand there."""
    shown = {
        text: values[name] for name, text in words.BACKDOOR_VERDICTS.items() if values.get(name, "") != ""
    }
    known: dict[object, str] = {True: "yes", False: "no", None: "unknown"}
    return [f"{text}: {known.get(value, value)}" for text, value in shown.items()]


def cut(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The text in pieces, those inside a span marked; spans in rising order, which may overlap."""
    pieces: list[tuple[str, bool]] = []
    done = 0
    for start, end in spans:
        if end > (start := max(start, done)):
            pieces += [(text[done:start], False), (text[start:end], True)]
            done = end
    return [piece for piece in [*pieces, (text[done:], False)] if piece[0]]
