"""Speeds come from the benchmark files where they hold one of a known card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unfaithful_cot.plan.cards import measured, speed


def write(folder: Path, name: str, **told: Any) -> Path:
    (folder / name).write_text(json.dumps(told), encoding="utf-8")
    return folder


TRAINING = [
    {"arm": "published", "mean_tokens": 500, "tokens_a_second": 918},
    {"arm": "ours_bf16", "mean_tokens": 1000, "tokens_a_second": 9900},
    {"arm": "ours_bf16", "mean_tokens": 500, "tokens_a_second": 9800},
    {"arm": "ours_nf4", "mean_tokens": 500, "tokens_a_second": 8600},
]
ANSWERING = [
    {"arm": "published way: one case at a time, generate", "tokens_s": 10},
    {"arm": "generate, 256 at once", "tokens_s": 2243},
    {"arm": "ours, 256 at once, greedy", "tokens_s": 4800},
    {"arm": "ours, 256 at once, temperature 0.6, top_p 0.95", "tokens_s": 4500},
]


def test_the_slower_of_our_arms_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "training.json", device="NVIDIA H200", model="qwen3_8b", arms=TRAINING)
    write(tmp_path, "generation.json", machine={"device": "NVIDIA H200"}, model="Qwen3-8B", arms=ANSWERING)
    for work, in_4bit, tokens_per_s, arm in (
        ("training", False, 9800, "training.json: ours_bf16, NVIDIA H200"),
        ("training", True, 8600, "training.json: ours_nf4, NVIDIA H200"),
        (
            "answering",
            True,
            4500,
            "generation.json: ours, 256 at once, temperature 0.6, top_p 0.95, NVIDIA H200",
        ),
    ):
        found = measured(work, in_4bit, tmp_path)  # type: ignore[arg-type]
        assert found is not None and (found.tokens_per_s, found.source) == (tokens_per_s, arm)
    in_4_bit = {"arm": "ours, 256 at once, NF4, adapter apart", "tokens_s": 4100}
    write(
        tmp_path,
        "generation.json",
        machine={"device": "NVIDIA H200"},
        model="Qwen3-8B",
        arms=[*ANSWERING, in_4_bit],
    )
    for nf4, tokens_per_s in ((True, 4100), (False, 4500)):
        found = measured("answering", nf4, tmp_path)
        assert found is not None and found.tokens_per_s == tokens_per_s
    # twice the parameters, half the speed
    assert speed("training", 16.4e9, "NVIDIA H200", benchmarks=tmp_path).tokens_per_s == 4900


def test_without_an_arm_in_4_bit_that_in_bf16_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "training.json", device="NVIDIA H200", model="qwen3_8b", arms=TRAINING[:3])
    found = measured("training", True, tmp_path)
    assert found is not None and found.tokens_per_s == 9800


def test_files_of_a_cpu_or_of_a_tiny_model_do_not_count(tmp_path: Path) -> None:
    assert measured("training", False, tmp_path) is None
    write(tmp_path, "training.json", device="x86_64", model="qwen3_8b", arms=TRAINING)
    assert measured("training", False, tmp_path) is None
    write(tmp_path, "generation.json", machine={"device": "NVIDIA H200"}, model="tiny", arms=ANSWERING)
    assert measured("answering", False, tmp_path) is None
    write(tmp_path, "training.json", device="NVIDIA H200", model="qwen3_8b", arms=TRAINING[:1])
    assert measured("training", False, tmp_path) is None
    assert "5,359 tokens/s" in speed("training", 8.2e9, "NVIDIA H200", benchmarks=tmp_path).basis
