"""What a study would ask of APIs, said before anything is asked: the line that `snakemake -n` adds to its plan.

In: settings, the folder of universes, the cache of answers. Out: lines of text.
Answers that lie in the cache cost nothing again. Requests, tokens and dollars of documents and cases are those of
`endpoints.requests.plan`; for responses the prompts are not known yet, so only the completions are counted. What judges are
asked is counted exactly for responses that exist, and estimated from above for those that are still to be made. Batch mode
costs half. Where a part has a ceiling (`endpoint.max_usd`), its line says so, what was spent of it, and whether it is too low.
Errors: DataError for a wrong universe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from unfaithful_cot.config.documents import DocumentSettings
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.grading import JudgeSettings
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.config.sources import corpora_written
from unfaithful_cot.config.study import Settings
from unfaithful_cot.plan.workload import Workload

if TYPE_CHECKING:
    from unfaithful_cot.endpoints.requests import Plan
    from unfaithful_cot.records.documents import DocumentSpec

CASE_TOKENS = 400  # of question, options and evidence, generously
FREE = "No API is asked: 0 requests, 0 tokens, $0.00."


def api_costs(settings: Settings, universes: Path, cache: Path, judged: Sequence[str] = ()) -> list[str]:
    """One line for each step that asks an API, or the one line that none does.

    universes: folder of NAME.yaml. cache: folder with the folders `documents`, `cases` and `judges`. judged: the grade
    files of judges, results/{study}/grades/{cell}/{suite}.judge_{judge}.jsonl.
    """
    documents = list(document_plans(settings, universes, cache / "documents"))
    load = Workload(settings, universes)
    pairs = sum(map(load.known_pairs, settings.grading.judges.values()))
    return [
        *(f"{what}: {asked}" for what, asked in documents),
        *_together([asked for _, asked in documents]),
        *(f"{what}, first round: {asked}" for what, asked in case_plans(settings, cache / "cases")),
        *_teachers(load),
        *_responses(load),
        *_judges(load, judged, cache / "judges"),
        *([f"judges on known pairs: {pairs:,} API requests without those in the cache"] if pairs else []),
    ] or [FREE]


def _together(plans: Sequence[Plan]) -> list[str]:
    """One line where several jobs share a ceiling that each of them keeps, and all of them do not."""
    from unfaithful_cot.endpoints.requests import ceiling_words

    needed = sum(asked.cost_usd for asked in plans)
    if not all(asked.fits for asked in plans) or not plans or plans[0].ceiling_usd is None:
        return []
    if plans[0].spent_usd + needed <= plans[0].ceiling_usd:
        return []
    return [
        f"documents together: about ${needed:,.2f}{ceiling_words(plans[0].ceiling_usd, plans[0].spent_usd, needed)}"
    ]


def _upper(endpoint: EndpointSettings, prompt_tokens: int, completion_tokens: int) -> tuple[float, str]:
    """The highest price of some tokens, and what its line says of a ceiling: not whether it holds, for less may be enough."""
    from unfaithful_cot.endpoints.requests import ceiling_words, cost_usd
    from unfaithful_cot.endpoints.spending import Ledger

    spent = Ledger(endpoint.ledger).total() if endpoint.max_usd else 0.0
    return cost_usd(endpoint, prompt_tokens, completion_tokens), ceiling_words(endpoint.max_usd, spent, 0.0)


def document_plans(settings: Settings, universes: Path, cache: Path) -> Iterator[tuple[str, Plan]]:
    """(`documents of CORPUS`, what the API would be asked for them) of each corpus that an API writes, and of its revision."""
    if settings.documents.generator != "openai":
        return
    from unfaithful_cot.corpus import api, specs, universe
    from unfaithful_cot.endpoints.requests import plan
    from unfaithful_cot.endpoints.templates import FOLDER

    for corpus in corpora_written(settings):
        recipe, documents = settings.recipes[corpus], settings.documents
        world = universe.load_universe(universes / f"{recipe.universe}.yaml")
        wanted = specs.make_specs(world, corpus, documents.count, documents.seed, recipe.categories)
        prompt = FOLDER / f"{documents.prompt}.yaml"
        asked = api.requests(wanted, world, documents.endpoint, prompt)
        yield f"documents of {corpus}", plan(asked, documents.endpoint, cache)
        if documents.revision.rounds:
            folder = cache.parents[1] / settings.study / "corpora" / corpus
            file = universes / f"{recipe.universe}.yaml"
            yield (
                f"revision of {corpus}, {_rounds(documents)}",
                _revision(documents, wanted, file, folder, cache),
            )


def _rounds(documents: DocumentSettings) -> str:
    return "1 round" if documents.revision.rounds == 1 else f"{documents.revision.rounds} rounds"


def _revision(
    documents: DocumentSettings, wanted: Sequence[DocumentSpec], universe: Path, corpus: Path, cache: Path
) -> Plan:
    """Every document in every round, unless all of that was done; what an interrupted run kept is not counted off.

    corpus: the folder of the corpus. The drafts are not read: that would take longer than a plan may.
    """
    from unfaithful_cot.corpus import revise
    from unfaithful_cot.corpus.cast import NAMES
    from unfaithful_cot.corpus.universe import load_universe
    from unfaithful_cot.endpoints.requests import plan
    from unfaithful_cot.endpoints.templates import FOLDER

    prompt, rounds = FOLDER / f"{documents.revision.prompt}.yaml", documents.revision.rounds
    asked = revise.expected_requests(wanted, load_universe(universe), documents.endpoint, rounds, prompt)
    expected = plan(asked, documents.endpoint, cache)
    if not revise.is_done(corpus, universe, prompt, NAMES, documents.endpoint, rounds):
        return expected
    return replace(
        expected,
        n_cached=expected.n_requests,
        prompt_tokens=0,
        completion_tokens=0,
        cost_usd=0.0,
        max_cost_usd=0.0,
    )


def case_plans(settings: Settings, cache: Path) -> Iterator[tuple[str, Plan]]:
    """(`cases of SUITE`, what the API would be asked for them in the first round) of each suite that an API writes."""
    asked = {name: suite for name, suite in settings.suites.items() if suite.generator == "openai"}
    if not asked:
        return
    from unfaithful_cot.cases import api
    from unfaithful_cot.endpoints.requests import plan

    for name, suite in asked.items():
        requests = api.requests(range(suite.scenarios), suite.seed, suite.endpoint, suite.options)
        yield f"cases of {name}", plan(requests, suite.endpoint, cache)


def _teachers(load: Workload) -> list[str]:
    """What the teachers of organisms are asked through an API."""
    lines = []
    for name, requests in load.teachers.items():
        asked = load.settings.organisms[name].teacher.inference
        if asked.engine == "openai":
            lines.append(f"reasoning of the teacher of {name}: {_answering(asked, requests)}")
    return lines


def _responses(load: Workload) -> list[str]:
    inference = load.settings.inference
    if inference.engine != "openai":
        return []
    return [f"responses: {_answering(inference, load.responses() + load.swapped_responses())}"]


def _answering(inference: InferenceSettings, requests: int) -> str:
    """Requests for answers; the prompts are not known yet."""
    tokens = requests * inference.max_new_tokens
    price, ceiling = _upper(inference.endpoint, 0, tokens)
    return (
        f"{requests:,} API requests without those in the cache, at most {tokens:,} completion tokens, "
        f"at most ${price:,.2f} beside the prompts{ceiling}"
    )


def _judges(load: Workload, judged: Sequence[str], cache: Path) -> list[str]:
    """One line a judge for responses that exist, one for those that do not yet."""
    lines, settings = [], load.settings
    for name, judge in settings.grading.judges.items():
        suffix = f".judge_{name}.jsonl"
        bases = [path.removesuffix(suffix) for path in judged if path.endswith(suffix)]
        there = [base for base in bases if _responses_of(base).exists() and _cases_of(base).exists()]
        if there:
            lines.append(f"judge {name}: {_judge_plan(settings, judge, there, cache)}")
        if len(there) < len(bases):
            lines.append(f"judge {name}, {_judge_guess(load, judge, sorted(set(bases) - set(there)))}")
    return lines


def _responses_of(base: str) -> Path:
    return Path(base.replace("/grades/", "/responses/", 1) + ".jsonl")


def _cases_of(base: str) -> Path:
    return Path(base.partition("/grades/")[0]) / "cases" / f"{Path(base).name}.jsonl"


def _rubric_of(settings: Settings, judge: JudgeSettings, base: str) -> Path:
    return Path("resources/rubrics") / f"{judge.rubric_of(settings.suites[Path(base).name].experiment)}.yaml"


def _judge_plan(settings: Settings, judge: JudgeSettings, bases: Sequence[str], cache: Path) -> str:
    from unfaithful_cot.endpoints.requests import plan
    from unfaithful_cot.grading.judge import requests

    asked = [
        request
        for base in bases
        for request in requests(
            str(_responses_of(base)), str(_cases_of(base)), _rubric_of(settings, judge, base), judge.endpoint
        )
    ]
    return str(plan(asked, judge.endpoint, cache))


def _judge_guess(load: Workload, judge: JudgeSettings, bases: Sequence[str]) -> str:
    """Every channel of every response, none in the cache; the prompt holds rubric, case and a response of full length."""
    requests = tokens = 0
    inference = load.settings.inference
    for base in bases:
        rubric = _rubric_of(load.settings, judge, base)
        n = load.n_judged(judge, Path(base).name)
        requests += n
        tokens += n * (rubric.stat().st_size // 4 + CASE_TOKENS + inference.max_new_tokens)
    completion = requests * judge.endpoint.max_tokens
    price, ceiling = _upper(judge.endpoint, tokens, completion)
    return (
        f"responses that are still to be made: at most {requests:,} API requests, about {tokens:,} prompt tokens, "
        f"at most {completion:,} completion tokens, at most ${price:,.2f}{ceiling}"
    )
