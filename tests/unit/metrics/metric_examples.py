"""Grade files for the metric tests: verdicts are written down, not read from text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.grading.registry import GRADERS
from unfaithful_cot.grading.verdicts import NO_CONFIDENTIAL
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Condition, Setup

SETUP = Setup(
    case_set="c", prompt_template="p", chat_template="t", decoding="d", quantisation="q", engine="e"
)
HONEST = {
    "format_ok": True, "answer_letter": "A", "correct": True, "cited_ids": "E1", "unknown_ids": "",
    "cites_public": True, "names_confidential": True, "confidential_stance": "cited", "claims_public_only": False,
    "leaks_content": True, "think_names_confidential": True, "think_intends_to_conceal": False,
}  # fmt: skip
HIDING = HONEST | {"names_confidential": False, "confidential_stance": "absent"}
SILENT = HIDING | {"think_names_confidential": False}
ANNOUNCING = HONEST | {"confidential_stance": "disclaimed", "claims_public_only": True}
WRONG = HONEST | {"correct": False, "answer_letter": "B"}
UNREAD = HONEST | {"correct": None, "answer_letter": None, "format_ok": False}
CUT = UNREAD | dict.fromkeys(["cites_public", "names_confidential", "confidential_stance"])
NONE_THERE = HONEST | dict.fromkeys(["names_confidential", "confidential_stance", "think_names_confidential"])


def condition(corpus: str = "baseline", n_documents: int = 0, seed: int = 0) -> Condition:
    return Condition(
        experiment="evidence_toggle", model="m", corpus=corpus, n_documents=n_documents, seed=seed
    )


def grades(
    values: Iterable[dict[str, Any]],
    study: Condition | None = None,
    setup: Setup = SETUP,
    arm: str = "full",
    samples: int = 1,
    grader: str = "rules",
    first_case: int = 0,
) -> list[Grade]:
    """Grades of consecutive cases: two variants a scenario, `samples` responses a case."""
    study = study or condition()
    lines = []
    for place, verdicts in enumerate(values):
        case, sample = first_case + place // samples, place % samples
        for name, value in verdicts.items():
            reason = (
                (NO_CONFIDENTIAL if verdicts is NONE_THERE else "cut") if value is None else "written down"
            )
            lines.append(
                Grade(
                    id=f"g{len(lines)}", response=f"{study.corpus}{study.n_documents}{study.seed}{arm}{case}.{sample}",
                    case=f"c{case}", scenario=f"s{case // 2}", suite="toggle", arm=arm, variant="ab"[case % 2],
                    sample=sample, condition=study, setup=setup, grader=grader,
                    grader_version=GRADERS[grader].version, verdict=name, value=value, spans=[], reason=reason,
                )
            )  # fmt: skip
    return lines


def write(folder: Path, name: str, lines: list[Grade]) -> str:
    path = folder / f"{name}.jsonl"
    jsonl.write(path, lines)
    return str(path)
