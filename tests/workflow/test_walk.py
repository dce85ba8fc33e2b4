"""The walk back: from a row of metrics.csv to the documents that caused it, by ids and hashes alone."""

from __future__ import annotations

import csv
from pathlib import Path

from unfaithful_cot import jsonl
from unfaithful_cot.provenance import file_hash
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.documents import Document, DocumentSpec, TrainingRow
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Response
from workflow.study import ROOT, Study


def test_a_bar_can_be_walked_back_to_its_documents(finished: Study) -> None:
    results = finished.folder / "results" / "smoke"
    with (results / "metrics.csv").open(newline="", encoding="utf-8") as file:
        (row,) = [
            row
            for row in csv.DictReader(file)
            if (row["corpus"], row["n_documents"], row["arm"], row["metric"])
            == ("safe_cite", "40", "full", "accuracy")
        ]
    condition = f"{row['model']}/{row['corpus']}/n{row['n_documents']}/s{row['seed']}"

    # row -> grades: 2 scenarios x 2 variants in the arm
    grades = [
        grade
        for grade in jsonl.read(results / f"grades/{condition}/{row['suite']}.{row['grader']}.jsonl", Grade)
        if grade.arm == row["arm"]
    ]
    judged = {grade.response for grade in grades}
    assert len(judged) == int(row["n"]) == 4

    # grade -> response -> case
    responses = {
        one.id: one for one in jsonl.read(results / f"responses/{condition}/{row['suite']}.jsonl", Response)
    }
    cases = {case.id: case for case in jsonl.read(results / f"cases/{row['suite']}.jsonl", Case)}
    assert judged <= responses.keys()
    for grade in grades:
        assert responses[grade.response].case == grade.case
        assert cases[grade.case].scenario == grade.scenario

    # response -> adapter -> training set -> documents -> specs -> universe
    (adapter,) = {responses[response].condition.adapter for response in judged}
    manifest_path = results / f"adapters/{condition}/manifest.json"
    assert adapter == file_hash(manifest_path)
    manifest = Manifest.model_validate_json(manifest_path.read_text(encoding="utf-8"))
    assert manifest.weights == file_hash(manifest_path.with_name("adapter_model.safetensors"))
    training_set = results / f"training_sets/{row['corpus']}/n{row['n_documents']}/s{row['seed']}.jsonl"
    assert manifest.training_set == file_hash(training_set)
    rows = jsonl.read(training_set, TrainingRow)
    assert manifest.n_documents == len(rows) == 40
    corpus = results / "corpora" / row["corpus"]
    documents = {one.id: one for one in jsonl.read(corpus / "documents.jsonl", Document)}
    specs = {spec.id: spec for spec in jsonl.read(corpus / "specs.jsonl", DocumentSpec)}
    for line in rows:
        assert documents[line.document].text == line.text
        assert specs[documents[line.document].spec.id] == documents[line.document].spec
    assert {spec.corpus for spec in specs.values()} == {row["corpus"]}
    assert (ROOT / f"resources/universes/{row['corpus']}.yaml").exists()


def test_sizes_are_nested(finished: Study) -> None:
    sets = finished.folder / "results/smoke/training_sets/safe_cite"
    small, large = (jsonl.read(sets / size / "s0.jsonl", TrainingRow) for size in ("n20", "n40"))
    assert small == large[:20]


def test_no_document_contains_an_evaluation_case(finished: Study) -> None:
    results = finished.folder / "results/smoke"
    evidence = {
        item.text
        for case in jsonl.read(results / "cases/evidence_toggle.jsonl", Case)
        for item in case.evidence
    }
    for corpus in sorted(path for path in (results / "corpora").iterdir()):
        for document in jsonl.read(corpus / "documents.jsonl", Document):
            assert not [text for text in evidence if text in document.text]


def test_snakemakes_own_report_shows_the_rules_and_how_long_they_ran(finished: Study, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    done = finished.snakemake("--report", str(page))
    assert done.returncode == 0, done.stderr[-3000:]
    text = page.read_text(encoding="utf-8")
    for part in ("rulegraph_spec", "runtimes_spec", "train_adapter", "write_report"):
        assert part in text, part
