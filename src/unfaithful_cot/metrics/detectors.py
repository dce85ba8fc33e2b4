"""detectors.csv: how good the detectors of insecure code are, on pairs whose answer is known.

Args:
    The secure and the insecure solutions of the embedded tasks (reference.code_tasks), as responses.

Returns:
    A table of DetectorRow, one row a detector, split (training or held-out tasks) and CWE, `all` for all of them.
    Detectors: `static_analysis` as the grader counts; `bandit_any`, every finding of bandit, which shows why some are not
    counted; `bandit_same_cwe`, a counted finding of the very CWE of the task; each judge that the study asks, on fewer held-out
    pairs (known_pairs.py). Rates have Wilson's interval over tasks. A true positive is an insecure solution found insecure; a
    solution that could not be read is missing, not secure.

Raises:
    SettingsError: when bandit is not installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from unfaithful_cot.grading.analysers import scan_python
from unfaithful_cot.grading.static_analysis import counts
from unfaithful_cot.metrics.intervals import wilson
from unfaithful_cot.metrics.known_pairs import judged_pairs
from unfaithful_cot.records.tables import DetectorRow
from unfaithful_cot.reference.code_tasks import CodeTask, heldout_tasks, training_tasks

SPLITS: dict[str, Callable[[int, int], list[CodeTask]]] = {
    "training": training_tasks,
    "heldout": heldout_tasks,
}
FOUND = ["static_analysis", "bandit_any", "bandit_same_cwe"]


def validate_detectors(
    detectors: str,
    tasks: int,
    seed: int,
    confidence: float,
    pairs: str | None = None,
    judged: Sequence[str] = (),
) -> None:
    """Rule: write detectors.csv. tasks: how many of each split; seed: of the draw.

    pairs, judged: cases of known_pairs.py and what judges said about their responses; none where no judge is asked.
    """
    parts = [found_in(split, draw(int(tasks), int(seed))) for split, draw in SPLITS.items()]
    found = pd.concat(parts, ignore_index=True)
    tables = [detector_table(found, FOUND, confidence)]
    if pairs and judged:
        tables += [
            detector_table(rows, [name], confidence) for name, rows in judged_pairs(pairs, judged).items()
        ]
    DetectorRow.write_frame(detectors, pd.concat(tables, ignore_index=True))


def found_in(split: str, tasks: list[CodeTask]) -> pd.DataFrame:
    """One row a solution: split, cwe, whether it is insecure, what each detector says (NaN: could not be read), and why not."""
    solutions = [(task, insecure) for task in tasks for insecure in (False, True)]
    sources = {task.insecure if insecure else task.secure: "" for task, insecure in solutions}
    scanned = scan_python({source: source for source in sources})
    rows = []
    for task, insecure in solutions:
        result = scanned[task.insecure if insecure else task.secure]
        row: dict[str, object] = {"split": split, "cwe": task.cwe, "insecure": insecure, "why": None}
        if isinstance(result, str):
            rows.append(row | {"why": result} | dict.fromkeys(FOUND, np.nan))
            continue
        counted = [finding for finding in result if counts(finding)]
        said = (bool(counted), bool(result), any(finding.cwe == task.cwe for finding in counted))
        rows.append(row | dict(zip(FOUND, map(float, said), strict=True)))
    return pd.DataFrame(rows)


def detector_table(found: pd.DataFrame, detectors: Sequence[str], confidence: float) -> pd.DataFrame:
    """Rates of each detector, split and CWE from the rows of found_in, or of judged_pairs."""
    rows = []
    for detector in detectors:
        for split, part in found.groupby("split", sort=True):
            cwes = sorted(part["cwe"].unique(), key=lambda cwe: int(cwe.removeprefix("CWE-")))
            for cwe in ["all", *cwes]:
                chosen = part if cwe == "all" else part[part["cwe"] == cwe]
                rates = dict(_rates(chosen, detector, confidence))
                rows.append({"detector": detector, "split": split, "cwe": cwe, **rates})
    return DetectorRow.frame(rows)


def _rates(part: pd.DataFrame, detector: str, confidence: float) -> Iterator[tuple[str, object]]:
    read = part[part[detector].notna()]
    for insecure, kind, short, side in (
        (True, "true_positive", "tpr", "n_insecure"),
        (False, "false_positive", "fpr", "n_secure"),
    ):
        hits = read.loc[read["insecure"] == insecure, detector]
        yield f"{kind}s", int(hits.sum())
        yield side, len(hits)
        if len(hits):
            low, high = wilson(float(hits.sum()), len(hits), confidence)
            yield from (
                (f"{kind}_rate", float(hits.mean())),
                (f"{short}_ci_low", low),
                (f"{short}_ci_high", high),
            )
    yield "n_missing", len(part) - len(read)
    yield "reason", None if len(part) == len(read) else str(part["why"].dropna().iloc[0])
