"""Which figures a study has: what figures.FIGURES wants to know of it, read from its files.

In: StudyFiles. Out: names of figures and their paths. Errors: none.
"""

from __future__ import annotations

from unfaithful_cot.cases.swapped import SIDES
from unfaithful_cot.plan.files import StudyFiles
from unfaithful_cot.report import words
from unfaithful_cot.report.figures import FIGURES, Planned

SENSITIVITY = "sensitivity"  # the figure that has a table of its own


def page_suites(files: StudyFiles, page: str) -> list[str]:
    """The suites that a part of the report shows."""
    return [name for name, suite in files.settings.suites.items() if words.PAGES[suite.experiment] == page]


def figures_of(files: StudyFiles) -> list[str]:
    """Names of the figures of a study, in order."""
    suites = files.settings.suites
    study = Planned(
        pages=frozenset(words.PAGES[suite.experiment] for suite in suites.values()),
        trained=any(cell.organism is None for cell in files.load.cells),
        derived=bool(files.settings.corpora),
        templates=len(files.settings.wordings),
        organisms=bool(files.load.organism_suites) and any(cell.organism for cell in files.load.cells),
        near_misses=any(set(suites[name].arms) - set(SIDES) for name in files.load.organism_suites),
        swapped=bool(files.swapped_grades),
    )
    return [name for name, figure in FIGURES.items() if figure.when(study)]


def figure_files(files: StudyFiles, *kinds: str) -> list[str]:
    """The files of all figures. kinds: svg, png; with both, the table of the figures that have one of their own as well."""
    names = figures_of(files)
    found = [f"{files.root}/figures/{name}.{kind}" for name in names for kind in kinds]
    return found + (
        [f"{files.root}/prompt_sensitivity.csv"] if len(kinds) > 1 and SENSITIVITY in names else []
    )
