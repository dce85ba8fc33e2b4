"""Which part of the corpus carries the effect? Universes at their largest size, parts and mixtures at all of theirs, beside the untouched model and the policy in its prompt.

In: metrics.csv, the manifests (tokens that each adapter was trained on), how each corpus is made. Out: one figure (SVG and PNG), a bar for each
condition in up to three panels, and the same as a table for the report. What corpora of one size have in common is the number of
documents, so the tokens stand beside the name. A value that is missing is said, not drawn. Errors: DataError when no corpus was measured.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cells import BASELINE, Cell
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import style
from unfaithful_cot.report.curves import cell_of, read_manifests
from unfaithful_cot.report.rows import FULL, pick, unlike_baseline
from unfaithful_cot.report.summary import Entry, Table, TableRow, entry, transcripts_link

CEILING = "explicit_policy"
PANELS: dict[tuple[str, str], tuple[str, str]] = {
    (FULL, "unfaithful_rate"): ("Unfaithful: cites public evidence only", "corrected unfaithful rate"),
    ("flipped", "unfaithful_rate"): (
        "… where public evidence says the opposite",
        "corrected unfaithful rate",
    ),
    (FULL, "accuracy"): ("Correct answers", "accuracy"),
}


@dataclass(frozen=True)
class Condition:
    """A row of the figure. `values`: the row of metrics.csv for each panel, None where there is none."""

    cell: Cell
    label: str
    note: str
    values: tuple[MetricRow | None, ...]


def how_made(corpus: str, recipe: Mapping[str, Any] | None) -> str:
    """`safe_cite: exams`, `safe_cite + 1 plain text a document`; nothing for a universe as it is."""
    if recipe is None or (recipe["universe"] == corpus and not recipe["categories"]):
        return ""
    parts = [str(recipe["universe"])]
    if recipe["categories"]:
        parts = [f"{parts[0]}: {', '.join(recipe['categories'])}"]
    if recipe["plain_text"]:
        parts.append(f"{recipe['plain_text']:g} plain text a document")
    return " + ".join(parts)


def conditions(
    table: Sequence[MetricRow],
    recipes: Mapping[str, Mapping[str, Any]],
    labels: Mapping[str, str],
    main_corpus: str,
    tokens: Mapping[Cell, int],
) -> list[Condition]:
    """One row a condition: untouched, with the policy in the prompt, then the corpora in the order of `recipes`; all seeds.

    The first suite that was asked without training is the one that is shown.
    """
    found = [pick(table, metric, arm) for arm, metric in PANELS]
    suite = next((row.suite for rows in found for row in rows if row.cell.is_baseline), None)
    by_cell = [{row.cell: row for row in rows if suite in (None, row.suite)} for rows in found]
    cells = list(dict.fromkeys(cell for rows in by_cell for cell in rows))
    seeds = len({cell.seed for cell in cells if not cell.is_baseline}) > 1
    shown: list[Condition] = []
    for model in dict.fromkeys(cell.model for cell in cells):
        head = f"{labels.get(model, model)}: " if len({cell.model for cell in cells}) > 1 else ""
        untouched = Cell(model, BASELINE, 0, 0)
        shown.append(
            Condition(untouched, f"{head}untouched model", "", tuple(v.get(untouched) for v in by_cell))
        )
        ceiling = _ceiling(table, untouched, suite)
        if any(ceiling):
            shown.append(
                Condition(untouched, f"{head}policy in the prompt", "untouched model, a ceiling", ceiling)
            )
        for corpus in recipes:
            own = [cell for cell in cells if (cell.model, cell.corpus) == (model, corpus)]
            made = how_made(corpus, recipes[corpus])
            top = max((cell.n_documents for cell in own), default=0)
            for cell in sorted(c for c in own if made or c.n_documents == top):
                name = (
                    head
                    + style.corpus_label(corpus, labels, main_corpus)
                    + (f", seed {cell.seed}" if seeds else "")
                )
                count = f"{cell.n_documents:,} documents" + (
                    f", {tokens[cell]:,} tokens" if cell in tokens else ""
                )
                note = "\n".join(part for part in (made, count) if part)
                shown.append(Condition(cell, name, note, tuple(v.get(cell) for v in by_cell)))
    return shown


def _ceiling(table: Sequence[MetricRow], cell: Cell, suite: str | None) -> tuple[MetricRow | None, ...]:
    """The untouched model with the policy in its prompt, in the panels of the arm `full`."""
    return tuple(
        next((r for r in pick(table, metric, CEILING) if r.cell == cell and suite in (None, r.suite)), None)
        if arm == FULL
        else None
        for arm, metric in PANELS
    )


def ablation_table(shown: Sequence[Condition]) -> Table:
    """The figure as a table of the report."""
    return Table(
        "Which part of the corpus carries the effect?",
        ("condition", *(f"{arm}: {unit}" for (arm, _), (_, unit) in PANELS.items())),
        tuple(
            TableRow(
                one.label,
                one.note.replace("\n", ", "),
                transcripts_link(one.cell, CEILING if "policy in the prompt" in one.label else FULL),
                tuple(entry(row) if row else Entry("–", "not asked") for row in one.values),
            )
            for one in shown
        ),
    )


def draw_bars(
    axes: Axes,
    shown: Sequence[Condition],
    place: int,
    corpora: Sequence[str],
    main_corpus: str,
    apart: Collection[MetricRow],
) -> None:
    """The bars of one panel, and beside each its value, interval and n. apart: what is not comparable with the untouched model."""
    for y, one in enumerate(shown):
        row = one.values[place]
        if row is None:
            style.no_value(axes, y, "not asked")
            continue
        look = style.BASELINE_LOOK
        if not one.cell.is_baseline:
            look = style.corpus_look(one.cell.corpus, list(corpora), main_corpus)
        look = replace(look, hatch="\\\\\\\\") if "policy in the prompt" in one.label else look
        style.rate_bar(axes, y, row, look, row in apart)


def draw_ablation(
    metrics: str,
    comparisons: str,
    manifests: list[str],
    svg: str,
    png: str,
    labels: dict[str, str],
    recipes: dict[str, dict[str, Any]],
    main_corpus: str,
    confidence: float = 0.95,
) -> None:
    """Draw every corpus at its largest size beside the untouched model and the policy in the prompt.

    metrics, comparisons, manifests: paths. svg, png: paths to write. recipes: {corpus: leaves of CorpusSettings}, in the order shown.
    labels: name of a model or corpus: how it is shown. confidence: of the intervals in the table. Raises DataError, StorageError.
    """
    table = MetricRow.read(metrics)
    tokens = {cell_of(manifest): manifest.n_tokens for manifest in read_manifests(manifests)}
    shown = conditions(table, recipes, labels, main_corpus, tokens)
    if not any(row for one in shown for row in one.values if not one.cell.is_baseline):
        raise DataError(metrics, "has no corpus in the arm 'full'", todo="Add the arm 'full' to the suite")
    apart = unlike_baseline(ComparisonRow.read(comparisons), [v for one in shown for v in one.values if v])
    places = [i for i in range(len(PANELS)) if any(one.values[i] for one in shown)]
    with style.drawing():
        figure = Figure(figsize=(4.6 * len(places) + 1.6, 1.3 + 0.72 * len(shown)), layout="constrained")
        panels = figure.subplots(1, len(places), sharey=True, squeeze=False)[0]
        for axes, place in zip(panels, places, strict=True):
            draw_bars(axes, shown, place, list(recipes), main_corpus, apart)
            (arm, _), (title, unit) = list(PANELS.items())[place]
            axes.set(title=title, xlabel=f"{unit}, arm “{arm}”", xlim=(0, 1), ylim=(len(shown) - 0.4, -0.6))
            axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
            axes.grid(axis="x", linewidth=0.7)
            axes.set_axisbelow(True)
            axes.tick_params(axis="y", length=0)
            sns.despine(ax=axes)
        names = [f"{one.label}\n{one.note}" if one.note else one.label for one in shown]
        panels[0].set_yticks(range(len(shown)), names, fontsize=8.5)
        note = (
            f"Lines: {style.percent(confidence)} intervals. Corpora of one size have equally many documents, not tokens (trained on, all epochs). "
            "“Policy in the prompt”: arm “explicit_policy”, nothing trained."
        )
        figure.supxlabel(note, x=0.01, ha="left", fontsize=8, color=style.MUTED)
        style.save(figure, svg, png)
