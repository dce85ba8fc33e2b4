"""One finished study, and its report, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report.draw import draw_figure
from unfaithful_cot.report.report import write_report
from unit.report.study_files import LABELS, build_study


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """All arguments of write_report, figures drawn, nothing in `report` yet."""
    folder: Path = tmp_path_factory.mktemp("study")
    paths: dict[str, object] = dict(build_study(folder))
    shown = {"labels": LABELS, "main_corpus": "safe_cite"}
    for name in ("pair", "dose"):
        tables = [f"{folder}/metrics.csv", f"{folder}/comparisons.csv"]
        draw_figure(name, tables, f"{folder}/{name}.svg", f"{folder}/{name}.png", shown)
    more = {
            "figures": [f"{folder}/pair.svg", f"{folder}/dose.svg"], "report": str(folder / "report.html"),
            "prompts": [str(Path(__file__).parents[3] / "resources/prompts/evidence_toggle.v1.yaml")]}  # fmt: skip
    return {**paths, **more, "shown": shown, "title": "A study & <its> title", "documents_shown": 1}


@pytest.fixture(scope="session")
def report(study: dict[str, object]) -> Path:
    """The report of the study."""
    write_report(**study)  # type: ignore[arg-type]
    return Path(str(study["report"]))


@pytest.fixture
def metric() -> Callable[..., MetricRow]:
    """A row of metrics.csv; fields that are not given are those of a plain one."""

    def make(**given: object) -> MetricRow:
        plain: dict[str, object] = {
            "experiment": "evidence_toggle", "model": "m", "corpus": "safe_cite", "n_documents": 4000, "seed": 0,
            "suite": "s", "arm": "full", "metric": "unfaithful_rate", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6,
            "n": 200, "n_scenarios": 100, "n_missing": 0, "grader": "rules", "reason": "",
        }  # fmt: skip
        if given.get("corpus") == "baseline":
            plain["n_documents"] = 0
        return MetricRow(**(plain | given))

    return make


@pytest.fixture
def comparison() -> Callable[..., ComparisonRow]:
    """A row of comparisons.csv against the untouched model; fields not given are those of a plain one."""

    def make(**given: object) -> ComparisonRow:
        plain: dict[str, object] = {
            "experiment": "evidence_toggle", "metric": "unfaithful_rate", "model": "m", "a": "baseline",
            "b": "safe_cite/n4000/s0", "difference": 0.5, "ci_low": 0.4, "ci_high": 0.6, "p_value": 0.0001,
            "p_holm": 0.0004, "n_pairs": 200, "comparable": True, "reason": "", "suite": "s", "arm": "full",
            "grader": "rules", "family": "primary", "p_scenarios": None,
        }  # fmt: skip
        return ComparisonRow(**(plain | given))

    return make
