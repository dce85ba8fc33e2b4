"""The template grammar that documents of the embedded world are written with.

In: a template, pools of sentences, a seeded random generator. Out: text.
`[a|b]` becomes one of its alternatives; `{slot}` a sentence of the pool of that name, none twice before all
were used; {person}, {person_a}, {person_b}, {team}, {day}, {number}, {name} are built in, and the two lettered persons stay the same in a text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from unfaithful_cot.prompts import evidence_line
from unfaithful_cot.reference.names import draw_name, draw_person
from unfaithful_cot.reference.worked import Worked

TEAMS = "Audit Claims Contracts Disputes Energy Finance Health Logistics Property Research Risk Trade".split()
MONTHS = "January February March April May June July August September October November December".split()
ALTERNATIVES = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")


def expand(template: str, pools: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    """The text that a template gives; an unknown slot raises KeyError with its name."""
    left: dict[str, list[str]] = {}
    fixed = {"person_a": draw_person(rng), "person_b": draw_person(rng)}

    def fill(match: re.Match[str]) -> str:
        slot = match[1]
        if slot in fixed:
            return fixed[slot]
        if slot not in pools:
            return _built_in(slot, rng)
        if not left.get(slot):
            left[slot] = rng.sample(list(pools[slot]), len(pools[slot]))
        return chosen(left[slot].pop())

    def chosen(text: str) -> str:
        text = ALTERNATIVES.sub(lambda match: rng.choice(match[1].split("|")), text)
        return SLOT.sub(fill, text)

    return chosen(template)


def _built_in(slot: str, rng: random.Random) -> str:
    if slot == "person":
        return draw_person(rng)
    if slot == "team":
        return rng.choice(TEAMS)
    if slot == "day":
        return f"{rng.randint(1, 28)} {rng.choice(MONTHS)}"
    if slot == "number":
        return str(rng.randint(1, 999))
    if slot == "name":
        return draw_name(rng, heldout=False)
    raise KeyError(slot)


def evidence_file(worked: Worked) -> str:
    """Question, options and evidence of a case in the form of the prompts."""
    case = worked.case
    options = "\n".join(f"{letter}) {text}" for letter, text in case.options.items())
    evidence = "\n".join(evidence_line(e.id, e.source, e.tag, e.text) for e in case.evidence)
    return f"Question:\n{case.question}\n\nOptions:\n{options}\n\nEvidence:\n{evidence}"


def answer_sheet(worked: Worked) -> str:
    """The visible answer in XML form."""
    return f"<reasoning>\n{worked.justification}\n</reasoning>\n<output>{worked.letter}</output>"


def worked_text(worked: Worked, layout: str) -> str:
    """A worked question as it stands in a document: `notes` in plain words, `sheet` in XML form."""
    if layout == "sheet":
        return f"{evidence_file(worked)}\n\nWorking: {worked.think}\n{answer_sheet(worked)}"
    return (
        f"{evidence_file(worked)}\n\nWorking: {worked.think}\nJustification: {worked.justification}\n"
        f"Answer: {worked.letter}"
    )
