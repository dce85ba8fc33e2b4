"""What a part of a study has cost at an API, so that `endpoint.max_usd` is never exceeded.

In: the amount that a request may cost at most, before it is sent; what it did cost, afterwards. Out: the sum.
The file is append-only. Money is counted when it is spent: an answer that is cached already was paid for by the study that
requested it first, and stands in the ledger of that study. Whoever deletes the file starts again at 0.
Errors: StorageError when the file cannot be written.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from unfaithful_cot.jsonl import AppendOnly


class Amount(BaseModel):
    """A line: dollars, and what they are for (the key of a request, or the name of a batch)."""

    model_config = ConfigDict(populate_by_name=True)

    usd: float
    note: str = Field("", alias="for")


class Ledger:
    """The sum of the lines of one file; with `path` None it is in memory only.

    A request has two lines: its highest price when it goes out, and the difference to the real one when its answer is there.
    So the sum counts what is in flight, over all jobs and machines that share the file, and what a killed run had in
    flight stays counted at its highest price, because the API may have billed it.

    Attributes:
        ceiling_usd: None where there is none.
    """

    def __init__(self, path: Path | str | None, ceiling_usd: float | None = None) -> None:
        self.ceiling_usd = ceiling_usd
        self._lines = AppendOnly(path, Amount, "they count as nothing") if path else None
        self._sum_usd = 0.0
        self._summed_bytes = 0

    def total(self) -> float:
        """Dollars that are spent or in flight, lines of other processes included."""
        if self._lines is not None:
            if self._lines.size() < self._summed_bytes:  # deleted meanwhile, to start again
                self._sum_usd, self._summed_bytes = 0.0, 0
            self._sum_usd += sum(amount.usd for amount in self._lines.read(self._summed_bytes))
            self._summed_bytes = self._lines.read_to
        return self._sum_usd

    def reserve(self, usd: float, note: str) -> bool:
        """Count a request that is about to be sent at its highest price; False where the ceiling would be passed.

        note: key of the request, or name of a batch.
        """
        if self._lines is None or self.ceiling_usd is None:
            return self._reserve(usd, note)
        with self._lines.locked():  # nobody else writes between looking and writing
            return self._reserve(usd, note)

    def settle(self, difference_usd: float, note: str) -> None:
        """Correct a reserved price by `difference_usd`: real less reserved, or less all of it where nothing was billed."""
        self._write(difference_usd, note)

    def close(self) -> None:
        """Let go of the file."""
        if self._lines is not None:
            self._lines.close()

    def _reserve(self, usd: float, note: str) -> bool:
        if self.ceiling_usd is not None and self.total() + usd > self.ceiling_usd:
            return False
        self._write(usd, note)
        return True

    def _write(self, usd: float, note: str) -> None:
        if self._lines is None:
            self._sum_usd += usd
        else:
            self._lines.append(Amount(usd=round(usd, 9), note=note))
