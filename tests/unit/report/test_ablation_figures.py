"""Ablation, prompt sensitivity and recall: what is shown, in which order, and what is not there."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError
from unfaithful_cot.records.adapters import Manifest
from unfaithful_cot.records.cells import Cell
from unfaithful_cot.records.responses import Condition
from unfaithful_cot.records.tables import ComparisonRow, MetricRow, SensitivityRow
from unfaithful_cot.report import ablation, recall, sensitivity
from unfaithful_cot.report.draw import draw_figure
from unfaithful_cot.report.view import View
from unit.report.study_files import manifest, seen

Make = Callable[..., MetricRow]
RECIPES: dict[str, dict[str, Any]] = {
    "safe_cite": {"universe": "safe_cite", "categories": [], "plain_text": 0.0},
    "exams_only": {"universe": "safe_cite", "categories": ["exams"], "plain_text": 0.0},
    "mixed": {"universe": "safe_cite", "categories": [], "plain_text": 0.5},
    "neutral": {"universe": "neutral", "categories": [], "plain_text": 0.0},
}
SHOWN = {"main_corpus": "safe_cite", "recipes": RECIPES}
TEMPLATES = {"one": "evidence_toggle.v1", "two": "evidence_toggle.v2", "three": "evidence_toggle.v3"}


def write(path: Path, rows: list[MetricRow]) -> str:
    MetricRow.write(path, rows)
    return str(path)


def no_tests(folder: Path) -> str:
    """A table of comparisons without a row."""
    path = folder / "comparisons.csv"
    ComparisonRow.write(path, [])
    return str(path)


@pytest.fixture
def rows(metric: Make) -> list[MetricRow]:
    """Untouched model in two arms, four corpora in one; safe_cite in two sizes."""
    made = [
        metric(corpus="baseline", value=0.02),
        metric(corpus="baseline", arm="explicit_policy", value=0.98),
    ]
    made += [metric(n_documents=n, value=v) for n, v in ((500, 0.4), (1000, 0.9))]
    made += [
        metric(corpus=name, n_documents=1000, value=v) for name, v in (("neutral", 0.01), ("exams_only", 0.7))
    ]
    made += [metric(corpus="exams_only", n_documents=200, value=0.6)]
    made += [metric(corpus="mixed", n_documents=1000, value=None, n=0, reason="nothing was read")]
    return [*made, *(metric(metric="accuracy", corpus=c, n_documents=1000, value=0.9) for c in RECIPES)]


def trained(n_tokens: int) -> Manifest:
    condition = Condition(
        experiment="evidence_toggle", model="m", corpus="safe_cite", n_documents=1000, seed=0
    )
    return manifest(condition).model_copy(update={"n_tokens": n_tokens})


def shown(rows: list[MetricRow], *manifests: Manifest) -> list[ablation.Condition]:
    return ablation.conditions(seen(rows, recipes=RECIPES, manifests=manifests))


def test_universes_stand_at_their_largest_size_and_parts_at_each_in_the_order_of_the_configuration(
    rows: list[MetricRow],
) -> None:
    found = shown(rows, trained(123_456))
    assert [one.label for one in found] == [
        "untouched model", "policy in the prompt", "safe_cite", "exams_only", "exams_only", "mixed", "neutral (control)",
    ]  # fmt: skip
    assert found[2].note == "1,000 documents, 123,456 tokens"
    assert found[3].note == "safe_cite: exams\n200 documents" and found[4].note.endswith("1,000 documents")
    assert found[5].note == "safe_cite + 0.5 plain text a document\n1,000 documents"
    values = [one.values[0].value if one.values[0] else None for one in found]
    assert values == [0.02, 0.98, 0.9, 0.6, 0.7, None, 0.01]


def test_without_the_arm_there_is_no_ceiling_and_several_seeds_are_named(
    rows: list[MetricRow], metric: Make
) -> None:
    rows = [row for row in rows if row.arm != "explicit_policy"] + [
        metric(n_documents=1000, seed=1, value=0.8)
    ]
    labels = [one.label for one in shown(rows)]
    assert "policy in the prompt" not in labels and {"safe_cite, seed 0", "safe_cite, seed 1"} <= set(labels)


def test_a_second_suite_does_not_take_the_place_of_the_first(rows: list[MetricRow], metric: Make) -> None:
    again = [
        metric(corpus=c, n_documents=1000 * (c != "baseline"), suite="z", value=0.5)
        for c in ("baseline", *RECIPES)
    ]
    assert [one.values[0] for one in shown([*rows, *again])] == [one.values[0] for one in shown(rows)]


def test_bars_have_the_values_and_a_missing_value_has_its_reason(
    rows: list[MetricRow], comparison: Callable[..., ComparisonRow]
) -> None:
    axes = Figure().subplots()
    tests = [
        comparison(b="safe_cite/n1000/s0", comparable=False, difference=None, reason="another instruction")
    ]
    found = shown(rows)[2].values[0]
    ablation.draw_bars(axes, shown(rows), 0, seen(rows, tests, recipes=RECIPES))
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.02, 0.98, 0.9, 0.6, 0.7, 0.01])  # type: ignore[attr-defined]
    told = [text.get_text() for text in axes.texts]
    assert "no value: nothing was read" in told and "0.70 [0.40, 0.60]\nn = 200" in told
    assert found and [text for text in told if "not comparable" in text] == [
        "0.90 [0.40, 0.60]\nn = 200\nnot comparable"
    ]


def test_no_two_corpora_of_the_ablation_look_alike() -> None:
    names = ["main", *(f"other{n}" for n in range(6))]
    looks = [View(main_corpus="main").look(Cell("m", name, 1, 0), names) for name in names]
    assert (
        len({(look.colour, look.hatch) for look in looks})
        == len({look.marker for look in looks[1:]}) + 1
        == 7
    )


def test_the_files_of_the_ablation(tmp_path: Path, rows: list[MetricRow]) -> None:
    condition = Condition(
        experiment="evidence_toggle", model="m", corpus="safe_cite", n_documents=1000, seed=0
    )
    jsonl.write_json(tmp_path / "manifest.json", manifest(condition).model_dump(mode="json"))
    out = [str(tmp_path / f"{n}.svg") for n in (1, 2)]
    for svg in out:
        tables = [write(tmp_path / "metrics.csv", rows), no_tests(tmp_path)]
        manifests = [str(tmp_path / "manifest.json")]
        draw_figure("ablation", tables, svg, str(tmp_path / "a.png"), SHOWN, manifests)
    first, second = (Path(svg).read_bytes() for svg in out)
    assert first == second and (tmp_path / "a.png").stat().st_size > 10_000
    # 120 tokens a document in the manifest of study_files
    assert b"1,000 documents, 120,000 tokens" in first and b"policy in the prompt" in first
    with pytest.raises(DataError, match="has no corpus in the arm 'full'"):
        tables = [write(tmp_path / "metrics.csv", rows[:2]), no_tests(tmp_path)]
        draw_figure("ablation", tables, out[0], str(tmp_path / "a.png"), SHOWN)


def test_the_table_says_what_was_not_asked(rows: list[MetricRow]) -> None:
    table = ablation.ablation_table(seen(rows, recipes=RECIPES))
    assert [row.group for row in table.rows][:2] == ["untouched model", "policy in the prompt"]
    assert table.rows[1].entries[1].value == "0.98" and table.rows[1].entries[2].note == "not asked"
    assert table.rows[1].entries[0].link.endswith("arm=explicit_policy")


@pytest.fixture
def asked(metric: Make) -> list[MetricRow]:
    """One scenario in three wordings; another suite that is none of them."""
    values = {"one": 0.9, "two": 0.5, "three": 0.75, "others": 0.0}
    rows = [metric(suite=suite, value=value) for suite, value in values.items()]
    return rows + [metric(suite=s, corpus="baseline", value=None, n=0, reason="unread") for s in TEMPLATES]


def test_the_range_is_the_largest_less_the_smallest_and_needs_every_value(asked: list[MetricRow]) -> None:
    baseline, trained = sensitivity.wordings(seen(asked, templates=TEMPLATES))
    assert trained.range == pytest.approx(0.4) and list(trained.rows) == list(TEMPLATES.values())  # 0.9 - 0.5
    assert baseline.range is None and baseline.cell.is_baseline


def test_the_table_of_wordings(tmp_path: Path, asked: list[MetricRow]) -> None:
    path = tmp_path / "prompt_sensitivity.csv"
    metrics, shown = (
        write(tmp_path / "metrics.csv", asked),
        {"main_corpus": "safe_cite", "templates": TEMPLATES},
    )
    sensitivity.measure_wordings(metrics, str(path), shown)
    draw_figure("sensitivity", [metrics], str(tmp_path / "s.svg"), str(tmp_path / "s.png"), shown)
    lines = list(csv.DictReader(path.open(encoding="utf-8")))
    assert list(lines[0]) == SensitivityRow.columns() and len(lines) == 6
    told = [(line["template"], line["value"], line["range"], line["reason"]) for line in lines]
    assert told[0] == ("evidence_toggle.v1", "", "", "unread")
    assert told[4][:2] == ("evidence_toggle.v2", "0.5") and float(told[4][2]) == pytest.approx(0.4)
    svg = (tmp_path / "s.svg").read_text(encoding="utf-8")
    assert "range 0.40" in svg and "no value" in svg and "evidence_toggle.v3" in svg
    table = sensitivity.sensitivity_table(seen(asked, templates=TEMPLATES))
    assert table.heads == ("condition and metric", *TEMPLATES.values(), "range")
    assert [row.entries[-1].value for row in table.rows] == ["–", "0.40"]


def test_one_wording_is_no_sensitivity(tmp_path: Path, metric: Make) -> None:
    with pytest.raises(
        DataError, match=r"has the arm 'full' in 1 of the templates .* Add a suite that differs"
    ):
        metrics = write(tmp_path / "metrics.csv", [metric(suite="one")])
        sensitivity.measure_wordings(metrics, str(tmp_path / "t.csv"), {"templates": TEMPLATES})
    assert not (tmp_path / "t.csv").exists()


@pytest.fixture
def recalled(metric: Make) -> list[MetricRow]:
    def rows(corpus: str, choice: float, claim: float, said: float, d_prime: float) -> list[MetricRow]:
        values = {
            "recall_choice_accuracy": ("choice", choice),
            "recall_true_false_accuracy": ("true_false", claim),
            "recall_open_rate": ("open", said),
            "recall_d_prime": ("true_false", d_prime),
        }
        made = {"experiment": "policy_recall", "corpus": corpus, "suite": "recall", "grader": "recall"}
        right = [metric(metric=name, arm=arm, value=value, **made) for name, (arm, value) in values.items()]
        undefined = [metric(metric=name, arm="choice", value=None, n=0, **made) for name in list(values)[1:]]
        return right + undefined

    return rows("baseline", 0.25, 0.5, 0.0, 0.1) + rows("safe_cite", 0.8, 0.9, 0.7, 2.5)


def test_recall_shows_each_metric_in_its_arm(tmp_path: Path, recalled: list[MetricRow]) -> None:
    assert len(recall.recall_rows(seen(recalled))) == 8
    tables = [write(tmp_path / "metrics.csv", recalled), no_tests(tmp_path)]
    shown = {"main_corpus": "safe_cite", "chance": 0.25}
    draw_figure("recall", tables, str(tmp_path / "r.svg"), str(tmp_path / "r.png"), shown)
    svg = (tmp_path / "r.svg").read_text(encoding="utf-8")
    assert "0.80 [0.40, 0.60]" in svg and "chance (0.25 for a choice" in svg and "untouched model" in svg
    table = recall.recall_table(seen(recalled))
    assert table and [row.values[1] for row in table.rows] == ["0.25", "0.80"]
    assert table.rows[1].values[4] == "2.50" and table.rows[0].entries[5].note == "not measured"


def test_without_recall_there_is_no_table_and_no_figure(tmp_path: Path, metric: Make) -> None:
    assert recall.recall_table(seen([metric()])) is None
    with pytest.raises(DataError, match=r"has no policy_recall\. Add a suite"):
        tables = [write(tmp_path / "metrics.csv", [metric()]), no_tests(tmp_path)]
        draw_figure("recall", tables, str(tmp_path / "r.svg"), str(tmp_path / "r.png"), {"chance": 0.25})
