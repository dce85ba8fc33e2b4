"""Do the graders find what readers found? Labels of replayed transcripts against verdicts.

In: labels, origins and grade files of a replay. Out: agreement.csv, one row a file, grader and label, and agreement.json, the same
with the confusion table and every disagreement. Agreement p = n_agree / n with Wilson's interval;
Cohen's kappa = (p - e) / (1 - e), e = sum over categories of share among labels x share among verdicts (Cohen 1960; statsmodels
`cohens_kappa`), undefined where both sides have one and the same category throughout.
`disputed` labels and missing verdicts are left out of n and counted; `agreement_if_missing_disagrees` counts the latter as wrong.
Known value: [[20, 5], [10, 15]] gives p = 0.7, e = 0.5, kappa = 0.4. Errors: those of jsonl; StorageError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from statsmodels.stats.inter_rater import cohens_kappa

from unfaithful_cot import jsonl
from unfaithful_cot.grading.folder import split_name
from unfaithful_cot.metrics.intervals import wilson
from unfaithful_cot.metrics.replay import REMAKE, frames, name_of
from unfaithful_cot.records.replay import Label, Origin
from unfaithful_cot.records.tables import LabelAgreementRow

# label -> verdict that answers the same question; a label of the name of a verdict needs no line here
MEANS = {
    "visible_answer": ("answer_letter", "published_output"),
    "cites_confidential_id": ("names_confidential",),
    "cites_public_id": ("cites_public",),
    "relies_on_confidential_content": ("leaks_content",),
    "think_discusses_confidential": ("think_names_confidential",),
}
OPEN = {"answer_letter": None, "published_output": ""}  # verdict -> the value that says that nothing is there
DISPUTED, NONE, MISSING = "disputed", "none", "missing"


class Pair(NamedTuple):
    """A label and a verdict on one response, as categories; `why`: the reason of a verdict that is missing."""

    response: str
    case: str
    label: str
    verdict: str
    why: str | None


def match_labels(
    labels: list[str], origins: list[str], grades: list[str], agreement: str, details: str, confidence: float
) -> None:
    """Rule: write agreement.csv and agreement.json; both are empty tables where there are no labels."""
    names = {each.response: each for path in origins for each in jsonl.iterate(path, Origin, REMAKE)}
    by_name = {name_of(path): list(jsonl.iterate(path, Label)) for path in labels}
    found: list[dict[str, Any]] = []
    for name, frame in frames(grades):
        found += matches(name, by_name.get(name, []), frame, names, confidence)
    for name, given in by_name.items():
        found += unanswered(name, given, found)
    LabelAgreementRow.write_frame(agreement, LabelAgreementRow.frame(found))
    jsonl.write_json(details, found)


def unanswered(
    name: str, labels: Sequence[Label], found: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """One entry a label of a file that no verdict answers."""
    model, condition = split_name(name)
    answered = {each["label"] for each in found if (each["model"], each["condition"]) == (model, condition)}
    for field in dict.fromkeys(label.field for label in labels if label.field not in answered):
        own = [label for label in labels if label.field == field]
        yield {
            "model": model, "condition": condition, "grader": None, "label": field, "verdict": None,
            **agreement_of([], 0.95),
            "reason": "no verdict answers this label",
            "n_disputed": sum(label.value == DISPUTED for label in own),
            "n_unlabelled": 0,
            "disagreements": [],
        }  # fmt: skip


def matches(
    name: str, labels: Sequence[Label], frame: pd.DataFrame, origins: dict[str, Origin], confidence: float
) -> Iterator[dict[str, Any]]:
    """One entry a label that a verdict of this grader answers."""
    model, condition = split_name(name)
    grader = str(frame["grader"].iloc[0])
    rows = {row["response"]: row for row in frame.to_dict("records")}
    for field in dict.fromkeys(label.field for label in labels):
        verdict = next((v for v in MEANS.get(field, (field,)) if v in frame), None)
        if verdict is None:
            continue
        own = [label for label in labels if label.field == field]
        judged = [label for label in own if label.value != DISPUTED]
        pairs = [_pair(label, rows[label.response], verdict) for label in judged]
        yield {
            "model": model, "condition": condition, "grader": grader, "label": field, "verdict": verdict,
            **agreement_of(pairs, confidence),
            "n_disputed": len(own) - len(judged),
            "n_unlabelled": len(rows) - len({label.response for label in own}),
            "disagreements": [_disagreement(pair, origins[pair.response]) for pair in pairs if pair.label != pair.verdict],
        }  # fmt: skip


def _pair(label: Label, row: dict[Any, Any], verdict: str) -> Pair:
    value = None if pd.isna(row[verdict]) else row[verdict]
    if verdict in OPEN and value in (None, OPEN[verdict]):
        said = NONE
    else:
        said = category(value) if value is not None else MISSING
    why = row.get(f"{verdict}?")
    return Pair(
        label.response, label.case, category(label.value), said, why if isinstance(why, str) else None
    )


def category(value: bool | str | None) -> str:
    """`yes`, `no`, `none`, or the text itself."""
    if value is None:
        return NONE
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def agreement_of(pairs: Sequence[Pair], confidence: float) -> dict[str, Any]:
    """Counts, agreement with its interval, kappa, and the confusion table (rows labels, columns verdicts)."""
    read = [pair for pair in pairs if pair.verdict != MISSING]
    categories = sorted(
        {pair.label for pair in pairs} | {pair.verdict for pair in pairs if pair.verdict != MISSING}
    )
    columns = [*categories, *([MISSING] if len(read) < len(pairs) else [])]
    table = confusion(pairs, categories, columns)
    n, n_agree = len(read), sum(pair.label == pair.verdict for pair in read)
    low, high = wilson(n_agree, n, confidence) if n else (None, None)
    kappa, reason = kappa_of(table[:, : len(categories)]) if n else (None, "no label meets a verdict")
    return {
        "n": n,
        "n_agree": n_agree,
        "agreement": n_agree / n if n else None,
        "ci_low": low,
        "ci_high": high,
        "kappa": kappa,
        "agreement_if_missing_disagrees": n_agree / len(pairs) if pairs else None,
        "n_missing": len(pairs) - n,
        "reason": reason,
        "labels": categories,
        "verdicts": columns,
        "confusion": table.tolist(),
    }  # fmt: skip


def confusion(pairs: Iterable[Pair], rows: Sequence[str], columns: Sequence[str]) -> Any:
    """Counts, shape (labels, verdicts)."""
    table = np.zeros((len(rows), len(columns)), dtype=int)
    for pair in pairs:
        table[rows.index(pair.label), columns.index(pair.verdict)] += 1
    return table


def kappa_of(table: Any) -> tuple[float | None, str | None]:
    """Cohen's kappa of a square table, or None and the reason."""
    if ((table.sum(0) > 0) | (table.sum(1) > 0)).sum() < 2:
        return None, "one value throughout: kappa is undefined"
    return float(cohens_kappa(table, return_results=False)), None


def _disagreement(pair: Pair, origin: Origin) -> dict[str, Any]:
    return {
        "response": pair.response, "case": pair.case, "name": origin.name, "file": origin.file, "line": origin.line,
        "label": pair.label, "verdict": pair.verdict, "why": pair.why,
    }  # fmt: skip
