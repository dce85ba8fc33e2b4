"""The committed inputs are those that resources/README.md lists, and the model card says what recipe.json says."""

from __future__ import annotations

import hashlib
import json
import re

import yaml

from fixtures.embedded_texts import REASONER, RESOURCES

ROW = re.compile(r"^\| `(\S+)` \| (.+) \| (.+) \| `([0-9a-f]{16})` \|$", re.MULTILINE)


def test_the_table_holds_every_file_with_its_hash() -> None:
    told = {row[1]: row[4] for row in ROW.finditer((RESOURCES / "README.md").read_text(encoding="utf-8"))}
    found = {
        str(path.relative_to(RESOURCES)): hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        for path in sorted(RESOURCES.rglob("*"))
        if path.is_file() and path.name != "README.md"
    }
    assert told == found, "an input has changed: put its new hash into resources/README.md"


def test_every_row_names_its_source_and_licence() -> None:
    rows = ROW.findall((RESOURCES / "README.md").read_text(encoding="utf-8"))
    assert {licence for _, _, licence, _ in rows} == {"MIT"}
    sources = {"written by hand", "the recipe, seed 0", "NVIDIA's data sheets; measured here"}
    assert {source for _, source, _, _ in rows} == sources


def test_the_model_card_agrees_with_the_recipe_of_the_weights() -> None:
    _, front, card = (REASONER / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert yaml.safe_load(front)["license"] == "mit"
    assert yaml.safe_load(front)["library_name"] == "transformers"
    figures = json.loads((REASONER / "recipe.json").read_text(encoding="utf-8"))
    for key in ("texts", "tokens", "parameters", "steps", "rows"):
        assert f"{figures[key]:,}" in card, key
    assert f"{figures['duration_s']:.0f} s" in card
    assert f"torch {figures['versions']['torch']}" in card
