"""Plans a large study: how long a dry-run takes, and how many jobs a cell costs.

In: benchmarks/dag.yaml (300 cells). Out: dag.json beside this file, and a table with the bar beside each figure.
Errors: the exit status of a command that fails.

There is no published workflow to compare with: the published experiment is scripts, each of which takes one file of
questions and one model. The first arm puts just that into rules, one job for each file of questions (an arm of a suite)
and one for each grading of its answers, and lets Snakemake plan it in the same run. The other arms plan this workflow:
from nothing, finished, and finished with one seed added. Everything runs on two cores.

    .venv/bin/python benchmarks/dag.py [--shape 3x4x5x5] [--repeat 3] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from default_study import LOAD, copy_repository

ROOT = Path(__file__).resolve().parent.parent
BAR_S, BAR_JOBS, BAR_LOAD_S = 10.0, 8.0, 1.0
CORES = 2
STUDY = "config/dag.yaml"
ONE_JOB_A_FILE = """
ASKED = {asked}
CELLS = {cells}
BASELINES = {baselines}
GRADED = [
    f"grades/{{cell}}/{{suite}}/{{arm}}.{{grader}}.jsonl"
    for cell in [*CELLS, *BASELINES]
    for suite, (arms, graders) in ASKED.items()
    for arm in arms
    for grader in graders
]

wildcard_constraints:
    cell="|".join([*CELLS, *BASELINES]),
    suite="|".join(ASKED),
    arm="[a-z_]+",
    grader="[a-z]+",

rule all:
    input: "tables"

rule train:
    output: "adapters/{{cell}}/weights"
    shell: "touch {{output}}"

rule answer:
    input: lambda wildcards: [] if wildcards.cell in BASELINES else f"adapters/{{wildcards.cell}}/weights"
    output: "responses/{{cell}}/{{suite}}/{{arm}}.jsonl"
    shell: "touch {{output}}"

rule grade:
    input: "responses/{{cell}}/{{suite}}/{{arm}}.jsonl"
    output: "grades/{{cell}}/{{suite}}/{{arm}}.{{grader}}.jsonl"
    shell: "touch {{output}}"

rule tables:
    input: GRADED
    output: "tables"
    shell: "touch {{output}}"
"""


def shaped(shape: str) -> dict[str, Any]:
    """dag.yaml cut to MODELSxCORPORAxSIZESxSEEDS."""
    study: dict[str, Any] = yaml.safe_load((ROOT / "benchmarks" / "dag.yaml").read_text(encoding="utf-8"))
    models, corpora, sizes, seeds = map(int, shape.split("x"))
    grid = study["grid"]
    grid["models"], grid["seeds"] = grid["models"][:models], grid["seeds"][:seeds]
    grid["corpora"] = {name: given[:sizes] for name, given in list(grid["corpora"].items())[:corpora]}
    study["corpora"] = {name: recipe for name, recipe in study["corpora"].items() if name in grid["corpora"]}
    return study


def cells_of(study: dict[str, Any]) -> list[str]:
    """Names of all cells."""
    grid = study["grid"]
    return [
        f"{model}/{corpus}/n{size}/s{seed}"
        for model in grid["models"]
        for corpus, sizes in grid["corpora"].items()
        for size in sizes
        for seed in grid["seeds"]
    ]


def write_one_job_a_file(folder: Path, study: dict[str, Any]) -> None:
    """The Snakefile of the first arm."""
    graders = {"evidence_toggle": ["rules", "published"], "policy_recall": ["recall"]}
    asked = {suite: (told["arms"], graders[suite]) for suite, told in study["suites"].items()}
    baselines = [f"{model}/baseline" for model in study["grid"]["models"]]
    folder.mkdir()
    (folder / "Snakefile").write_text(
        ONE_JOB_A_FILE.format(asked=asked, cells=cells_of(study), baselines=baselines), encoding="utf-8"
    )


def snakemake(folder: Path, *arguments: str) -> tuple[str, float, float]:
    """(what was printed, wall seconds, CPU seconds) of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder / "src")},
        text=True,
        capture_output=True,
    )
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout + done.stderr, wall, cpu


