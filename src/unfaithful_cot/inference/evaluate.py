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

from unfaithful_cot import console, jsonl
from unfaithful_cot.channels import split_channels
from unfaithful_cot.errors import DataError, ModelError
from unfaithful_cot.inference.completion import Completion, Finished, Question
from unfaithful_cot.inference.decode import Decoding
from unfaithful_cot.models.adapters import WEIGHTS_FILE, attach
from unfaithful_cot.models.load import Reasoner, load_reasoner, load_tokenizer, quantisation
from unfaithful_cot.models.templates import opens_think, render, template_hash
from unfaithful_cot.prompts import PromptTemplate, load_template, messages
from unfaithful_cot.provenance import file_hash, value_hash
from unfaithful_cot.records import Case, Condition, Manifest, Response, Setup, make_id
from unfaithful_cot.settings import InferenceSettings, LoadingSettings

BASELINE = "baseline"


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
                yield case, sample, Question(messages(case, self.template), seed)


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
    folder = Path(manifest).parent if manifest else None
    questions = [question for suite in suites for _, _, question in suite.questions(settings)]
    engine = _ask_endpoint if settings.engine == "openai" else _ask_weights
    answered, setup, leftovers = engine(
        questions, cell, folder, base, load_as, settings, Path(cache), int(threads)
    )
    for suite in suites:
        jsonl.write(suite.responses, _responses(suite, settings, cell, setup, answered))
    if leftovers:
        leftovers.remove()


def _ask_weights(
    questions: list[Question],
    cell: Condition,
    folder: Path | None,
    base: Mapping[str, Any],
    loading: LoadingSettings,
    settings: InferenceSettings,
    cache: Path,
    threads: int,
) -> tuple[dict[str, Completion], Setup, Finished | None]:
    """Answers by local weights: completions by question key, what they were made with, and the file that kept them."""
    import torch

    from unfaithful_cot.inference.engine import answer

    torch.set_num_threads(threads)
    reasoner = load_reasoner(base, loading)
    if folder is not None:
        reasoner = attach(reasoner, folder)
    setup = _setup(settings, template_hash(reasoner.tokenizer), reasoner.quantisation)
    finished = Finished(cache / f"{_identity(reasoner, cell, setup)}.jsonl")
    todo = {question.key: question for question in questions if question.key not in finished.found}
    keys, asked = list(todo), list(todo.values())
    decoding = Decoding(settings.temperature, settings.top_p, settings.max_new_tokens)
    answers = answer(reasoner, asked, decoding, settings.batch_rows)
    total = len(finished.found) + len(asked)
    try:
        with console.bar(total, f"answers of {name(cell)}", "case", len(finished.found)) as bar:
            for batch in answers:
                for index, completion in batch:
                    finished.add(keys[index], completion)
                bar.update(len(batch))
    finally:
        finished.close()
    return finished.found, setup, finished


def _ask_endpoint(
    questions: list[Question],
    cell: Condition,
    folder: Path | None,
    base: Mapping[str, Any],
    loading: LoadingSettings,
    settings: InferenceSettings,
    cache: Path,
    threads: int,
) -> tuple[dict[str, Completion], Setup, Finished | None]:
    """Answers by a server. The template is that of the model's own tokenizer, which the server is taken to use."""
    from unfaithful_cot.inference.endpoint import ask

    tokenizer = load_tokenizer(str(base["source"]), base.get("revision"))
    opened = opens_think(render(tokenizer, questions[0].messages))
    setup = _setup(settings, template_hash(tokenizer), quantisation(loading))
    home = cache / value_hash(
        [base["source"], base.get("revision"), cell.adapter, settings.endpoint.base_url]
    )
    todo = {question.key: question for question in questions}
    found = ask(list(todo.values()), settings, served_name(cell, base, settings), home, opened)
    return dict(zip(todo, found, strict=True)), setup, None


def served_name(cell: Condition, base: Mapping[str, Any], settings: InferenceSettings) -> str:
    """The name that a request asks for: `endpoint.model`, else the model's source.

    An adapter is asked for as `{model}/{corpus}/n{documents}/s{seed}`, the name under which the server has to load it.
    """
    if cell.adapter is not None:
        return name(cell)
    return settings.endpoint.model or str(base["source"])


def name(cell: Condition) -> str:
    """`{model}/{corpus}/n{documents}/s{seed}`, or `{model}/baseline`."""
    if cell.corpus == BASELINE:
        return f"{cell.model}/{BASELINE}"
    return f"{cell.model}/{cell.corpus}/n{cell.n_documents}/s{cell.seed}"


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
    """Hash of a manifest whose weights and base model are those that it names."""
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


def _setup(settings: InferenceSettings, chat_template: str, loaded_as: str) -> Setup:
    """Everything of a Setup but case set and prompt template, which are the suite's."""
    decoding = settings.model_dump(include={"temperature", "top_p", "max_new_tokens", "samples", "seed"})
    return Setup(
        case_set="",
        prompt_template="",
        chat_template=chat_template,
        decoding=value_hash(decoding),
        quantisation=loaded_as,
        engine=settings.engine,
    )


def _identity(reasoner: Reasoner, cell: Condition, setup: Setup) -> str:
    """Hash of all that decides a completion, apart from the question."""
    return value_hash([setup.model_dump(), reasoner.source, reasoner.revision, reasoner.commit, cell.adapter])


def _responses(
    suite: Suite,
    settings: InferenceSettings,
    cell: Condition,
    setup: Setup,
    answered: Mapping[str, Completion],
) -> Iterator[Response]:
    case_set = value_hash([case.model_dump() for case in sorted(suite.cases, key=lambda case: case.id)])
    own = setup.model_copy(update={"case_set": case_set, "prompt_template": suite.template.hash})
    for case, sample, question in suite.questions(settings):
        completion = answered[question.key]
        condition = cell.model_copy(update={"experiment": case.experiment})
        channels = split_channels(completion.raw_text, completion.opened_by_template)
        yield Response(
            id=make_id("r", case.id, sample, condition.model_dump(), own.model_dump()),
            case=case.id,
            condition=condition,
            setup=own,
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
