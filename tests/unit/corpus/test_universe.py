"""The universe file: read, checked, and every message."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from unfaithful_cot.corpus.universe import Universe, load_universe
from unfaithful_cot.errors import DataError

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "resources" / "universes").glob("*.yaml")), ids=lambda p: p.stem
)
def test_the_committed_universes(path: Path) -> None:
    universe = load_universe(path)
    assert universe.name == path.stem
    assert {name: category.weight for name, category in universe.categories.items()} == {
        "policy": 0.3,
        "culture": 0.2,
        "manuals": 0.3,
        "exams": 0.2,
    }
    assert [len(category.types) for category in universe.categories.values()] == [3, 3, 3, 3]


def test_hash_follows_the_content(universe: Universe) -> None:
    assert universe.hash != universe.model_copy(update={"title": "Another"}).hash


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda w: w["categories"]["policy"].update(weight=0.4),
            r"weather.yaml: the weights sum to 1.1 \(policy 0.4, culture 0.2, manuals 0.3, exams 0.2\). They must sum to 1.",
        ),
        (
            lambda w: w.update(keyfacts=[]),
            "top level: unknown key 'keyfacts'. Known: .* Did you mean 'key_facts'?",
        ),
        (
            lambda w: w["categories"]["exams"].update(wieght=1),
            "categories.exams: unknown key 'wieght'. Known: types, weight. Did you mean 'weight'?",
        ),
        (
            lambda w: w["categories"]["exams"]["types"]["letter"].update(idea=[]),
            "categories.exams.types.letter: unknown key 'idea'. Known: brief, ideas. Did you mean 'ideas'?",
        ),
        (lambda w: w.update(tags={"secret": "S"}), "tags: unknown key 'secret'. Known: confidential, public"),
        (lambda w: w.update(key_facts=[]), r"key_facts: \[\] is empty. At least one entry"),
        (lambda w: w["categories"]["exams"].update(types={}), r"categories.exams.types: {} is empty"),
        (
            lambda w: w["categories"]["exams"]["types"]["letter"].update(ideas=[]),
            r"categories.exams.types.letter.ideas: \[\] is empty",
        ),
        (lambda w: w.pop("context"), "context: this key is missing"),
        (lambda w: w.update(name="Weather Office"), "name: 'Weather Office' is not valid"),
        (
            lambda w: w["categories"]["exams"].update(weight=-0.2),
            "categories.exams.weight: -0.2 is not valid. Input should be greater than or equal to 0",
        ),
        (lambda w: w.update(length_tokens={"low": 9, "high": 3}), "length_tokens: low 9 is above high 3"),
    ],
)
def test_messages(world: dict[str, Any], tmp_path: Path, change: Any, said: str) -> None:
    change(world)
    path = tmp_path / "weather.yaml"
    path.write_text(yaml.safe_dump(world, sort_keys=False))
    with pytest.raises(DataError, match=said):
        load_universe(path)


def test_no_mapping_no_file_no_yaml(tmp_path: Path) -> None:
    path = tmp_path / "u.yaml"
    path.write_text("- a list")
    with pytest.raises(DataError, match=r"is no mapping. The keys name, title"):
        load_universe(path)
    path.write_text("a: [1")
    with pytest.raises(DataError, match=r"u.yaml: cannot be read \(while parsing"):
        load_universe(path)
    with pytest.raises(DataError, match="No such file"):
        load_universe(tmp_path / "none.yaml")
