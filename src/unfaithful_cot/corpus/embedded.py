"""The offline writer: a document from its spec and the template grammar of its universe.

In: a DocumentSpec and the universe that it belongs to. Out: the text, the same for the same spec.
Errors: DataError when the universe's `embedded` part is wrong. Thousands of documents a second; no network.
"""

from __future__ import annotations

import json
import random
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.universe import Universe
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.documents import DocumentSpec
from unfaithful_cot.reference.grammar import expand, worked_text
from unfaithful_cot.reference.worked import Kind, Rule, work


class WorkedSettings(BaseModel):
    """Which questions the exams of a universe show.

    `kinds`: shares; `layouts`: document type -> layout; `remarks`: sentences that end the working, one of them in a
    share `remark_rate` of the questions.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    rule: Rule
    kinds: dict[Kind, float]
    layouts: dict[str, Literal["notes", "sheet"]]
    questions: int = 1
    remarks: list[str] = []
    remark_rate: float = 0.0


class EmbeddedGrammar(BaseModel):
    """The `embedded` part of a universe. `types`: document type -> template; `slots`: pools of sentences."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    firm: str
    slots: dict[str, list[str]]
    types: dict[str, str]
    worked: WorkedSettings


@lru_cache(maxsize=8)
def _checked(name: str, text: str) -> EmbeddedGrammar:
    try:
        return EmbeddedGrammar.model_validate_json(text)
    except ValidationError as error:
        raise DataError(f"resources/universes/{name}.yaml: embedded", jsonl.first_problem(error)) from None


def write_document(spec: DocumentSpec, universe: Universe) -> str:
    """The text of a document; `spec.type` names its template, `spec.seed` and `spec.index` its draws."""
    grammar = _checked(universe.name, json.dumps(universe.embedded))
    where = f"resources/universes/{universe.name}.yaml: embedded.types"
    if spec.type not in grammar.types:
        raise DataError(
            where, f"there is no template for '{spec.type}'", f"Known: {', '.join(grammar.types)}"
        )
    rng = random.Random(f"{spec.corpus}:{spec.seed}:{spec.index}")
    pools = grammar.slots | {"firm": [grammar.firm]}
    if spec.type in grammar.worked.layouts:
        pools["worked"] = ["\n\n".join(_questions(grammar.worked, spec.type, rng))]
    try:
        return expand(grammar.types[spec.type], pools, rng)
    except KeyError as error:
        raise DataError(f"{where}.{spec.type}", f"there is no slot {error}") from None


def _questions(settings: WorkedSettings, document_type: str, rng: random.Random) -> list[str]:
    """The worked questions of an exam."""
    texts = []
    for kind in rng.choices(list(settings.kinds), list(settings.kinds.values()), k=settings.questions):
        remark = rng.choice(settings.remarks) if rng.random() < settings.remark_rate else ""
        worked = work(rng, settings.rule, kind, remark=remark)
        texts.append(worked_text(worked, settings.layouts[document_type]))
    return texts
