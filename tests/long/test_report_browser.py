"""The report in a real browser: opens from disk, asks no network, pages, filters, marks, links."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unit.report.conftest import report, study

__all__ = ["report", "study"]

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
TRAINED = "right=reference/safe_cite/n4000/s0"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on PATH (Debian: apt-get install chromium)"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Any, report: Path) -> Iterator[Any]:
    """A function that opens the report at an address, and after the test holds that nothing complained or was fetched."""
    complaints: list[str] = []
    contexts = []

    def open_at(address: str = "", **options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                complaints.append(request.url) if not request.url.startswith(("file:", "data:")) else None
            ),
        )
        page.goto(f"{report.as_uri()}#{address}")
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert complaints == []


def test_it_opens_from_disk_and_shows_baseline_beside_the_largest_size(opened) -> None:
    page = opened()
    assert "After training on 4,000 documents" in page.locator(".headline").inner_text()
    assert "untouched model" in page.locator("#side-left h3").inner_text()
    assert "safe_cite, 4,000 documents" in page.locator("#side-right h3").inner_text()
    assert page.evaluate("window.broken") is None


def test_buttons_and_keys_page_through_the_cases(opened) -> None:
    page = opened(f"{TRAINED}&arm=full")
    # 8 scenarios in two variants
    assert page.locator("#place").inner_text() == "1 of 16"
    assert page.locator("#previous").is_disabled()
    first = page.locator("#case h3").inner_text()
    page.locator("#next").click()
    assert page.locator("#place").inner_text() == "2 of 16"
    page.keyboard.press("ArrowRight")
    assert page.locator("#place").inner_text() == "3 of 16"
    assert page.locator("#case h3").inner_text() != first
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#place").inner_text() == "1 of 16"
    page.locator("#jump").select_option("15")
    assert page.locator("#next").is_disabled()


def test_the_filter_keeps_what_fits_and_nothing_else(opened) -> None:
    page = opened(f"{TRAINED}&arm=full")
    page.locator("#only").select_option("unfaithful")
    total = int(page.locator("#place").inner_text().split()[-1])
    assert 0 < total < 16
    for number in range(total):
        page.locator("#jump").select_option(str(number))
        assert page.locator('#side-right [data-flag="unfaithful"]').count() == 1
    page.locator("#only").select_option("unread")
    assert page.locator("#place").inner_text() == "1 of 1"
    assert "The response ends inside the think part." in page.locator("#side-right .answer").inner_text()
    page.locator("#right").select_option("reference/neutral/n4000/s0")
    page.locator("#only").select_option("unfaithful")
    assert page.locator("#place").inner_text() == "no case"


def test_marks_lie_on_the_ids_that_were_cited_with_words_beside_the_colour(opened) -> None:
    """The first case of the largest size starts its citation after a character that takes two UTF-16 units."""
    page = opened(f"{TRAINED}&arm=full&only=unfaithful")
    ids = {}
    for line in page.locator("#case .evidence li").all():
        role = "proxy" if "public proxy" in line.inner_text() else line.get_attribute("class")
        ids[role] = line.locator("b").inner_text().split("]")[0].strip("[")
    answer = page.locator("#side-right .answer")
    assert "😀 </script><script>" in answer.inner_text()
    marks = answer.locator("mark.pub").all()
    assert {mark.evaluate("m => m.lastChild.textContent") for mark in marks} == {ids["proxy"]}
    assert {mark.locator(".tag").inner_text() for mark in marks} == {"public"}
    assert answer.locator("mark.conf").count() == 0
    thought = page.locator("#side-right .think mark.conf").first
    assert thought.evaluate("m => m.lastChild.textContent") == ids["confidential"]
    assert thought.locator(".tag").inner_text() == "confidential"
    letter = page.locator("#side-right mark.letter").evaluate("m => m.lastChild.textContent")
    assert f"answers {letter}" in page.locator("#side-right .chips").inner_text()


def test_two_marks_of_one_kind_that_overlap_are_one(opened) -> None:
    """Spans 0 to 9 and 6 to 20 of what the source says: one mark over 0 to 20, with its words once."""
    page = opened(f"{TRAINED}&arm=full&only=unfaithful")
    text = page.evaluate("""() => {
      const data = JSON.parse(document.getElementById("data").textContent);
      const leak = data.verdicts.findIndex((name) => name.endsWith("leaks_content"));
      for (const response of data.responses) {
        response.v = response.v.filter((verdict) => verdict[0] !== leak);
        if ((response.a ?? "").length > 20) response.v.push([leak, true, -1, [[1, 6, 20], [1, 0, 9]]]);
      }
      document.getElementById("data").textContent = JSON.stringify(data);
      eval([...document.scripts].at(-1).textContent);
      const marks = [...document.querySelectorAll("#side-right .answer mark.leak")];
      return [marks.map((mark) => mark.textContent).join(""), document.querySelectorAll("#side-right .answer .leak > .tag").length];
    }""")
    answer = page.evaluate(
        "JSON.parse(document.getElementById('data').textContent).responses.find((r) => r.id === "
        "document.querySelector('#side-right > p.quiet:last-child').textContent.split(' ')[1]).a"
    )
    assert text == ["confidential content" + answer[:20], 1]


def test_the_address_leads_back_to_the_case(opened) -> None:
    page = opened(f"{TRAINED}&arm=flipped&only=unfaithful")
    page.locator("#next").click()
    shown = page.locator("#case").inner_text()
    assert "arm flipped" in shown
    again = opened(page.url.split("#")[1])
    assert again.locator("#case").inner_text() == shown
    assert again.locator("#only").input_value() == "unfaithful"
    response = page.locator("#side-right p.quiet").last.inner_text()
    assert response == again.locator("#side-right p.quiet").last.inner_text()


def test_a_case_alone_is_address_enough_and_a_wrong_one_is_no_error(opened) -> None:
    page = opened(f"{TRAINED}&arm=flipped")
    case = page.locator("#case p.quiet").inner_text().split()[1]
    assert f"case {case}" in opened(f"case={case}").locator("#case").inner_text()
    assert opened("case=none&right=none&only=none&arm=none").locator("#place").inner_text() == "1 of 16"


def test_a_row_of_the_table_leads_to_its_transcripts(opened) -> None:
    page = opened()
    page.locator("#tables a", has_text="safe_cite, 500 documents").first.click()
    page.wait_for_function("document.querySelector('#right').value.endsWith('n500/s0')")
    assert "safe_cite, 500 documents" in page.locator("#side-right h3").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page(opened, scheme) -> None:
    """Contrast of ink and paper, in the page and inside the figures: at least 7 (WCAG AAA)."""
    page = opened(color_scheme=scheme)
    contrast = """(text) => {
      const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
      const light = (css) => { const [r, g, b] = css.match(/[0-9.]+/g).map(Number).map(channel); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const [a, b] = [light(text), light(getComputedStyle(document.body).backgroundColor)].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05); }"""
    ink = page.evaluate("getComputedStyle(document.body).color")
    figure = page.evaluate("getComputedStyle(document.querySelector('#figures svg text')).fill")
    assert page.evaluate(contrast, ink) >= 7
    assert page.evaluate(contrast, figure) >= 7


def test_a_telephone_shows_it_without_scrolling_sideways(opened) -> None:
    page = opened(f"{TRAINED}&arm=full", viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    left, right = page.locator("#side-left").bounding_box(), page.locator("#side-right").bounding_box()
    assert right["y"] >= left["y"] + left["height"]


def test_on_paper_no_table_is_cut(opened) -> None:
    """720 CSS pixels: A4 with margins."""
    page = opened(viewport={"width": 720, "height": 1000})
    page.emulate_media(media="print")
    assert (
        page.evaluate("Math.max(...[...document.querySelectorAll('table')].map((t) => t.scrollWidth))") <= 720
    )
    assert not page.locator(".controls").is_visible()


def test_without_script_the_finding_figures_and_tables_are_there(opened) -> None:
    page = opened(java_script_enabled=False)
    assert page.locator(".headline").is_visible()
    assert page.locator("#figures svg").count() == 2
    assert page.locator("#tables table").first.is_visible()
    assert not page.locator("#viewer").is_visible()
