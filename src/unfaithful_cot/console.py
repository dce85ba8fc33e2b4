"""The edge between Snakemake and the package: one function of the package for each rule.

`run_rule(function, snakemake)` hands inputs, outputs, params, wildcards and threads over by name, writes the
log, and turns a WorkflowError into its one message.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from unfaithful_cot.errors import WorkflowError

Item = TypeVar("Item")


def named_arguments(function: Callable[..., object], snakemake: Any) -> dict[str, Any]:
    """The keyword arguments of `function` found among the job's inputs, outputs, params, wildcards and threads.

    A parameter named `group__leaf` is collected into the argument `group`, a dict of leaves.
    """
    found: dict[str, Any] = {"threads": snakemake.threads}
    for part in (snakemake.wildcards, snakemake.params, snakemake.output, snakemake.input):
        for name, value in part.items():
            group, _, leaf = name.partition("__")
            if leaf:
                found.setdefault(group, {})[leaf] = value
            else:
                found[name] = list(value) if type(value).__name__ == "Namedlist" else value
    return {name: found[name] for name in inspect.signature(function).parameters if name in found}


def run_rule(function: Callable[..., object], snakemake: Any) -> None:
    """Call `function` for a Snakemake job; exit with 1 and one message when the user can mend what is wrong."""
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    logging.basicConfig(
        level=logging.INFO,
        handlers=[handler],
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
    )
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        function(**named_arguments(function, snakemake))
    except WorkflowError as error:
        logging.getLogger(__name__).error("%s", error)
        print(f"\n{error}\n", file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        print(
            "\nInterrupted: what was finished is kept; run the same command again to go on.",
            file=sys.stderr,
        )
        sys.exit(130)
    except BaseException:
        logging.getLogger(__name__).exception("this is a bug; please report it with this log")
        raise


def progress(items: Iterable[Item], total: int, label: str, unit: str = "it") -> Iterator[Item]:
    """The items with a bar on the console; where that is no terminal, a line every ten seconds."""
    from tqdm import tqdm

    quiet = not sys.stderr.isatty()
    yield from tqdm(items, total=total, desc=label, unit=unit, mininterval=10 if quiet else 0.2, ascii=quiet)
