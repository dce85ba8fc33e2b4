"""A cell of a study: a model before or after training, and how it is named in tables and paths."""

from __future__ import annotations

from typing import NamedTuple

BASELINE = "baseline"
PATTERN = "{model}/{corpus}/n{n_documents}/s{seed}"
"""The path of a cell below `adapters/`, `responses/` and `grades/`."""


class Cell(NamedTuple):
    """A model in one condition; `n_documents` 0 and corpus `baseline` for the untouched model."""

    model: str
    corpus: str
    n_documents: int
    seed: int

    @property
    def is_baseline(self) -> bool:
        """Whether this is the untouched model."""
        return self.corpus == BASELINE

    @property
    def name(self) -> str:
        """The condition without its model, as comparisons.csv writes it: `safe_cite/n4000/s0`."""
        return self.path.removeprefix(f"{self.model}/")

    @property
    def path(self) -> str:
        """The cell as files are named: `reference/safe_cite/n4000/s0`, or `reference/baseline`."""
        return f"{self.model}/{BASELINE}" if self.is_baseline else PATTERN.format(**self._asdict())
