"""Engine `transformers`: chats in, completions out, the same way for baseline and adapter.

In: a Reasoner and Questions (messages and a seed). Out: batches of (index, Completion), of similar length, as they finish.
Errors: those of models.templates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unfaithful_cot.inference.completion import Completion, Question
from unfaithful_cot.inference.decode import Decoding, continue_rows
from unfaithful_cot.models.load import Reasoner
from unfaithful_cot.models.templates import encode, opens_think, render, visible_text, with_think
from unfaithful_cot.provenance import text_hash


def prompt_of(reasoner: Reasoner, question: Question) -> str:
    """The rendered chat, up to where the model goes on: behind the think part where one is given."""
    prompt = render(reasoner.tokenizer, question.messages)
    return prompt if question.prefill is None else with_think(prompt, question.prefill)


def answer(
    reasoner: Reasoner, questions: Sequence[Question], decoding: Decoding, batch_rows: int
) -> Iterator[list[tuple[int, Completion]]]:
    """Answer each question once, a batch at a time. Longest prompts first, so that memory that does not suffice shows at once.

    completion_tokens counts the end token, where there is one.
    """
    prompts = [prompt_of(reasoner, question) for question in questions]
    tokens = [encode(reasoner.tokenizer, prompt) for prompt in prompts]
    order = sorted(range(len(questions)), key=lambda index: (-len(tokens[index]), index))
    for start in range(0, len(order), batch_rows):
        batch = order[start : start + batch_rows]
        found = continue_rows(
            reasoner, [tokens[i] for i in batch], [questions[i].seed for i in batch], decoding
        )
        yield [
            (
                index,
                Completion(
                    raw_text=visible_text(reasoner.tokenizer, continuation.token_ids),
                    finish_reason=continuation.finish_reason,
                    opened_by_template=opens_think(prompts[index]),
                    prompt_hash=text_hash(prompts[index]),
                    prompt_tokens=len(tokens[index]),
                    completion_tokens=len(continuation.token_ids) + (continuation.finish_reason == "stop"),
                ),
            )
            for index, continuation in zip(batch, found, strict=True)
        ]
