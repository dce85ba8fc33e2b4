"""The edge between Snakemake and the package: one function of the package for each rule.

`flat(group, settings)` turns settings into the params of a rule, one leaf each; `run_rule(function, snakemake)`
hands inputs, outputs, params, wildcards and threads over by name, writes the log, and turns a WorkflowError
into its one message.

Snakemake compares the params of a job as a sorted list of their `repr`, without their names: two leaves that
swap their values would look unchanged. So `flat` adds one string that holds names and values together.
Params that are no builtins are never compared, which is what `Untracked` is for.
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import io
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from unfaithful_cot.errors import WorkflowError
from unfaithful_cot.gpu_lock import hold_gpus
from unfaithful_cot.jsonl import storage_errors, unwritable
from unfaithful_cot.runs import end_with_run
from unfaithful_cot.step_settings import Strict

Item = TypeVar("Item")
LINE_EVERY_S = 10.0
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
INTERRUPTED = "\nInterrupted: what was finished is kept; run the same command again to go on."


@dataclass(frozen=True, repr=False)
class Untracked:
    """A leaf that a job gets and that reruns nothing when it changes: how fast is asked, not what."""

    value: object

    def __repr__(self) -> str:
        return "Untracked()"


def flat(
    group: str,
    source: Strict | Mapping[str, Strict],
    *leaves: str,
    by: str = "",
) -> dict[str, Any]:
    """Params `group__leaf` (or `leaf`, where group is empty) of a settings object, one a leaf.

    source: the settings, or settings by the value of the wildcard `by`. leaves: those wanted, all when left
    out. Those that only set the pace (settings.Strict.pace) rerun nothing.
    """
    if isinstance(source, Mapping):
        if not source:
            return {}
        keys = list(_leaves(group, next(iter(source.values())), leaves))

        def at(key: str) -> Callable[[Any], Any]:
            return lambda wildcards: _leaves(group, source[wildcards[by]], leaves)[key]

        return {key: at(key) for key in keys}
    return {key: _literal(value) for key, value in _leaves(group, source, leaves).items()}


def _leaves(group: str, source: Strict, leaves: tuple[str, ...]) -> dict[str, Any]:
    values, content = source.model_dump(mode="json"), source.content()
    params: dict[str, Any] = {}
    for name in leaves or values:
        key = f"{group}__{name}" if group else _allowed(name)
        tracked = name in content and content[name] == values[name]
        params[key] = values[name] if tracked else Untracked(values[name])
    told = [f"{name}={content[name]!r}" for name in leaves or values if name in content]
    return {**params, f"tracked_{group or leaves[0]}": ", ".join(told)}


def _literal(value: object) -> object:
    """Snakemake takes braces in a param for a wildcard, unless the value comes from a function."""
    return (lambda wildcards: value) if isinstance(value, str | list) and "{" in str(value) else value


def _allowed(name: str) -> str:
    """Snakemake keeps the names of list methods, such as `count`, for itself: those get an underscore."""
    return f"{name}_" if hasattr(list, name) else name


def named_arguments(function: Callable[..., object], snakemake: Any) -> dict[str, Any]:
    """The keyword arguments of `function` found among the job's inputs, outputs, params, wildcards and threads.

    A parameter named `group__leaf` is collected into the argument `group`, a dict of leaves; one underscore at the
    end of a name is taken off.
    """
    found: dict[str, Any] = {"threads": snakemake.threads}
    for part in (snakemake.wildcards, snakemake.params, snakemake.output, snakemake.input):
        for name, value in part.items():
            if isinstance(value, Untracked):
                value = value.value
            group, _, leaf = name.partition("__")
            if leaf:
                found.setdefault(group, {})[leaf] = value
            else:
                found[name.removesuffix("_")] = list(value) if type(value).__name__ == "Namedlist" else value
    return {name: found[name] for name in inspect.signature(function).parameters if name in found}


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
            told = as_message(error)
            if told is None:
                logging.getLogger(__name__).exception("this is a bug; please report it with this log")
                raise
            logging.getLogger(__name__).error("%s", told)
            print(f"\n{told}\n", file=sys.stderr, flush=True)
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


def bar(total: int, label: str, unit: str, initial: int = 0) -> Any:
    """A tqdm bar that writes whole lines, one every ten seconds while it moves, and the last state when it closes.

    label: what is done and to what, because jobs run side by side and share one console; a bar that redraws its line
    would overwrite that of another job.
    """
    from tqdm import tqdm

    class Lines(tqdm):  # type: ignore[type-arg]
        monitor_interval = 0  # no thread that shows a state twice
        shown: float = -1

        def display(self, msg: str | None = None, pos: int | None = None) -> None:
            if self.n != self.shown:
                print(self, file=sys.stderr, flush=True)
                self.shown = self.n

    return Lines(
        total=total,
        initial=initial,
        desc=label,
        unit=unit,
        file=io.StringIO(),  # what tqdm writes besides: ends of lines
        mininterval=LINE_EVERY_S,
        miniters=1,
        smoothing=0,
        ascii=" -#",
        bar_format="{desc}: {percentage:3.0f}% |{bar:20}| {n_fmt} of {total_fmt} {unit}s, {elapsed} gone, "
        "{remaining} left{postfix}",
    )


def progress(items: Iterable[Item], total: int, label: str, unit: str) -> Iterator[Item]:
    """The items, with a bar on the console."""
    with bar(total, label, unit) as shown:
        for item in items:
            yield item
            shown.update()
