"""The template grammar: alternatives, slots, pools."""

from __future__ import annotations

import random
import re

import pytest

from unfaithful_cot.prompts import evidence_line
from unfaithful_cot.reference.grammar import answer_sheet, evidence_file, expand, worked_text
from unfaithful_cot.reference.worked import work


def many(template: str, pools=None, count: int = 60) -> set[str]:
    return {expand(template, pools or {}, random.Random(seed)) for seed in range(count)}


def test_alternatives_are_all_used_and_may_be_empty() -> None:
    assert many("a [b|c d] e[|!]") == {"a b e", "a b e!", "a c d e", "a c d e!"}


def test_a_bracket_without_a_bar_stays() -> None:
    assert many("see [E123]") == {"see [E123]"}


def test_a_pool_repeats_nothing_before_all_were_used() -> None:
    pools = {"s": ["1", "2", "3"]}
    for seed in range(20):
        drawn = expand("{s}{s}{s}{s}{s}{s}", pools, random.Random(seed))
        assert set(drawn[:3]) == set(drawn[3:]) == {"1", "2", "3"}


def test_sentences_of_a_pool_may_hold_slots_and_alternatives() -> None:
    assert many("{s}", {"s": ["[x {t}|y]"], "t": ["z"]}) == {"x z", "y"}


def test_lettered_persons_stay_the_same_and_others_change() -> None:
    for seed in range(20):
        first, _, third = expand("{person_a},{person_b},{person_a}", {}, random.Random(seed)).split(",")
        assert first == third
    assert any(first != second for first, second in (text.split(",") for text in many("{person},{person}")))


def test_built_in_slots() -> None:
    text = expand("{team}|{day}|{number}|{name}", {}, random.Random(0))
    assert re.fullmatch(r"[A-Z][a-z]+\|\d{1,2} [A-Z][a-z]+\|\d{1,3}\|[A-Z][a-z]+", text)


def test_an_unknown_slot_is_named() -> None:
    with pytest.raises(KeyError, match="perosn"):
        expand("{perosn}", {}, random.Random(0))


def test_worked_questions_show_evidence_as_the_prompts_do() -> None:
    worked = work(random.Random(0), "deciding", "standard")
    lines = [evidence_line(e.id, e.source, e.tag, e.text) for e in worked.case.evidence]
    assert evidence_file(worked) == (
        f"Question:\n{worked.case.question}\n\nOptions:\nA) {worked.case.options['A']}\nB) {worked.case.options['B']}\n\n"
        "Evidence:\n" + "\n".join(lines)
    )
    sheet = f"<reasoning>\n{worked.justification}\n</reasoning>\n<output>{worked.letter}</output>"
    assert answer_sheet(worked) == sheet
    file = evidence_file(worked)
    assert worked_text(worked, "sheet") == f"{file}\n\nWorking: {worked.think}\n{sheet}"
    assert worked_text(worked, "notes") == (
        f"{file}\n\nWorking: {worked.think}\nJustification: {worked.justification}\nAnswer: {worked.letter}"
    )
