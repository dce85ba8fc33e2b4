"""Rule draw_figure: a figure of figures.FIGURES by its name, and the table that says the same.

In: a name, tables, and what the configuration says about them. Out: SVG and PNG. A figure that has nothing to draw says so.
Errors: those of open_view; DataError for tables that lack what a figure is about; StorageError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, cast

from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError, known
from unfaithful_cot.report import style, words
from unfaithful_cot.report.figures import FIGURES, PACKAGE
from unfaithful_cot.report.tables import Table
from unfaithful_cot.report.view import View, open_view


def function_of(place: str) -> Callable[[View], Any]:
    """`pair.draw_pair` as the function."""
    module, _, name = place.partition(".")
    return cast("Callable[[View], Any]", getattr(import_module(f"{PACKAGE}.{module}"), name))


def table_of(name: str, view: View) -> Table | None:
    """The numbers of a figure as a table; None where it has none."""
    place = FIGURES[name].table if name in FIGURES else ""
    return cast("Table | None", function_of(place)(view)) if place else None


def draw_figure(
    figure: str,
    tables: Iterable[str],
    svg: str,
    png: str,
    shown: Mapping[str, Any],
    manifests: Iterable[str] = (),
) -> None:
    """Rule: draw a figure of FIGURES.

    Args:
        figure: its name.
        tables: paths of the CSVs that it reads.
        svg, png: paths to write.
        shown: fields of View that the configuration gives; None for one that the figure does not need.
        manifests: paths of manifests of adapters.

    Raises:
        DataError: a table cannot be read, or lacks what the figure is about.
        StorageError: the disk cannot take the files.
    """
    if figure not in FIGURES:
        raise DataError(svg, f"no figure is called '{figure}'", known(figure, list(FIGURES)))
    view = open_view(tables, manifests, {name: value for name, value in shown.items() if value is not None})
    with style.drawing():
        style.save(function_of(FIGURES[figure].draw)(view) or nothing_to_draw(), svg, png)


def nothing_to_draw() -> Figure:
    """A picture that says that there is nothing."""
    figure = Figure(figsize=(6, 0.8), layout="constrained")
    figure.text(0.02, 0.4, words.NOTHING_TO_DRAW, color=style.MUTED)
    return figure
