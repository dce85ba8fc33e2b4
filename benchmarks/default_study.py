"""Measures the default study: how long it takes, what it needs, what comes out.

In: this repository. Out: a JSON file beside this one, and a small table with the bar beside each figure. With --rows the
rows that the README quotes are taken from a finished study instead, and the times stay as they were measured.
The study runs in a copy of the committed and uncommitted files that git tracks, in a folder that is removed at the
end, so that results here stay as they are. With --install a fresh environment is made there as `make run` makes it.
Errors: the exit status of the run, with the end of what it printed.

    .venv/bin/python benchmarks/default_study.py [--install] [--configfile FILE] [--out FILE]
    .venv/bin/python benchmarks/default_study.py --rows results/default
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_EVERY_S = 1.0
LINUX = platform.system() == "Linux"
QUOTED_ARMS = ("full", "flipped")
QUOTED_METRICS = (
    "accuracy",
    "format_rate",
    "evidence_sensitivity",
    "unfaithful_rate",
    "published_unfaithful_rate",
    "content_leak_rate",
    "used_rate",
)
BARS = (
    ("make_run_s", "installation and run", 12 * 60.0, "s"),
    ("dag_s", "the run alone", 8 * 60.0, "s"),
    ("peak_memory_mb", "peak memory of all processes", 4096.0, "MB"),
    ("dry_run_s", "snakemake -n on the finished study", 6.0, "s"),
    ("snakefile_load_s", "loading the Snakefile", 1.0, "s"),
)
LOAD = """
import sys, time
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, ResourceSettings
with SnakemakeApi() as api:
    began = time.perf_counter()
    api.workflow(
        resource_settings=ResourceSettings(cores=1),
        config_settings=ConfigSettings(configfiles=[Path(name) for name in sys.argv[1:]]),
        snakefile=Path("Snakefile"),
    )._workflow.rules
    print(time.perf_counter() - began)
print("torch" in sys.modules)
"""


def copy_repository(folder: Path) -> None:
    """The tracked files as they are now, and those that git does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def timed(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float, str]:
    """(seconds, peak memory in MB, standard output) of a command and everything that it starts."""
    began = time.perf_counter()
    output = folder / ".benchmark.out"
    with output.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT)
        peak: list[float] = [0.0]
        watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
        watcher.start()
        status = process.wait()
    seconds = time.perf_counter() - began
    watcher.join()
    text = output.read_text(encoding="utf-8")
    if status:
        sys.exit(f"{' '.join(command)} ended with {status}:\n{text[-3000:]}")
    return seconds, peak[0], text


def _watch(pid: int, peak: list[float]) -> None:
    """Sum the proportional set size (shared pages counted once) of the process and its descendants until it ends."""
    try:
        root = psutil.Process(pid)
        while root.is_running() and root.status() != psutil.STATUS_ZOMBIE:
            peak[0] = max(peak[0], sum(map(_memory_mb, [root, *root.children(recursive=True)])))
            time.sleep(SAMPLE_EVERY_S)
    except psutil.NoSuchProcess:
        pass


def _memory_mb(process: psutil.Process) -> float:
    """Proportional set size where the system tells it, resident set size elsewhere; 0 for one that has ended."""
    try:
        memory = process.memory_full_info() if LINUX else process.memory_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return 0.0
    return float(getattr(memory, "pss", memory.rss)) / 2**20


