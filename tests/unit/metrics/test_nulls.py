"""Where nothing can be read, tables say so: a column of nulls takes the verdicts of another grader."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from unfaithful_cot import jsonl
from unfaithful_cot.metrics.grader_agreement import comparable
from unit.grading.grading_examples import make_case


def test_a_column_of_nulls_takes_truth_values(tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    jsonl.write(cases, [make_case()])
    table = pd.DataFrame(
        {
            "grader": ["rules", "published"],
            "case": ["c1", "c1"],
            "published_cited": [None, ""],
            "published_correct": [None, False],
            "correct": [float("nan"), float("nan")],
            "cites_public": [float("nan"), float("nan")],
        }
    )
    found = comparable(table, [str(cases)])
    assert found["correct"].tolist()[1] is False
    assert found["cites_public"].tolist()[1] is False
    assert pd.isna(found["correct"].tolist()[0])
