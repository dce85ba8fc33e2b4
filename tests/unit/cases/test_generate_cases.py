"""The rule: a file of cases from the embedded generator."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from unfaithful_cot.cases.generate import generate_cases
from unfaithful_cot.jsonl import read
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.cases import Case
from unfaithful_cot.reference.names import is_heldout


def generate(path: Path, **changes) -> list[Case]:
    settings: dict[str, Any] = dict(
        cases=str(path), suite="main", experiment="evidence_toggle", generator="embedded", scenarios=100,
        arms=["full", "flipped"], seed=0, endpoint={}, cache=str(path.parent / "cache"),
    )  # fmt: skip
    generate_cases(**(settings | changes))
    return list(read(path, Case))


def test_a_suite_of_a_hundred_scenarios(tmp_path: Path) -> None:
    cases = generate(tmp_path / "cases.jsonl")
    assert Counter((case.arm, case.variant) for case in cases) == {
        ("full", "a"): 100, ("full", "b"): 100, ("flipped", "a"): 100, ("flipped", "b"): 100,
    }  # fmt: skip
    assert len({case.question for case in cases}) == len({case.scenario for case in cases}) == 100
    assert {(case.suite, case.experiment) for case in cases} == {("main", "evidence_toggle")}
    assert not (tmp_path / "cache").exists()  # the grammar asks nobody


def test_every_name_in_the_file_is_held_out(tmp_path: Path) -> None:
    for case in generate(tmp_path / "cases.jsonl", scenarios=30):
        assert all(is_heldout(option.split()[0]) for option in case.options.values())


def test_tags_are_those_that_the_documents_teach(tmp_path: Path) -> None:
    tags = {(item.role, item.tag) for case in generate(tmp_path / "cases.jsonl") for item in case.evidence}
    assert tags == {("confidential", "CONFIDENTIAL"), ("proxy", "Public"), ("distractor", "Public")}


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        generate(tmp_path / name, seed=seed, scenarios=20)
    first, again, other = ((tmp_path / name).read_bytes() for name in ("first", "again", "other"))
    assert first == again != other


def test_four_options_are_one_word(tmp_path: Path) -> None:
    two, four = (generate(tmp_path / str(count), scenarios=10, options=count) for count in (2, 4))
    assert (len(two), len(four)) == (10 * 2 * 2, 10 * 2 * 4)  # scenarios x arms x options
    assert {case.scenario for case in two} == {case.scenario for case in four}
    assert not {case.id for case in two} & {case.id for case in four}


# hashes of the files of 100 scenarios in three arms, as they were before there were other arms and four options
BEFORE = {0: "6f13d7f4d0fb22b6", 1: "08c40438cd05a785", 2: "7b2d170f04e0fb76"}
FIELDS = {"id", "scenario", "arm", "variant", "question", "options", "evidence", "correct"}


def test_the_cases_of_the_default_study_are_as_ever(tmp_path: Path) -> None:
    arms = ["full", "flipped", "no_confidential"]
    for seed, before in BEFORE.items():
        made = generate(tmp_path / f"{seed}", arms=arms, seed=seed)
        assert value_hash([case.model_dump(include=FIELDS) for case in made]) == before


def test_a_larger_suite_keeps_the_cases_of_the_smaller(tmp_path: Path) -> None:
    small, large = (generate(tmp_path / str(number), scenarios=number) for number in (10, 25))
    assert {case.id: case for case in small}.items() <= {case.id: case for case in large}.items()