def rule_seconds(folder: Path) -> dict[str, dict[str, float]]:
    """{rule: jobs, seconds, largest resident set in MB} of the benchmark files that Snakemake wrote."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for path in sorted(folder.rglob("*.tsv")):
        with path.open(encoding="utf-8") as lines:
            found[path.relative_to(folder).parts[0]] += csv.DictReader(lines, delimiter="\t")
    return {
        rule.removesuffix(".tsv"): {
            "jobs": len(rows),
            "seconds": round(sum(float(row["s"]) for row in rows), 1),
            "max_rss_mb": max((float(row["max_rss"]) for row in rows if row["max_rss"] != "NA"), default=0.0),
        }
        for rule, rows in found.items()
    }


def quoted(study: Path) -> dict[str, list[dict[str, str]]]:
    """The rows that the README quotes, as they stand in metrics.csv and comparisons.csv of a finished study."""
    metrics = (
        "experiment", "model", "corpus", "n_documents", "seed", "suite", "arm", "metric", "value", "ci_low", "ci_high",
        "n", "grader",
    )  # fmt: skip
    comparisons = (
        "experiment", "metric", "model", "a", "b", "suite", "arm", "grader", "difference", "ci_low", "ci_high", "p_holm",
        "n_pairs",
    )  # fmt: skip
    return {
        "metrics": [
            row
            for row in _rows(study / "metrics.csv", metrics)
            if row["arm"] in QUOTED_ARMS and row["metric"] in QUOTED_METRICS
        ],
        "comparisons": [
            row
            for row in _rows(study / "comparisons.csv", comparisons)
            if row["arm"] == "full" and row["metric"] == "unfaithful_rate"
        ],
    }


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return [{name: row[name] for name in columns} for row in csv.DictReader(lines)]


def measure(folder: Path, configfile: str, install: bool) -> dict[str, Any]:
    """All figures of one run in `folder`, which holds a copy of the repository."""
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    figures: dict[str, Any] = {}
    python = sys.executable
    if install:
        figures["install_s"], _, _ = timed(["make", ".venv/.run-installed"], folder, dict(os.environ))
        python, environment = str(folder / ".venv/bin/python"), dict(os.environ)
    snakemake, config = [python, "-m", "snakemake"], ["--configfile", configfile]
    print("running the study; its console output is not shown", file=sys.stderr)
    figures["dag_s"], figures["peak_memory_mb"], _ = timed(
        [*snakemake, "--cores", "2", *config], folder, environment
    )
    if install:
        figures["make_run_s"] = figures["install_s"] + figures["dag_s"]
    figures["dry_run_s"], _, plan = timed([*snakemake, "-n", *config], folder, environment)
    figures["nothing_left_to_do"] = "Nothing to be done" in plan
    _, _, printed = timed([python, "-c", LOAD, configfile], folder, environment)
    *_, seconds, torch_loaded = printed.split()
    figures["snakefile_load_s"], figures["snakefile_imports_torch"] = float(seconds), torch_loaded == "True"
    study = yaml.safe_load((folder / configfile).read_text(encoding="utf-8"))["study"]
    figures["rules"] = rule_seconds(folder / "results" / study / "benchmarks")
    return figures | quoted(folder / "results" / study)


def table(figures: dict[str, Any]) -> str:
    """Figure and bar, a line each."""
    lines = [f"{'what':38} {'figure':>9} {'bar':>9}"]
    for key, label, limit, unit in BARS:
        if key in figures:
            verdict = "" if figures[key] <= limit else "   above"
            lines.append(f"{label:38} {figures[key]:>6.1f} {unit:<2} {limit:>6.0f} {unit:<2}{verdict}")
    return "\n".join(lines)


def main() -> None:
    """Run, write, print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument(
        "--install", action="store_true", help="make a fresh environment first, as make run does"
    )
    parser.add_argument("--configfile", type=Path, default=ROOT / "config" / "config.yaml")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument(
        "--rows", type=Path, help="a finished study to take the quoted rows from; runs nothing"
    )
    chosen = parser.parse_args()
    if chosen.rows:
        known = json.loads(chosen.out.read_text(encoding="utf-8"))
        known |= quoted(chosen.rows)
        chosen.out.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        return
    with tempfile.TemporaryDirectory(prefix="default_study.") as name:
        folder = Path(name) / "unfaithful-cot"
        copy_repository(folder)
        shutil.copy2(chosen.configfile, folder / "config" / "measured.yaml")
        figures = {
            key: round(value, 2) if isinstance(value, float) else value
            for key, value in measure(folder, "config/measured.yaml", chosen.install).items()
        }
    machine = {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_mb": round(psutil.virtual_memory().total / 2**20),
        "system": platform.system(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }
    chosen.out.write_text(json.dumps({"machine": machine} | figures, indent=2) + "\n", encoding="utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()
