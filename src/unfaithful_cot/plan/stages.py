"""Estimated hours and dollars of each stage of a study: documents, cases, training, answering, judging.

In: settings, models, what APIs would be asked (costs.py), speeds (cards.py). Out: Stage objects, and the lines that show them.
Errors: DataError for a wrong universe.
GPU hours are tokens / (tokens a second of one card) and the start of each job; several cards share them. What is finished or
cached already is subtracted for API requests only, so that the estimate is that of a study begun anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.config.models import ModelSettings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.endpoints.requests import cost_usd
from unfaithful_cot.plan.cards import Work, known, speed
from unfaithful_cot.plan.costs import CASE_TOKENS, case_plans, document_plans
from unfaithful_cot.plan.findings import table
from unfaithful_cot.plan.workload import RUBRICS, Trainings, Workload


@dataclass(frozen=True)
class Stage:
    """One part of a study. hours: of one card, or of an API; None: not known, or moments. usd: expected, max_usd: at most."""

    name: str
    part: str
    amount: str
    hours: float | None
    usd: float
    max_usd: float
    gpu: bool = False
    basis: str = ""


@dataclass(frozen=True)
class Cells:
    """Trainings of one model: how many, and of how many rows together."""

    training: TrainingSettings
    jobs: int
    rows: int
    row_tokens: float


class Rented(NamedTuple):
    """The card that is reckoned with, the price of its hour, and whether weights are in 4 bit."""

    card: str
    usd: float
    in_4bit: bool


class Tokens(NamedTuple):
    """Expected, and at most."""

    about: float
    most: float


def stages(
    settings: Settings, models: dict[str, ModelSettings], universes: Path, cache: Path, card: str
) -> list[Stage]:
    """All stages, in the order in which they run. card: name of the GPU that is reckoned with."""
    on = Rented(card, settings.prices.gpu_usd_per_hour, settings.loading.use_4bit)
    load = Workload(settings, universes)
    return [
        *_written(settings, universes, cache),
        *_teachers(load, models, on),
        *_trained(settings, models, universes, on),
        *_answered(load, models, on),
        *_judged(load),
    ]


def _api(
    name: str, part: str, requests: int, usd: float, max_usd: float, endpoint: EndpointSettings
) -> Stage:
    hours = requests * known().assumed.request_s / min(endpoint.concurrency, max(requests, 1)) / 3600
    batch = endpoint.mode == "batch"
    return Stage(name, part, f"{requests:,} requests", None if batch else hours, usd, max_usd,
                 basis="batches, a day each at most" if batch else f"{endpoint.concurrency} requests in flight")  # fmt: skip


def _written(settings: Settings, universes: Path, cache: Path) -> Iterator[Stage]:
    for what, plan in document_plans(settings, universes, cache / "documents"):
        endpoint, requests = settings.documents.endpoint, plan.n_requests - plan.n_cached
        yield _api(
            "documents",
            what.removeprefix("documents of "),
            requests,
            plan.cost_usd,
            plan.max_cost_usd,
            endpoint,
        )
    for what, plan in case_plans(settings, cache / "cases"):
        suite = what.removeprefix("cases of ")
        endpoint, requests = settings.suites[suite].endpoint, plan.n_requests - plan.n_cached
        yield _api("cases", suite, requests, plan.cost_usd, plan.max_cost_usd, endpoint)


def _gpu(
    name: str, part: str, work: Work, tokens: Tokens, jobs: int, model: ModelSettings, on: Rented
) -> Stage:
    """A stage on cards, or on the CPU where the model asks for none."""
    amount = f"{tokens.about / 1e6:,.1f}M tokens in {jobs} job{'s' * (jobs != 1)}"
    if not model.gpus:
        return Stage(name, part, amount, None, 0.0, 0.0, basis="on the CPU")
    found = speed(work, model.parameters, on.card, on.in_4bit)
    start = jobs * known().assumed.job_s
    hours, longest = ((start + count / found.tokens_per_s) / 3600 for count in tokens)
    return Stage(name, part, amount, hours, hours * on.usd, longest * on.usd, True, found.basis)


def _teachers(load: Workload, models: dict[str, ModelSettings], on: Rented) -> Iterator[Stage]:
    for name, requests in load.teachers.items():
        teacher = load.settings.organisms[name].teacher
        asked = teacher.inference
        tokens = Tokens(_response_tokens(asked.max_new_tokens) * requests, asked.max_new_tokens * requests)
        if teacher.model:
            yield _gpu("teacher", name, "answering", tokens, 1, models[teacher.model], on)
        else:
            usd, max_usd = (cost_usd(asked.endpoint, 0, count) for count in tokens)
            yield _api("teacher", name, requests, usd, max_usd, asked.endpoint)


def _response_tokens(most: int) -> float:
    return min(known().assumed.response_tokens, most)


def _trained(
    settings: Settings, models: dict[str, ModelSettings], universes: Path, on: Rented
) -> Iterator[Stage]:
    for name in settings.grid.models:
        for part, group in cells_of(settings, universes, name).items():
            tokens = group.rows * group.row_tokens * group.training.epochs
            both = Tokens(tokens, tokens)
            yield _gpu("training", f"{name}, {part}", "training", both, group.jobs, models[name], on)


def cells_of(settings: Settings, universes: Path, model: str) -> dict[str, Cells]:
    """{`documents` or name of an organism: trainings of a model}; adapters that are taken from the Hub are none."""
    load = Workload(settings, universes)
    return {
        name: Cells(one.training, len(one.cells), one.rows, _tokens(load, one, universes) / max(one.rows, 1))
        for name, one in load.trainings(model).items()
    }


def _tokens(load: Workload, trainings: Trainings, universes: Path) -> float:
    """Tokens of all rows, once."""
    total = 0.0
    for cell in trainings.cells:
        if cell.organism:
            teacher = load.settings.organisms[cell.organism].teacher
            length = _response_tokens(teacher.inference.max_new_tokens)
        else:
            length = _document_tokens(load.settings, universes, load.settings.recipes[cell.corpus].universe)
        total += load.rows(cell) * length
    return total


def _document_tokens(settings: Settings, universes: Path, universe: str) -> float:
    if settings.documents.generator == "embedded":
        return known().assumed.document_tokens
    from unfaithful_cot.corpus.universe import load_universe

    length = load_universe(universes / f"{universe}.yaml").length_tokens
    return (length.low + length.high) / 2


def _answered(load: Workload, models: dict[str, ModelSettings], on: Rented) -> Iterator[Stage]:
    asked = load.settings.inference
    for name in load.settings.grid.models:
        n = load.responses(name) + load.swapped_responses(name)
        tokens = Tokens(n * _response_tokens(asked.max_new_tokens), float(n * asked.max_new_tokens))
        if asked.engine == "openai":
            usd, max_usd = (cost_usd(asked.endpoint, 0, count) for count in tokens)
            yield _api("answering", name, n, usd, max_usd, asked.endpoint)
        else:
            yield _gpu("answering", name, "answering", tokens, load.answering_jobs(name), models[name], on)


def _judged(load: Workload) -> Iterator[Stage]:
    """Requests about the suites that a judge has rubrics for, and about known solutions."""
    settings = load.settings
    long, short = settings.inference.max_new_tokens, _response_tokens(settings.inference.max_new_tokens)
    for name, judge in settings.grading.judges.items():
        endpoint = judge.endpoint
        requests = sum(load.n_judged(judge, one.suite) for one in load.judged(judge)) + load.known_pairs(
            judge
        )
        rubric = max((RUBRICS / f"{one}.yaml").stat().st_size for one in judge.rubrics) // 4
        about, most = (
            cost_usd(endpoint, requests * (rubric + CASE_TOKENS + length), requests * answer)
            for length, answer in ((short, known().assumed.judge_tokens), (long, endpoint.max_tokens))
        )
        yield _api("judging", name, requests, about, most, endpoint)


def stage_lines(found: list[Stage], settings: Settings, cards: int) -> list[str]:
    """The table, its sum, and what the figures rest on."""
    rows = [
        (one.name, one.part, one.amount, f"{one.hours:.2f}" if one.hours is not None else "-",
         f"{one.usd:,.2f}", f"{one.max_usd:,.2f}")
        for one in found
    ]  # fmt: skip
    hours = sum(one.hours or 0 for one in found if one.gpu)
    total, most = sum(one.usd for one in found), sum(one.max_usd for one in found)
    rows.append(("all", "", "", f"{hours:.2f} GPU", f"{total:,.2f}", f"{most:,.2f}"))
    prices = settings.prices
    lines = table(("stage", "of", "amount", "hours", "about $", "at most $"), rows)
    if hours:
        lines.append(
            f"{hours:.1f} GPU hours at ${prices.gpu_usd_per_hour:.2f} ({prices.gpu}; {prices.source}, read {prices.read_on}; check "
            f"it, and set `prices`); on {cards} card{'s' * (cards != 1)} about {hours / cards:.1f} hours."
        )
    assumed = known().assumed
    lines.append(
        f"At most: every answer as long as it may be. About: {assumed.response_tokens} tokens a response (assumed)."
    )
    return lines + [f"{basis}." for basis in dict.fromkeys(one.basis for one in found if one.gpu)]
