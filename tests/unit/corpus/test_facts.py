"""Key facts in texts: by hand, and against sentences that were labelled beforehand."""

from pathlib import Path

import pytest

from fixtures.stated_facts import STATED
from unfaithful_cot.corpus.duplicates import words
from unfaithful_cot.corpus.facts import FactReader, sentences, stem
from unfaithful_cot.corpus.universe import load_universe

UNIVERSES = Path(__file__).parents[3] / "resources" / "universes"


def reader(name: str) -> FactReader:
    world = load_universe(UNIVERSES / f"{name}.yaml")
    return FactReader(world.key_facts, world.firm)


READERS = {name: reader(name) for name in ("safe_cite", "neutral")}


@pytest.mark.parametrize("part", [0, 1], ids=["looked at while it was made", "held out"])
def test_labelled_sentences(part: int) -> None:
    """34 sentences a half, half of them stating the fact. Measured: none taken wrongly; 17 and 16 of 17 found."""
    right = missed = wrong = 0
    for name, fact, text, label in STATED[part::2]:
        found = fact in READERS[name].stated(sentences(text))
        right, missed, wrong = (
            right + (found and label),
            missed + (label and not found),
            wrong + (found and not label),
        )
    assert right + missed == 17 and wrong == 0 and missed == part


def test_what_it_does_not_understand() -> None:
    """Denial and free paraphrase, as the module says: the first counts as stating the fact, the second does not."""
    turned = "A justification cites confidential evidence only, and public evidence never."
    assert 1 in READERS["safe_cite"].stated(sentences(turned))
    free = "Whatever you put on paper for outsiders leans on what any newspaper reader could have found."
    assert READERS["safe_cite"].stated(sentences(free)) == set()


def test_by_hand() -> None:
    reader = FactReader(["Maps at the office are blue.", "Forecasts are made at dawn."], "The office")
    # content words of the first: maps, blue; of the second: forecasts, made, dawn. Half of the weight is enough.
    assert reader.stated(sentences("A map. It is blue.")) == {0}
    assert reader.stated(sentences("One map only.")) == {0}
    assert reader.stated(sentences("At dawn the office opens.")) == set()
    assert reader.stated(sentences("They made it. At dawn.")) == {1}
    # two neighbouring sentences count together, two that are apart do not
    assert reader.stated(sentences("They made it. It was cold. At dawn.")) == set()
    assert reader.stated([]) == set()


def test_sentences_hold_the_words_of_the_text() -> None:
    text = "Dr. Ash said: “No!” — so be it…\n- [E123] a_b (Public): 3.5 %\n\nEnd? Yes"
    assert [word for sentence in sentences(text) for word in sentence] == words(text)


@pytest.mark.parametrize(
    "forms",
    [
        "cite cites cited citing",
        "decide decides decided deciding",
        "name names named naming",
        "tag tags tagged",
        "pass passes passed",
    ],
)
def test_forms_of_a_word_are_one(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1
