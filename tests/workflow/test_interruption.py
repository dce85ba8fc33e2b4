"""A run that is killed goes on with the same command; what was finished is not made again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from study import ROOT, Study

MANIFEST = "results/smoke/adapters/reference/neutral/n40/s0/manifest.json"


def wait_for(path: Path, process: subprocess.Popen[str], timeout_s: float = 240) -> None:
    """Until a file exists; the process has to live until then."""
    end = time.monotonic() + timeout_s
    while not path.exists():
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.05)


def test_a_killed_run_goes_on(fresh: Callable[..., Study]) -> None:
    smoke = (ROOT / "tests" / "fixtures" / "smoke.yaml").read_text(encoding="utf-8")
    study = fresh(smoke)
    command = study.command("--cores", "1", MANIFEST, "--configfile", str(study.config))
    run = subprocess.Popen(
        command,
        cwd=study.folder,
        env=study.environment(),
        text=True,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(study.folder / "results/smoke/logs/train_adapter/reference/neutral/n40/s0.log", run)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    made = {
        path: path.stat().st_mtime_ns
        for part in ("corpora", "cases", "training_sets")
        for path in (study.folder / "results/smoke" / part).rglob("*.jsonl")
    }
    assert len(made) == 5 and not (study.folder / MANIFEST).exists()

    locked = study.snakemake("--cores", "1", MANIFEST)
    assert locked.returncode == 1 and "--unlock" in locked.stderr
    assert study.snakemake("--unlock").returncode == 0
    again = study.snakemake("--cores", "1", MANIFEST)
    assert again.returncode == 0, again.stderr[-3000:]
    assert (study.folder / MANIFEST).exists()
    assert {path: path.stat().st_mtime_ns for path in made} == made
