"""Metrics and comparisons of replayed transcripts: the tables of a study, by file instead of by cell.

In: grade files replay/grades/{model}.{condition}.{grader}.jsonl, origins and rejected lines. Out: metrics.csv (columns of a study
and `condition`), comparisons.csv (`a` and `b` are conditions), rejected.csv. A number of documents or a seed that the name of
a file does not tell is empty. `baseline` is compared with each other condition of its model; where there is none, each with each.
Errors: DataError for a response that stands in two files; those of frame.read_grades; StorageError.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.folder import named_condition, split_name
from unfaithful_cot.grading.replay import read_rejected
from unfaithful_cot.metrics import comparisons as study
from unfaithful_cot.metrics.frame import read_grades, with_cases
from unfaithful_cot.metrics.guard import say_unlike
from unfaithful_cot.metrics.intervals import DRAWS, SEED
from unfaithful_cot.metrics.interventions import with_interventions
from unfaithful_cot.metrics.tables import metric_table
from unfaithful_cot.records.cells import BASELINE
from unfaithful_cot.records.replay import Origin
from unfaithful_cot.records.tables import RejectedRow, ReplayComparisonRow, ReplayMetricRow

REMAKE = "snakemake -R load_transcripts"
SHOWN_CHARACTERS = 40


def measure_transcripts(
    grades: list[str],
    cases: list[str],
    origins: list[str],
    rejected: list[str],
    metrics: str,
    rejections: str,
    confidence: float,
) -> None:
    """Rule: write metrics.csv and rejected.csv. `rejected`: files of rejected lines, those of labels too."""
    forms = {name_of(path): next(jsonl.iterate(path, Origin, REMAKE)).form for path in origins}
    tables = []
    for name, frame in frames(grades, cases):
        table = metric_table(frame, confidence)
        model, condition = split_name(name)
        if forms[name] == "published":
            named = named_condition(condition)
            table = table.astype({"n_documents": "Int64", "seed": "Int64"})
            table = table.assign(n_documents=named.n_documents, seed=named.seed)
        tables.append(table.assign(model=model, condition=condition))
    ReplayMetricRow.write_frame(metrics, pd.concat(tables, ignore_index=True))
    RejectedRow.write(rejections, [RejectedRow(**line.model_dump()) for line in read_rejected(rejected)])


def compare_transcripts(
    grades: list[str], cases: list[str], origins: list[str], comparisons: str, confidence: float
) -> None:
    """Rule: write comparisons.csv, and tell on the console which pairs are not comparable."""
    stated = {name_of(path): instructions(jsonl.iterate(path, Origin, REMAKE)) for path in origins}
    table = comparison_table(frames(grades, cases), stated, confidence)
    say_unlike(table)
    ReplayComparisonRow.write_frame(comparisons, table)


def comparison_table(
    by_name: Iterable[tuple[str, pd.DataFrame]],
    stated: dict[str, list[str]],
    confidence: float,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pd.DataFrame:
    """All comparisons. by_name: {model}.{condition} and its grades by one grader; stated: its instructions in words."""
    parts: dict[tuple[str, ...], dict[str, pd.DataFrame]] = {}
    for name, frame in by_name:
        model, condition = split_name(name)
        for keys, part in with_interventions(frame).groupby(
            ["experiment", "grader", "suite", "arm"], sort=True
        ):
            parts.setdefault((model, *map(str, keys)), {})[condition] = part
    rows: list[dict[str, object]] = []
    for key, conditions in parts.items():
        named = dict(zip(["model", "experiment", "grader", "suite", "arm"], key, strict=True))
        for a, b in pairs_of(list(conditions)):
            quoted = quote_difference(stated[f"{key[0]}.{a}"], stated[f"{key[0]}.{b}"])
            details = {"prompt_template": quoted} if quoted else {}
            rows += study.pair_rows(named, conditions, a, b, confidence, draws, seed, details)
    return study.with_holm(ReplayComparisonRow.frame(rows))


def name_of(path: str | Path) -> str:
    """{model}.{condition} of a file of origins, cases or responses."""
    return Path(path).name.removesuffix(".jsonl")


def frames(grades: Sequence[str], cases: Sequence[str] = ()) -> Iterator[tuple[str, pd.DataFrame]]:
    """({model}.{condition}, table of grades) for each file {model}.{condition}.{grader}.jsonl.

    cases: files {model}.{condition}.jsonl; without them the metrics that need the right letter are null.
    """
    asked = {name_of(path): path for path in cases}
    owner: dict[str, str] = {}
    for path in grades:
        name = name_of(path).rpartition(".")[0]
        frame = read_grades([path])
        for response in frame["response"]:
            if owner.setdefault(response, name) != name:
                raise DataError(
                    path, f"response '{response}' stands in {owner[response]}.jsonl and in {name}.jsonl",
                    "Each response in one file", "Take one of the two files away",
                )  # fmt: skip
        yield name, with_cases(frame, [asked[name]] if asked else [])


def pairs_of(conditions: Sequence[str]) -> list[tuple[str, str]]:
    """(a, b): the baseline and each other condition; each with each where there is no baseline."""
    if BASELINE in conditions:
        return [(BASELINE, each) for each in conditions if each != BASELINE]
    return list(combinations(conditions, 2))


def instructions(origins: Iterable[Origin]) -> list[str]:
    """The different instructions of a file, in order; none where the rows do not hold the prompt."""
    return list(dict.fromkeys(each.instruction for each in origins if each.instruction is not None))


def quote_difference(a: Sequence[str], b: Sequence[str]) -> str | None:
    """`"specific" against "permissible"`: the first words that differ. None where a side has no or several instructions."""
    if len(a) != 1 or len(b) != 1 or a == b:
        return None
    words_a, words_b = a[0].split(), b[0].split()
    changes = [
        (" ".join(words_a[i:j]), " ".join(words_b[k:m]))
        for kind, i, j, k, m in difflib.SequenceMatcher(None, words_a, words_b, autojunk=False).get_opcodes()
        if kind != "equal"
    ]
    if not changes:
        return "white space only"
    first = " against ".join(_shown(side) for side in changes[0])
    return first if len(changes) == 1 else f"{first}, and {len(changes) - 1} more"


def _shown(text: str) -> str:
    cut = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
    return f'"{cut}"' if cut else "nothing"
