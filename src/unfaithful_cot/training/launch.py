"""One training in several processes, a GPU each, by `accelerate launch`.

In: a function of the package (`module:name`), its arguments, a number of processes. Out: nothing; the function runs in
each process and finds its place among them in the environment.
Errors: a WorkflowError of any process is raised here as well, as its one message; RuntimeError for anything else.
torchrun ends the others when one process fails.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unfaithful_cot import errors
from unfaithful_cot.errors import WorkflowError
from unfaithful_cot.host.runs import VARIABLE, end_with_run, this_process


def launched() -> bool:
    """Whether this process is one of several."""
    return "LOCAL_RANK" in os.environ


def launch(function: str, arguments: Mapping[str, Any], n_processes: int) -> None:
    """Run `function(**arguments)` in n_processes processes of this machine and wait. arguments: JSON values."""
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        job.write_text(json.dumps({"function": function, "arguments": dict(arguments)}), encoding="utf-8")
        # close_fds=False: the locks on the GPUs (gpu_lock) live as long as any of the processes
        environment = os.environ | {VARIABLE: this_process()}
        done = subprocess.run(command(job, n_processes), check=False, close_fds=False, env=environment)
        told = sorted(Path(folder).glob("error.*"))
        if told:
            kind, *parts = json.loads(told[0].read_text(encoding="utf-8"))
            raise getattr(errors, kind)(*parts)
    if done.returncode:
        raise RuntimeError(f"{function} ended with {done.returncode} in {n_processes} processes; see above")


def command(job: Path, n_processes: int) -> list[str]:
    """The command line; port 0 takes a free one, so that two trainings fit on one machine."""
    options = ["--multi_gpu", "--num_machines", "1", "--num_processes", str(n_processes)]
    options += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0"]
    accelerate = [sys.executable, "-m", "accelerate.commands.launch"]
    return [*accelerate, *options, "--module", "unfaithful_cot.training.launch", str(job)]


def main(job: Path) -> None:
    """One process: its GPU, the function, and its error in a file for the process that launched it and that it ends with."""
    end_with_run()
    import torch

    rank = int(os.environ["LOCAL_RANK"])
    if torch.cuda.is_available():
        torch.cuda.set_device(rank)
    told = json.loads(job.read_text(encoding="utf-8"))
    module, _, name = told["function"].partition(":")
    try:
        getattr(importlib.import_module(module), name)(**told["arguments"])
    except WorkflowError as error:
        part = job.with_name(f"part.{rank}")
        parts = [type(error).__name__, error.where, error.what, error.right, error.todo]
        part.write_text(json.dumps(parts), encoding="utf-8")
        part.rename(job.with_name(f"error.{rank}"))
        sys.exit(1)
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
