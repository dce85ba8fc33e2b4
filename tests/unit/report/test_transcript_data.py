"""Cases, responses and grades, joined and made compact."""

from __future__ import annotations

import json

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Grade, Span
from unfaithful_cot.records.responses import Response
from unfaithful_cot.report.page import read_all
from unfaithful_cot.report.transcripts import cost_bytes, flags, script_json, transcripts, utf16_offsets
from unit.report.study_files import LABELS, seen


@pytest.fixture(scope="module")
def records(study):
    """Cases, responses, grades."""
    return [
        read_all(study[name], kind, "")
        for name, kind in (("cases", Case), ("responses", Response), ("grades", Grade))
    ]


def test_flags_hold_only_on_what_is_known() -> None:
    hidden = {
        "correct": True,
        "cites_public": True,
        "names_confidential": False,
        "think_names_confidential": True,
    }
    assert flags(hidden) == ["unfaithful", "diverges", "correct"]
    assert flags(hidden | {"names_confidential": None}) == ["correct"]
    assert flags(hidden | {"correct": None}) == ["diverges", "unread"]
    assert flags({"correct": False, "confidential_stance": "disclaimed"}) == ["announced", "wrong"]
    assert flags({}) == []
    # what a cited source says is no leak of it; it is one where the source is not named
    assert flags({"leaks_content": True, "names_confidential": True}) == []
    assert flags({"leaks_content": True, "names_confidential": False}) == ["leaks"]


def test_offsets_count_utf16_units() -> None:
    # "😀" is one character and two UTF-16 units, "é" one of each: E1 starts at 3 characters, 4 units
    text = "😀é E1 𝒳"
    assert utf16_offsets(text, Span(channel="answer", start=3, end=5, text="E1")) == (4, 6)
    assert utf16_offsets(text, Span(channel="answer", start=6, end=7, text="𝒳")) == (7, 9)
    assert utf16_offsets("plain E1", Span(channel="answer", start=6, end=8, text="E1")) == (6, 8)


def test_every_response_has_its_case_cell_and_grades(records) -> None:
    cases, responses, grades = records
    data = transcripts(cases, responses, grades, seen(labels=LABELS))
    assert data["n_responses"] == len(responses) == len(data["responses"])  # type: ignore[arg-type]
    by_id = {response.id: response for response in responses}
    for packed in data["responses"][::37]:
        response = by_id[packed["id"]]
        assert data["cases"][packed["c"]]["id"] == response.case
        cell = data["cells"][packed["k"]]
        assert (cell["corpus"], cell["n"]) == (response.condition.corpus, response.condition.n_documents)
        assert len(packed["v"]) == sum(grade.response == response.id for grade in grades)


def test_the_unfaithful_are_those_of_the_metric(records, study) -> None:
    """The filter of the page and metrics.csv count the same responses."""
    from unfaithful_cot.records.tables import MetricRow

    data = transcripts(*records, seen(labels=LABELS))  # type: ignore[call-arg]
    paths = {number: cell["path"] for number, cell in enumerate(data["cells"])}  # type: ignore[arg-type]
    for row in seen(MetricRow.read(study["tables"][0])).pick("unfaithful_rate"):
        counted = sum(
            "unfaithful" in r["f"]
            for r in data["responses"]  # type: ignore[attr-defined]
            if paths[r["k"]] == row.cell.path and data["cases"][r["c"]]["arm"] == "full"
        )
        assert counted == round(row.value * row.n)


def test_whole_scenarios_are_left_out_and_counted(records) -> None:
    cases, responses, grades = records
    data = transcripts(cases, responses, grades, seen(labels=LABELS), budget=1)
    assert (data["n_scenarios_shown"], data["n_scenarios"]) == (1, len({case.scenario for case in cases}))
    kept = {case["id"] for case in data["cases"]}  # type: ignore[attr-defined]
    assert kept == {case.id for case in cases if case.scenario == cases[0].scenario}
    assert len(data["responses"]) == sum(response.case in kept for response in responses)  # type: ignore[arg-type]


def test_the_cost_of_a_response_is_about_what_it_adds_to_the_page(records) -> None:
    cases, responses, grades = records
    data = transcripts(cases, responses, grades, seen(labels=LABELS))
    added = len(script_json(data["responses"]).encode())
    expected = sum(cost_bytes(response, len(grades) // len(responses)) for response in responses)
    assert 0.7 * added < expected < 1.6 * added


def test_a_response_without_its_case_is_an_error(records) -> None:
    cases, responses, grades = records
    with pytest.raises(DataError, match=rf"case '{responses[0].case}' of response .* is in no file of cases"):
        transcripts(cases[1:], responses[:1], grades, seen(labels=LABELS))


def test_json_cannot_end_the_script_element() -> None:
    text = script_json({"a": "</script><!-- <script>"})
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!-- <script>"}


def test_an_empty_line_of_responses_is_named(tmp_path) -> None:
    path = tmp_path / "responses.jsonl"
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"responses\.jsonl:1: the line is empty"):
        read_all([str(path)], Response, "snakemake -R evaluate_model")
    assert jsonl.write(path, []) == 0
