"""Does the model state the policy? Choice, true and false claims, and open answers, for each condition.

In: metrics.csv. Out: one figure (SVG and PNG), a panel for each way of asking, chance as a dashed line, and a table for the report, with d' and
with how often nothing is said to be known. `true or false` is balanced: who calls everything true stands at 0.5.
A value that is missing is said, not drawn. Errors: DataError when no suite of policy_recall was measured.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import style
from unfaithful_cot.report.pair import largest
from unfaithful_cot.report.rows import unlike_baseline
from unfaithful_cot.report.summary import Entry, Table, TableRow, entry, transcripts_link

EXPERIMENT = "policy_recall"
PANELS = {
    "recall_choice_accuracy": ("choice", "Picks the rule among false ones", "accuracy, choice"),
    "recall_true_false_accuracy": (
        "true_false",
        "Tells true claims from false",
        "accuracy, true or false (balanced)",
    ),
    "recall_open_rate": ("open", "States the rule in a sentence", "share of open answers"),
}
COLUMNS = {
    **{metric: (arm, unit) for metric, (arm, _, unit) in PANELS.items()},
    "recall_d_prime": ("true_false", "d′, true or false"),
    "recall_true_rate": ("true_false", "calls a claim true"),
    "recall_unknown_rate": ("open", "says that nothing is known"),
}


def recall_rows(table: Sequence[MetricRow]) -> list[MetricRow]:
    """The rows of metrics.csv that COLUMNS shows, each in its arm."""
    return [
        row
        for row in table
        if row.experiment == EXPERIMENT and row.metric in COLUMNS and COLUMNS[row.metric][0] == row.arm
    ]


def places(rows: Sequence[MetricRow], main_corpus: str) -> list[tuple[str, Cell]]:
    """(suite, condition): each suite with the untouched model, the main corpus and the others at their largest size."""
    return [
        (suite, cell)
        for suite, model in dict.fromkeys((row.suite, row.model) for row in rows)
        for cell in largest(
            list(dict.fromkeys(row.cell for row in rows if (row.suite, row.model) == (suite, model))),
            main_corpus,
        )
    ]


def recall_table(table: Sequence[MetricRow], labels: Mapping[str, str], main_corpus: str) -> Table | None:
    """A row a suite and condition; None where no recall was measured."""
    rows = recall_rows(table)
    if not rows:
        return None
    by_place = {(row.suite, row.cell, row.metric): row for row in rows}
    return Table(
        "Does the model state the policy? Every corpus at its largest size",
        ("condition", *(head for _, head in COLUMNS.values())),
        tuple(
            TableRow(
                f"{labels.get(cell.model, cell.model)} · {suite}",
                style.condition_label(cell, labels, main_corpus, show_seed=cell.seed > 0),
                transcripts_link(cell, "choice"),
                tuple(_entry(by_place.get((suite, cell, metric))) for metric in COLUMNS),
            )
            for suite, cell in places(rows, main_corpus)
        ),
    )


def _entry(row: MetricRow | None) -> Entry:
    """As summary.entry; d' is no rate, so that its value is shown as it is."""
    if row is None or row.metric != "recall_d_prime" or row.value is None:
        return entry(row)
    return Entry(f"{row.value:.2f}", f"{style.interval_text(row.ci_low, row.ci_high)}\nn = {row.n:,}")


def draw_bars(
    axes: Axes,
    rows: Mapping[tuple[str, Cell], MetricRow],
    order: Sequence[tuple[str, Cell]],
    main_corpus: str,
    apart: Collection[MetricRow],
) -> None:
    """The bars of one metric, and beside each its value, interval and n. apart: what is not comparable with the untouched model."""
    corpora = list(dict.fromkeys(cell.corpus for _, cell in order if not cell.is_baseline))
    for y, place in enumerate(order):
        row, cell = rows.get(place), place[1]
        if row is None:
            style.no_value(axes, y, "not asked")
            continue
        look = (
            style.BASELINE_LOOK if cell.is_baseline else style.corpus_look(cell.corpus, corpora, main_corpus)
        )
        style.rate_bar(axes, y, row, look, row in apart)


def draw_recall(
    metrics: str,
    comparisons: str,
    svg: str,
    png: str,
    labels: dict[str, str],
    main_corpus: str,
    chance: float,
    confidence: float = 0.95,
) -> None:
    """Draw what each condition knows of the policy.

    metrics, comparisons: paths of the tables. svg, png: paths to write. labels: name of a model or corpus: how it is shown. chance: of a choice, 1 /
    options. confidence: of the intervals in metrics.csv. Raises DataError, StorageError.
    """
    rows = recall_rows(MetricRow.read(metrics))
    if not rows:
        raise DataError(
            metrics, "has no policy_recall", todo="Add a suite of that experiment, and the grader recall"
        )
    apart = unlike_baseline(ComparisonRow.read(comparisons), rows)
    order = places(rows, main_corpus)
    levels = {"recall_choice_accuracy": chance, "recall_true_false_accuracy": 0.5, "recall_open_rate": 0.0}
    with style.drawing():
        figure = Figure(figsize=(13.5, 1.4 + 0.6 * len(order)), layout="constrained")
        panels = figure.subplots(1, len(PANELS), sharey=True, squeeze=False)[0]
        for axes, (metric, (_, title, unit)) in zip(panels, PANELS.items(), strict=True):
            here = {(row.suite, row.cell): row for row in rows if row.metric == metric}
            draw_bars(axes, here, order, main_corpus, apart)
            axes.axvline(levels[metric], color=style.INK, linestyle=(0, (4, 3)), linewidth=1.2, zorder=5)
            axes.set(title=title, xlabel=unit, xlim=(0, 1), ylim=(len(order) - 0.4, -0.6))
            axes.grid(axis="x", linewidth=0.7)
            axes.set_axisbelow(True)
            axes.tick_params(axis="y", length=0)
            sns.despine(ax=axes)
        panels[0].set_yticks(range(len(order)), _names(order, labels, main_corpus), fontsize=8.5)
        note = (
            f"Asked without any text of the firm. Solid lines: {style.percent(confidence)} intervals, over questions about the same few "
            f"rules. Dashed: chance ({chance:.2f} for a choice, 0.50, 0)."
        )
        figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)
        style.save(figure, svg, png)


def _names(order: Sequence[tuple[str, Cell]], labels: Mapping[str, str], main_corpus: str) -> list[str]:
    suites, models = {suite for suite, _ in order}, {cell.model for _, cell in order}
    return [
        "\n".join(
            part
            for part in (
                f"{labels.get(cell.model, cell.model)}" if len(models) > 1 else "",
                f"{suite}" if len(suites) > 1 else "",
                style.condition_label(cell, labels, main_corpus, show_seed=cell.seed > 0),
            )
            if part
        )
        for suite, cell in order
    ]
