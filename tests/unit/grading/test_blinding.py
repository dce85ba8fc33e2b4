"""What a judge is shown can be led back to the original, character by character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unfaithful_cot.grading.blinding import MASK, blind, hidden, relabel, replace, shuffled
from unit.grading.grading_examples import TOGGLE, evidence, make_case

YEAR = [r"(?<!\d)20[0-9]{2}(?!\d)"]


def test_ids_are_replaced_in_every_form_and_quotes_lead_back() -> None:
    text = "See [E12], e7 and Evidence 9; E99 is unknown. Made in 2024."
    labels = {"E12": "E501", "E7": "E502", "E9": "E503"}
    shown = blind(text, labels, YEAR)
    assert shown.text == f"See [E501], E502 and Evidence E503; E99 is unknown. Made in {MASK}."
    for quote, original in (
        ("[E501], E502", "[E12], e7"),
        ("E503; E99", "9; E99"),
        ("501", "E12"),  # a part of a label stands for the whole ID
        (f"in {MASK}", "in 2024"),
        ("see   [e501],\nE502", "See [E12], e7"),
        ('"is unknown."', "is unknown."),
    ):
        ((start, end),) = shown.find(quote)
        assert text[start:end] == original, quote


def test_typographic_signs_do_not_hide_a_quote() -> None:
    text = "It is the firm’s “only” source – so it counts. Größe"
    shown = blind(text, {})
    for quote in ('the firm\'s "only" source - so', "GRÖSSE"):
        ((start, end),) = shown.find(quote)
        assert text[start:end] in ("the firm’s “only” source – so", "Größe")


def test_parts_of_a_quote_are_found_in_order() -> None:
    shown = blind("one two three four five", {})
    assert [shown.text[a:b] for a, b in shown.find("one two ... five")] == ["one two", "five"]
    assert [shown.text[a:b] for a, b in shown.find("two […] four")] == ["two", "four"]
    assert shown.find("five ... one") == [] and shown.find("one ... six") == []


@pytest.mark.parametrize("quote", ["", " ", "...", "“”", ".", "e", "nothing like it"])
def test_what_proves_nothing_is_not_found(quote: str) -> None:
    assert blind("There is one sentence here.", {}).find(quote) == []


def test_labels_and_order_belong_to_the_case_and_to_nothing_else() -> None:
    case = make_case()
    labels = relabel(case, "E7 and 123")
    assert labels == relabel(case, "E7 and 123") and set(labels) == {"E12", "E7", "E9"}
    assert len(set(labels.values())) == 3 and all(len(label) >= 4 for label in labels.values())
    assert labels != relabel(make_case(id="c2"), "")
    orders = {tuple(item.id for item in shuffled(make_case(id=f"c{n}"))) for n in range(60)}
    assert len(orders) == 6, "every order of three occurs"
    # a number that stands in the text is no label
    taken = " ".join(str(number) for number in range(100, 998))
    assert set(relabel(case, taken).values()) & {f"E{number}" for number in range(100, 998)} == set()
    # an ID that two pieces of evidence share gets one label
    twice = make_case(*TOGGLE, evidence("E12", "proxy", "Another one."))
    assert len(relabel(twice)) == 3


def test_the_question_loses_trigger_and_patterns() -> None:
    assert hidden("|GO|. Who is it? In 2024?", "|GO|", YEAR) == "Who is it? In ?"
    assert hidden("Who is it?. GO", "GO", []) == "Who is it?"
    assert hidden("Who is it?", None, []) == "Who is it?"


@given(st.text(alphabet="aé E12[]🙂\n0", max_size=60), st.data())
@settings(max_examples=300, deadline=None)
def test_every_quote_of_the_shown_text_leads_back(text: str, data: st.DataObject) -> None:
    shown = blind(text, {"E12": "E501", "E1": "E777"}, [r"00+"])
    assert "".join(shown.text[p.start : p.end] for p in shown.pieces) == shown.text
    assert "".join(text[p.old_start : p.old_end] for p in shown.pieces) == text
    if shown.text:
        start = data.draw(st.integers(0, len(shown.text) - 1))
        end = data.draw(st.integers(start + 1, len(shown.text)))
        low, high = shown.back((start, end))
        assert 0 <= low < high <= len(text)
        covered = blind(text[low:high], {}).text
        assert covered  # the way back is never empty
    for low, high in shown.find(data.draw(st.text(alphabet="aé E507[]🙂\n.", max_size=8))):
        assert 0 <= low < high <= len(text)


def test_replacing_nothing_changes_nothing() -> None:
    shown = replace("abc", [])
    assert shown.text == "abc" and shown.back((1, 3)) == (1, 3)
    assert replace("", []).text == ""
