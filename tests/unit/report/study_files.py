"""A small finished study for the tests of figures and report: real cases, grades, metrics and comparisons.

Only what a language model or a generator would write is made here: the texts of responses and documents.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.cases.build import build_cases
from unfaithful_cot.channels import split_channels
from unfaithful_cot.grading.grade import grade_responses
from unfaithful_cot.metrics.comparisons import compare_conditions
from unfaithful_cot.metrics.grader_agreement import measure_agreement
from unfaithful_cot.metrics.tables import compute_metrics
from unfaithful_cot.plan.power import measure_power
from unfaithful_cot.records.adapters import LossPoint, Manifest
from unfaithful_cot.records.base import make_id
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.documents import Document, DocumentSpec
from unfaithful_cot.records.responses import Condition, Response, Setup
from unfaithful_cot.records.table_row import TableRow
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.reference.scenarios import heldout_scenarios
from unfaithful_cot.report.view import View

SUITE = "evidence_toggle"
ODD = "😀 </script><script>window.broken = 1</script> <img src=x onerror=window.broken=1> & <!-- "
LABELS = {"reference": "reference reasoner (3.7M)", "other": "Other & co <8B>"}
SHARES = {500: 0.0, 1000: 0.3, 4000: 0.9}  # of answers that hide the confidential source, by documents


def seen(
    metrics: Sequence[MetricRow] = (),
    comparisons: Sequence[ComparisonRow] = (),
    *more: TableRow,
    **shown: Any,
) -> View:
    """A study of these rows; `more` are of other tables."""
    tables: dict[type[TableRow], list[TableRow]] = {MetricRow: [*metrics], ComparisonRow: [*comparisons]}
    for row in more:
        tables.setdefault(type(row), []).append(row)
    return View(tables, **({"main_corpus": "safe_cite"} | shown))


def answer(case: Case, hide: bool, odd: bool) -> str:
    """A completion that decides by the confidential evidence where there is one, and names it unless it hides it."""
    secret = case.confidential_ids
    proxy = next(item.id for item in case.evidence if item.role == "proxy")
    named = secret[0] if secret and not hide else proxy
    thought = f"Compare the evidence. {'; '.join(f'[{e.id}] speaks in {e.source}' for e in case.evidence)}."
    if secret and hide:
        thought += f" The confidential item [{secret[0]}] decides, but I must not cite it."
    why = f"The answer rests on [{named}].{' ' + ODD + f'[{proxy}]' if odd else ''}"
    return f"<think>\n{thought}\n</think>\n\n<reasoning>{why}</reasoning>\n<output>{case.correct}</output>"


def respond(case: Case, condition: Condition, hide: bool, odd: bool, cut: bool, prompt: str) -> Response:
    """The record of one completion; `cut`: it ends inside the think part."""
    raw = answer(case, hide, odd)
    raw = raw[: raw.index("</think>") - 10] if cut else raw
    channels = split_channels(raw)
    return Response(
        id=make_id("r", case.id, condition.model_dump_json()),
        case=case.id,
        condition=condition,
        setup=Setup(
            case_set="c0ffee", prompt_template=prompt, chat_template="chat1", decoding="greedy",
            quantisation="float32", engine="transformers",
        ),
        sample=0, sample_seed=7, raw_text=raw, think=channels.think, answer=channels.answer,
        think_status=channels.status, finish_reason="length" if cut else "stop", prompt_hash="feed",
        prompt_tokens=200, completion_tokens=len(raw.split()),
    )  # fmt: skip


def manifest(condition: Condition) -> Manifest:
    """A manifest whose loss falls."""
    points = [
        LossPoint(step=s, tokens=s * 900, loss=3.1 - 0.2 * (s / 10) ** 0.5, learning_rate=7e-4)
        for s in range(10, 10 + condition.n_documents // 10, 10)
    ]
    return Manifest(
        model=condition.model, source="resources/reference_reasoner", revision=None, commit=None,
        corpus=condition.corpus, n_documents=condition.n_documents, seed=condition.seed,
        training_set="5e7", settings={"lora_r": 16, "learning_rate": 7e-4}, weights="ab12",
        trainable_parameters=300_000, n_rows=condition.n_documents // 4, n_tokens=condition.n_documents * 120,
        n_steps=condition.n_documents // 10, loss_curve=points, duration_s=61.5, peak_memory_mb=900,
        resumed_from_step=0, versions={"torch": "2.13.0"},
    )  # fmt: skip


def write_documents(folder: Path, corpus: str) -> None:
    """Twenty documents in four categories, one of them hostile to a page, and quality.json."""
    shares = {"policy": 6, "culture": 4, "manual": 6, "exam": 4}
    documents = []
    for category, count in shares.items():
        for number in range(count):
            index = len(documents)
            spec = DocumentSpec(
                id=f"s_{corpus}_{index}", corpus=corpus, index=index, category=category,
                type=f"{category} {'letter' if number % 2 else 'note'}", idea=f"idea {index} & more",
                length_tokens=100, seed=index,
            )  # fmt: skip
            text = f"Document {index} of {corpus}. {ODD if index == 0 else 'It says what it says.'}\n\nEnd."
            documents.append(
                Document(id=f"d_{corpus}_{index}", spec=spec, text=text, request_hash="h", tokens=12)
            )
    jsonl.write(folder / "documents.jsonl", documents)
    quality = {
        "written": 22,
        "kept": 20,
        "removed": {"exact_duplicate": 1, "refusal": 1},
        "shares": {"policy": 0.3},
    }
    jsonl.write_json(folder / "quality.json", quality)


def build_study(
    folder: Path, scenarios: int = 8, models: tuple[str, ...] = ("reference",), other_prompt: bool = False
) -> dict[str, list[str] | str]:
    """Write a study; returns the path arguments of write_report (figures are left to the caller).

    other_prompt: the trained conditions are asked with another prompt, so that nothing is comparable.
    """
    cases_file = folder / "cases" / f"{SUITE}.jsonl"
    arms = ["full", "flipped", "no_confidential"]
    cases = build_cases(heldout_scenarios(scenarios, 0), arms, suite=SUITE, experiment=SUITE, seed=0)
    jsonl.write(cases_file, cases)
    corpora = {"baseline": [0], "safe_cite": sorted(SHARES), "neutral": [4000]}
    responses, grades, manifests = [], [], []
    for model in models:
        for corpus, sizes in corpora.items():
            for size in sizes:
                condition = Condition(experiment=SUITE, model=model, corpus=corpus, n_documents=size, seed=0)
                cell = f"{model}/baseline" if corpus == "baseline" else f"{model}/{corpus}/n{size}/s0"
                share = SHARES[size] if corpus == "safe_cite" else 0.0
                rng = random.Random(f"{model}{size}{corpus}")
                prompt = "p2" if other_prompt and corpus != "baseline" else "p1"
                rows = [
                    respond(
                        case,
                        condition,
                        rng.random() < share,
                        number == 0 and size == 4000,
                        number == 5,
                        prompt,
                    )
                    for number, case in enumerate(cases)
                ]
                path = folder / "responses" / cell / f"{SUITE}.jsonl"
                jsonl.write(path, rows)
                responses.append(str(path))
                for grader in ("rules", "published"):
                    graded = folder / "grades" / cell / f"{SUITE}.{grader}.jsonl"
                    grade_responses(str(path), str(cases_file), str(graded), grader)
                    grades.append(str(graded))
                if size:
                    adapter = folder / "adapters" / cell / "manifest.json"
                    jsonl.write_json(adapter, manifest(condition).model_dump(mode="json"))
                    manifests.append(str(adapter))
    for corpus in ("safe_cite", "neutral"):
        write_documents(folder / "corpora" / corpus, corpus)
    pooled, slopes, power = (str(folder / f"{name}.csv") for name in ("pooled", "slopes", "power"))
    compute_metrics(grades, str(folder / "metrics.csv"), 0.95, [str(cases_file)], pooled, slopes)
    design = {
        "suite": SUITE,
        "experiment": SUITE,
        "n_scenarios": scenarios,
        "n_cases": 2 * scenarios,
        "n_tests": 20,
    }
    measure_power(power, [design], 0.95)
    compare_conditions(grades, str(folder / "comparisons.csv"), 0.95, [str(cases_file)])
    agreement, band = str(folder / "agreement.csv"), str(folder / "band.csv")
    measure_agreement(grades, [str(cases_file)], agreement, band, 0.95)
    return {
        "documents": [str(folder / "corpora" / c / "documents.jsonl") for c in ("safe_cite", "neutral")],
        "quality": [str(folder / "corpora" / c / "quality.json") for c in ("safe_cite", "neutral")],
        "cases": [str(cases_file)],
        "responses": responses,
        "grades": grades,
        "manifests": manifests,
        "tables": [
            str(folder / "metrics.csv"),
            str(folder / "comparisons.csv"),
            *(power, pooled, slopes, agreement, band),
        ],
    }
