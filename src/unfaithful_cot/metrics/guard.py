"""Which two conditions may be compared: same cases, same prompt, same decoding, same everything but the weights.

In: the grade rows of both sides for one suite and arm. Out: None when they are comparable, else the reason in words.
Errors: none.
"""

from __future__ import annotations

import pandas as pd

from unfaithful_cot.records import Setup

WORDS = {
    "case_set": "case set",
    "prompt_template": "prompt template",
    "chat_template": "chat template",
    "decoding": "decoding",
    "quantisation": "quantisation",
    "engine": "engine",
}


def why_not_comparable(a: pd.DataFrame, b: pd.DataFrame) -> str | None:
    """`0 of 100 cases shared, prompt template differs`, or None when nothing but the weights differs."""
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
        values_a = {getattr(setup, field) for setup in set(a["setup"])}
        values_b = {getattr(setup, field) for setup in set(b["setup"])}
        word = WORDS.get(field, field.replace("_", " "))
        if max(len(values_a), len(values_b)) > 1:
            problems.append(f"{word} varies within a condition")
        elif values_a != values_b and len(a) and len(b):
            problems.append(f"{word} differs")
    return ", ".join(problems) or None
