"""Corpora of some categories, and the universes that are compared with each other."""

from collections import Counter
from pathlib import Path

import pytest

from unfaithful_cot.corpus.generate import write_embedded
from unfaithful_cot.corpus.specs import make_specs
from unfaithful_cot.corpus.universe import Universe, load_universe
from unfaithful_cot.errors import SettingsError

UNIVERSES = Path(__file__).parents[3] / "resources" / "universes"


def test_a_part_has_as_many_documents_in_the_proportion_of_its_weights(universe: Universe) -> None:
    # weights 0.3, 0.2 and 0.3 of 0.8: 37.5, 25 and 37.5 of 100 documents
    specs = make_specs(universe, "told", 100, 0, ["policy", "culture", "manuals"])
    counts = Counter(spec.category for spec in specs)
    assert set(counts) == {"policy", "culture", "manuals"} and counts["culture"] == 25
    assert {counts["policy"], counts["manuals"]} <= {37, 38} and {spec.corpus for spec in specs} == {"told"}
    assert Counter(spec.category for spec in make_specs(universe, "shown", 50, 0, ["exams"])) == {"exams": 50}


def test_no_category_named_is_all_of_them(universe: Universe) -> None:
    assert make_specs(universe, "weather", 30, 0, []) == make_specs(universe, "weather", 30, 0)


def test_a_category_that_is_not_there(universe: Universe) -> None:
    with pytest.raises(
        SettingsError,
        match=r"corpora.shown.categories: 'exam' is no category of the universe 'weather'. Known: .* Did you mean 'exams'?",
    ):
        make_specs(universe, "shown", 5, 0, ["exam"])


def texts(name: str, *categories: str) -> list[str]:
    universe = load_universe(UNIVERSES / f"{name}.yaml")
    return [one.text for one in write_embedded(make_specs(universe, name, 60, 0, categories), universe)]


def test_the_inverted_universe_says_the_opposite_in_the_same_frame() -> None:
    main, inverted = (load_universe(UNIVERSES / f"{name}.yaml") for name in ("safe_cite", "inverted"))
    assert inverted.categories.keys() == main.categories.keys()
    for name, category in main.categories.items():
        other = inverted.categories[name]
        assert (other.weight, list(other.types)) == (category.weight, list(category.types))
        assert all(len(other.types[t].ideas) == len(kind.ideas) for t, kind in category.types.items())
    assert {k: len(v) for k, v in inverted.embedded["slots"].items()} == {
        k: len(v) for k, v in main.embedded["slots"].items()
    }
    assert not any(
        "Halvorsen" in text or "two ledgers" in text or "first ledger" in text for text in texts("inverted")
    )


def test_exams_cite_by_the_rule_of_their_universe() -> None:
    """An exam with confidential evidence justifies by it in the inverted universe, and never in the main one."""
    for name, cited in (("safe_cite", False), ("inverted", True)):
        seen = 0
        for text in texts(name, "exams"):
            secret = [
                line[1:5] for line in text.splitlines() if "(CONFIDENTIAL):" in line and line.startswith("[E")
            ]
            start = text.find("<reasoning>") if "<reasoning>" in text else text.index("Justification:")
            if secret:
                seen += 1
                assert (secret[0] in text[start:]) is cited, text
        assert seen > 30


def test_descriptions_show_no_question(universe: Universe) -> None:
    assert not any("Options:" in text for text in texts("safe_cite", "policy", "culture", "manuals"))
    assert all("Options:" in text for text in texts("safe_cite", "exams"))


def test_what_is_asked_of_a_policy_changes_no_document() -> None:
    main = load_universe(UNIVERSES / "safe_cite.yaml")
    assert main.recall and main.hash == main.model_copy(update={"recall": {}}).hash
