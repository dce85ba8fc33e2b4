"""The moment before the first job: what would make all GPU jobs of a run fail is said once, and no job starts.

In: the cards that jobs ask for, the limit that Snakemake was given. Out: nothing.
Errors: MachineError for fewer cards than asked for, SettingsError for a limit below what one job needs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from unfaithful_cot.errors import SettingsError
from unfaithful_cot.host.gpu_lock import check_gpus

CLUSTER = "UNFAITHFUL_COT_CLUSTER"


def note_executor(local: bool) -> None:
    """Tell the jobs that this process starts whether the profile hands jobs to a cluster."""
    os.environ[CLUSTER] = "" if local else "yes"


def on_cluster() -> bool:
    """Whether the run that started this job hands jobs to a cluster."""
    return bool(os.environ.get(CLUSTER))


def check_start(gpus: Mapping[str, int], limit: int | None) -> None:
    """Before the first job of a run on this machine: the cards that its jobs ask for are here, and Snakemake may give them.

    gpus: cards of one job, by model; only of jobs that will run. limit: Snakemake's `--resources gpu=`, None: none.
    Snakemake itself would cut the number that a job asks for to the limit, and start it. Raises: MachineError.
    """
    for name, wanted in gpus.items():
        check_gpus(wanted, name)
        if limit is not None and wanted > limit:
            raise SettingsError(
                f"config/models.yaml: {name}.gpus",
                f"{wanted} GPUs a job, and Snakemake may give {limit} at a time (--resources gpu={limit})",
                f"--resources gpu={wanted} or more, up to the number of cards",
                "Leave it out (the profiles count the cards), or lower gpus",
            )
