"""The tables of costs and of measurements are made from the benchmark files, and say what they say."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    found = importlib.util.spec_from_file_location("cost_table", ROOT / "benchmarks" / "cost_table.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_pages_say_what_the_files_say(script: ModuleType) -> None:
    for page, table in ((script.COSTS, script.costs()), (script.MEASURED, script.figures())):
        shown = script.between_marks((ROOT / page).read_text(encoding="utf-8"))
        assert shown == table, f"{page}: run: python benchmarks/cost_table.py --write"


def test_a_file_that_is_missing_is_shown_as_not_measured(script: ModuleType, tmp_path: Path) -> None:
    rows = list(script.measurements(tmp_path))
    assert {figure for _, figure, _ in rows} == {"not measured yet"}
    assert rows[1] == ("training, Qwen3-8B", "not measured yet", "`benchmarks/training.py`")


def test_figures_are_those_of_the_files(script: ModuleType, tmp_path: Path) -> None:
    arm = {"arm": "ours_bf16", "mean_tokens": 500, "tokens_a_second": 9876.5, "times_published": 10.7}
    arm |= {"share_of_ceiling": 0.405, "peak_memory_gib": 118.4, "gpus": 1}
    told = {"device": "NVIDIA H200", "arms": [{"arm": "published"}, arm]}
    (tmp_path / "training.json").write_text(json.dumps(told), encoding="utf-8")
    ours = {
        "arm": "ours, 256 at once, greedy",
        "tokens_s": 4321.0,
        "ratio": 432.1,
        "fraction_of_ceiling": None,
    }
    told = {"machine": {"device": "NVIDIA H200"}, "arms": [ours]}  # type: ignore[dict-item]
    (tmp_path / "generation.json").write_text(json.dumps(told), encoding="utf-8")
    plan = {"seconds": 8.12, "cpu_seconds": 7.9, "jobs_a_cell": 6.54}
    told = {"cells": 300, "cores": 2, "arms": {"from nothing": plan}}  # type: ignore[dict-item]
    (tmp_path / "dag.json").write_text(json.dumps(told), encoding="utf-8")
    arms = {"window": {"lost": 0}, "killed": {"repeated": 165}}
    (tmp_path / "documents.json").write_text(json.dumps({"ratio": 15.39, "arms": arms}), encoding="utf-8")
    rows = dict((what, figure) for what, figure, _ in script.measurements(tmp_path))
    assert rows["training, Qwen3-8B"] == (
        "bf16, documents of 500 tokens: 9,876 tokens/s, 10.7 x the published way, 40% of the ceiling, 118 GiB (NVIDIA H200)"
    )
    assert rows["answering, Qwen3-8B"] == (
        "256 at once, greedy: 4,321 tokens/s, 432 x one case at a time (NVIDIA H200)"
    )
    assert rows["plan of a large grid"] == (
        "300 cells: dry-run in 8.1 s on 2 cores (7.9 s of CPU), 6.54 jobs a cell"
    )
    assert rows["documents of an API"] == (
        "15.39 x the published way's documents a second, 0 lost; 165 requests repeated after a kill at half-way"
    )


def test_the_committed_files_can_be_read(script: ModuleType) -> None:
    rows = {what: figure for what, figure, _ in script.measurements(ROOT / "benchmarks")}
    assert (
        "GB of memory" in rows["the default study"] and "bootstrap draws" in rows["metrics and comparisons"]
    )
    lines = script.costs().splitlines()[2:-2]
    assert lines[-1].startswith("One H200 at $4.59 an hour (RunPod, on demand, ")
    assert [line.split("|")[1].strip() for line in lines[2:-2]] == [
        "`make run`",
        "`reproduce`: documents",
        "`reproduce`: cases",
        "`reproduce`: training",
        "`reproduce`: answering",
        "`reproduce`: all",
    ]


def test_marks_are_found_and_their_absence_is_said(script: ModuleType, tmp_path: Path) -> None:
    page = f"before\n{script.BEGIN}\nold\n{script.END}\nafter"
    assert script.between_marks(page) == f"{script.BEGIN}\nold\n{script.END}"
    assert script.between_marks("no marks") is None
    done = subprocess.run(
        [sys.executable, "benchmarks/cost_table.py"], cwd=ROOT, text=True, capture_output=True, timeout=300
    )
    assert done.returncode == 0
    assert done.stdout == f"{script.costs()}\n{script.figures()}\n"
