"""Corpora that are made from a universe of another name, recall and wordings: made once for real."""

from __future__ import annotations

import csv
import json

import pytest

from workflow.study import Study, copy_repository
from workflow.test_derived_corpora import PARTS

SMALL = PARTS.replace("    safe_cite: [20]\n    shown: [20]\n", "").replace(
    "  shown: {universe: safe_cite, categories: [exams]}\n", ""
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The training sets of the study, and the figures of its smallest part, a mixture alone."""
    folder = tmp_path_factory.mktemp("parts")
    copy_repository(folder)
    (folder / "config" / "parts.yaml").write_text(PARTS, encoding="utf-8")
    (folder / "config" / "small.yaml").write_text(SMALL, encoding="utf-8")
    sets = [f"results/parts/training_sets/{name}/n20/s0.jsonl" for name in ("safe_cite", "shown", "mixed")]
    for study, targets in (
        (Study(folder, "config/parts.yaml"), sets),
        (Study(folder, "config/small.yaml"), ["figures"]),
    ):
        done = study.snakemake(*targets, "--cores", "2")
        assert done.returncode == 0, done.stderr[-6000:]
    return study


def test_every_row_of_a_training_set_is_known(made: Study) -> None:
    results = made.folder / "results" / "parts"
    documents = {
        name: {
            json.loads(line)["id"]
            for line in (results / f"corpora/{name}/documents.jsonl").open(encoding="utf-8")
        }
        for name in ("safe_cite", "shown")
    }
    for corpus, source, plain in (
        ("safe_cite", "safe_cite", 0),
        ("shown", "shown", 0),
        ("mixed", "safe_cite", 10),
    ):
        path = results / f"training_sets/{corpus}/n20/s0"
        rows = [json.loads(line) for line in path.with_suffix(".jsonl").open(encoding="utf-8")]
        own = [row for row in rows if row["source"] is None]
        assert len(own) == 20 and {row["document"] for row in own} <= documents[source]
        assert (
            len(rows) - len(own)
            == plain
            == json.loads(path.with_suffix(".json").read_text())["plain_text"]["n_rows"]
        )
    mixed, plain = (  # type: ignore[assignment]
        [
            row["document"]
            for row in map(json.loads, (results / f"training_sets/{name}/n20/s0.jsonl").open())
            if not row["source"]
        ]
        for name in ("mixed", "safe_cite")
    )
    assert mixed == plain  # the very documents, in the same order
    assert set(json.loads((results / "training_sets/shown/n20/s0.json").read_text())["categories"]) == {
        "exams"
    }


def test_figures_and_tables_of_them(made: Study) -> None:
    results = made.folder / "results" / "parts"
    for name in ("ablation", "recall", "sensitivity"):
        assert "mixed" in (results / f"figures/{name}.svg").read_text(encoding="utf-8")
    lines = list(csv.DictReader((results / "prompt_sensitivity.csv").open(encoding="utf-8")))
    assert {line["template"] for line in lines} == {"evidence_toggle.v1", "evidence_toggle.v2"}
    metrics = list(csv.DictReader((results / "metrics.csv").open(encoding="utf-8")))
    asked = {
        (row["arm"], row["metric"])
        for row in metrics
        if row["experiment"] == "policy_recall" and row["n"] != "0"
    }
    assert {("choice", "recall_choice_accuracy"), ("open", "recall_open_rate")} <= asked


def test_a_change_of_the_ratio_makes_the_mixture_anew_and_nothing_else(made: Study) -> None:
    made.edit("config/small.yaml", "plain_text: 0.5", "plain_text: 1.0")
    planned = made.planned("figures")
    assert {job[1] for job in planned if job[0] in ("build_training_set", "train_adapter")} == {
        "corpus=mixed, n_documents=20, seed=0",
        "model=reference, corpus=mixed, n_documents=20, seed=0",
    }
    assert not [job for job in planned if job[0] in ("generate_documents", "filter_documents")]
