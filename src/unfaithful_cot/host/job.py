"""The edge between Snakemake and the package: a job calls the function of the package that its rule names.

`run_rule` hands inputs, outputs, params, wildcards and threads over by name, writes the log, and turns a WorkflowError
into its one message.
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from unfaithful_cot.errors import SettingsError, WorkflowError, known
from unfaithful_cot.host.gpu_lock import hold_gpus
from unfaithful_cot.host.params import NOT_HANDED, NOT_HANDED_GROUPS, TRACKED, Untracked
from unfaithful_cot.host.runs import end_with_run
from unfaithful_cot.jsonl import storage_errors, unwritable

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}

INTERRUPTED = "\nInterrupted: what was finished is kept; run the same command again to go on."


def called(snakemake: Any) -> Callable[..., object]:
    """The function that the rule of a job names by `params.calls`."""
    module, _, name = str(snakemake.params.calls.value).rpartition(".")
    function: Callable[..., object] = getattr(import_module(module), name)
    return function


def argument(name: str) -> tuple[str, str]:
    """(argument, field) of the function that an input, output or param of this name becomes; ("", "") where none.

    A param `group__field` is collected into the argument `group`, a dict of fields; one underscore at the end of a name
    is taken off. No arguments are `code`, `calls` and `tracked_*`, which say what reruns a job, and `needs__*` and
    `also__*`: inputs that a function finds itself, such as the weights in a model's folder, and outputs that it writes
    beside one that it is given.
    """
    group, _, field = name.partition("__")
    if name in NOT_HANDED or name.startswith(TRACKED) or group in NOT_HANDED_GROUPS:
        return "", ""
    return (group, field) if field else (name.removesuffix("_"), "")


def named_arguments(function: Callable[..., object], snakemake: Any) -> dict[str, Any]:
    """The keyword arguments of `function` found among the job's inputs, outputs, params, wildcards and threads.

    Raises:
        SettingsError: An input, output or param is no parameter of the function. Wildcards and threads may be left over.
    """
    found: dict[str, Any] = {"threads": snakemake.threads, **dict(snakemake.wildcards.items())}
    accepted = inspect.signature(function).parameters
    for part in (snakemake.params, snakemake.output, snakemake.input):
        for name, value in part.items():
            group, field = argument(name)
            if not group:
                continue
            if group not in accepted:
                raise _not_accepted(function, name, list(accepted), snakemake)
            if isinstance(value, Untracked):
                value = value.value
            if field:
                found.setdefault(group, {})[field] = value
            else:
                found[group] = list(value) if type(value).__name__ == "Namedlist" else value
    return {name: found[name] for name in accepted if name in found}


def _not_accepted(function: Callable[..., object], name: str, accepted: list[str], job: Any) -> SettingsError:
    group, _ = argument(name)
    return SettingsError(
        f"rule {getattr(job, 'rule', '')}",
        f"'{name}' is no parameter of {function.__module__}.{function.__qualname__}",
        known(group, accepted),
        "Rename it in workflow/rules, or add the parameter to the function",
    )


def gpus_asked(job: Any) -> int:
    """Cards that a job is to hold: its resource `gpu`; none where it computes on the CPU or asks an endpoint."""
    params = dict(job.params.items())
    if params.get("loading__device") == "cpu" or params.get("inference__engine") == "openai":
        return 0
    return int(getattr(job, "resources", {}).get("gpu", 0))


def run_rule(function: Callable[..., object], snakemake: Any) -> None:
    """Call `function` for a Snakemake job; exit with 1 and one message when the user can mend what is wrong.

    While it runs, the job holds as many cards as it asks for, and sees no others (gpu_lock). It ends with the run that
    started it (runs).
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with _noted_interrupts() as interrupts:
        try:
            _log_to(Path(snakemake.log[0]))
            end_with_run()
            with hold_gpus(gpus_asked(snakemake)):
                function(**named_arguments(function, snakemake))
        except BaseException as error:
            if interrupts or isinstance(error, KeyboardInterrupt):
                print(INTERRUPTED, file=sys.stderr, flush=True)
                sys.exit(130)
            message = as_message(error)
            if message is None:
                logging.getLogger(__name__).exception("this is a bug; please report it with this log")
                raise
            logging.getLogger(__name__).error("%s", message)
            print(f"\n{message}\n", file=sys.stderr, flush=True)
            sys.exit(1)


def as_message(error: BaseException) -> WorkflowError | None:
    """What the user can mend, None for a bug: a disk that is full or read-only is no bug, whoever was writing."""
    if isinstance(error, WorkflowError):
        return error
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return unwritable(error.filename or "disk", error)
    return None


def _log_to(log: Path) -> None:
    """Send what modules log to a file. Lines that a full disk does not take are lost without a traceback."""
    with storage_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    logging.raiseExceptions = False
    logging.basicConfig(
        level=logging.INFO,
        handlers=[handler],
        force=True,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )


@contextlib.contextmanager
def _noted_interrupts() -> Iterator[list[int]]:
    """Ctrl-C raises KeyboardInterrupt and is noted: libraries that are being loaded make other errors of it."""
    noted: list[int] = []

    def note(number: int, frame: object) -> None:
        noted.append(number)
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)
