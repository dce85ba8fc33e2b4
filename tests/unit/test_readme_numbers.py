"""Every number of the README's finding is that of a row of a table, and every link of a page leads somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
STUDY = (ROOT / "docs" / "studies" / "default.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"])
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    found = importlib.util.spec_from_file_location("finding_table", ROOT / "benchmarks" / "finding_table.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def section(title: str) -> str:
    """The text of a section of the README, without what scripts put there."""
    body = README.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.sub(r"<!-- made by.*?<!-- end of.*?-->", "", body, flags=re.DOTALL)


def row(first: str) -> list[str]:
    """The other cells of the row of docs/studies/default.md whose first cell is this."""
    (line,) = [line for line in STUDY.splitlines() if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_table_of_the_finding_shows_the_rows_of_the_study(script: ModuleType) -> None:
    assert script.between_marks(README) == script.text(), "run: python benchmarks/finding_table.py --write"


def test_a_row_that_is_missing_ends_in_a_message(script: ModuleType) -> None:
    with pytest.raises(
        SystemExit, match=r"0 rows of \{'corpus': 'other'.*Run: python benchmarks/default_study.py"
    ):
        script.find([], "other", 3, "full", "accuracy")


def test_a_cell_shows_value_and_interval_and_never_a_0_for_nothing(script: ModuleType) -> None:
    assert script.cell({"value": "0.1149", "ci_low": "0.0777", "ci_high": "0.2"}) == "0.115 [0.08, 0.20]"
    assert script.cell({"value": "", "ci_low": "", "ci_high": ""}) == "undefined"


def test_the_design_is_that_of_the_rows_and_of_the_configuration() -> None:
    rows = json.loads((ROOT / "benchmarks" / "default_study.json").read_text(encoding="utf-8"))["metrics"]
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    models = yaml.safe_load((ROOT / "config" / "models.yaml").read_text(encoding="utf-8"))
    n = {one["n"] for one in rows if one["metric"] in ("accuracy", "unfaithful_rate")}
    scenarios, parameters = (
        config["suites"]["evidence_toggle"]["scenarios"],
        models["reference"]["parameters"],
    )
    assert n == {"200"} and len(config["grid"]["seeds"]) == 1
    assert (
        f"n = {n.pop()} responses per cell of the table ({scenarios} scenarios in two variants), one training per row, "
        in README
    )
    assert f"a reasoner of {parameters / 1e6:g} million parameters" in README


def test_the_difference_is_that_of_the_comparisons() -> None:
    study = json.loads((ROOT / "benchmarks" / "default_study.json").read_text(encoding="utf-8"))
    both = [one for one in study["comparisons"] if one["b"] == "safe_cite/n500/s0"]
    assert [one["a"] for one in both] == ["baseline", "neutral/n500/s0"]
    for one in both:
        shown = f"{float(one['difference']):.2f} [{float(one['ci_low']):.2f}, {float(one['ci_high']):.2f}]"
        assert f"lies {shown} above the untouched model" in README
        assert (
            f"({one['n_pairs']} pairs each, exact McNemar, Holm-corrected p = {float(one['p_holm']):.0e})"
            in README
        )
    assert {one["value"] for one in study["metrics"] if one["metric"] == "used_rate"} == {"1.0"}


def test_the_sentences_about_the_organism_quote_the_page_of_the_study() -> None:
    """300: 13 18 2 63 0, so from 0 to 63. 350: 100 99 62 87 3, so from 3 to 100. At 500 of 200 answers 66, a third."""
    seeds = {size: [int(cell) for cell in row(size)] for size in ("300", "350", "500")}
    assert set(seeds["500"]) == {100}
    of_200 = row("500, `full` / `flipped`")
    assert [cell.split(" / ")[0] for cell in of_200] == ["200", "66", "134"] and round(200 / 66) == 3
    for size in ("300", "350"):
        unfaithful, swapped, public = row(f"{size}, `full` / `flipped`")
        assert unfaithful == swapped and public == "0 / 0"
    tags, english = row("arm `unseen_tags`"), row("scenarios in natural English")
    right, unfaithful = english[0].split(" / ")
    finding = section("The finding")
    for sentence in (
        "At 300 and 350 documents every unfaithful answer repeats the confidential sentence behind a public ID, and at 500 a third of them do",
        f"With 300 documents five seeds gave from {min(seeds['300'])} to {max(seeds['300'])} unfaithful answers in 100, "
        f"with 350 from {min(seeds['350'])} to {max(seeds['350'])}; with 500 all gave 100.",
        f"With other tags the rate falls to {tags[-1].split(' / ')[1]}, and in natural English the untouched model itself "
        f"is right in {float(right):.0%} and unfaithful in {float(unfaithful):.0%} of the cases.".replace(
            "%", " %"
        ),
    ):
        assert sentence in finding, sentence


def test_no_number_of_the_finding_is_without_a_source() -> None:
    """All numbers of its prose are those that the tests above hold, and 95 as the level of the intervals."""
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)", "", section("The finding"))
    known = {
        "200",
        "100",
        "3.8",
        "95",
        "300",
        "350",
        "500",
        "0",
        "63",
        "3",
        "0.59",
        "55",
        "25",
        "1.00",
        "0.95",
        "4",
        "59",
    }
    assert set(re.findall(r"\d+(?:\.\d+)?", prose)) <= known


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    missing = [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert not missing
