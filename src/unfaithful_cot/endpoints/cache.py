"""Answers that were paid for: an append-only JSONL file, one line an answer, keyed by the content of its request.

In: a folder; the file in it is `answers.jsonl`. Out: answers by key. A killed run keeps its answers, and several processes may
share a folder (jsonl.AppendOnly). Two servers may know different models by one name, so an answer says which server gave
it, and only that server's requests find it. Lines from before this was noted name none and are found by all.
Errors: StorageError when the disk is full or the folder cannot be written.
"""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

from unfaithful_cot.jsonl import AppendOnly
from unfaithful_cot.records.base import Record

FILE = "answers.jsonl"
ENDS = {
    **dict.fromkeys(
        ("stop", "stop_sequence", "eos", "eos_token", "end_turn", "end", "complete", "completed"), "stop"
    ),
    **dict.fromkeys(("length", "max_tokens", "model_length", "max_output_tokens", "max_length"), "length"),
    **dict.fromkeys(("content_filter", "safety", "refusal", "sensitive"), "content_filter"),
}
"""How an answer may end, by the names that services have for it; any other end is a failure that may pass."""


class Answer(Record):
    """What an API said. `key`: of the request. `reasoning`: a think part that the API returned apart, else None.

    finish_reason: stop, length (cut at max_tokens) or content_filter. Tokens are None where the API counted none.
    `model`: as the API names it. `server`: host and path of the API, None in lines of older versions. batched: came by
    Batch mode, at half the price.
    """

    key: str
    text: str
    finish_reason: str
    reasoning: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str | None = None
    server: str | None = None
    batched: bool = False


class AnswerCache(AppendOnly[Answer]):
    """The answers of one folder. `n_damaged`: lines that the last load skipped."""

    def __init__(self, folder: Path | str) -> None:
        super().__init__(Path(folder) / FILE, Answer, "what they answered is requested again")

    def load(self, wanted: Set[str], server: str | None = None) -> dict[str, Answer]:
        """The answers to the wanted keys, of one server (None: of any); of two with one key the first.

            An answer that names no server is taken where the server's own is missing; one with an end that is none, as older
        versions cached it, is requested again.
        """
        found: dict[str, Answer] = {}
        unnamed: dict[str, Answer] = {}
        for answer in self.read() if wanted else ():
            if answer.finish_reason.lower() not in ENDS:
                continue
            if answer.key in wanted and (server is None or answer.server in (server, None)):
                (found if answer.server else unnamed).setdefault(answer.key, answer)
        return unnamed | found
