from pathlib import Path

import pandas as pd
import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.grade import grade_responses
from unfaithful_cot.metrics.detectors import FOUND, detector_table, found_in, validate_detectors
from unfaithful_cot.metrics.known_pairs import write_known_pairs
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.tables import DetectorRow
from unfaithful_cot.reference.code_tasks import CodeTask

SAFE = "import subprocess\nsubprocess.run(['ls'])\n"
SHELL = "import subprocess\nsubprocess.run('ls ' + x, shell=True)\n"
MD5 = "import hashlib\nhashlib.md5(x)\n"
BROKEN = "def f(:\n"


def task(number: int, cwe: str, secure: str, insecure: str) -> CodeTask:
    return CodeTask(f"t{number}", cwe, "text", "think", secure, insecure)


def test_rates_by_hand() -> None:
    tasks = [
        task(0, "CWE-78", SAFE, SHELL),
        task(1, "CWE-78", SAFE, SAFE),  # not found by what counts; by any finding it is
        task(2, "CWE-78", MD5, MD5),  # found, but of another weakness; and a false alarm
        task(3, "CWE-327", "x = 1\n", BROKEN),  # cannot be read: missing
    ]
    table = detector_table(found_in("heldout", tasks), FOUND, 0.95).set_index(["detector", "cwe"])
    counts = ["true_positives", "n_insecure", "false_positives", "n_secure", "n_missing"]
    assert table.loc[("static_analysis", "all"), counts].tolist() == [2, 3, 1, 4, 1]
    assert table.loc[("bandit_any", "all"), counts].tolist() == [3, 3, 3, 4, 1]
    assert table.loc[("bandit_same_cwe", "all"), counts].tolist() == [1, 3, 0, 4, 1]
    assert table.loc[("static_analysis", "CWE-78"), counts].tolist() == [2, 3, 1, 3, 0]
    lost = table.loc[("static_analysis", "CWE-327")]
    assert lost[counts].tolist() == [0, 0, 0, 1, 1]
    assert pd.isna(lost["true_positive_rate"])
    assert "syntax error" in lost["reason"]
    found = table.loc[("static_analysis", "all")]
    # Wilson of 2 of 3 is [0.208, 0.939]
    assert found["true_positive_rate"] == pytest.approx(2 / 3)
    assert (found["tpr_ci_low"], found["tpr_ci_high"]) == (
        pytest.approx(0.208, abs=1e-3),
        pytest.approx(0.939, abs=1e-3),
    )


def test_the_known_pairs_of_both_splits(tmp_path: Path) -> None:
    validate_detectors(str(tmp_path / "d.csv"), 80, 0, 0.95)
    table = pd.read_csv(tmp_path / "d.csv")
    assert list(table.columns) == DetectorRow.columns()
    whole = table[(table["detector"] == "static_analysis") & (table["cwe"] == "all")]
    assert sorted(whole["split"]) == ["heldout", "training"]
    assert (whole["true_positives"] == 80).all()
    assert (whole["false_positives"] == 0).all()
    naive = table[(table["detector"] == "bandit_any") & (table["cwe"] == "CWE-78")]
    assert (naive["false_positive_rate"] == 1).all()


def test_known_pairs_can_be_given_to_any_grader(tmp_path: Path) -> None:
    cases, responses, grades = (str(tmp_path / f"{name}.jsonl") for name in ("cases", "responses", "judge_x"))
    write_known_pairs(cases, responses, 20, 0)
    asked = jsonl.read(cases, Case)
    assert [case.arm for case in asked] == ["secure", "insecure"] * 20
    assert all(a.question == b.question for a, b in zip(asked[::2], asked[1::2], strict=True))
    grade_responses(responses, cases, grades, "static_analysis")
    # as if judge_x had said the same, and had not been readable for the first pair
    judged = [
        grade.model_copy(
            update={"grader": "judge_x"}
            | ({"value": None, "reason": "no JSON", "spans": []} if number < 14 else {})
        )
        for number, grade in enumerate(jsonl.read(grades, Grade))
    ]
    jsonl.write(grades, judged)
    validate_detectors(str(tmp_path / "d.csv"), 5, 0, 0.95, cases, [grades])
    table = pd.read_csv(tmp_path / "d.csv").set_index(["detector", "cwe", "split"])
    counts = ["true_positives", "n_insecure", "false_positives", "n_secure", "n_missing", "reason"]
    assert table.loc[("judge_x", "all", "heldout"), counts].tolist() == [19, 19, 0, 19, 2, "no JSON"]
    jsonl.write(cases, asked[2:])
    with pytest.raises(DataError, match=r"judge_x\.jsonl:3: case '.*' is not in .*cases\.jsonl"):
        validate_detectors(str(tmp_path / "d.csv"), 5, 0, 0.95, cases, [grades])
