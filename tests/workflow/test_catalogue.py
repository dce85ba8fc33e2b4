"""workflow/Snakefile, where the workflow catalogue and `module` look, plans what Snakefile plans."""

from __future__ import annotations

from collections.abc import Callable

from workflow.study import Study


def test_the_standard_place_plans_the_same_jobs(fresh: Callable[..., Study]) -> None:
    study = fresh()
    there = study.rules("-s", "workflow/Snakefile")
    del there["everything"]  # what rule all is called there
    assert there == study.rules()
