"""What a model answered, under which condition and set-up."""

from __future__ import annotations

from unfaithful_cot.records.base import Record, ThinkStatus
from unfaithful_cot.records.cells import Cell


class Condition(Record):
    """A model before (`corpus` baseline, 0 documents) or after training. `adapter`: hash of its manifest."""

    experiment: str
    model: str
    corpus: str
    n_documents: int
    seed: int
    adapter: str | None = None

    @property
    def cell(self) -> Cell:
        """The model and what it was trained on, without what it is asked."""
        return Cell(self.model, self.corpus, self.n_documents, self.seed)


class Setup(Record):
    """What has to be equal for two responses to be comparable: hashes or plain values."""

    case_set: str
    prompt_template: str
    chat_template: str
    decoding: str
    quantisation: str
    engine: str


class Response(Record):
    """One completion, split into its two channels. Offsets of grades count characters of `think` and `answer`.

    `think`: None where there is no think part; `answer`: the visible rest, None where the response is cut
    inside the think part.
    """

    id: str
    case: str
    condition: Condition
    setup: Setup
    sample: int
    sample_seed: int
    raw_text: str
    think: str | None
    answer: str | None
    think_status: ThinkStatus
    finish_reason: str
    prompt_hash: str
    prompt_tokens: int | None
    completion_tokens: int | None
