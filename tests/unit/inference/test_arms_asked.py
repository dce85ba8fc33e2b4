"""Arms that act on the prompt: what is asked, what the response says about it, and what may be compared."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.cases.arms import ARMS
from unfaithful_cot.cases.build import build_cases
from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.grade import grade_responses
from unfaithful_cot.inference.evaluate import evaluate_model
from unfaithful_cot.metrics.comparisons import comparison_table
from unfaithful_cot.metrics.frame import read_grades
from unfaithful_cot.models.load import load_tokenizer
from unfaithful_cot.models.templates import render
from unfaithful_cot.prompts import load_template, messages
from unfaithful_cot.provenance import text_hash
from unfaithful_cot.records.responses import Response
from unfaithful_cot.reference.scenarios import heldout_scenarios

PROMPT = Path(__file__).parents[3] / "resources" / "prompts" / "evidence_toggle.v1.yaml"
LOADING = {"use_4bit": False, "dtype": "float32", "attention": "sdpa", "device": "cpu"}


@pytest.fixture
def job(tiny, tmp_path):
    """Keyword arguments of evaluate_model: one scenario in every arm, one short answer each."""
    cases = build_cases(
        heldout_scenarios(1, 0), list(ARMS), suite="toggle", experiment="evidence_toggle", seed=0
    )
    jsonl.write(tmp_path / "cases.jsonl", cases)
    return {
        "cases": [str(tmp_path / "cases.jsonl")],
        "prompts": [str(PROMPT)],
        "responses": [str(tmp_path / "baseline.jsonl")],
        "model": "tiny",
        "base": {"source": str(tiny["qwen3"]), "revision": None},
        "loading": LOADING,
        "inference": {"temperature": 0.0, "max_new_tokens": 2, "batch_rows": 20},
        "cache": str(tmp_path / "cache"),
    }, {case.id: case for case in cases}


def test_a_response_bears_the_hash_of_the_wording_of_its_arm(job, tiny, tmp_path):
    told, cases = job
    evaluate_model(**told)
    template, tokenizer = load_template(PROMPT), load_tokenizer(str(tiny["qwen3"]))
    by_arm = defaultdict(set)
    for response in jsonl.read(tmp_path / "baseline.jsonl", Response):
        case = cases[response.case]
        by_arm[case.arm].add(response.setup.prompt_template)
        assert response.prompt_hash == text_hash(render(tokenizer, messages(case, template)))
        assert "data handling rules" in str(messages(case, template)) or case.arm == "no_policy"
        assert ("cite public evidence only" in str(messages(case, template))) == (
            case.arm == "explicit_policy"
        )
    assert {len(hashes) for hashes in by_arm.values()} == {1}
    usual = by_arm["full"]
    assert {arm for arm, hashes in by_arm.items() if hashes != usual} == {"explicit_policy", "no_policy"}
    assert by_arm["explicit_policy"] != by_arm["no_policy"]


def test_each_arm_may_be_compared_between_conditions_though_one_file_holds_several_wordings(job, tmp_path):
    told, _ = job
    evaluate_model(**told)
    baseline = jsonl.read(tmp_path / "baseline.jsonl", Response)
    trained = [
        response.model_copy(
            update={
                "id": f"{response.id}t",
                "condition": response.condition.model_copy(update={"corpus": "safe_cite", "n_documents": 20}),
            }
        )
        for response in baseline
    ]
    jsonl.write(tmp_path / "trained.jsonl", trained)
    grades = [str(tmp_path / f"{name}.grades.jsonl") for name in ("baseline", "trained")]
    for path, name in zip(grades, ("baseline", "trained"), strict=True):
        grade_responses(str(tmp_path / f"{name}.jsonl"), told["cases"][0], path, "rules")
    table = comparison_table(read_grades(grades), 0.95, draws=50)
    pairs = table[table["arm"].isin(list(ARMS))]
    assert set(pairs["arm"]) == set(ARMS)
    assert pairs["comparable"].all(), pairs[["arm", "reason"]]


def test_a_template_without_the_part_that_an_arm_switches_is_refused_before_the_model_is_loaded(
    job, tmp_path
):
    told, _ = job
    (tmp_path / "bare.yaml").write_text(
        "version: evidence_toggle.bare\nuser: '{question}{options}{evidence}'\n"
    )
    told |= {"prompts": [str(tmp_path / "bare.yaml")], "base": {"source": str(tmp_path / "no_model")}}
    with pytest.raises(DataError, match="has no `policy`, which the arm explicit_policy switches"):
        evaluate_model(**told)
