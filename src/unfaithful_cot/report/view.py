"""A study as pages and figures see it: its tables, and how its models, corpora and conditions are named.

In: tables, manifests, and what the configuration says about them. Out: View, built once by `open_view` and handed to everything
that is drawn or written. Errors: those of the tables (TableRow.read); DataError for a file that is no manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import trained_on
from unfaithful_cot.records import tables as csv
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.cells import BASELINE, Cell
from unfaithful_cot.records.responses import Response
from unfaithful_cot.records.table_row import TableRow
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import style, words

FULL = "full"
DIRECT = "_direct"
CONTROL = "neutral"
PREFERRED_GRADER = "rules"
TABLES: dict[str, type[TableRow]] = {
    "metrics": csv.MetricRow,
    "comparisons": csv.ComparisonRow,
    "pooled": csv.PooledRow,
    "slopes": csv.SlopeRow,
    "power": csv.PowerRow,
    "agreement": csv.AgreementRow,
    "band": csv.BandRow,
    "mechanism": csv.MechanismRow,
    "monitors": csv.MonitorRow,
    "monitor_curves": csv.CurvePoint,
    "detectors": csv.DetectorRow,
    "categories": csv.CategoryRow,
}
"""Name of a file without .csv -> the class of its rows."""

Row = TypeVar("Row", bound=TableRow)
Place = tuple[str, Cell]


def cell_of(record: Manifest | Response) -> Cell:
    """The cell that an adapter or a response belongs to."""
    it = record.condition if isinstance(record, Response) else record
    return Cell(it.model, it.corpus, it.n_documents, it.seed)


def row_cell(row: Any) -> Cell:
    """The condition that a row of any table belongs to."""
    return Cell(row.model, row.corpus, row.n_documents, row.seed)


@dataclass(frozen=True, eq=False)
class View:
    """A study, read only.

    labels: name of a model or corpus -> how it is shown. main_corpus: what the study is about. confidence: of the intervals in the
    tables. organisms: corpus of pairs -> its experiment. recipes: {corpus: leaves of CorpusSettings}. templates: {suite: prompt
    template} of suites that ask the same scenarios. chance: of a choice in recall. manifests: of the adapters.
    """

    tables: Mapping[type[TableRow], Sequence[TableRow]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    main_corpus: str = ""
    confidence: float = 0.95
    organisms: Mapping[str, str] = field(default_factory=lambda: {name: name for name in trained_on("pairs")})
    recipes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    chance: float = 0.0
    manifests: Sequence[Manifest] = ()

    # ------------------------------------------------------------ rows

    def rows(self, kind: type[Row]) -> list[Row]:
        """The rows of a table in the order of its file; none where the study does not have it."""
        return cast("list[Row]", list(self.tables.get(kind, ())))

    @cached_property
    def metrics(self) -> list[MetricRow]:
        """metrics.csv."""
        return self.rows(MetricRow)

    @cached_property
    def comparisons(self) -> list[ComparisonRow]:
        """comparisons.csv."""
        return self.rows(ComparisonRow)

    @cached_property
    def _by_metric(self) -> dict[tuple[str, str], list[MetricRow]]:
        found: dict[tuple[str, str], list[MetricRow]] = {}
        for row in self.metrics:
            found.setdefault((words.PAGES.get(row.experiment, ""), row.metric), []).append(row)
        return found

    def pick(self, metric: str, arm: str = FULL, page: str = words.TOGGLE) -> list[MetricRow]:
        """The rows of a metric and arm, by the rules where they gave it, else by the first grader of the file."""
        rows = self._by_metric.get((page, metric), [])
        graders = [row.grader for row in rows]
        grader = PREFERRED_GRADER if PREFERRED_GRADER in graders else next(iter(graders), None)
        return [row for row in rows if (row.arm, row.grader) == (arm, grader)]

    def at(self, metric: str, cell: Cell, suite: str, arm: str = FULL) -> MetricRow | None:
        """The row of a condition asked in a suite."""
        return next((row for row in self.pick(metric, arm) if (row.cell, row.suite) == (cell, suite)), None)

    @cached_property
    def _tests(self) -> dict[tuple[str, ...], ComparisonRow]:
        found: dict[tuple[str, ...], ComparisonRow] = {}
        for each in self.comparisons:
            key = (
                each.experiment,
                each.metric,
                each.model,
                each.suite,
                each.arm,
                each.grader,
                each.a,
                each.b,
            )
            found.setdefault(key, each)
        return found

    def test(self, row: MetricRow, a: str = BASELINE) -> ComparisonRow | None:
        """The comparison of a row's condition with the condition `a`, None where there is none."""
        key = (row.experiment, row.metric, row.model, row.suite, row.arm, row.grader, a, row.cell.name)
        return self._tests.get(key)

    def unlike(self, row: MetricRow) -> str | None:
        """Why a row must not be set against the untouched model; None where it may."""
        test = self.test(row)
        return None if test is None or test.comparable else test.reason

    @cached_property
    def tokens(self) -> dict[Cell, int]:
        """Supervised tokens that each adapter was trained on."""
        return {cell_of(manifest): manifest.n_tokens for manifest in self.manifests}

    # ------------------------------------------------------------ names

    @property
    def interval(self) -> str:
        """The confidence of intervals: `95 %`."""
        return style.percent(self.confidence)

    def organism_of(self, corpus: str) -> str | None:
        """The experiment that a corpus of pairs belongs to; None for a corpus of documents."""
        return self.organisms.get(corpus.removesuffix(DIRECT)) if corpus else None

    def is_direct(self, corpus: str) -> bool:
        """Whether a corpus is an organism's control, trained without reasoning."""
        return corpus.endswith(DIRECT) and self.organism_of(corpus) is not None

    def model(self, name: str) -> str:
        """A model as it is shown."""
        return self.labels.get(name, name)

    def corpus(self, name: str) -> str:
        """`safe_cite`, `neutral (control)`, or an organism `without reasoning`."""
        if self.is_direct(name):
            base = name.removesuffix(DIRECT)
            return f"{self.labels.get(name, self.labels.get(base, base))} without reasoning"
        control = " (control)" if name == CONTROL != self.main_corpus else ""
        return self.labels.get(name, name) + control

    def condition(self, cell: Cell, show_seed: bool | None = None) -> str:
        """`untouched model`, or `safe_cite, 4,000 documents`; a seed other than 0 is named unless `show_seed` says otherwise."""
        if cell.is_baseline:
            return words.UNTOUCHED
        shown = cell.seed > 0 if show_seed is None else show_seed
        seed = f", seed {cell.seed}" if shown else ""
        rows = "triggered rows" if self.organism_of(cell.corpus) else "documents"
        return f"{self.corpus(cell.corpus)}, {cell.n_documents:,} {rows}{seed}"

    def order(self, cell: Cell) -> tuple[object, ...]:
        """Conditions in the order of a reader: by model, untouched first, then the main corpus, sizes rising."""
        return (cell.model, not cell.is_baseline, cell.corpus != self.main_corpus, *cell[1:])

    def names(self, places: Sequence[Place]) -> list[str]:
        """A name of several lines for each (suite, condition); model and suite only where there are several."""
        models, suites = {cell.model for _, cell in places}, {suite for suite, _ in places}
        return [
            "\n".join(
                [
                    *([self.model(cell.model)] if len(models) > 1 else []),
                    *([suite] if len(suites) > 1 else []),
                    self.condition(cell).replace(", ", "\n", 1),
                ]
            )
            for suite, cell in places
        ]

    def look(self, cell: Cell, corpora: Iterable[str]) -> style.Look:
        """The look of a condition: grey, that of the main corpus, or by the place of its corpus among the others."""
        if cell.is_baseline:
            return style.BASELINE_LOOK
        if cell.corpus == self.main_corpus:
            return style.MAIN_LOOK
        others = sorted({name for name in corpora if name not in (self.main_corpus, BASELINE)})
        return style.OTHER_LOOKS[others.index(cell.corpus) % len(style.OTHER_LOOKS)]


def largest(cells: Iterable[Cell], view: View) -> list[Cell]:
    """The untouched model, the main corpus at its largest size, then the other corpora at theirs; all seeds."""
    found = list(dict.fromkeys(cells))
    top = {
        corpus: max(c.n_documents for c in found if c.corpus == corpus)
        for corpus in {c.corpus for c in found}
    }
    return sorted((cell for cell in found if cell.n_documents == top[cell.corpus]), key=view.order)


def open_view(tables: Iterable[str], manifests: Iterable[str], shown: Mapping[str, Any]) -> View:
    """The view of a study.

    tables: paths of CSVs, known by their file names. manifests: paths. shown: the other fields of View. Raises: DataError.
    """
    read = {TABLES[Path(path).stem]: TABLES[Path(path).stem].read(path) for path in tables}
    return View(read, manifests=read_manifests(manifests), **shown)


def read_manifests(paths: Iterable[str]) -> list[Manifest]:
    """The manifests of the adapters: one JSON value a file."""
    found = []
    for path in paths:
        try:
            found.append(Manifest.model_validate_json(Path(path).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            problem = f"is no manifest ({str(error).splitlines()[0]})"
            raise DataError(path, problem, todo="Rerun: snakemake -R train_adapter") from None
    return found
