"""Cards, speeds and assumptions that the estimates reckon with: benchmark files first, resources/cards.yaml where they say nothing.

In: resources/cards.yaml, benchmarks/training.json and generation.json. Out: Known, Speed.
Errors: none for a benchmark file that is not there; one without the figure counts as not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

Work = Literal["training", "answering"]
ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "resources" / "cards.yaml"
BENCHMARKS: dict[Work, str] = {"training": "training.json", "answering": "generation.json"}


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(_Record):
    """A card that can be rented."""

    name: str
    memory_gib: float
    bf16_tflops: float
    bandwidth_tb_s: float


class Anchor(_Record):
    """Tokens a second of one card with a model of `parameters`, and where the figure is from."""

    tokens_per_s: float
    parameters: float
    card: str
    source: str


class Assumed(_Record):
    """What is reckoned with for want of a measurement; resources/cards.yaml says what each is."""

    response_tokens: int
    document_tokens: int
    judge_tokens: int
    request_s: float
    job_s: float


class Known(_Record):
    """resources/cards.yaml."""

    cards: list[Kind]
    anchors: dict[Work, Anchor]
    assumed: Assumed

    def kind(self, model: str) -> Kind | None:
        """The card whose name stands in what nvidia-smi calls it."""
        return next((kind for kind in self.cards if kind.name.lower() in model.lower()), None)


@dataclass(frozen=True)
class Speed:
    """Tokens a second of one card, and what the figure rests on."""

    tokens_per_s: float
    basis: str


@cache
def known(path: Path = FILE) -> Known:
    """The table, read once."""
    return Known.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def speed(work: Work, parameters: float, card: str, benchmarks: Path = ROOT / "benchmarks") -> Speed:
    """Tokens a second that one card does with a model: the anchor, scaled by the card and the model's size.

    Training is bound by arithmetic, answering by memory bandwidth; both go with the number of parameters.
    """
    table = known()
    anchor = measured(benchmarks / BENCHMARKS[work]) or table.anchors[work]
    here, there = table.kind(card), table.kind(anchor.card)
    ratio = 1.0
    if here and there:
        ratio = (
            here.bf16_tflops / there.bf16_tflops
            if work == "training"
            else here.bandwidth_tb_s / there.bandwidth_tb_s
        )
    told = f"{work}: {anchor.tokens_per_s:,.0f} tokens/s of one card ({anchor.source}), scaled by the model's parameters"
    if here != there:
        told += (
            f" and to the {card}"
            if here
            else f"; nothing is known of {card}, the figure of {anchor.card} is taken"
        )
    return Speed(anchor.tokens_per_s * ratio * anchor.parameters / parameters, told)


def measured(path: Path) -> Anchor | None:
    """The anchor of a benchmark file; None where there is no file, or where it was measured on a CPU."""
    return None
