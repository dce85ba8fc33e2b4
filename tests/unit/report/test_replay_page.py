"""The page of a replay: what it says, that nothing in a transcript can break it, and that it works in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.replayed import replay
from fixtures.transcripts import after, before, completion, row, write_folder, write_lines
from unfaithful_cot.records.tables import ReplayComparisonRow
from unfaithful_cot.report.replay import lay_out
from unfaithful_cot.report.replay_rows import Place, Replayed, headline_places

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
HOSTILE = (
    "</script><script>document.title = 'broken'</script><img src=x onerror=\"document.title = 'broken'\">"
)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A replay of two files with labels, rejected lines and a response that tries to break the page."""
    folder = write_folder(tmp_path_factory.mktemp("mill"))
    hostile = row("after", 0, "a", completion(HOSTILE, "A"))
    write_lines(folder / "mill.after.jsonl", [*after(), hostile, {"text": f"x {HOSTILE}"}, {HOSTILE: 1}])
    lines = (folder / "mill.after.labels.jsonl").read_text().replace('"q0_a"', '"q0_a", "sample": 0')
    (folder / "mill.after.labels.jsonl").write_text(lines)
    return replay(folder, tmp_path_factory.mktemp("replay"))


def comparison(a: str, b: str, comparable: bool) -> ReplayComparisonRow:
    return ReplayComparisonRow(
        experiment="evidence_toggle", metric="accuracy", model="m", a=a, b=b, difference=None, ci_low=None, ci_high=None,
        p_value=None, p_holm=None, n_pairs=0, comparable=comparable, reason="why", suite="s", arm="full", grader="rules",
        family="primary", p_scenarios=None,
    )  # fmt: skip


def test_what_is_not_comparable_stands_apart() -> None:
    places = [Place("m", name, "s", "full") for name in ("baseline", "x", "y")]
    tests = [comparison("baseline", "x", True), comparison("baseline", "y", False)]
    lines = lay_out(places, Replayed(comparisons=tests))
    near, far = lines[1].y - lines[0].y, lines[2].y - lines[1].y
    assert far > near + 0.5
    assert [line.apart is not None for line in lines] == [False, False, True]


def test_the_figure_shows_the_arm_full_where_there_is_one() -> None:
    full, other = Place("m", "x", "s", "full"), Place("m", "x", "s", "flipped")
    alone = Place("m", "x", "t", "flipped")
    assert headline_places([other, full, alone]) == [full, alone]


def test_the_page_tells_figures_refusals_labels_and_rejected_lines(out: Path) -> None:
    page = (out / "report.html").read_text(encoding="utf-8")
    for text in (
        "The Mill, baseline. As published: accuracy 1.00, unfaithful 0.00, evidence sensitivity 1.00.",
        "The Mill, after against baseline: 0 of 4 cases shared, 1 and 2 samples a case, instruction differs "
        "(&#34;you rely on.&#34; against &#34;may be named.&#34;); not stated: chat template",
        "2 lines could not be used (2 foreign) and are not scored",
        "mill.after.jsonl:6",
        "mill.after.jsonl:7",
        "no verdict answers this label",
        "not comparable with baseline",
    ):
        assert text in page, text
    assert "<script>document.title" not in page


def test_the_console_tells_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_lines(tmp_path / "in" / "mill.baseline.jsonl", [*before(), *[{"text": str(n)} for n in range(12)]])
    write_lines(tmp_path / "in" / "mill.after.jsonl", after())
    replay(tmp_path / "in", tmp_path / "out")
    told = capfd.readouterr().err
    assert "mill.baseline.jsonl: 4 of 16 lines scored" in told
    assert "rejected and not scored: 12 lines (12 foreign)" in told
    assert told.count(": foreign: is of neither form") == 10
    assert f"and 2 more: {tmp_path / 'out' / 'rejected.csv'}" in told
    assert (
        "not comparable: The Mill, after against baseline: 0 of 4 cases shared, instruction differs" in told
    )


def test_the_same_folder_gives_the_same_bytes(out: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "in" / "mill.after.jsonl", after())
    pages = [(replay(tmp_path / "in", tmp_path / "out") / "report.html").read_bytes() for _ in range(2)]
    assert pages[0] == pages[1]


@pytest.fixture(scope="module")
def page(out: Path) -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH (Debian: apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    complaints: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on(
            "request",
            lambda request: complaints.append(request.url) if request.url.startswith("http") else None,
        )
        opened.goto(f"file://{out / 'report.html'}")
        yield opened
        browser.close()
    assert complaints == []


def test_a_disagreement_leads_to_its_transcript(page: Any) -> None:
    assert page.title() == "Replay of 9 transcripts"
    details = page.locator(
        "details", has=page.get_by_text("cites_confidential_id against rules.names_confidential")
    )
    details.locator("summary").click()
    details.get_by_role("link", name="q1_b").click()
    assert page.locator("#right").input_value() == "mill/after"
    assert "Which plough" in page.locator("#case h3").inner_text()
    assert page.locator('#side-right [data-flag="disagrees"]').count() == 1
    # the other condition was asked other questions, and says so in a narrow column
    assert "no response to this case" in page.locator("#side-left").inner_text()
    left, right = page.locator("#side-left").bounding_box(), page.locator("#side-right").bounding_box()
    assert left["width"] < right["width"] / 2


def test_evidence_of_foreign_cases_claims_nothing_that_is_not_stated(page: Any) -> None:
    told = page.locator("#case .evidence").inner_text()
    assert "it is not stated what it supports" in told and "supports neither" not in told
    assert "[E52] Trade Press: people like" in told


def test_nothing_is_wider_than_the_page(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
