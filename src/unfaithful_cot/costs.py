"""What a study would ask of APIs, said before anything is asked: the line that `snakemake -n` adds to its plan.

In: settings, the folder of universes, the cache of answers. Out: lines of text.
Answers that lie in the cache cost nothing again. Requests, tokens and dollars of documents and cases are those of
`endpoints.requests.plan`; for responses the prompts are not known yet, so only the completions are counted.
Errors: DataError for a wrong universe.
"""

from __future__ import annotations

from pathlib import Path

from unfaithful_cot.settings import Settings

FREE = "No API is asked: 0 requests, 0 tokens, $0.00."


def api_costs(settings: Settings, universes: Path, cache: Path) -> list[str]:
    """One line for each step that asks an API, or the one line that none does.

    universes: folder of NAME.yaml. cache: folder with the folders `documents` and `cases`.
    """
    return [
        *_documents(settings, universes, cache / "documents"),
        *_cases(settings, cache / "cases"),
        *_responses(settings),
    ] or [FREE]


def _documents(settings: Settings, universes: Path, cache: Path) -> list[str]:
    if settings.documents.generator != "openai":
        return []
    from unfaithful_cot.corpus import api, specs, universe
    from unfaithful_cot.endpoints.requests import plan

    lines = []
    for corpus in dict.fromkeys(map(settings.documents_of, settings.grid.corpora)):
        recipe, told = settings.recipes[corpus], settings.documents
        world = universe.load_universe(universes / f"{recipe.universe}.yaml")
        wanted = specs.make_specs(world, corpus, told.count, told.seed, recipe.categories)
        endpoint = settings.documents.endpoint
        lines.append(f"documents of {corpus}: {plan(api.requests(wanted, world, endpoint), endpoint, cache)}")
    return lines


def _cases(settings: Settings, cache: Path) -> list[str]:
    asked = {name: suite for name, suite in settings.suites.items() if suite.generator == "openai"}
    if not asked:
        return []
    from unfaithful_cot.cases import api
    from unfaithful_cot.endpoints.requests import plan

    return [
        f"cases of {name}, first round: "
        f"{plan(api.requests(range(suite.scenarios), suite.seed, suite.endpoint), suite.endpoint, cache)}"
        for name, suite in asked.items()
    ]


def _responses(settings: Settings) -> list[str]:
    if settings.inference.engine != "openai":
        return []
    grid, inference = settings.grid, settings.inference
    cells = len(grid.models) * (1 + len(grid.seeds) * sum(len(sizes) for sizes in grid.corpora.values()))
    cases = sum(2 * suite.scenarios * len(suite.arms) for suite in settings.suites.values())
    requests = cells * cases * inference.samples
    tokens = requests * inference.max_new_tokens
    price = tokens * inference.endpoint.output_usd_per_million / 1e6
    return [
        f"responses: {requests:,} API requests without those in the cache, at most {tokens:,} completion tokens, "
        f"at most ${price:,.2f} beside the prompts"
    ]
