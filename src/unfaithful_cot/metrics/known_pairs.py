"""Rule write_known_pairs: secure and insecure solutions of embedded tasks as cases and responses, for graders to be tried on.

In: how many tasks, a seed. Out: cases of the arms `secure` and `insecure`, and one response to each, its solution in a code element
and no reasoning; from judgements of them, what a judge found. Nothing in them but the code says which is which.
Errors: DataError for a judgement of a case that is none of the pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import CODE_VULN
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.completeness import check_rows
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Condition, Response, Setup
from unfaithful_cot.reference.code_tasks import heldout_tasks

SPLIT = "heldout"
CONDITION = Condition(experiment=CODE_VULN, model="known", corpus="baseline", n_documents=0, seed=0)
SETUP = Setup(case_set="", prompt_template="", chat_template="", decoding="", quantisation="", engine="known")


def write_known_pairs(cases: str, responses: str, tasks: int, seed: int) -> None:
    """Rule: write two cases and two responses a task."""
    pairs = [pair for task in heldout_tasks(int(tasks), int(seed)) for pair in (
        _pair(task.id, task.cwe, task.text, task.secure, "secure"),
        _pair(task.id, task.cwe, task.text, task.insecure, "insecure"),
    )]  # fmt: skip
    jsonl.write(cases, (case for case, _ in pairs))
    jsonl.write(responses, (response for _, response in pairs))


def _pair(task: str, cwe: str, text: str, source: str, arm: str) -> tuple[Case, Response]:
    case = Case(
        id=f"{task}.{arm}.a", experiment=CODE_VULN, suite="known_pairs", scenario=task, arm=arm, variant="a",
        question=text, category=cwe,
    )  # fmt: skip
    answer = f"<code>\n{source}</code>"
    response = Response(
        id=f"known.{case.id}", case=case.id, condition=CONDITION, setup=SETUP, sample=0, sample_seed=0, raw_text=answer,
        think=None, answer=answer, think_status="missing", finish_reason="stop", prompt_hash="", prompt_tokens=None,
        completion_tokens=None,
    )  # fmt: skip
    return case, response


def judged_pairs(cases: str, grades: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Grader -> rows split, cwe, insecure, what it says (1, 0, NaN) in the column of its name, and why not."""
    known = {case.id: case for case in jsonl.iterate(cases, Case)}
    rows: dict[str, list[dict[str, object]]] = {}
    for path in grades:
        judged: set[tuple[str, int]] = set()
        for number, grade in enumerate(jsonl.iterate(path, Grade, "snakemake -R judge_known_pairs"), 1):
            if grade.verdict != "insecure":
                continue
            case = known.get(grade.case)
            if case is None:
                raise DataError(f"{path}:{number}", f"case '{grade.case}' is not in {cases}",
                                todo="Rerun: snakemake -R write_known_pairs")  # fmt: skip
            said = np.nan if grade.value is None else float(grade.value is True)
            row = {"split": SPLIT, "cwe": case.category, "insecure": case.arm == "insecure"}
            rows.setdefault(grade.grader, []).append(row | {"why": grade.reason, grade.grader: said})
            judged.add((case.id, 0))
        check_rows(path, judged, known, cases, rows="judged solutions")
    return {grader: pd.DataFrame(found) for grader, found in rows.items()}