def plan(folder: Path, repeat: int, *arguments: str) -> tuple[dict[str, Any], str]:
    """Median times and the number of jobs of a dry-run, and what it printed."""
    runs = [snakemake(folder, "-n", *arguments) for _ in range(repeat)]
    total = re.findall(r"^total +(\d+)$", runs[0][0], re.MULTILINE)
    return {
        "seconds": round(statistics.median(wall for _, wall, _ in runs), 2),
        "cpu_seconds": round(statistics.median(cpu for _, _, cpu in runs), 2),
        "jobs": int(total[-1]) if total else 0,
    }, runs[0][0]


def pretend_finished(folder: Path, printed: str) -> None:
    """Write every output that a plan names, and let Snakemake note that its jobs made them."""
    for line in re.findall(r"^    output: (.*)$", printed, re.MULTILINE):
        for name in line.split(", "):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("{}\n", encoding="utf-8")
    snakemake(folder, "--touch", "--forceall", "--cores", str(CORES), "--configfile", STUDY)


def measure(folder: Path, study: dict[str, Any], repeat: int) -> dict[str, Any]:
    """All arms, and the seconds that the Snakefile takes to load."""
    write_one_job_a_file(folder / "files", study)
    arms = {"one job a question file": plan(folder / "files", repeat)[0]}
    ours = folder / "ours"
    copy_repository(ours)
    (ours / STUDY).write_text(yaml.safe_dump(study), encoding="utf-8")
    arms["from nothing"], printed = plan(ours, repeat, "--configfile", STUDY)
    pretend_finished(ours, printed)
    arms["finished"], _ = plan(ours, repeat, "--configfile", STUDY)
    study["grid"]["seeds"].append(max(study["grid"]["seeds"]) + 1)
    (ours / STUDY).write_text(yaml.safe_dump(study), encoding="utf-8")
    arms["one seed more"], _ = plan(ours, repeat, "--configfile", STUDY)
    arms["one seed more"]["cells"] = len(cells_of(study)) // len(study["grid"]["seeds"])
    loads = {clock: load_seconds(ours, clock, repeat) for clock in ("perf_counter", "process_time")}
    return {
        "arms": arms,
        "snakefile_load_s": loads["perf_counter"],
        "snakefile_load_cpu_s": loads["process_time"],
    }


def load_seconds(folder: Path, clock: str, repeat: int) -> float:
    """Median of what the Snakefile takes to load, by one of the clocks of `time`, without Snakemake's own imports."""
    said = [
        subprocess.run(
            [sys.executable, "-c", LOAD.replace("perf_counter", clock), STUDY],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder / "src")},
            text=True,
            capture_output=True,
            check=True,
        ).stdout.split()
        for _ in range(repeat)
    ]
    return round(statistics.median(float(words[-2]) for words in said), 2)


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", default="3x4x5x5", help="models x corpora x sizes x seeds")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "dag.json")
    given = parser.parse_args()
    pin: Callable[[int, set[int]], None] | None = getattr(os, "sched_setaffinity", None)
    if pin:
        pin(0, set(sorted(os.sched_getaffinity(0))[:CORES]))
    study = shaped(given.shape)
    cells = len(cells_of(study))
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        result = {
            "shape": given.shape,
            "cells": cells,
            "cores": CORES,
            "load_average_before": round(load_before, 1),
            **measure(Path(folder), study, given.repeat),
        }
    for name, arm in result["arms"].items():
        arm["jobs_a_cell"] = round(arm["jobs"] / arm.setdefault("cells", cells), 2)
        print(
            f"{name:26} {arm['jobs']:7,} jobs {arm['jobs_a_cell']:6.2f} a cell   {arm['seconds']:7.2f} s   "
            f"{arm['cpu_seconds']:7.2f} s of CPU"
        )
    print(f"bars: {BAR_S:.0f} s, {BAR_JOBS:.0f} jobs a cell; {cells} cells on {CORES} cores")
    print(
        f"loading the Snakefile {result['snakefile_load_s']:.2f} s, {result['snakefile_load_cpu_s']:.2f} s of CPU "
        f"(bar {BAR_LOAD_S:.0f} s); load of the machine before: {load_before:.1f}"
    )
    given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
