"""The settings of a suite of cases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unfaithful_cot.config.base import Count, Strict
from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.experiments.registry import DEFAULT, ExperimentName


class SuiteSettings(Strict):
    """A named list of cases."""

    experiment: ExperimentName = Field(DEFAULT, description="what the suite measures")
    organism: str | None = Field(
        None, description="entry of `organisms` that is asked; null: the only one of the experiment"
    )
    generator: Literal["embedded", "openai"] = Field("embedded", description="template grammar, or an API")
    scenarios: Count = Field(
        100,
        description="distinct scenarios; in an arm each gives one case an option, two of a policy, one of an organism's task",
    )
    options: Literal[2, 4] = Field(2, description="options of a question, where it has any")
    arms: Annotated[list[str], Field(min_length=1)] = Field(
        ["full"], description="what is done to the evidence, or to the prompt: docs/method.md"
    )
    prompt: str = Field(f"{DEFAULT}.v1", description="template in resources/prompts/, without .yaml")
    seed: int = Field(0, description="seed of scenarios, IDs and order")
    universe: str | None = Field(
        None,
        description="universe whose policy is asked, where a suite asks for one; null: that of the main corpus",
    )
    endpoint: EndpointSettings = EndpointSettings()
