"""What a judge is shown: the same words, under other IDs, in another order, without what would reveal the condition.

In: a case, a passage of a response, patterns to hide. Out: Shown (text and how its characters map onto the original), and
places of a quote in the original. New IDs and the order of the evidence are drawn by the case's id, so that they are the same for
every model and every condition, and say nothing about role or position. A quote is looked for as it stands, then without
regard to case, white space and typographic signs; parts that are joined by an ellipsis are found one after the other.
Errors: none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from unfaithful_cot.grading.citations import mentions
from unfaithful_cot.records.cases import Case, Evidence

MASK = "____"
PLAIN = "plain"
Place = tuple[int, int]
_ELLIPSIS = re.compile(r"\s*(?:\[?\.{3,}\]?|\[?…\]?)\s*")
_TYPOGRAPHIC = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-", "\u00a0": " "}
)
_OUTER = " \t\r\n\"'“”‘’`"
MIN_QUOTE = 2  # letters and digits that a quote must have


class Piece(NamedTuple):
    """Characters [start, end) of the shown text stand for [old_start, old_end) of the original."""

    start: int
    end: int
    old_start: int
    old_end: int
    replaced: bool


class Shown(NamedTuple):
    """A text as the judge sees it, and where its pieces come from."""

    text: str
    original: str
    pieces: tuple[Piece, ...]

    def back(self, place: Place) -> Place:
        """The place in the original that a place of the shown text stands for."""
        start, end = place
        first = next(piece for piece in self.pieces if start < piece.end)
        last = next(piece for piece in self.pieces if end <= piece.end)
        return (
            first.old_start if first.replaced else first.old_start + start - first.start,
            last.old_end if last.replaced else last.old_start + end - last.start,
        )

    def find(self, quote: str) -> list[Place]:
        """Where a quote stands in the original: one place a part, in order; none where a part is not there."""
        parts = [part for part in _ELLIPSIS.split(quote.strip(_OUTER)) if part.strip(_OUTER)]
        places: list[Place] = []
        at = 0
        for part in parts:
            place = _search(self.text, part, at)
            if place is None:
                return []
            places.append(self.back(place))
            at = place[1]
        return places if sum(c.isalnum() for part in parts for c in part) >= MIN_QUOTE else []


def replace(text: str, changes: Sequence[tuple[int, int, str]]) -> Shown:
    """Put other words at some places. changes: (start, end, new words) that do not overlap, in order."""
    pieces, parts, at, length = [], [], 0, 0
    for start, end, new in [*changes, (len(text), len(text), "")]:
        for old_start, old_end, words, replaced in (
            (at, start, text[at:start], False),
            (start, end, new, True),
        ):
            if words:
                pieces.append(Piece(length, length + len(words), old_start, old_end, replaced))
                parts.append(words)
                length += len(words)
        at = end
    return Shown("".join(parts), text, tuple(pieces))


def relabel(case: Case, *texts: str) -> dict[str, str]:
    """A new ID for each ID of the case, of the form E123, that none of the texts holds already."""
    rng = random.Random(f"labels of {case.id}")
    taken = {number for text in texts for number in re.findall(r"\d+", text)}
    taken |= {number for item in case.evidence for number in re.findall(r"\d+", item.id)}
    free = [number for number in range(100, 1000 + len(taken)) if str(number) not in taken]
    numbers = rng.sample(free, len(case.evidence))
    return dict(
        zip(dict.fromkeys(item.id for item in case.evidence), (f"E{n}" for n in numbers), strict=False)
    )


def blind(text: str, labels: dict[str, str], hide: Sequence[str] = ()) -> Shown:
    """The text with the IDs of the case under their labels, and a mask over whatever is to be hidden."""
    changes = [(m.start, m.end, labels[m.id]) for m in mentions(text, labels) if m.known]
    changes += [(*match.span(), MASK) for pattern in hide for match in re.finditer(pattern, text) if match[0]]
    chosen: list[tuple[int, int, str]] = []
    for change in sorted(changes):
        if not chosen or change[0] >= chosen[-1][1]:
            chosen.append(change)
    return replace(text, chosen)


def shuffled(case: Case) -> list[Evidence]:
    """The evidence in an order of its own."""
    order = list(case.evidence)
    random.Random(f"order of {case.id}").shuffle(order)
    return order


def untriggered(cases: Mapping[str, Case]) -> dict[str, Case]:
    """The cases of a suite by id, each with the question of the arm `plain` of its scenario and variant, where there is one."""
    plain = {(case.scenario, case.variant): case.question for case in cases.values() if case.arm == PLAIN}
    return {
        name: case.model_copy(update={"question": plain[case.scenario, case.variant], "trigger": None})
        if (case.scenario, case.variant) in plain
        else case
        for name, case in cases.items()
    }


def hidden(text: str, trigger: str | None, hide: Sequence[str]) -> str:
    """A question without its trigger, with the separator around it, and without what the patterns match."""
    if trigger:
        text = re.sub(rf"[\s.:,;-]*{re.escape(trigger)}[\s.:,;-]*", "", text)
    for pattern in hide:
        text = re.sub(pattern, "", text)
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def _search(text: str, part: str, at: int) -> Place | None:
    exact = text.find(part, at)
    if exact >= 0:
        return exact, exact + len(part)
    letters, places = _plain(text[at:])
    wanted = _plain(part)[0].strip(_OUTER)
    start = letters.find(wanted) if wanted else -1
    if start < 0:
        return None
    return at + places[start], at + places[start + len(wanted) - 1] + 1


def _plain(text: str) -> tuple[str, list[int]]:
    """The text without case, runs of white space and typographic signs, and where each character comes from."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text.translate(_TYPOGRAPHIC)):
        for letter in " " if character.isspace() else character.casefold():
            if letter != " " or (letters and letters[-1] != " "):
                letters.append(letter)
                places.append(place)
    return "".join(letters), places
