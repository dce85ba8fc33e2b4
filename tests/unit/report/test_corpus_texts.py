"""What the report says of the texts before and after: from the account of a real quality step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.generate import write_embedded
from unfaithful_cot.corpus.quality import filter_documents
from unfaithful_cot.corpus.specs import make_specs
from unfaithful_cot.corpus.universe import load_universe
from unfaithful_cot.report.corpora import CorpusView, view_corpora
from unfaithful_cot.report.report import write_report

UNIVERSE = Path(__file__).parents[3] / "resources" / "universes" / "neutral.yaml"
ROUND = {"round": 1, "n_asked": 1200, "n_revised": 1190, "draft_kept": {"lost_facts": 7, "remark": 3}}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A filtered corpus of the grammar, with drafts beside it as if it had been revised."""
    folder = tmp_path_factory.mktemp("corpus")
    world = load_universe(UNIVERSE)
    drafts = write_embedded(make_specs(world, "neutral", 40, 1), world)
    jsonl.write(folder / "raw.jsonl", drafts)
    later = [one.model_copy(update={"text": f"{one.text} It was sunny."}) for one in drafts]
    jsonl.write(folder / "revised.jsonl", later)
    jsonl.write_json(folder / "revision.json", {"n_documents": 40, "n_revised": 1190, "rounds": [ROUND]})
    documents, quality = folder / "documents.jsonl", folder / "quality.json"
    filter_documents(
        folder / "revised.jsonl", [], documents, quality, 0.9, 10, universe=UNIVERSE,
        drafts=folder / "raw.jsonl", revision=folder / "revision.json",
    )  # fmt: skip
    return {"documents": str(documents), "quality": str(quality)}


@pytest.fixture(scope="module")
def view(corpus: dict[str, str]) -> CorpusView:
    return view_corpora([corpus["documents"]], [corpus["quality"]], 1)[0]


def test_each_row_has_a_value_at_each_stage(view: CorpusView, corpus: dict[str, str]) -> None:
    texts = json.loads(Path(corpus["quality"]).read_text(encoding="utf-8"))["texts"]
    assert view.stages == ["written", "revised", "kept"]
    assert all(len(values) == 3 for _, values in [*view.texts, *view.facts])
    rows = dict(view.texts)
    assert rows["documents with a text"] == [f"{texts[stage]['n_documents']}" for stage in view.stages]
    share = texts["kept"]["openings"]["commonest_share"]
    assert rows["commonest opening"][2].startswith(f"{100 * share:.1f} % “")
    assert [fact for fact, _ in view.facts] == load_universe(UNIVERSE).key_facts
    assert not [name for name, _ in view.quality if name.startswith(("texts", "revision"))]


def test_a_revision_is_told_in_a_sentence(view: CorpusView) -> None:
    assert view.revision == (
        "Round 1 of the revision wrote 1,190 of 1,200 documents anew and left the draft of the others "
        "(lost facts 7, remark 3)."
    )


def test_the_page_shows_it(study: dict[str, object], corpus: dict[str, str], tmp_path: Path) -> None:
    """The report of another study with this corpus in the place of its first one."""
    report = tmp_path / "report.html"
    documents = [corpus["documents"], *study["documents"][1:]]
    quality = [corpus["quality"], *study["quality"][1:]]
    write_report(**study | {"documents": documents, "quality": quality, "report": str(report)})  # type: ignore[arg-type]
    page = report.read_text(encoding="utf-8")
    assert page.count("The texts before and after") == 1 and "Round 1 of the revision" in page
    assert "Every written justification cites the record that decided the answer." in page
