"""The promise of the DAG: what changed reruns, with what depends on it, and nothing else.

Each test edits a copy of a study that really ran, and compares the exact set of jobs of a dry-run. The study has
one model, safe_cite at 20 and 40 documents, neutral at 40: 3 cells and a baseline, 4 conditions; 2 graders, so 8
grade files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from workflow.study import Study

TABLES = Counter(compute_metrics=1, compare_conditions=1, measure_agreement=1)
DRAWINGS = Counter(draw_figure=2, write_report=1)  # pair and dose
SHOWN = TABLES + DRAWINGS
GRADED = Counter(grade_responses=8) + SHOWN
ANSWERED = Counter(evaluate_baseline=1, evaluate_adapter=3) + GRADED
TRAINED = Counter(train_adapter=3, evaluate_adapter=3, grade_responses=6) + SHOWN

Edit = Callable[[Study], None]


def replace(path: str, old: str, new: str) -> Edit:
    return lambda study: study.edit(path, old, new)


def append(path: str, text: str) -> Edit:
    return lambda study: study.append(path, text)


def touch_everything(study: Study) -> None:
    """A fresh clone beside old results: every file of the repository looks new."""
    for path in study.folder.rglob("*"):
        if path.is_file() and not {"results", ".snakemake"} & set(path.parts):
            path.touch()


def comments(study: Study) -> None:
    """A comment, a blank line and another docstring in a module that every rule reaches."""
    study.append("src/unfaithful_cot/jsonl.py", "\n\n# Nothing but a comment.\n")
    study.edit("src/unfaithful_cot/jsonl.py", '"""JSON Lines files', '"""Files of JSON lines')


def second_model(study: Study) -> None:
    """One entry in models.yaml, one word in the configuration."""
    study.append(
        "config/models.yaml",
        "\ntwin: {source: resources/reference_reasoner, label: twin, parameters: 4.0e+6, gpus: 0, memory_mb: 2000}\n",
    )
    study.edit("config/smoke.yaml", "models: [reference]", "models: [reference, twin]")


def swapped(study: Study) -> None:
    """Two leaves change places: Snakemake compares the values of params without their names."""
    study.edit("config/smoke.yaml", "lora_r: 4\n  lora_alpha: 8\n", "lora_r: 8\n  lora_alpha: 4\n")


EDITS: dict[str, tuple[Edit, Counter[str]]] = {
    "nothing": (lambda study: None, Counter()),
    "times of change": (touch_everything, Counter()),
    "comments and docstrings": (comments, Counter()),
    "a README": (append("README.md", "More.\n"), Counter()),
    "a script's layout": (append("workflow/scripts/run.py", "\n"), Counter()),
    "a checkpoint interval": (replace("config/smoke.yaml", "steps: 1", "steps: 7"), Counter()),
    "cases at once, and requests in flight": (
        replace("config/smoke.yaml", "batch_rows: 8}", "batch_rows: 4, endpoint: {concurrency: 9}}"),
        Counter(),
    ),
    "a model that no study names": (
        append("config/models.yaml", "\nx: {source: a/b, label: x, parameters: 1, gpus: 0, memory_mb: 1}\n"),
        Counter(),
    ),
    "the endpoint of a part that asks none": (
        replace("config/smoke.yaml", "{count: 60,", "{count: 60, endpoint: {model: other},"),
        Counter(),
    ),
    "the code of a grader": (append("src/unfaithful_cot/grading/published.py", "\nNEW = 1\n"), GRADED),
    "the code of a figure": (
        append("src/unfaithful_cot/report/dose.py", "\nNEW = 1\n"),
        Counter(draw_figure=1, write_report=1),
    ),
    "the style of the report": (
        append("src/unfaithful_cot/report/templates/report.css", "\n"),
        Counter(write_report=1),
    ),
    "the code of the tables": (
        append("src/unfaithful_cot/records/tables.py", "\nNEW = 1\n"),
        SHOWN + Counter(measure_power=1),  # power counts by the same tables
    ),
    "the code of the training": (append("src/unfaithful_cot/training/cpt.py", "\nNEW = 1\n"), TRAINED),
    "a setting of the training": (replace("config/smoke.yaml", "lora_r: 4", "lora_r: 2"), TRAINED),
    "two settings that swap their values": (swapped, TRAINED),
    "a setting of the inference": (
        replace("config/smoke.yaml", "max_new_tokens: 320", "max_new_tokens: 300"),
        ANSWERED,
    ),
    "a setting of the loading": (
        replace("config/smoke.yaml", "dtype: float32", "dtype: bfloat16"),
        ANSWERED + Counter(train_adapter=3),
    ),
    "the wording of the prompt": (
        append("resources/prompts/evidence_toggle.v1.yaml", "\n# another hash\n"),
        ANSWERED,
    ),
    "the weights of the base model": (
        append("resources/reference_reasoner/model.safetensors", " "),
        ANSWERED + Counter(train_adapter=3),
    ),
    "the confidence": (
        append("config/smoke.yaml", "\nstatistics: {confidence: 0.9}\n"),
        SHOWN + Counter(measure_power=1),
    ),
    "the title of the report": (
        append("config/smoke.yaml", "\nreport: {title: x}\n"),
        Counter(write_report=1),
    ),
    "a label": (replace("config/models.yaml", "label: reference reasoner", "label: tiny reasoner"), DRAWINGS),
    # safe_cite alone: 2 sizes, each with a training set, an adapter, responses and 2 grade files
    "a universe": (
        append("resources/universes/safe_cite.yaml", "\n# another hash\n"),
        Counter(plan_documents=1, generate_documents=1, filter_documents=1, build_training_set=2)
        + Counter(train_adapter=2, evaluate_adapter=2, grade_responses=4)
        + SHOWN,
    ),
    "a size added": (
        replace("config/smoke.yaml", "[20, 40]", "[20, 30, 40]"),
        Counter(build_training_set=1, train_adapter=1, evaluate_adapter=1, grade_responses=2, measure_power=1)
        + SHOWN,
    ),
    "a size taken away": (
        replace("config/smoke.yaml", "[20, 40]", "[40]"),
        SHOWN + Counter(measure_power=1),  # fewer sizes, fewer tests in Holm's family
    ),
    # 3 cells more: 3 training sets, adapters and responses, 6 grade files
    "a seed added": (
        replace("config/smoke.yaml", "seeds: [0]", "seeds: [0, -1]"),
        Counter(build_training_set=3, train_adapter=3, evaluate_adapter=3, grade_responses=6) + SHOWN,
    ),
    # the training sets are shared between models
    "a model added": (
        second_model,
        Counter(train_adapter=3, evaluate_adapter=3, evaluate_baseline=1, grade_responses=8) + SHOWN,
    ),
    "a grader taken away": (append("config/smoke.yaml", "\ngrading: {graders: [rules]}\n"), SHOWN),
}


@pytest.mark.parametrize("edit", EDITS)
def test_only_what_changed_reruns(study: Study, edit: str) -> None:
    change, expected = EDITS[edit]
    change(study)
    for hash_seed in (1, 4321):
        assert study.rules(hash_seed=hash_seed) == expected


def test_a_size_added_runs_its_own_cell_alone(study: Study) -> None:
    study.edit("config/smoke.yaml", "[20, 40]", "[20, 30, 40]")
    planned = study.planned()
    cell = "model=reference, corpus=safe_cite, n_documents=30, seed=0"
    assert planned["train_adapter", cell] == planned["evaluate_adapter", cell] == 1
    assert planned["build_training_set", "corpus=safe_cite, n_documents=30, seed=0"] == 1


def test_new_cases_retrain_only_when_they_remove_a_document(study: Study) -> None:
    """Cases decide what the filter removes. Filtered again to the same content, the corpus trains nothing anew."""
    study.edit("config/smoke.yaml", "arms: [full, flipped]", "arms: [full]")
    done = study.snakemake("--cores", "2", "documents")
    assert done.returncode == 0, done.stderr[-3000:]
    assert study.rules() == ANSWERED
