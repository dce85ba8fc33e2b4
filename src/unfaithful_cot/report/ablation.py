"""Which part of the corpus carries the effect? Universes at their largest size, parts and mixtures at all of theirs, beside the untouched model and the policy in its prompt.

In: View, with the manifests (tokens that each adapter was trained on) and how each corpus is made. Out: a figure, a bar for each
condition in up to three panels, and the same as a table for the report. What corpora of one size have in common is the number of
documents, so the tokens stand beside the name. A value that is missing is stated, not drawn. Errors: DataError when no corpus was measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cells import BASELINE, Cell
from unfaithful_cot.records.tables import MetricRow
from unfaithful_cot.report import style, words
from unfaithful_cot.report.tables import Entry, Row, Table, entry, rates, transcripts_link
from unfaithful_cot.report.view import FULL, View

CEILING = "explicit_policy"
PANELS = ((FULL, "unfaithful_rate"), ("flipped", "unfaithful_rate"), (FULL, "accuracy"))


@dataclass(frozen=True)
class Condition:
    """A row of the figure, asked in `arm`. `values`: the row of metrics.csv for each panel, None where there is none."""

    cell: Cell
    label: str
    note: str
    values: tuple[MetricRow | None, ...]
    arm: str = FULL


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


def conditions(view: View) -> list[Condition]:
    """One row a condition: untouched, with the policy in the prompt, then the corpora in the order of the recipes; all seeds.

    The first suite that was asked without training is the one that is shown.
    """
    found = [view.pick(metric, arm) for arm, metric in PANELS]
    suite = next((row.suite for rows in found for row in rows if row.cell.is_baseline), None)
    by_cell = [{row.cell: row for row in rows if suite in (None, row.suite)} for rows in found]
    cells = list(dict.fromkeys(cell for rows in by_cell for cell in rows))
    shown: list[Condition] = []
    for model in dict.fromkeys(cell.model for cell in cells):
        head = f"{view.model(model)}: " if len({cell.model for cell in cells}) > 1 else ""
        untouched = Cell(model, BASELINE, 0, 0)
        values = tuple(rows.get(untouched) for rows in by_cell)
        shown.append(Condition(untouched, f"{head}{words.UNTOUCHED}", "", values))
        if any(ceiling := _ceiling(view, untouched, suite)):
            shown.append(Condition(untouched, f"{head}{words.CEILING}", words.CEILING_NOTE, ceiling, CEILING))
        for cell, label, note in _trained(view, [cell for cell in cells if cell.model == model]):
            shown.append(Condition(cell, head + label, note, tuple(rows.get(cell) for rows in by_cell)))
    return shown


def _trained(view: View, cells: Sequence[Cell]) -> Iterator[tuple[Cell, str, str]]:
    """Trained conditions of a model in the order shown, with label and note."""
    seeds = len({cell.seed for cell in cells if not cell.is_baseline}) > 1
    for corpus, recipe in view.recipes.items():
        own = [cell for cell in cells if cell.corpus == corpus]
        made = how_made(corpus, recipe)
        top = max((cell.n_documents for cell in own), default=0)
        for cell in sorted(c for c in own if made or c.n_documents == top):
            tokens = f", {view.tokens[cell]:,} tokens" if cell in view.tokens else ""
            note = "\n".join(part for part in (made, f"{cell.n_documents:,} documents{tokens}") if part)
            yield cell, view.corpus(corpus) + (f", seed {cell.seed}" if seeds else ""), note


def _ceiling(view: View, cell: Cell, suite: str | None) -> tuple[MetricRow | None, ...]:
    """The untouched model with the policy in its prompt, in the panels of the arm `full`."""
    return tuple(
        next((r for r in view.pick(metric, CEILING) if r.cell == cell and suite in (None, r.suite)), None)
        if arm == FULL
        else None
        for arm, metric in PANELS
    )


def ablation_table(view: View) -> Table:
    """The figure as a table of the report."""
    return rates(
        words.FIGURES["ablation"][0] + "?",
        [f"{arm}: {words.PANELS[metric][1]}" for arm, metric in PANELS],
        (
            Row(
                (
                    Entry(one.note.replace("\n", ", "), link=transcripts_link(one.cell, one.arm)),
                    *(entry(row, "not asked") for row in one.values),
                ),
                one.label,
            )
            for one in conditions(view)
        ),
    )


def draw_bars(axes: Axes, shown: Sequence[Condition], place: int, view: View) -> None:
    """The bars of one panel, and beside each its value, interval and n."""
    for y, one in enumerate(shown):
        row = one.values[place]
        look = view.look(one.cell, view.recipes)
        look = replace(look, hatch=style.APART_HATCH) if one.arm == CEILING else look
        apart = row is not None and view.unlike(row) is not None
        style.bar(axes, y, row, look, style.below(row, apart), apart=apart)


def draw_ablation(view: View) -> Figure:
    """Every corpus beside the untouched model and the policy in the prompt. Raises DataError."""
    shown = conditions(view)
    if not any(row for one in shown for row in one.values if not one.cell.is_baseline):
        raise DataError(
            "metrics.csv", "has no corpus in the arm 'full'", todo="Add the arm 'full' to the suite"
        )
    places = [i for i in range(len(PANELS)) if any(one.values[i] for one in shown)]
    figure = Figure(figsize=(4.6 * len(places) + 1.6, 1.3 + 0.72 * len(shown)), layout="constrained")
    panels = style.row_of_panels(figure, len(places))
    for axes, place in zip(panels, places, strict=True):
        arm, metric = PANELS[place]
        title, unit = words.PANELS[metric]
        draw_bars(axes, shown, place, view)
        title = title if arm == FULL else words.FLIPPED_PANEL
        style.share_axes(axes, title, f"{unit}, arm “{arm}”", len(shown) - 0.4)
    names = [f"{one.label}\n{one.note}" if one.note else one.label for one in shown]
    panels[0].set_yticks(range(len(shown)), names, fontsize=8.5)
    style.foot_note(figure, words.NOTES["ablation"].format(interval=view.interval))
    return figure
