"""A large study stays plannable: benchmarks/dag.yaml, 300 cells with every arm. Seconds are measured by benchmarks/dag.py."""

from __future__ import annotations

import re
from collections.abc import Callable

from workflow.study import ROOT, Study


def test_three_hundred_cells_cost_few_jobs_each(fresh: Callable[..., Study]) -> None:
    study = fresh((ROOT / "benchmarks" / "dag.yaml").read_text(encoding="utf-8"))
    planned = study.snakemake("-n", "--quiet", "rules")
    assert planned.returncode == 0, planned.stderr[-3000:]
    jobs = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", planned.stdout + planned.stderr, re.M)}
    # 3 models x 4 corpora x 5 sizes x 5 seeds; training sets are shared between the models
    assert jobs["train_adapter"] == jobs["evaluate_adapter"] == 300
    assert jobs["build_training_set"] == 100
    # 303 conditions (300 cells, 3 baselines) by three graders, each of which reads one suite
    assert jobs["grade_responses"] == 909
    assert jobs["total"] <= 8 * 300
