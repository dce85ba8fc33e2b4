"""The cells of a study: what is trained, each of it once.

In: Settings. Out: list[Cell], those on documents before those of organisms. Errors: none.
The untouched model is no cell; its files lie under `{model}/baseline`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from unfaithful_cot.config.sources import adapter_source
from unfaithful_cot.config.study import Settings
from unfaithful_cot.records import cells


class Cell(NamedTuple):
    """One training. n_documents: documents, or triggered rows of an organism; organism: None for what is trained on documents."""

    model: str
    corpus: str
    n_documents: int
    seed: int
    organism: str | None = None

    @property
    def path(self) -> str:
        """As the names of folders: {model}/{corpus}/n{n_documents}/s{seed}."""
        return cells.Cell(self.model, self.corpus, self.n_documents, self.seed).path

    @property
    def reasons(self) -> bool:
        """Whether it is trained with reasoning; an organism's control is not."""
        return self.organism in (None, self.corpus)


def cells_of(settings: Settings) -> list[Cell]:
    """Every cell of a study: models, corpora, sizes and seeds in the order of the configuration."""
    documents = {corpus: (None, sizes) for corpus, sizes in settings.grid.corpora.items()}
    organisms = {
        corpus: (name, sizes)
        for name, organism in settings.organisms.items()
        for corpus, sizes in organism.corpora(name).items()
    }
    return [*_cells(settings, documents), *_cells(settings, organisms)]


def _cells(settings: Settings, corpora: Mapping[str, tuple[str | None, list[int]]]) -> Iterator[Cell]:
    for model in settings.grid.models:
        for corpus, (organism, sizes) in corpora.items():
            for size in sizes:
                yield from (Cell(model, corpus, size, seed, organism) for seed in settings.grid.seeds)


def baseline(model: str) -> str:
    """The path of an untouched model, where a cell has its own."""
    return cells.Cell(model, cells.BASELINE, 0, 0).path


def sizes_of(settings: Settings, corpus: str) -> list[int]:
    """The sizes of a corpus of the grid, or of an organism."""
    return list(dict.fromkeys(cell.n_documents for cell in cells_of(settings) if cell.corpus == corpus))


def corpora_taken(settings: Settings) -> list[str]:
    """The corpora whose adapters are taken from the Hub."""
    return [
        name
        for name in [*settings.grid.corpora, *settings.organism_corpora]
        if adapter_source(settings, name)
    ]


def trained_here(settings: Settings, model: str, organisms: bool = False) -> list[Cell]:
    """The cells of a model that this study trains itself: those on documents, or the organisms."""
    taken = corpora_taken(settings)
    return [
        cell
        for cell in cells_of(settings)
        if cell.model == model and cell.corpus not in taken and (cell.organism is not None) == organisms
    ]
