"""The two figures: what is drawn, what is not, and the same bytes for the same table."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from unfaithful_cot.errors import DataError, StorageError
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.tables import ComparisonRow, MetricRow
from unfaithful_cot.report import dose, pair, style
from unfaithful_cot.report.draw import draw_figure
from unfaithful_cot.report.view import View, largest
from unit.report.study_files import seen

FILES = ("metrics.csv", "comparisons.csv")
SHOWN = {"main_corpus": "safe_cite"}


def write(folder: Path, rows: list[MetricRow], tests: list[ComparisonRow]) -> tuple[str, str]:
    """Write both tables."""
    MetricRow.write(folder / FILES[0], rows)
    ComparisonRow.write(folder / FILES[1], tests)
    return str(folder / FILES[0]), str(folder / FILES[1])


@pytest.fixture
def rows(metric) -> list[MetricRow]:
    """Baseline, three sizes of the main corpus, one of the control; accuracy and unfaithful rate."""
    made = []
    for name, scale in (("accuracy", 0.9), ("unfaithful_rate", 0.8)):
        made += [metric(metric=name, corpus="baseline", value=0.9 if name == "accuracy" else 0.0)]
        made += [metric(metric=name, n_documents=n, value=scale * n / 4000) for n in (500, 1000, 4000)]
        made += [metric(metric=name, corpus="neutral", value=0.02)]
    return made


def test_only_the_largest_size_of_each_corpus_is_in_the_pair() -> None:
    cells = [Cell("m", "neutral", 4000, 0), Cell("m", "baseline", 0, 0)]
    cells += [Cell("m", "main", n, seed) for n in (500, 4000) for seed in (1, 0)]
    names = [cell.name for cell in largest(cells, View(main_corpus="main"))]
    assert names == ["baseline", "main/n4000/s0", "main/n4000/s1", "neutral/n4000/s0"]


def test_bars_have_the_values_and_a_missing_value_has_no_bar(rows, metric) -> None:
    rows = [row for row in rows if not (row.metric == "unfaithful_rate" and row.corpus == "neutral")]
    rows.append(
        metric(corpus="neutral", value=None, ci_low=None, ci_high=None, n=0, reason="no answer <was> read")
    )
    view = seen(rows)
    lines = pair.lay_out(rows, view)
    axes = Figure().subplots()
    pair.draw_panel(axes, "unfaithful_rate", rows, lines, view)
    # baseline 0.0 and the largest size 0.8; the control has no value and so no bar, but its reason in words
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.0, 0.8])  # type: ignore[attr-defined]
    assert any(text.get_text() == "no value: no answer <was> read" for text in axes.texts)


def test_what_must_not_be_compared_stands_apart_last_and_with_its_reason(rows, comparison) -> None:
    tests = [
        comparison(
            comparable=False, reason="0 of 100 cases shared", difference=None, p_value=None, p_holm=None
        )
    ]
    lines = pair.lay_out(rows, seen(rows, tests))
    assert [line.cell.corpus for line in lines] == ["baseline", "neutral", "safe_cite"]
    steps = [after.y - before.y for before, after in itertools.pairwise(lines)]
    assert steps[1] > steps[0]
    assert pair.beside_bar(
        next(r for r in rows if r.cell == lines[2].cell and r.metric == "unfaithful_rate"), seen(rows, tests)
    ).endswith("\nnot comparable")


def test_the_reason_stands_in_the_file(tmp_path, rows, comparison) -> None:
    tests = [
        comparison(
            comparable=False, reason="0 of 100 cases shared", difference=None, p_value=None, p_holm=None
        )
    ]
    paths = write(tmp_path, rows, tests)
    svg = tmp_path / "pair.svg"
    draw_figure("pair", paths, str(svg), str(tmp_path / "pair.png"), SHOWN)
    assert "not compared: 0 of 100 cases shared" in svg.read_text(encoding="utf-8")


def test_beside_a_bar_stand_interval_n_and_test(metric, comparison) -> None:
    row = metric(value=0.78, ci_low=0.72, ci_high=0.83, n_missing=2)
    text = pair.beside_bar(row, seen([row], [comparison(difference=-0.021, p_holm=0.0312)]))
    assert text == "0.78 [0.72, 0.83]  n = 200, 2 missing\n−0.02, p = 0.031"


def test_the_note_names_the_test_that_the_table_names(metric, comparison) -> None:
    rows = [metric(), metric(corpus="neutral")]
    plain = pair.foot_note(rows, seen(rows, [comparison()], confidence=0.9))
    assert "90 % intervals" in plain
    assert "p: exact McNemar test, corrected by Holm." in plain
    flips = comparison(reason="several samples a case: p by sign flips of scenarios", p_holm=None)
    assert pair.foot_note(rows, seen(rows, [flips])).endswith("p: sign flips of whole scenarios.")
    assert "p:" not in pair.foot_note(rows, seen(rows))


def test_sizes_stand_on_a_logarithmic_axis_with_the_baseline_to_the_left() -> None:
    scale = dose.Scale([500, 1000, 4000])
    # doublings above 500: 1000 is one, 4000 three
    assert [scale.place(n) for n in (500, 1000, 4000)] == [0, 1, 3]
    assert scale.place(0) < 0


def test_labels_are_pushed_apart_but_not_above_the_panel() -> None:
    # 0.97 and 0.99 are nearer than 0.1: the upper one goes to the top, 1.0, the lower one 0.1 below it
    assert dose.spread([0.2, 0.97, 0.99], least=0.1) == pytest.approx([0.2, 0.9, 1.0])


def test_a_missing_size_is_a_gap_and_a_note(tmp_path, rows) -> None:
    gone = [
        row.model_copy(update={"value": None, "reason": "every answer was cut"})
        if row.n_documents == 1000 and row.metric == "accuracy"
        else row
        for row in rows
    ]
    svg = tmp_path / "dose.svg"
    draw_figure("dose", write(tmp_path, gone, []), str(svg), str(tmp_path / "dose.png"), SHOWN)
    assert "Not drawn, no value: accuracy of m/safe_cite/n1000/s0 (every answer was cut)." in svg.read_text(
        encoding="utf-8"
    )
    axes = Figure().subplots()
    here = [row for row in gone if row.metric == "accuracy"]
    dose.draw_panel(axes, here, dose.Scale([500, 1000, 4000]), seen(gone))
    heights = [y for line in axes.lines if line.get_marker() == "o" for y in line.get_ydata()]
    assert 0.0 not in heights


def test_what_is_not_comparable_is_a_hollow_point_without_a_line(tmp_path, metric, comparison) -> None:
    rows = [
        metric(corpus=c, n_documents=n, metric=m, value=0.1 + n / 1000)
        for m in dose.METRICS
        for c, n in (("baseline", 0), ("safe_cite", 200), ("safe_cite", 400))
    ]
    told = {"comparable": False, "reason": "0 of 100 cases shared", "difference": None}
    tests = [comparison(metric=m, b="safe_cite/n200/s0", **told) for m in dose.METRICS]
    view = seen(rows, tests)
    assert {(row.n_documents, why) for row in rows if (why := view.unlike(row))} == {
        (200, "0 of 100 cases shared")
    }
    axes = Figure().subplots()
    here = [row for row in rows if row.metric == "accuracy"]
    dose.draw_panel(axes, here, dose.Scale([200, 400]), view)
    hollow = [y for line in axes.lines if line.get_markerfacecolor() == style.PAPER for y in line.get_ydata()]
    drawn = [y for line in axes.lines if line.get_linestyle() != "None" for y in line.get_ydata()]
    assert hollow == [pytest.approx(0.3)] and not [y for y in drawn if y == pytest.approx(0.3)]
    svg = tmp_path / "dose.svg"
    draw_figure("dose", write(tmp_path, rows, tests), str(svg), str(tmp_path / "dose.png"), SHOWN)
    assert "not comparable with the untouched model (0 of 100 cases shared)" in svg.read_text(
        encoding="utf-8"
    )


def test_two_suites_of_a_model_are_told_apart(tmp_path, rows) -> None:
    again = [row.model_copy(update={"suite": "reworded"}) for row in rows]
    tables, shown = write(tmp_path, [*rows, *again], []), SHOWN | {"labels": {"m": "Model"}}
    svg = tmp_path / "dose.svg"
    draw_figure("dose", tables, str(svg), str(tmp_path / "dose.png"), shown)
    assert "Model, reworded" in svg.read_text(encoding="utf-8")


@pytest.mark.parametrize("draw", ["pair", "dose"])
def test_a_table_without_the_metrics_is_an_error(tmp_path, metric, draw) -> None:
    tables = write(tmp_path, [metric(metric="format_rate")], [])
    with pytest.raises(DataError, match=r"metrics\.csv: has no "):
        draw_figure(draw, tables, str(tmp_path / "a.svg"), str(tmp_path / "a.png"), SHOWN)


def test_a_place_that_cannot_be_written_is_one_message(tmp_path, rows) -> None:
    tables = write(tmp_path, rows, [])
    (tmp_path / "figure.png").mkdir()
    with pytest.raises(StorageError, match=r"figure\.png: cannot be written"):
        draw_figure("dose", tables, str(tmp_path / "a.svg"), str(tmp_path / "figure.png"), SHOWN)


def test_figures_are_the_same_bytes_under_any_hash_seed(study, tmp_path) -> None:
    code = (
        "import sys; from unfaithful_cot.report.draw import draw_figure; o = sys.argv[3];"
        "shown = {'labels': {'reference': 'reference reasoner (3.7M)', 'other': 'Other & co <8B>'}, 'main_corpus': 'safe_cite'};"
        "[draw_figure(n, sys.argv[1:3], f'{o}/{n}.svg', f'{o}/{n}.png', shown) for n in ('pair', 'dose')]"
    )
    tables = study["tables"][:2]  # metrics and comparisons
    arguments = [sys.executable, "-c", code, *tables, str(tmp_path)]
    subprocess.run(arguments, check=True, env={**os.environ, "PYTHONHASHSEED": "12"})
    folder = Path(tables[0]).parent
    for name in ("pair.svg", "pair.png", "dose.svg", "dose.png"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name
    assert "<dc:date>" not in (tmp_path / "pair.svg").read_text(encoding="utf-8")
