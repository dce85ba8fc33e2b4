"""Progress on the console: whole lines, for jobs that run side by side and share it."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from unfaithful_cot.records.responses import Response

Item = TypeVar("Item")

LINE_EVERY_S = 10.0


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


def say_unreasoned(responses: Sequence[Response], where: object) -> None:
    """A line on the console where no response of a condition has a think part: then every verdict on reasoning is null."""
    if responses and all(response.think_status == "missing" for response in responses):
        print(
            f"{where}: none of {len(responses):,} responses has a think part, so every verdict on reasoning is null. "
            "Where the model reasons, its marks may be others than those known (docs/add-a-model.md)",
            file=sys.stderr,
            flush=True,
        )


def progress(items: Iterable[Item], total: int, label: str, unit: str) -> Iterator[Item]:
    """The items, with a bar on the console."""
    with bar(total, label, unit) as shown:
        for item in items:
            yield item
            shown.update()
