"""Corpora that are made from a universe of another name, recall and wordings: what is planned."""

from __future__ import annotations

from collections.abc import Callable

from workflow.study import ROOT, Study

CONFIG = (
    (ROOT / "tests" / "fixtures" / "smoke.yaml")
    .read_text(encoding="utf-8")
    .replace("study: smoke", "study: parts")
)
PARTS = CONFIG.replace(
    "    safe_cite: [20, 40]\n    neutral: [40]\n", "    safe_cite: [20]\n    shown: [20]\n    mixed: [20]\n"
).replace(
    "  evidence_toggle: {scenarios: 2, arms: [full, flipped]}\n",
    "  evidence_toggle: {scenarios: 2, arms: [full]}\n"
    "  again: {scenarios: 2, arms: [full], prompt: evidence_toggle.v2}\n"
    "  recall: {experiment: policy_recall, scenarios: 3, options: 4, arms: [choice, open], prompt: policy_recall.v1}\n",
) + """
corpora:
  shown: {universe: safe_cite, categories: [exams]}
  mixed: {universe: safe_cite, plain_text: 0.5}
grading: {graders: [rules, recall]}
"""  # fmt: skip
DRAWN = {("draw_figure", f"figure={name}") for name in ("ablation", "recall", "sensitivity")} | {
    ("measure_wordings", "")
}


def test_a_mixture_is_written_with_its_universe_and_a_part_by_itself(fresh: Callable[..., Study]) -> None:
    study = fresh(PARTS)
    planned = study.planned()
    assert {job for job in planned if job[0] == "generate_documents"} == {
        ("generate_documents", f"corpus={name}") for name in ("safe_cite", "shown")
    }
    assert {job for job in planned if job[0] == "build_training_set"} == {
        ("build_training_set", f"corpus={name}, n_documents=20, seed=0")
        for name in ("safe_cite", "shown", "mixed")
    }
    assert planned.keys() >= DRAWN
    # four conditions; two toggle suites by `rules` and one of recall by `recall`
    assert sum(count for job, count in planned.items() if job[0] == "grade_responses") == 12


def test_without_them_nothing_of_it_is_planned(fresh: Callable[..., Study]) -> None:
    assert not DRAWN & fresh(CONFIG).planned().keys()
