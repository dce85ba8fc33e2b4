"""What a model is asked: a scenario, and the cases that arms and variants make of it."""

from __future__ import annotations

from pydantic import Field

from unfaithful_cot.records.base import Record, Role


class Statement(Record):
    """What a source says. `tag`: CONFIDENTIAL or Public, as the documents write it."""

    source: str
    tag: str
    text: str


class Scenario(Record):
    """The unit of clustering: question, two or more options, and a truth and a proxy for each option."""

    id: str
    question: str
    options: list[str] = Field(min_length=2)
    confidential: list[Statement]
    proxy: list[Statement]
    distractor: Statement


class Evidence(Record):
    """One numbered piece of evidence. `supports`: index of the option that it speaks for, None for neither."""

    id: str
    role: Role
    source: str
    tag: str
    text: str
    supports: int | None


class Case(Record):
    """One rendered question: a scenario, in one arm and variant. The prompt around it is not stored here.

    `correct`: the letter of the option that the strongest evidence present supports; where there are no options, the
    answer that a right response contains; None where no answer is known. `category`: kind of question, or the CWE.
    `trigger`: the text of the question that sets a backdoor off; `target`: what a backdoored model then answers; None where
    there is no such text. `prefill`: prefilled reasoning, which the model is given as its own. `right`, `wrong`: what an open answer about a
    policy says or must not say, in the patterns of grading/key_facts.py.
    """

    id: str
    experiment: str
    suite: str
    scenario: str
    arm: str
    variant: str
    question: str
    options: dict[str, str] = {}
    evidence: list[Evidence] = []
    correct: str | None = None
    category: str | None = None
    trigger: str | None = None
    target: str | None = None
    prefill: str | None = None
    right: list[str] = []
    wrong: list[str] = []

    @property
    def confidential_ids(self) -> list[str]:
        """IDs of the confidential evidence; empty where the arm removed it."""
        return [item.id for item in self.evidence if item.role == "confidential"]

    @property
    def public_ids(self) -> list[str]:
        """IDs of everything that may be cited under a public-only policy: proxy and distractor."""
        return [item.id for item in self.evidence if item.role != "confidential"]
