"""A grader, a metric and a figure of one's own in a copy of a finished study: the files that docs/add-a-*.md list are enough.

The grader says whether an answer is short, the metric counts its verdict, the figure shows the metric. All three are added
to a copy of the smoke study, which is then run on: grades, tables, figure and report.
"""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Response
from workflow.study import ROOT, Study

PACKAGE = "src/unfaithful_cot"
SHORT = 40
GRADER = f'''"""Is the answer short?

In: a Case and a Response. Out: is_short. Errors: none.
"""

from __future__ import annotations

from unfaithful_cot.grading.verdicts import CUT_IN_THINK, Grader, Verdict, missing, present
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Span
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Response


def judge(case: Case, response: Response) -> list[Verdict]:
    """is_short: the answer has at most {SHORT} characters."""
    text = response.answer
    if text is None:
        return [missing("is_short", CUT_IN_THINK)]
    spans = [Span(channel="answer", start=0, end=len(text), text=text)] if len(text) <= {SHORT} else []
    return [present("is_short", spans, f"searched {{len(text)}} characters")]


GRADER = Grader("short", "1", ("is_short",), judge, reads=("evidence_toggle",))
'''
FIGURE = '''"""The share of short answers, a bar a condition.

In: View. Out: a figure. Errors: none.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from unfaithful_cot.report.view import View


def draw_short(view: View) -> Figure:
    """A bar for each row of short_rate."""
    rows = [row for row in view.pick("short_rate") if row.value is not None]
    figure = Figure()
    figure.subplots().barh([view.condition(row.cell, False) for row in rows], [float(row.value or 0) for row in rows])
    return figure
'''
Insertions = dict[
    str, tuple[tuple[str, str], ...]
]  # {file: (the text before which it goes, what is put there)}
ADDED: dict[str, tuple[int, dict[str, str], Insertions]] = {
    "grader": (
        4,
        {f"{PACKAGE}/grading/short.py": GRADER},
        {
            f"{PACKAGE}/grading/registry.py": (
                ("GRADERS: dict", "from unfaithful_cot.grading import short\n\n"),
                ("rules.GRADER, published.GRADER", "short.GRADER, "),
            )
        },
    ),
    "metric": (
        3,
        {},
        {
            f"{PACKAGE}/metrics/toggle.py": (
                (
                    '    Metric(\n        "accuracy", RULES',
                    '    Metric("short_rate", "short", "short answers", "the answer is short", about="is_short", values=of_verdict("is_short")),\n',
                ),
            )
        },
    ),
    "figure": (
        4,
        {f"{PACKAGE}/report/short.py": FIGURE},
        {
            f"{PACKAGE}/report/figures.py": (
                (
                    '    "pair": Figure(',
                    '    "short": Figure("short.draw_short", lambda study: words.TOGGLE in study.pages),\n',
                ),
            ),
            f"{PACKAGE}/report/words.py": (
                (
                    '    "pair": (\n        "Before',
                    '    "short": ("How many answers are short", "A bar a condition."),\n',
                ),
            ),
        },
    ),
}


@pytest.mark.parametrize("kind", ADDED)
def test_the_page_lists_what_is_touched(kind: str) -> None:
    """With the test and the page on methods, at most as many files as there should be."""
    bar, new, inserted = ADDED[kind]
    page = (ROOT / "docs" / f"add-a-{kind}.md").read_text(encoding="utf-8")
    listed = [path.replace("NAME", "short") for path in re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)]
    assert {path for path in listed if path.startswith(("src/", "workflow/"))} == {*new, *inserted}
    assert len(listed) <= bar


def add(study: Study) -> None:
    """Put all three into the copy, and the grader into its configuration."""
    for _, new, inserted in ADDED.values():
        for path, text in new.items():
            (study.folder / path).write_text(text, encoding="utf-8")
        for path, changes in inserted.items():
            for before, text in changes:
                study.edit(path, before, text + before)
    study.append("config/smoke.yaml", "\ngrading: {graders: [rules, published, short]}\n")


def test_grader_metric_and_figure_run(study: Study) -> None:
    add(study)
    # the registry of graders changed, so every file is graded again, by three graders now; nothing is trained or answered
    planned = study.rules()
    # 3 cells and a baseline by three graders
    assert planned["grade_responses"] == 12
    assert not {"train_adapter", "evaluate_adapter", "evaluate_baseline", "build_training_set"} & set(planned)
    done = study.snakemake("--cores", "2")
    assert done.returncode == 0, done.stderr[-4000:]
    results = study.folder / "results" / "smoke"
    with (results / "metrics.csv").open(encoding="utf-8", newline="") as lines:
        found = {
            (row["corpus"], int(row["n_documents"]), row["arm"]): float(row["value"])
            for row in csv.DictReader(lines)
            if row["metric"] == "short_rate"
        }
    # counted again from the responses themselves: the share of answers of at most SHORT characters in each arm
    arms = {case.id: case.arm for case in jsonl.read(results / "cases" / "evidence_toggle.jsonl", Case)}
    short, total = Counter[tuple[str, int, str]](), Counter[tuple[str, int, str]]()
    for path in (results / "responses").rglob("evidence_toggle.jsonl"):
        for response in jsonl.read(path, Response):
            place = (response.condition.corpus, response.condition.n_documents, arms[response.case])
            if response.answer is not None:
                total[place] += 1
                short[place] += len(response.answer) <= SHORT
    assert found == {place: pytest.approx(short[place] / count) for place, count in total.items()}
    assert (results / "figures" / "short.svg").is_file()
    report = (results / "report.html").read_text(encoding="utf-8")
    assert "How many answers are short" in report and "short answers" in report
