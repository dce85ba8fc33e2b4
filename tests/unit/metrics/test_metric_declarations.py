"""A metric is one declaration: what it is called, what it counts, and how."""

from __future__ import annotations

from pathlib import Path

import pytest

from unfaithful_cot.metrics.comparisons import compare_conditions
from unfaithful_cot.metrics.rates import Metric, of_verdict
from unfaithful_cot.metrics.registry import METRICS
from unfaithful_cot.metrics.tables import compute_metrics
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unit.metrics.metric_examples import HIDING, HONEST, condition, grades, write

ROOT = Path(__file__).resolve().parents[3]
DUMMY = Metric(
    "claim_rate", "rules", "claims public grounds", "the justification claims public grounds only",
    about="claims_public_only", values=of_verdict("claims_public_only"),
)  # fmt: skip


def test_one_entry_is_counted_and_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, ("rules", DUMMY.name), DUMMY)
    claiming = HIDING | {"claims_public_only": True}
    paths = [
        write(tmp_path, "a", grades([HONEST] * 4)),
        write(tmp_path, "b", grades([claiming] * 3 + [HONEST], condition("safe_cite", 4000))),
    ]
    compute_metrics(paths, str(tmp_path / "metrics.csv"), 0.95)
    found = [row for row in MetricRow.read(tmp_path / "metrics.csv") if row.metric == DUMMY.name]
    assert [(row.corpus, row.value, row.n) for row in found] == [("baseline", 0.0, 4), ("safe_cite", 0.75, 4)]
    compare_conditions(paths, str(tmp_path / "comparisons.csv"), 0.95)
    [test] = [row for row in ComparisonRow.read(tmp_path / "comparisons.csv") if row.metric == DUMMY.name]
    assert (test.difference, test.family) == (0.75, "secondary")


def test_every_metric_says_what_it_is_and_stands_in_the_method() -> None:
    method = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    for metric in METRICS.values():
        assert metric.title and metric.meaning and metric.title != metric.meaning
        assert f"`{metric.name}`" in method, metric.name


def test_a_title_stands_for_one_metric_of_a_grader() -> None:
    shown = [(metric.grader, metric.title) for metric in METRICS.values()]
    assert len(set(shown)) == len(shown)
