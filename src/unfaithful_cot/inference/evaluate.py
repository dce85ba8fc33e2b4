"""Rule evaluate_model: one cell answers the cases of all suites, after one load.

In: for each suite its cases (Case lines) and its prompt template; the model, the adapter's manifest for a trained cell;
settings. Out: for each suite its Response lines.
Errors: those of the engines; ModelError where the adapter's files do not belong together; DataError for two cases with
one ID. Finished completions are kept under `cache` until the outputs are written, so a killed job goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.channels import Channels, Marks, split_channels, split_prefilled
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.errors import DataError, ModelError
from unfaithful_cot.host.progress import say_unreasoned
from unfaithful_cot.inference.ask import Answered, Job, ask
from unfaithful_cot.inference.completion import Completion, Question
from unfaithful_cot.models.adapters import CONFIG_FILE, WEIGHTS_FILE, check_config
from unfaithful_cot.prompts import PromptTemplate, load_template, messages
from unfaithful_cot.provenance import file_hash, value_hash
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.cells import BASELINE
from unfaithful_cot.records.responses import Condition, Response


@dataclass(frozen=True)
class Suite:
    """The cases of one file, the form in which they are asked, and where their responses go."""

    cases: list[Case]
    template: PromptTemplate
    responses: Path

    def questions(self, inference: InferenceSettings) -> Iterator[tuple[Case, int, Question]]:
        """(case, sample, question), the samples of a case one after the other."""
        for case in self.cases:
            for sample in range(inference.samples):
                seed = sample_seed(inference.seed, case.id, sample)
                yield case, sample, Question(messages(case, self.template), seed, case.prefill)


def evaluate_model(
    cases: Sequence[str],
    prompts: Sequence[str],
    responses: Sequence[str],
    model: str,
    base: Mapping[str, Any],
    loading: Mapping[str, Any],
    inference: Mapping[str, Any],
    cache: str,
    threads: int = 1,
    corpus: str = BASELINE,
    n_documents: int | str = 0,
    seed: int | str = 0,
    manifest: str | None = None,
) -> None:
    """Answer all suites of one cell. cases, prompts and responses are parallel; manifest None: the baseline."""
    settings, load_as = InferenceSettings(**inference), LoadingSettings(**loading)
    suites = [
        Suite(read_cases(case_file), load_template(prompt), Path(out))
        for case_file, prompt, out in zip(cases, prompts, responses, strict=True)
    ]
    cell = Condition(
        experiment="",  # each response carries that of its case
        model=model,
        corpus=corpus,
        n_documents=int(n_documents),
        seed=int(seed),
        adapter=check_adapter(Path(manifest), base) if manifest else None,
    )
    job = Job(
        questions=[question for suite in suites for _, _, question in suite.questions(settings)],
        cell=cell,
        base=base,
        adapter=Path(manifest).parent if manifest else None,
        loading=load_as,
        inference=settings,
        cache=Path(cache),
        threads=int(threads),
    )
    answered = ask(job)
    for suite in suites:
        given = list(_responses(suite, settings, cell, answered))
        jsonl.write(suite.responses, given)
        say_unreasoned(given, suite.responses)
    if answered.finished:
        answered.finished.remove()


def read_cases(path: str) -> list[Case]:
    """The cases of a file; each ID once."""
    cases = jsonl.read(path, Case, "snakemake -R generate_cases")
    first: dict[str, int] = {}
    for line, case in enumerate(cases, 1):
        if case.id in first:
            raise DataError(
                f"{path}:{line}",
                f"the case ID {case.id} stands in line {first[case.id]} already",
                "Each case has an ID of its own",
                "Rerun: snakemake -R generate_cases",
            )
        first[case.id] = line
    return cases


def check_adapter(manifest: Path, base: Mapping[str, Any]) -> str:
    """Hash of a manifest whose weights, configuration and base model are those that it names."""
    try:
        record = Manifest.model_validate_json(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            manifest,
            f"is no manifest ({str(error).splitlines()[0]})",
            todo="Rerun: snakemake -R train_adapter",
        ) from None
    weights = manifest.parent / WEIGHTS_FILE
    if not weights.is_file() or file_hash(weights) != record.weights:
        raise ModelError(
            weights,
            "is not the file that its manifest names" if weights.is_file() else "does not exist",
            f"hash {record.weights}",
            "Rerun: snakemake -R train_adapter",
        )
    check_config(manifest.parent / CONFIG_FILE, record)
    if record.source != str(base["source"]):
        raise ModelError(
            manifest,
            f"the adapter was trained on '{record.source}'",
            f"the base model is '{base['source']}'",
            "Rerun: snakemake -R train_adapter",
        )
    return file_hash(manifest)


def sample_seed(seed: int, case: str, sample: int) -> int:
    """31 bits of the study's seed, the case and the number of the sample; the same in each arm of a comparison."""
    return int(value_hash([seed, case, sample]), 16) % 2**31


def _responses(
    suite: Suite, settings: InferenceSettings, cell: Condition, answered: Answered
) -> Iterator[Response]:
    case_set = value_hash([case.model_dump() for case in sorted(suite.cases, key=lambda case: case.id)])
    for case, sample, question in suite.questions(settings):
        completion = answered.completions[question.key]
        condition = cell.model_copy(update={"experiment": case.experiment})
        own = {"case_set": case_set, "prompt_template": suite.template.in_arm(case.arm).hash}
        setup = answered.setup.model_copy(update=own)
        channels = _channels(case, completion, answered.marks)
        yield Response(
            id=make_id("r", case.id, sample, condition.model_dump(), setup.model_dump()),
            case=case.id,
            condition=condition,
            setup=setup,
            sample=sample,
            sample_seed=question.seed,
            raw_text=completion.raw_text,
            think=channels.think,
            answer=channels.answer,
            think_status=channels.status,
            finish_reason=completion.finish_reason,
            prompt_hash=completion.prompt_hash,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
        )


def _channels(case: Case, completion: Completion, marks: Marks | None) -> Channels:
    if case.prefill is not None:
        return split_prefilled(case.prefill, completion.raw_text, marks)
    return split_channels(completion.raw_text, completion.opened_by_template, marks)
