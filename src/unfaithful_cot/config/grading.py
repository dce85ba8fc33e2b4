"""Who grades."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from unfaithful_cot.config.base import Rate, Strict
from unfaithful_cot.config.endpoint import JudgeEndpointSettings
from unfaithful_cot.experiments.registry import EXPERIMENTS


class JudgeSettings(Strict):
    """A language model that grades by a rubric. It becomes the grader `judge_NAME`; NAME holds letters, digits and _."""

    rubrics: Annotated[list[str], Field(min_length=1)] = Field(
        [f"{name}.v1" for name, one in EXPERIMENTS.items() if one.judged],
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
