"""One cell asked by one of the two engines: the model as it is loaded, its questions, what answered them.

In: a Job. Out: Answered, the completions by question key with the set-up that made them.
Errors: those of the engines. Finished completions of local weights are kept under `cache`, so that a killed job goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from unfaithful_cot.channels import Marks
from unfaithful_cot.config.addresses import without_secrets
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.host import progress
from unfaithful_cot.inference.completion import Completion, Finished, Question
from unfaithful_cot.inference.decode import Decoding
from unfaithful_cot.inference.memory import free_bytes
from unfaithful_cot.models.adapters import attach
from unfaithful_cot.models.load import Reasoner, dequantise, load_reasoner, load_tokenizer, quantisation
from unfaithful_cot.models.pins import place_of
from unfaithful_cot.models.templates import (
    marks_of,
    opens_think,
    refuse_closed,
    render,
    set_template,
    template_hash,
)
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.responses import Condition, Setup


@dataclass(frozen=True)
class Job:
    """What a cell is asked, and with what. adapter: its folder, None for the untouched model; cache: a folder."""

    questions: list[Question]
    cell: Condition
    base: Mapping[str, Any]
    adapter: Path | None
    loading: LoadingSettings
    inference: InferenceSettings
    cache: Path
    threads: int

    def setup(self, chat_template: str, loaded_as: str) -> Setup:
        """Everything of a Setup but case set and prompt template, which are the suite's and the arm's."""
        fields = {"temperature", "top_p", "max_new_tokens", "samples", "seed"}
        return Setup(
            case_set="",
            prompt_template="",
            chat_template=chat_template,
            decoding=value_hash(self.inference.model_dump(include=fields)),
            quantisation=loaded_as,
            engine=self.inference.engine,
        )


class Answered(NamedTuple):
    """Completions by question key. `finished`: the file that holds them until the outputs are written; `marks`: those of the model, None where they are to be found."""

    completions: Mapping[str, Completion]
    setup: Setup
    finished: Finished | None
    marks: Marks | None = None


def ask(job: Job) -> Answered:
    """Answer every question of a cell by the engine that its settings name."""
    return _ask_endpoint(job) if job.inference.engine == "openai" else _ask_weights(job)


def _ask_weights(job: Job) -> Answered:
    """Answers by local weights."""
    import torch

    from unfaithful_cot.inference.engine import answer

    settings = job.inference
    torch.set_num_threads(job.threads)
    reasoner = load_reasoner(job.base, job.loading)
    if reasoner.device.type == "cuda":
        reasoner = dequantise(reasoner, free_bytes(reasoner.device))
    if job.adapter is not None:
        reasoner = attach(reasoner, job.adapter)
    setup = job.setup(template_hash(reasoner.tokenizer), reasoner.quantisation)
    finished = Finished(job.cache / f"{_identity(reasoner, job.cell, setup)}.jsonl")
    todo = {question.key: question for question in job.questions if question.key not in finished.found}
    keys, asked = list(todo), list(todo.values())
    temperature, top_p = settings.temperature, settings.top_p
    decoding = Decoding(temperature or 0.0, 1.0 if top_p is None else top_p, settings.max_new_tokens)
    answers = answer(reasoner, asked, decoding, settings.batch_rows, settings.decoder)
    total = len(finished.found) + len(asked)
    try:
        with progress.bar(total, f"answers of {job.cell.cell.path}", "case", len(finished.found)) as bar:
            for batch in answers:
                for index, completion in batch:
                    finished.add(keys[index], completion)
                bar.update(len(batch))
    finally:
        finished.close()
    return Answered(finished.found, setup, finished, marks_of(reasoner.tokenizer))


def _ask_endpoint(job: Job) -> Answered:
    """Answers by a server. The template is that of the model's own tokenizer, which the server is taken to use.

    A base without a source is known to the server alone: its template is not known, and opens no think part.
    """
    from unfaithful_cot.inference import endpoint

    settings, base, place = job.inference, job.base, place_of(job.base)
    template, opened, marks = "unknown", False, None
    if place.source:
        tokenizer = load_tokenizer(place.source, place.at, local=place.local)
        set_template(tokenizer, base)
        template, marks = template_hash(tokenizer), marks_of(tokenizer)
        prompt = render(tokenizer, job.questions[0].messages)
        refuse_closed(tokenizer, prompt, marks)
        opened = opens_think(prompt, marks)
    setup = job.setup(template, quantisation(job.loading))
    served_by = [place.source, place.at, job.cell.adapter, without_secrets(settings.endpoint.base_url)]
    todo = {question.key: question for question in job.questions}
    asked_for = served_name(job.cell, base, settings)
    found = endpoint.ask(list(todo.values()), settings, asked_for, job.cache / value_hash(served_by), opened)
    return Answered(dict(zip(todo, found, strict=True)), setup, None, marks)


def served_name(cell: Condition, base: Mapping[str, Any], settings: InferenceSettings) -> str:
    """The name that a request asks for: `endpoint.model`, else the model's source; of an adapter `served_adapter`.

    There `{adapter}` is `{model}/{corpus}/n{documents}/s{seed}`, and `{base}` the name of the untouched model.
    """
    untouched = settings.endpoint.model or str(base["source"])
    if cell.adapter is None:
        return untouched
    return settings.served_adapter.replace("{base}", untouched).replace("{adapter}", cell.cell.path)


def _identity(reasoner: Reasoner, cell: Condition, setup: Setup) -> str:
    """Hash of all that decides a completion, apart from the question."""
    return value_hash([setup.model_dump(), reasoner.source, reasoner.revision, reasoner.commit, cell.adapter])
