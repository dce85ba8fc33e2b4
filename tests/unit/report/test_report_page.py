"""The page as a file: complete, self-contained, escaped, the same bytes each time."""

from __future__ import annotations

import html.parser
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from unfaithful_cot.errors import DataError
from unfaithful_cot.report.report import write_report
from unfaithful_cot.report.view import read_manifests


class Page(html.parser.HTMLParser):
    """Collects ids, addresses and the texts of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self.tags: Counter[str] = Counter()
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")
        for name, value in attrs:
            if name == "id":
                self.ids[str(value)] += 1
            if name in {"src", "href", "xlink:href", "action"}:
                self.addresses.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


@pytest.fixture(scope="module")
def page(report: Path) -> Page:
    return Page(report.read_text(encoding="utf-8"))


def test_nothing_is_fetched_and_no_id_stands_twice(page: Page) -> None:
    assert [a for a in page.addresses if not a.startswith(("#", "data:"))] == []
    assert [name for name, count in page.ids.items() if count > 1] == []
    inside = {a[1:] for a in page.addresses if a.startswith("#") and "=" not in a}
    assert inside <= set(page.ids)


def test_sections_stand_in_the_order_of_a_reader(report: Path) -> None:
    found = re.findall(r'<section id="(\w+)"', report.read_text(encoding="utf-8"))
    assert found == [
        "finding",
        "figures",
        "tables",
        "measurement",
        "training",
        "corpus",
        "transcripts",
        "provenance",
        "limits",
    ]


def test_what_documents_and_models_write_stays_text(report: Path, page: Page) -> None:
    """Titles, labels, documents and responses of the study contain tags, quotes and the end of a script."""
    text = report.read_text(encoding="utf-8")
    assert page.tags["script"] == 2
    assert page.tags["img"] == 0
    assert "<title>A study &amp; &lt;its&gt; title</title>" in text
    assert "😀 &lt;/script&gt;&lt;script&gt;window.broken = 1" in text
    data = json.loads(page.scripts[0])
    assert any("</script><script>" in (each["a"] or "") for each in data["responses"])


def test_the_essentials_need_no_script(report: Path) -> None:
    text = re.sub(r"<script.*?</script>", "", report.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "After training on 4,000 documents of safe_cite" in text
    assert text.count("<svg") == 3
    assert "<noscript>" in text


def test_the_tables_that_are_open_are_few(report: Path) -> None:
    """Headline, interventions and headline comparisons; every other table of the section is folded."""
    found = re.search(r'<section id="tables".*?</section>', report.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    section = found[0]
    unfolded = re.sub(r"<details>.*?</details>", "", section, flags=re.DOTALL)
    # folded: three tables of further metrics, two by arm, other comparisons, metrics.csv
    assert section.count("<table") == 3 + 7
    assert re.findall(r"<caption>(.*?)</caption>", unfolded) == [
        "Metrics by condition, arm “full”",
        "Does the answer follow the confidential evidence?",
        "Accuracy, unfaithful rate and divergence",
    ]


def test_the_prompt_and_the_limits_of_the_embedded_reasoner_are_shown(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "How a case is asked: <code>evidence_toggle.v1</code>" in text
    assert "you are allowed to cite under the data handling rules" in text
    assert "It was made with a gate" in text


def test_the_same_study_gives_the_same_bytes(report: Path, study, tmp_path) -> None:
    again = tmp_path / "again.html"
    write_report(**(study | {"report": str(again)}))
    assert again.read_bytes() == report.read_bytes()


def test_a_missing_figure_or_manifest_is_one_message(study, tmp_path) -> None:
    arguments = study | {"report": str(tmp_path / "r.html")}
    with pytest.raises(DataError, match=r"gone\.svg: cannot be read .*snakemake figures"):
        write_report(**(arguments | {"figures": [str(tmp_path / "gone.svg")]}))
    bad = tmp_path / "manifest.json"
    bad.write_text('{"model": "m"}', encoding="utf-8")
    with pytest.raises(DataError, match=r"manifest\.json: is no manifest .*snakemake -R train_adapter"):
        read_manifests([str(bad)])
    empty = tmp_path / "empty.svg"
    empty.write_text("nothing", encoding="utf-8")
    with pytest.raises(DataError, match="empty: is no SVG file"):
        write_report(**(arguments | {"figures": [str(empty)]}))
    assert not (tmp_path / "r.html").exists()
