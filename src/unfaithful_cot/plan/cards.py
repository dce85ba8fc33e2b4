"""Cards, speeds and assumptions that the estimates reckon with: benchmark files first, resources/cards.yaml where they say nothing.

In: resources/cards.yaml, benchmarks/training.json and generation.json. Out: Known, Speed.
Errors: none for a benchmark file that is not there; one without the figure counts as not there.
"""

from __future__ import annotations

import json
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
QWEN3_8B = 8.2e9  # parameters of the model that the benchmarks measure


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


def speed(
    work: Work, parameters: float, card: str, in_4bit: bool = False, benchmarks: Path = ROOT / "benchmarks"
) -> Speed:
    """Tokens a second that one card does with a model: the anchor, scaled by the card and the model's size.

    Training is bound by arithmetic, answering by memory bandwidth; both go with the number of parameters. in_4bit: of
    the weights, where that was measured.
    """
    table = known()
    anchor = measured(work, in_4bit, benchmarks) or table.anchors[work]
    here, there = table.kind(card), table.kind(anchor.card)
    ratio = 1.0
    if here and there:
        ratio = (
            here.bf16_tflops / there.bf16_tflops
            if work == "training"
            else here.bandwidth_tb_s / there.bandwidth_tb_s
        )
    basis = f"{work}: {anchor.tokens_per_s:,.0f} tokens/s of one card ({anchor.source}), scaled by the model's parameters"
    if here != there:
        basis += (
            f" and to the {card}"
            if here
            else f"; nothing is known of {card}, the figure of {anchor.card} is taken"
        )
    return Speed(anchor.tokens_per_s * ratio * anchor.parameters / parameters, basis)


def measured(work: Work, in_4bit: bool, benchmarks: Path) -> Anchor | None:
    """The slowest of this project's arms in the benchmark file; None without a file, or with one of another card or model.

    Files: benchmarks/training.json (arms ours_bf16, ours_nf4) and generation.json (arms `ours, …`, with `NF4` where weights
    are in 4 bit), of Qwen3-8B. Without an arm in 4 bit, that in bfloat16 is taken.
    """
    path = benchmarks / BENCHMARKS[work]
    if not path.is_file():
        return None
    measurement = json.loads(path.read_text(encoding="utf-8"))
    card = measurement.get("device") or measurement.get("machine", {}).get("device", "")
    if known().kind(card) is None or "tiny" in str(measurement.get("model", "")):
        return None
    arms = {
        arm["arm"]: arm.get("tokens_a_second") or arm["tokens_s"]
        for arm in sorted(
            measurement["arms"], key=lambda arm: -(arm.get("tokens_a_second") or arm["tokens_s"])
        )
        if arm["arm"].startswith("ours") and ("nf4" in arm["arm"].lower()) == in_4bit
    }  # of two arms of one name the slower stays
    if not arms:
        return measured(work, False, benchmarks) if in_4bit else None
    slowest = min(arms, key=lambda arm: arms[arm])
    return Anchor(
        tokens_per_s=arms[slowest],
        parameters=QWEN3_8B,
        card=card,
        source=f"{BENCHMARKS[work]}: {slowest}, {card}",
    )
