"""A small study through `--executor slurm`, on a real Slurm of one node with two pretended GPUs.

One run, of which the tests look at different sides: it trains two cells with one GPU each, and one of its trainings
is cancelled on the way. About two minutes; skipped with the reason where no Slurm can be started.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

from long import one_node
from workflow.study import ROOT, Study, copy_repository

GPUS = 2
CARDED = "\ncarded: {source: resources/reference_reasoner, label: carded, parameters: 3.7e+6, gpus: 1, memory_mb: 2000}\n"
PARTITIONS = Path("profiles/slurm/partitions.yaml")
LIMIT_S = 600.0


@dataclass(frozen=True)
class Run:
    """What a run of the study left behind. `states`: {job: (state, comment)}; `partitions`: {job: partition}."""

    study: Study
    cluster: one_node.Cluster
    status: int
    console: str
    cancelled: str
    states: dict[str, tuple[str, str]]
    partitions: dict[str, str]

    def of_rule(self, *rules: str) -> list[str]:
        """Jobs that ran to their end, of these rules."""
        return [
            job
            for job, (state, comment) in self.states.items()
            if state == "COMPLETED" and comment.startswith(tuple(f"rule_{rule}_wildcards" for rule in rules))
        ]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[one_node.Cluster]:
    reason = one_node.missing()
    if reason:
        pytest.skip(f"no Slurm: {reason}")
    folder = tmp_path_factory.mktemp("slurm")
    with one_node.one_node(folder / "node", gpus=GPUS) as started:
        yield started
    assert not any((one_node.HOME / name).is_symlink() for name in one_node.FILES)


@pytest.fixture(scope="module")
def run(cluster: one_node.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Run:
    study = prepare(tmp_path_factory.mktemp("study") / "copy", cluster)
    with (study.folder / "console").open("w") as console:
        process = subprocess.Popen(
            command(study), cwd=study.folder, env=environment(study, cluster), stdout=console, stderr=console
        )
        try:
            cancelled = cancel_a_training(cluster, process)
            process.wait(LIMIT_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    lines = cluster.ask("squeue", "--noheader", "--states=all", "--format=%i %P").splitlines()
    return Run(
        study,
        cluster,
        process.returncode,
        (study.folder / "console").read_text(),
        cancelled,
        cluster.jobs(),
        dict(line.split() for line in lines),
    )


def prepare(folder: Path, cluster: one_node.Cluster) -> Study:
    """A copy of the repository with a study of two cells, and the file of partitions as docs/slurm.md tells to make it."""
    copy_repository(folder)
    smoke = yaml.safe_load((ROOT / "tests" / "fixtures" / "smoke.yaml").read_text(encoding="utf-8"))
    smoke["grid"] |= {"models": ["carded"], "corpora": {"safe_cite": [20], "neutral": [20]}}
    smoke["documents"]["count"] = 30
    smoke["loading"]["attention"] = "sdpa"
    (folder / "config" / "smoke.yaml").write_text(yaml.safe_dump(smoke), encoding="utf-8")
    study = Study(folder, "config/smoke.yaml")
    study.append("config/models.yaml", CARDED)
    made = subprocess.run(
        ["generate-slurm-partition-config", "-o", str(PARTITIONS)],
        cwd=folder,
        env=environment(study, cluster),
        text=True,
        capture_output=True,
    )
    assert made.returncode == 0, made.stderr
    limits = yaml.safe_load((folder / PARTITIONS).read_text())
    limits["partitions"]["gpu"]["max_gpu"] = GPUS
    (folder / PARTITIONS).write_text(yaml.safe_dump(limits))
    return study


def command(study: Study, *arguments: str) -> list[str]:
    """The profile as a user names it, but asking Slurm earlier how far a job is: jobs of the tests take seconds."""
    profile = ["--workflow-profile", "profiles/slurm", "--configfile", str(study.config)]
    return study.command(*profile, "--slurm-init-seconds-before-status-checks", "3", *arguments)


def environment(study: Study, cluster: one_node.Cluster) -> dict[str, str]:
    """Programs of the environment of the tests are found as in one that was activated."""
    here = Path(study.command()[0]).parent
    return (
        study.environment()
        | cluster.environment
        | {
            "PATH": f"{here}:{os.environ['PATH']}",
            "UNFAITHFUL_COT_GPU_LOCKS": str(cluster.folder / "locks"),
        }
    )


def cancel_a_training(cluster: one_node.Cluster, process: subprocess.Popen[bytes]) -> str:
    """Wait for the first training to run, cancel it, and return its job; nothing if the run ends before."""
    while process.poll() is None:
        working = {task.job for task in cluster.tasks()}
        for job, (state, comment) in cluster.jobs().items():
            if state == "RUNNING" and comment.startswith("rule_train_adapter") and job in working:
                cluster.ask("scancel", job)
                return job
        time.sleep(0.5)
    return ""


def spans(run: Run, jobs: list[str]) -> dict[str, tuple[float, float, frozenset[str]]]:
    """{job: (begin, end, GPUs)} over all tasks of a job."""
    found = {}
    for job in jobs:
        tasks = [task for task in run.cluster.tasks() if task.job == job]
        gpus = frozenset().union(*(task.gpus for task in tasks))
        found[job] = min(task.begin for task in tasks), max(task.end for task in tasks), gpus
    return found


def test_the_study_finishes(run: Run) -> None:
    assert run.status == 0, run.console[-6000:]
    results = run.study.folder / "results" / "smoke"
    assert (results / "report.html").stat().st_size > 10_000
    metrics = pd.read_csv(results / "metrics.csv")
    assert set(zip(metrics["corpus"], metrics["n_documents"], strict=True)) == {
        ("baseline", 0),
        ("safe_cite", 20),
        ("neutral", 20),
    }


def test_each_gpu_job_has_a_gpu_of_its_own(run: Run) -> None:
    carded = spans(run, run.of_rule("train_adapter", "evaluate_adapter", "evaluate_baseline"))
    # 2 trainings, 2 evaluations and the baseline
    assert len(carded) == 5
    assert {len(gpus) for _, _, gpus in carded.values()} == {1}
    together = [
        (one, other)
        for one, other in itertools.combinations(carded.values(), 2)
        if max(one[0], other[0]) < min(one[1], other[1])
    ]
    assert together, "no two GPU jobs ran at the same time"
    assert all(not one[2] & other[2] for one, other in together)


def test_other_jobs_see_no_gpu(run: Run) -> None:
    plain = spans(run, run.of_rule("generate_cases", "generate_documents", "filter_documents"))
    assert len(plain) == 5
    assert {gpus for _, _, gpus in plain.values()} == {frozenset()}


def test_gpu_jobs_go_to_the_partition_with_gpus(run: Run) -> None:
    carded = run.of_rule("train_adapter", "evaluate_adapter", "evaluate_baseline")
    assert {run.partitions[job] for job in carded} == {"gpu"}
    assert {run.partitions[job] for job in run.of_rule("generate_documents")} == {"cpu"}


def test_a_cancelled_job_is_tried_again(run: Run) -> None:
    assert run.cancelled
    state, comment = run.states[run.cancelled]
    assert state == "CANCELLED"
    again = [job for job, (ended, told) in run.states.items() if told == comment and ended == "COMPLETED"]
    assert len(again) == 1
    assert f"SLURM-job '{run.cancelled}' failed, SLURM status is: 'CANCELLED'" in run.console


def test_small_jobs_share_a_place_in_the_queue(run: Run) -> None:
    kinds = Counter(
        comment.removeprefix("rule_").split("_wildcards")[0].split("_carded")[0].split("/")[0]
        for _, comment in run.states.values()
    )
    # one Slurm job for both graders of a condition (untouched, safe_cite, neutral), one for all tables, figures and
    # the report; plan_documents, build_training_set and measure_power need none
    grades = kinds.pop("grades")
    tables = sum(kinds.pop(kind) for kind in list(kinds) if kind.startswith("tables"))
    assert (grades, tables) == (3, 1)
    assert kinds == Counter(
        generate_cases=1, generate_documents=2, filter_documents=2, evaluate_baseline=1
    ) + Counter(train_adapter=3, evaluate_adapter=2)


def test_a_failed_job_shows_its_log(run: Run) -> None:
    """A response that is no JSON any more: the grader says where, and Snakemake shows it."""
    cell = "carded/safe_cite/n20/s0/evidence_toggle"
    responses = run.study.folder / "results" / "smoke" / "responses" / f"{cell}.jsonl"
    responses.write_text('{"id": "r_1", \n', encoding="utf-8")
    (run.study.folder / PARTITIONS).unlink()  # without the file: the default partition
    target = f"results/smoke/grades/{cell}.rules.jsonl"
    failed = subprocess.run(
        command(run.study, "--retries", "0", target),
        cwd=run.study.folder,
        env=environment(run.study, run.cluster),
        text=True,
        capture_output=True,
        timeout=LIMIT_S,
    )
    console = failed.stdout + failed.stderr
    assert failed.returncode == 1
    assert f"{responses.relative_to(run.study.folder)}:1: " in console
    assert "slurm_logs/" in console
    assert "Traceback" not in console


def test_fewer_gpus_than_asked_for_is_said_before_any_job(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(run.study.folder, folder, ignore=shutil.ignore_patterns("results", ".snakemake"))
    study = Study(folder, run.study.config)
    study.edit("config/models.yaml", "parameters: 3.7e+6, gpus: 1", "parameters: 3.7e+6, gpus: 3")
    before = run.cluster.jobs().keys()
    refused = subprocess.run(
        command(study),
        cwd=folder,
        env=environment(study, run.cluster),
        text=True,
        capture_output=True,
        timeout=LIMIT_S,
    )
    console = refused.stdout + refused.stderr
    assert refused.returncode == 1
    assert (
        "config/models.yaml: carded.gpus: a job of carded asks for 3 GPUs, and no node of this cluster has more than 2"
        in console
    )
    assert "Traceback" not in console
    assert run.cluster.jobs().keys() == before
