"""Names, dates and lengths that a commission carries: seeded, many, and none of the evaluation's."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from unfaithful_cot.config.endpoint import EndpointSettings
from unfaithful_cot.corpus.api import requests
from unfaithful_cot.corpus.cast import NAMES, draw_cast, load_names
from unfaithful_cot.corpus.duplicates import words
from unfaithful_cot.corpus.lengths import keeps_to_length, length_values, target_words
from unfaithful_cot.corpus.specs import make_specs
from unfaithful_cot.corpus.universe import Universe
from unfaithful_cot.endpoints.templates import FOLDER
from unfaithful_cot.errors import DataError
from unfaithful_cot.reference.scenarios import heldout_scenarios


def test_twenty_thousand_commissions_hardly_share_a_name(universe: Universe) -> None:
    names = load_names()
    casts = [draw_cast(spec, names) for spec in make_specs(universe, "weather", 20_000, 0)]
    assert len({cast.people for cast in casts}) == 20_000
    first = Counter(cast.people.split(" (")[0] for cast in casts)
    # 168 given by 253 family names are 42,504 full names: of 20,000 draws hardly one comes more than five times
    assert len(first) > 15_000 and max(first.values()) <= 6
    for part in ("department", "date", "matter"):
        counts = Counter(getattr(cast, part) for cast in casts)
        assert max(counts.values()) < 0.025 * 20_000, part
    assert len({cast.date for cast in casts}) > 10_000


def test_a_cast_depends_on_its_spec_alone(universe: Universe) -> None:
    names = load_names()
    few, many = (make_specs(universe, "weather", n, 3) for n in (5, 50))
    assert [draw_cast(one, names) for one in few] == [draw_cast(one, names) for one in many[:5]]
    other = make_specs(universe, "weather", 5, 4)
    assert [draw_cast(one, names) for one in few] != [draw_cast(one, names) for one in other]


def test_people_of_one_document_share_no_name(universe: Universe) -> None:
    names = load_names()
    for spec in make_specs(universe, "weather", 300, 0):
        people = [
            one.split(" (")[0].split() for one in draw_cast(spec, names).people.rstrip(")").split("), ")
        ]
        assert len(people) == 4 and len({name for full in people for name in full}) == 8


def test_lists_hold_nothing_twice_and_nothing_of_the_evaluation() -> None:
    names = load_names()
    for part, entries in names.model_dump().items():
        assert len(set(entries)) == len(entries), part
    drawn = {name.casefold() for name in [*names.given, *names.family, *names.places]}
    for scenario in heldout_scenarios(300, 0):
        said = [scenario.question, *scenario.options]
        said += [one.text for one in [*scenario.confidential, *scenario.proxy, scenario.distractor]]
        assert drawn.isdisjoint(words(" ".join(said)))


def test_lists_that_are_none(tmp_path: Path) -> None:
    content = yaml.safe_load(NAMES.read_text(encoding="utf-8"))
    path = tmp_path / "names.yaml"
    path.write_text(yaml.safe_dump(content | {"roles": ["clerk"]}))
    with pytest.raises(DataError, match=r"names.yaml: roles: Value should have at least 4 items"):
        load_names(path)
    with pytest.raises(DataError, match=r"nothing.yaml: cannot be read"):
        load_names(tmp_path / "nothing.yaml")


def test_lengths_by_hand(universe: Universe) -> None:
    spec = make_specs(universe, "weather", 1, 0)[0].model_copy(update={"length_tokens": 300})
    # 300 tokens by 0.75 are 225 words, to the nearest ten 220 (Python rounds half to even); 15 % of it are 33
    assert target_words(spec) == 220
    assert length_values(spec) == {"length_words": 220, "low_words": 187, "high_words": 253, "paragraphs": 3}
    # a quarter of 220 is 55
    assert [keeps_to_length(n, spec) for n in (164, 165, 275, 276)] == [False, True, True, False]


def test_a_corpus_of_the_first_prompt_keeps_its_answers(universe: Universe) -> None:
    """What documents.v1 asks, and so the key of each answer in the cache, is what it was before v2."""
    specs = make_specs(universe, "weather", 2, 0)
    asked = requests(specs, universe, EndpointSettings(model="m"), FOLDER / "documents.v1.yaml")
    assert [one.key for one in asked] == ["8c08f0b5eb4bcb08", "e3dd5b1550e03bce"]


def test_openings_are_spread(universe: Universe) -> None:
    """16 openings: each is asked of a sixteenth of the documents, give or take."""
    asked = requests(make_specs(universe, "weather", 1600, 0), universe, EndpointSettings(model="m"))
    lines = Counter(
        line.split(", as far")[0]
        for request in asked
        for line in request.messages[1]["content"].splitlines()
        if line.startswith("- It opens")
    )
    assert len(lines) == 16 and max(lines.values()) < 150 and min(lines.values()) > 60
