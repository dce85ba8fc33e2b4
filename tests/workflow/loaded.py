"""The rules of the workflow as Snakemake holds them once it has read it; nothing is planned or run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings, WorkflowSettings
from snakemake_interface_executor_plugins.settings import ExecMode

from workflow.study import ROOT


def loaded() -> list[Any]:
    """Every rule of the default study, which includes every rule file."""
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=1),
                config_settings=ConfigSettings(),
                workflow_settings=WorkflowSettings(exec_mode=ExecMode.SUBPROCESS),
                snakefile=ROOT / "Snakefile",
            )
            return list(workflow._workflow.rules)
    finally:
        os.chdir(before)


RULES = {rule.name: rule for rule in loaded() if not rule.norun}  # without the named targets
