"""Engine `openai`: the same questions, answered by any OpenAI-compatible server of the model.

In: Questions, InferenceSettings, the name that the server knows the model by. Out: Completions in the order of the
questions.
Errors: EndpointError, StorageError (endpoints.client); SettingsError for a question with prefilled reasoning.
The server renders the chat template itself, so `prompt_hash` is that of the messages. A think part that the server hands
over apart (`reasoning_content`, `reasoning`) is put back before the answer, with its tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unfaithful_cot.channels import CLOSE, OPEN
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.client import complete
from unfaithful_cot.endpoints.requests import make_request
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.inference.completion import Completion, Question
from unfaithful_cot.provenance import value_hash


def ask(
    questions: Sequence[Question],
    inference: InferenceSettings,
    served_name: str,
    cache: Path,
    opened_by_template: bool,
) -> list[Completion]:
    """Answer each question once, or from `cache`, a folder of this model and adapter alone.

    opened_by_template: whether the model's template opens the think part, so that a completion may begin inside it.
    """
    _refuse_prefill(questions)
    endpoint = inference.endpoint.model_copy(update={"model": served_name})
    requests = [
        make_request(
            endpoint,
            question.messages,
            temperature=inference.temperature,
            top_p=inference.top_p,
            max_tokens=inference.max_new_tokens,
            seed=question.seed,
        )
        for question in questions
    ]
    answers = complete(requests, endpoint, cache, label=f"answers of {served_name}").answers
    return [
        _completion(answer, question, opened_by_template)
        for question, answer in zip(questions, answers, strict=True)
        if answer is not None  # `complete` raises where one is missing, for no failure is allowed here
    ]


def _refuse_prefill(questions: Sequence[Question]) -> None:
    """A server renders the chat itself, so nothing can be put behind the place where the assistant begins."""
    prefilled = sum(question.prefill is not None for question in questions)
    if prefilled:
        raise SettingsError(
            "inference.engine",
            f"'openai' cannot prefill reasoning, which {prefilled} of {len(questions)} questions need",
            "transformers: a prefill needs local weights",
            "Set inference.engine: transformers, or leave out the suites with swapped think parts",
        )


def _completion(answer: Answer, question: Question, opened_by_template: bool) -> Completion:
    return Completion(
        raw_text=raw_text(answer),
        finish_reason=answer.finish_reason,
        opened_by_template=opened_by_template and answer.reasoning is None,
        prompt_hash=value_hash(question.messages),
        prompt_tokens=answer.prompt_tokens,
        completion_tokens=answer.completion_tokens,
    )


def raw_text(answer: Answer) -> str:
    """Think part and answer as the model wrote them; a think part without an answer was cut or ended, so it stays open."""
    if answer.reasoning is None:
        return answer.text
    if not answer.text.strip():
        return OPEN + answer.reasoning
    return f"{OPEN}{answer.reasoning}{CLOSE}\n\n{answer.text.lstrip()}"
