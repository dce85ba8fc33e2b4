"""The Slurm profile where there is no Slurm: the plan is the same, and a run is refused with one message."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from workflow.loaded import RULES
from workflow.study import ROOT, Study

SMOKE = (ROOT / "tests" / "fixtures" / "smoke.yaml").read_text(encoding="utf-8")
PROFILE = ("--workflow-profile", "profiles/slurm")
NEEDED = ("sh", "bash", "env", "which")


@pytest.fixture
def without_slurm(tmp_path: Path) -> dict[str, str]:
    """A path that leads to nothing but what Snakemake itself needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED:
        (folder / name).symlink_to(shutil.which(name) or "/bin/sh")
    return {"PATH": str(folder)}


def jobs_of(console: str) -> dict[str, int]:
    """{rule: jobs} of the last table of a dry-run; grouped jobs are printed in another form than others."""
    table = console.split("Job stats:")[-1].split("\n\n")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def test_the_plan_is_that_of_the_default_profile(
    fresh: Callable[..., Study], without_slurm: dict[str, str]
) -> None:
    study = fresh(SMOKE)
    plain, planned = study.snakemake("-n"), study.snakemake("-n", *PROFILE, **without_slurm)
    assert planned.returncode == 0, planned.stderr
    assert jobs_of(planned.stdout + planned.stderr) == jobs_of(plain.stdout + plain.stderr)
    assert jobs_of(planned.stdout + planned.stderr)["train_adapter"] == 3


def test_a_run_without_slurm_is_refused_with_one_message(
    fresh: Callable[..., Study], without_slurm: dict[str, str]
) -> None:
    study = fresh(SMOKE)
    done = study.snakemake(*PROFILE, **without_slurm)
    assert done.returncode == 1
    assert "profiles/slurm: no sbatch on the path. " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (study.folder / "results").exists()


def test_an_unknown_key_of_a_profile_is_named(fresh: Callable[..., Study]) -> None:
    study = fresh(SMOKE)
    study.append("profiles/slurm/config.yaml", "\nslurm-partitoin: x\n")
    done = study.snakemake("-n", *PROFILE)
    assert done.returncode != 0
    assert done.stderr.rstrip().endswith("unrecognized arguments: --slurm-partitoin=x")
    assert "Traceback" not in done.stderr


def test_every_rule_that_the_profile_groups_exists() -> None:
    """A group of a rule that is no more would silently group nothing."""
    text = (ROOT / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8")
    grouped = text.split("\ngroups:\n")[1].split("\ngroup-components:")[0].splitlines()
    absent = {line.split(":")[0].strip() for line in grouped} - set(RULES)
    assert grouped and not absent
