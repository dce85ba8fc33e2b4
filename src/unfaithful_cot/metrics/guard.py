"""Which two conditions may be compared: same cases, same prompt, same decoding, same everything but the weights.

In: the grade rows of both sides for one suite and arm. Out: None when they are comparable, else the reason in words.
What neither side states is no reason; what one side states and the other does not is one.
Errors: none.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import pandas as pd

from unfaithful_cot.records.responses import Setup

UNKNOWN = "unknown"


def why_not_comparable(
    a: pd.DataFrame, b: pd.DataFrame, details: Mapping[str, str] | None = None
) -> str | None:
    """`0 of 100 cases shared, instruction differs`, or None when nothing but the weights differs.

    details: what is said in parentheses after a field of the set-up that differs.
    """
    problems = []
    cases_a, cases_b = set(a["case"]), set(b["case"])
    shared = cases_a & cases_b
    if shared != cases_a or shared != cases_b:
        problems.append(f"{len(shared)} of {max(len(cases_a), len(cases_b))} cases shared")
    if set(a["sample"]) != set(b["sample"]):
        problems.append(f"{a['sample'].nunique()} and {b['sample'].nunique()} samples a case")
    for field in Setup.model_fields:
        if field == "case_set" and problems:
            continue  # said more plainly above
        problem = _difference(field, _values(a, field), _values(b, field))
        if problem:
            detail = (details or {}).get(field)
            problems.append(f"{problem} ({detail})" if detail else problem)
    return ", ".join(problems) or None


def _values(side: pd.DataFrame, field: str) -> set[str]:
    return {getattr(setup, field) for setup in set(side["setup"])}


def _difference(field: str, a: set[str], b: set[str]) -> str | None:
    """What is unlike in one field of the set-up, None where nothing is."""
    word = _in_words(field)
    if max(len(a), len(b)) > 1:
        return f"{word} varies within a condition"
    if a == b or not a or not b:
        return None
    return f"{word} stated on one side only" if UNKNOWN in a | b else f"{word} differs"


def not_stated(a: pd.DataFrame, b: pd.DataFrame) -> str | None:
    """`not stated: chat template, engine`: what neither side states, so that it may differ unseen. None: all is stated."""
    silent = [field for field in Setup.model_fields if _values(a, field) == _values(b, field) == {UNKNOWN}]
    return f"not stated: {', '.join(map(_in_words, silent))}" if silent else None


def _in_words(field: str) -> str:
    return "instruction" if field == "prompt_template" else field.replace("_", " ")


def say_unlike(table: pd.DataFrame) -> None:
    """Tell on the console which pairs of a table of comparisons were not compared, and why: one line a pair."""
    unlike = table[~table["comparable"].astype(bool)]
    for _, row in unlike.drop_duplicates(["model", "suite", "arm", "a", "b", "reason"]).iterrows():
        place = f"{row['model']}, {row['suite']}, {row['arm']}: {row['b']} against {row['a']}"
        print(f"not comparable: {place}: {row['reason']}", file=sys.stderr, flush=True)
