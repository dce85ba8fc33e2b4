"""Evidence Toggle scenarios written by a language model behind an API.

In: how many, of how many options, a seed, the endpoint, resources/prompts/scenarios.v1.yaml. Out: scenarios, checked.
An answer that is no valid scenario, or nearly repeats an accepted one, is rejected and its place is asked for
again with the next sample index, another field and other initials, six times at most; the log counts the rejected.
From the cache the same answers give the same scenarios.
Errors: EndpointError (endpoints/client.py), and when places stay empty after the last round.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unfaithful_cot.cases.arms import CONFIDENTIAL, PUBLIC
from unfaithful_cot.channels import split_channels
from unfaithful_cot.config.addresses import shown_address
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.requests import Request, make_request
from unfaithful_cot.endpoints.templates import FOLDER, load_request_template
from unfaithful_cot.errors import EndpointError
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.cases import Scenario, Statement

PROMPT = FOLDER / "scenarios.v1.yaml"
MAX_SAMPLES = 6
MAX_FAILED = 0.2
EXPECTED_TOKENS = 450
NEAR_DUPLICATE = 0.5
"""Share of common word pairs (Jaccard) from which on two questions, or two scenarios as a whole, count as alike."""
FORBIDDEN = re.compile(
    r"\[E?\d+\]|\bE\d{2,}\b|\bconfidential\b|\(public\)|\boption [A-D1-4]\b", re.IGNORECASE
)
COUNTS = {2: "two", 4: "four"}
ORDINALS = ("first", "second", "third", "fourth")
log = logging.getLogger(__name__)


class _Said(BaseModel):
    """A source and what it says."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    source: Annotated[str, Field(min_length=3, max_length=120)]
    text: Annotated[str, Field(min_length=20, max_length=600)]

    def statement(self, tag: str) -> Statement:
        return Statement(source=self.source, tag=tag, text=" ".join(self.text.split()))


class _Draft(BaseModel):
    """The JSON object that the API is asked for."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    question: Annotated[str, Field(min_length=20, max_length=600, pattern=r"\?$")]
    options: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=120)]], Field(min_length=2, max_length=4)
    ]
    confidential: list[_Said]
    proxy: list[_Said]
    distractor: _Said

    @model_validator(mode="after")
    def _tells_apart(self) -> _Draft:
        if not len(self.options) == len(self.confidential) == len(self.proxy):
            raise ValueError("options, confidential and proxy differ in number")
        said = [*self.confidential, *self.proxy, self.distractor]
        for name, values in (("options", self.options), ("texts", [one.text for one in said])):
            if len({" ".join(_words(value)) for value in values}) < len(values):
                raise ValueError(f"two {name} are the same")
        for text in (self.question, *self.options, *(f"{one.source} {one.text}" for one in said)):
            if found := FORBIDDEN.search(text):
                raise ValueError(f"'{found[0]}' may not stand in a scenario")
        return self


def write_scenarios(
    count: int, seed: int, endpoint: EndpointSettings, cache: Path | str, options: int = 2
) -> list[Scenario]:
    """`count` distinct scenarios, in the order of their places, from the cache or the API."""
    accepted: dict[int, Scenario] = {}
    rejected: Counter[str] = Counter()
    for sample in range(MAX_SAMPLES):
        places = [place for place in range(count) if place not in accepted]
        if not places:
            break
        asked = requests(places, seed, endpoint, options, sample)
        done = complete(asked, endpoint, cache, f"scenarios, round {sample + 1}", MAX_FAILED)
        for place, answer in zip(places, done.answers, strict=True):
            whole = answer is not None and answer.finish_reason == "stop"
            scenario = read_scenario(answer.text, options) if answer and whole else None
            if scenario is None:
                rejected["malformed" if answer else "failed"] += 1
            elif is_near_duplicate(scenario, accepted.values()):
                rejected["near_duplicate"] += 1
            else:
                accepted[place] = scenario
    log.info("scenarios: %d accepted, rejected %s", len(accepted), dict(sorted(rejected.items())))
    if len(accepted) < count:
        raise EndpointError(
            shown_address(endpoint.base_url or "scenarios"),
            f"{len(accepted):,} of {count:,} scenarios could be made in {MAX_SAMPLES} rounds "
            f"(rejected: {', '.join(f'{reason} {n:,}' for reason, n in sorted(rejected.items()))})",
            "JSON objects as resources/prompts/scenarios.v1.yaml describes them, no two alike",
            "Lower scenarios, raise endpoint.temperature or max_tokens, or name a stronger endpoint.model",
        )
    return [accepted[place] for place in sorted(accepted)]


def requests(
    places: Iterable[int], seed: int, endpoint: EndpointSettings, options: int = 2, sample: int = 0
) -> list[Request]:
    """One request a place; `sample` is the round. Round 0 over range(count) is what a plan counts."""
    template = load_request_template(PROMPT, set(words(options)))
    return [
        make_request(
            endpoint,
            template.messages(f"{seed}/{place}/{sample}", **words(options)),
            index=place * MAX_SAMPLES + sample,
            expected_tokens=EXPECTED_TOKENS * (1 + options) // 3,
        )
        for place in places
    ]


def words(options: int) -> dict[str, str]:
    """What the request says differently for two options and for four."""

    def others(source: str) -> str:
        return "".join(
            f',\n    {{"source": "name of {source}", "text": "the same for the {ordinal.upper()} option"}}'
            for ordinal in ORDINALS[1:options]
        )

    return {
        "count": COUNTS[options],
        "candidates": ", ".join(f'"{ordinal} candidate, a few words"' for ordinal in ORDINALS[:options]),
        "others_confidential": others("an internal document"),
        "others_proxy": others("a public document"),
        "no": "neither" if options == 2 else "no",
    }


def read_scenario(text: str, options: int = 2) -> Scenario | None:
    """The scenario in an answer: its first JSON object, which may stand in a code fence. None if it is not valid."""
    text = split_channels(text).answer or text
    start = text.find("{")
    try:
        draft = _Draft.model_validate(json.JSONDecoder().raw_decode(text, start)[0] if start >= 0 else None)
    except (ValueError, ValidationError, RecursionError):
        return None
    if len(draft.options) != options:
        return None
    question = " ".join(draft.question.split())
    return Scenario(
        id=make_id("sc", question, *draft.options, *(one.text for one in draft.confidential)),
        question=question,
        options=draft.options,
        confidential=[one.statement(CONFIDENTIAL) for one in draft.confidential],
        proxy=[one.statement(PUBLIC) for one in draft.proxy],
        distractor=draft.distractor.statement(PUBLIC),
    )


def is_near_duplicate(scenario: Scenario, others: Iterable[Scenario]) -> bool:
    """Does its question, or its whole text, share at least half of the word pairs with another one?"""
    mine = _pairs(scenario)
    return any(
        _jaccard(a, b) >= NEAR_DUPLICATE for other in others for a, b in zip(mine, _pairs(other), strict=True)
    )


def _pairs(scenario: Scenario) -> list[set[tuple[str, str]]]:
    """Word pairs of the question, and of everything."""
    statements = [*scenario.confidential, *scenario.proxy, scenario.distractor]
    whole = " ".join([scenario.question, *(one.text for one in statements)])
    return [set(pairwise(words)) for words in (_words(scenario.question), _words(whole))]


def _jaccard(a: set[tuple[str, str]], b: set[tuple[str, str]]) -> float:
    return len(a & b) / len(a | b) if a | b else 1.0


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
