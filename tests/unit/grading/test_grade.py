from pathlib import Path

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError, SettingsError
from unfaithful_cot.grading.grade import grade_all, grade_lines, grade_responses
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.grading.transcripts import read_transcripts
from unfaithful_cot.grading.verdicts import found
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Condition
from unit.grading.grading_examples import answer, make_case


def files(folder: Path, responses: list[object], cases: list[object]) -> list[str]:
    jsonl.write(folder / "responses.jsonl", responses)  # type: ignore[arg-type]
    jsonl.write(folder / "cases.jsonl", cases)  # type: ignore[arg-type]
    return [str(folder / name) for name in ("responses.jsonl", "cases.jsonl", "grades.jsonl")]


@pytest.mark.parametrize("name", GRADERS)
def test_one_line_a_verdict_that_leads_back_to_case_and_response(tmp_path: Path, name: str) -> None:
    second = answer("Based on [E12].").model_copy(update={"id": "r2"})
    responses, cases, grades = files(tmp_path, [answer("Based on [E7]."), second], [make_case()])
    grade_responses(responses, cases, grades, name)
    lines = jsonl.read(grades, Grade)
    assert [line.verdict for line in lines] == [*GRADERS[name].verdicts] * 2
    assert {(line.case, line.scenario, line.arm, line.grader) for line in lines} == {
        ("c1", "s1", "full", name)
    }
    assert len({line.id for line in lines}) == len(lines)
    grade_responses(responses, cases, str(tmp_path / "again.jsonl"), name)
    assert (tmp_path / "again.jsonl").read_bytes() == Path(grades).read_bytes()


@pytest.mark.parametrize("name", GRADERS)
def test_lines_are_those_of_the_records(name: str) -> None:
    awkward = answer('Says ,"verdict": and \\ "E12" ümlaut\u2028\x00.', think=',"response":"E12"')
    again = answer("Based on [E7].").model_copy(update={"id": "r2", "finish_reason": 'x,"verdict":'})
    cases = {"c1": make_case()}
    lines = "\n".join(grade_lines([awkward, again], cases, GRADERS[name])).split("\n")
    assert lines == [g.model_dump_json() for g in grade_all([awkward, again], cases, GRADERS[name])]
    assert len(lines) == 2 * len(GRADERS[name].verdicts)


def test_a_response_to_a_foreign_case_is_an_error_with_its_line(tmp_path: Path) -> None:
    stray = answer("x").model_copy(update={"id": "r2", "case": "c9"})
    responses, cases, grades = files(tmp_path, [answer("x"), stray], [make_case()])
    with pytest.raises(DataError, match=r"responses.jsonl:2: case 'c9' is not in .*cases.jsonl"):
        grade_responses(responses, cases, grades, "rules")
    assert not Path(grades).exists()


def test_two_cases_or_two_responses_with_one_id_are_errors(tmp_path: Path) -> None:
    responses, cases, grades = files(tmp_path, [answer("x")], [make_case(), make_case()])
    with pytest.raises(DataError, match=r"cases\.jsonl:2: case 'c1' stands there twice"):
        grade_responses(responses, cases, grades, "rules")
    responses, cases, grades = files(tmp_path, [answer("x"), answer("x")], [make_case()])
    with pytest.raises(DataError, match=r"responses\.jsonl:2: response 'r1' stands there twice"):
        grade_responses(responses, cases, grades, "rules")


def test_an_unknown_grader_is_named_with_what_is_known(tmp_path: Path) -> None:
    responses, cases, grades = files(tmp_path, [answer("x")], [make_case()])
    with pytest.raises(
        SettingsError, match=r"'rule' is no grader\. Known: .*rules.*\. Did you mean 'rules'\?"
    ):
        grade_responses(responses, cases, grades, "rule")


def test_a_verdict_without_span_and_reason_is_a_bug() -> None:
    with pytest.raises(ValueError, match="neither a span nor a reason"):
        found("correct", True, [])


def test_a_row_that_is_no_transcript_is_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "m.x.jsonl"
    path.write_text('{"case": {"id": "c"}}\n')
    study = Condition(experiment="evidence_toggle", model="m", corpus="x", n_documents=0, seed=0)
    with pytest.raises(DataError, match=r"m.x.jsonl:1: is no transcript of the published form"):
        read_transcripts(path, study, "published")
