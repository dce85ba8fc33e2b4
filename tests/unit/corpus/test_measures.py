"""Figures of the texts before and after, by hand."""

import json
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unfaithful_cot import jsonl
from unfaithful_cot.corpus.facts import FactReader
from unfaithful_cot.corpus.measures import Stage, TextReader, compare, distinct
from unfaithful_cot.corpus.quality import filter_documents
from unfaithful_cot.records.documents import Document

Make = Callable[..., Document]
FACTS = FactReader(["Forecasts are made at dawn.", "Maps are blue."])


def stage(documents: list[Document], reasons: list[str | None] | None = None) -> Stage:
    made, reader = Stage(FACTS), TextReader(FACTS)
    for document, reason in zip(documents, reasons or [None] * len(documents), strict=True):
        made.add(reader.read(document), reason)
    return made


def test_distinct_by_hand() -> None:
    # words a b a b | c: 3 distinct of 5; pairs ab ba ab: 2 of 3; triples aba bab: 2 of 2
    texts = [array("i", [0, 1, 0, 1]), array("i", [2])]
    assert distinct(texts, 5) == {"distinct_1": 0.6, "distinct_2": 0.6667, "distinct_3": 1.0}
    # the first three words alone, a b a: 2 of 3; ab ba: 2 of 2; aba
    assert distinct(texts, 3) == {"distinct_1": 0.6667, "distinct_2": 1.0, "distinct_3": 1.0}
    assert distinct([array("i", [7])], 1) == {"distinct_1": 1.0, "distinct_2": None, "distinct_3": None}


def test_distinct_agrees_with_sets() -> None:
    texts = [array("i", [(i * i + j * 7) % 13 for j in range(40)]) for i in range(30)]
    found = distinct(texts, 1200)
    for n in (1, 2, 3):
        runs = [tuple(one[i : i + n]) for one in texts for i in range(len(one) - n + 1)]
        assert found[f"distinct_{n}"] == round(len(set(runs)) / len(runs), 4)


def test_openings_lengths_and_facts_by_hand(document: Make) -> None:
    # 300 tokens are 220 words: 170 words lie within a quarter, 100 and 8 do not
    texts = [
        "The maps are blue " + "sea " * 166,
        "The maps are " + "old " * 97,
        "Forecasts are made. It was at dawn.",
    ]
    figures = stage([document(i, text) for i, text in enumerate(texts)]).figures(277, True)
    assert figures["openings"] == {
        "n_words": 3,
        "n_distinct": 2,
        "commonest_share": 0.6667,
        "commonest": {"the maps are": 2, "forecasts are made": 1},
    }
    # (170 + 100 + 7) / 3 = 92.3; ratios 170, 100 and 7 of 220: the middle one is 0.455
    assert figures["lengths"] == {
        "mean_words": 92.3,
        "mean_target_words": 220.0,
        "median_ratio": 0.455,
        "share_within": 0.3333,
        "tolerance": 0.25,
    }
    # the first two name maps, one of two content words and half the weight; the third states the forecasts
    assert figures["key_facts"] == {
        "n_facts": 2,
        "n_stated_somewhere": 2,
        "mean_share_stated": 0.5,
        "share_of_documents": {"Forecasts are made at dawn.": 0.3333, "Maps are blue.": 0.6667},
    }


def test_repeats_are_counted_among_sound_texts_and_empty_ones_left_out(document: Make) -> None:
    documents = [document(i, "Some words.") for i in range(4)] + [
        document(4, "", finish_reason="failed:timeout")
    ]
    made = stage(documents, [None, "exact_duplicate", "refusal", "near_duplicate", "failed"])
    figures = made.figures(8, False)
    assert (figures["n_documents"], figures["n_without_text"]) == (4, 1)
    assert figures["repeats"] == {"n": 2, "n_compared": 3, "share": 0.6667}
    assert figures["lengths"]["share_within"] is None and "no" in figures["lengths"]["reason"]


def test_the_same_words_over_and_over_compress(document: Make) -> None:
    same = stage([document(i, "The same words again and again. " * 5) for i in range(50)]).figures(1000, True)
    assert same["compression_ratio"] > 20
    assert (
        stage([document(0, "", finish_reason="failed:x")]).figures(0, True)["reason"]
        == "no document has a text"
    )


def test_stages_are_compared_over_equally_many_words(document: Make) -> None:
    long, short = stage([document(0, "a b c d e f g h")]), stage([document(1, "a a b")])
    figures = compare({"written": long, "kept": short}, True)
    # three words of each: a b c are all distinct, of a a b two are
    assert figures["n_words_compared"] == 3
    assert (figures["written"]["distinct_1"], figures["kept"]["distinct_1"]) == (1.0, 0.6667)


@pytest.mark.parametrize("revised", [False, True])
def test_quality_json_has_each_stage(
    document: Make, universe_file: Path, tmp_path: Path, revised: bool
) -> None:
    drafts = [document(i, f"Draft number {i} says one thing. {'pad ' * i}") for i in range(6)]
    later = [one.model_copy(update={"text": f"{one.text} Maps are blue."}) for one in drafts]
    jsonl.write(tmp_path / "drafts", [*drafts, document(9, drafts[0].text)])
    jsonl.write(tmp_path / "raw", later if revised else drafts)
    told: dict[str, Any] = {"n_documents": 6, "rounds": []}
    jsonl.write_json(tmp_path / "revision", told)
    arguments = {"drafts": tmp_path / "drafts", "revision": tmp_path / "revision"} if revised else {}
    filter_documents(
        tmp_path / "raw",
        [],
        tmp_path / "d",
        tmp_path / "q",
        0.99,
        3,
        universe=universe_file,
        **arguments,  # type: ignore[arg-type]
    )
    quality = json.loads((tmp_path / "q").read_text())
    stages = [name for name in quality["texts"] if name != "n_words_compared"]
    assert stages == (["written", "revised", "kept"] if revised else ["written", "kept"])
    assert quality.get("revision") == (told if revised else None)
    if revised:
        shares = [
            quality["texts"][name]["key_facts"]["share_of_documents"]["Maps are blue."] for name in stages
        ]
        assert shares == [0.0, 1.0, 1.0]
        # the seventh draft is the first one again
        assert quality["texts"]["written"]["repeats"]["n"] == 1 and quality["n_written"] == 6
