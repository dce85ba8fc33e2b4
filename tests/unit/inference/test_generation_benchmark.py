"""benchmarks/generation.py: it runs, asks all that it says, and its ceiling is the formula that it states."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "generation.py"


def test_the_script_measures_the_published_way_first(tmp_path):
    out = tmp_path / "generation.json"
    subprocess.run(
        [sys.executable, str(SCRIPT), "--tiny", "--new-tokens", "6", "--out", str(out)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        check=True,
        timeout=120,
    )
    found = json.loads(out.read_text())
    arms = found["arms"]
    assert arms[0]["arm"] == "published way: one case at a time, generate"
    assert arms[0]["ratio"] == 1
    # 2 cases of 8 tokens; 8 cases of 6; the same twice by the static cache; 16 cases of 6; 8 in NF4
    assert [arm["tokens"] for arm in arms] == [16, 48, 48, 48, 96, 48]
    assert arms[2]["ratio"] == pytest.approx(arms[2]["tokens_s"] / arms[0]["tokens_s"], abs=0.06)
    assert found["check"]["logits_largest_difference"] < 1e-4 < found["check"]["logits_standard_deviation"]
    assert found["check"]["replayed_steps_equal_eager_ones"]
    assert found["bars"] == {"ratio": 400, "tokens_s": 4000}


def test_the_ceiling_by_hand():
    specification = importlib.util.spec_from_file_location("generation_benchmark", SCRIPT)
    script = importlib.util.module_from_spec(specification)  # type: ignore[arg-type]
    sys.modules[specification.name] = script
    specification.loader.exec_module(script)
    reasoner = script.random_reasoner(False, "meta")
    # Qwen3-8B has 8,190,735,360 parameters, of which 151,936 x 4,096 are embeddings that are only looked up:
    # 7,568,405,504 parameters, 15,136,811,008 bytes. 256 prompts of 400 tokens and 1,000 new ones hold
    # 256 x (400 + 500) x 147,456 = 33,973,862,400 bytes on average: 49,110,673,408 / 4.3e12 = 11.421 ms a step.
    # Prompts: 256 x 400 x 2 x 7,568,405,504 / 790e12 = 1.962 s. 256,000 / (11.421 + 1.962) = 19,129 tokens a second
    assert sum(p.numel() for p in reasoner.model.parameters()) == 8_190_735_360
    assert script.ceiling(reasoner, [[0] * 400] * 256, 1_000) == pytest.approx(19_129, abs=1)
