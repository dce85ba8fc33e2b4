"""Engine `transformers`: chats in, completions out, the same way for baseline and adapter.

In: a Reasoner and Questions (messages and a seed). Out: lists of (index, Completion) as they finish, longest prompts first.
Errors: those of models.templates; SettingsError for a decoder that the model cannot use; ModelError for a case that the memory
does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unfaithful_cot.channels import Marks
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.inference.completion import Completion, Question
from unfaithful_cot.inference.decode import Continuation, Decoding, continue_rows
from unfaithful_cot.inference.memory import halved, rows_that_fit
from unfaithful_cot.inference.static import ARCHITECTURES, continue_many, supported
from unfaithful_cot.models.load import Reasoner
from unfaithful_cot.models.templates import (
    encode,
    marks_of,
    opens_think,
    refuse_closed,
    render,
    visible_text,
    with_think,
)
from unfaithful_cot.provenance import text_hash


def prompt_of(reasoner: Reasoner, question: Question) -> str:
    """The rendered chat, up to where the model goes on: behind the think part where one is given."""
    prompt, marks = render(reasoner.tokenizer, question.messages), marks_of(reasoner.tokenizer)
    refuse_closed(reasoner.tokenizer, prompt, marks)
    return prompt if question.prefill is None else with_think(prompt, question.prefill, marks)


def answer(
    reasoner: Reasoner,
    questions: Sequence[Question],
    decoding: Decoding,
    batch_rows: int | str = "auto",
    decoder: str = "auto",
) -> Iterator[list[tuple[int, Completion]]]:
    """Answer each question once. Longest prompts first, so that memory that does not suffice shows at once.

    completion_tokens counts the end token, where there is one.
    """
    static = _is_static(reasoner, decoder)
    prompts = [prompt_of(reasoner, question) for question in questions]
    marks = marks_of(reasoner.tokenizer)
    tokens = [encode(reasoner.tokenizer, prompt) for prompt in prompts]
    order = sorted(range(len(questions)), key=lambda index: (-len(tokens[index]), index))
    if not order:
        return
    if isinstance(batch_rows, str):
        batch_rows = rows_that_fit(reasoner, len(tokens[order[0]]), decoding.max_new_tokens)
    ways = continue_many if static else _continue_batches
    ordered, seeds = [tokens[index] for index in order], [questions[index].seed for index in order]
    for ended in ways(reasoner, ordered, seeds, decoding, batch_rows):
        yield [
            (index, _completion(reasoner, prompts[index], len(tokens[index]), continuation, marks))
            for index, continuation in ((order[place], continuation) for place, continuation in ended)
        ]


def _is_static(reasoner: Reasoner, decoder: str) -> bool:
    """`auto`: the static cache on a GPU, where the architecture allows it."""
    if decoder == "static" and not supported(reasoner):
        raise SettingsError(
            "inference.decoder",
            f"'static' cannot be used with a model of type '{reasoner.model.config.model_type}'",
            f"It knows {', '.join(ARCHITECTURES)}, without sliding windows",
            "Set inference.decoder: auto",
        )
    return decoder == "static" or (
        decoder == "auto" and reasoner.device.type == "cuda" and supported(reasoner)
    )


def _continue_batches(
    reasoner: Reasoner, prompts: list[list[int]], seeds: list[int], decoding: Decoding, rows: int
) -> Iterator[list[tuple[int, Continuation]]]:
    """`rows` at once, batch after batch; half of them from where the memory did not suffice."""
    import torch

    start = 0
    while start < len(prompts):
        batch = slice(start, start + rows)
        try:
            found = continue_rows(reasoner, prompts[batch], seeds[batch], decoding)
        except torch.OutOfMemoryError:
            found = []  # the error holds tensors as long as it is being handled
        if not found:
            rows = halved(len(prompts[batch]), len(prompts[start]))
            continue
        yield list(enumerate(found, start))
        start += len(found)


def _completion(
    reasoner: Reasoner, prompt: str, tokens: int, continuation: Continuation, marks: Marks
) -> Completion:
    return Completion(
        raw_text=visible_text(reasoner.tokenizer, continuation.token_ids, marks),
        finish_reason=continuation.finish_reason,
        opened_by_template=opens_think(prompt, marks),
        prompt_hash=text_hash(prompt),
        prompt_tokens=tokens,
        completion_tokens=len(continuation.token_ids) + (continuation.finish_reason == "stop"),
    )
