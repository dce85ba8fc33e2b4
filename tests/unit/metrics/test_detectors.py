from pathlib import Path

import pandas as pd
import pytest

from unfaithful_cot.metrics.detectors import COLUMNS, detector_table, found_in, validate_detectors
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
    table = detector_table(found_in("heldout", tasks), 0.95).set_index(["detector", "cwe"])
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
    assert list(table.columns) == COLUMNS
    whole = table[(table["detector"] == "static_analysis") & (table["cwe"] == "all")]
    assert sorted(whole["split"]) == ["heldout", "training"]
    assert (whole["true_positives"] == 80).all()
    assert (whole["false_positives"] == 0).all()
    naive = table[(table["detector"] == "bandit_any") & (table["cwe"] == "CWE-78")]
    assert (naive["false_positive_rate"] == 1).all()
