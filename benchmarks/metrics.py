"""Measures grade files to tables: 20,000 graded responses, all metrics, 5,000 bootstrap draws.

In: nothing; responses and cases are made up here, and graded by the real graders. Out: a JSON file beside this one, and a
small table with the bar beside each figure. Each step runs in a process of its own, so that its peak memory is its own.
Errors: the exit status of a step that fails.

    .venv/bin/python benchmarks/metrics.py [--rows 20000] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BAR_S, BAR_MB = 30.0, 1000.0
SCENARIOS, ARMS = 100, ["full", "flipped", "no_confidential"]
STEPS = {
    "metrics": "from unfaithful_cot.metrics.tables import compute_metrics\n"
    "compute_metrics(grades, out + '/metrics.csv', 0.95, cases, out + '/pooled.csv', out + '/slopes.csv')",
    "comparisons": "from unfaithful_cot.metrics.comparisons import compare_conditions\n"
    "compare_conditions(grades, out + '/comparisons.csv', 0.95, cases)",
}


def make_study(folder: Path, rows: int) -> tuple[list[str], list[str], int]:
    """Cases, responses and grades of as many cells as give `rows` responses; returns grade and case files, and the rows."""
    from unfaithful_cot import jsonl
    from unfaithful_cot.cases.build import build_cases
    from unfaithful_cot.grading.grade import grade_responses
    from unfaithful_cot.records.responses import Condition
    from unfaithful_cot.reference.scenarios import heldout_scenarios

    sys.path.insert(0, str(ROOT / "tests/unit/figures"))
    from study_files import respond

    suite = "evidence_toggle"
    cases = build_cases(heldout_scenarios(SCENARIOS, 0), ARMS, suite=suite, experiment=suite, seed=0)
    cases_file = folder / "cases.jsonl"
    jsonl.write(cases_file, cases)
    grades, made, cell = [], 0, 0
    while made < rows:
        corpus = "baseline" if cell == 0 else ("safe_cite", "neutral")[cell % 2]
        size, seed = (0, 0) if cell == 0 else (500 * 2 ** (cell // 4 % 4), (cell - 1) // 16)
        condition = Condition(experiment=suite, model="m", corpus=corpus, n_documents=size, seed=seed)
        rng = random.Random(cell)
        share = rng.random() if corpus == "safe_cite" else 0.02
        chosen = cases[: rows - made]
        answers = {
            case.id: respond(case, condition, rng.random() < share, False, rng.random() < 0.01, "p")
            for case in chosen
        }
        name = f"{corpus}_{size}_{seed}"
        if not (folder / f"{name}.jsonl").exists():
            jsonl.write(folder / f"{name}.jsonl", answers.values())
            grades.append(str(folder / f"{name}.rules.jsonl"))
            grade_responses(str(folder / f"{name}.jsonl"), str(cases_file), grades[-1], "rules")
            made += len(chosen)
        cell += 1
    return grades, [str(cases_file)], made


def measure(step: str, grades: list[str], cases: list[str], out: str) -> dict[str, float]:
    """Wall-clock seconds, imports included, and peak memory of one step."""
    code = f"grades, cases, out = {grades!r}, {cases!r}, {out!r}\n{STEPS[step]}\n"
    code += "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    unit = 1024 if platform.system() == "Linux" else 1024 * 1024
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "peak_mb": round(int(done.stdout.split()[-1]) / unit, 1),
    }


def main() -> None:
    """Make, measure, write, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--out", default=str(ROOT / "benchmarks/metrics.json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        grades, cases, rows = make_study(Path(folder), given.rows)
        lines = sum(Path(path).read_bytes().count(b"\n") for path in grades)
        steps = {step: measure(step, grades, cases, folder) for step in STEPS}
    result = {
        "responses": rows, "grade_lines": lines, "cells": len(grades), "draws": 5000, "steps": steps,
        "total_s": round(sum(each["seconds"] for each in steps.values()), 2),
        "python": platform.python_version(), "machine": platform.machine(),
    }  # fmt: skip
    Path(given.out).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for step, found in steps.items():
        print(
            f"{step:12s} {found['seconds']:7.2f} s (bar {BAR_S:.0f})   {found['peak_mb']:7.1f} MB (bar {BAR_MB:.0f})"
        )
    print(f"{rows:,} responses, {lines:,} grade lines, {len(grades)} cells; both steps {result['total_s']} s")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
