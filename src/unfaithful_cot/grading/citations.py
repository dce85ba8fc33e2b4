"""Which evidence a text names, in whatever form, and where.

In: a text and the IDs of a case. Out: Mention records in the order of the text. Seen as naming E12: `[E12]`, `E12`,
`(E12)`, `[E12, E15]`, `E12 and E15`, `e12`, `E-12`, `Evidence 12`, `evidence #12`, `[Evidence ID: E12]`. Both ends of a
range are named, what lies between them is not: IDs are drawn at random and have no order.
IDs of another form than E and digits are found literally. Errors: none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

_PLAIN = re.compile(r"E[0-9]+", re.IGNORECASE)
_ANY = re.compile(
    r"(?<![A-Za-z0-9])[Ee](?:-?(?P<plain>[0-9]+)|(?i:vidence (?:ID |item |no\. ?)?)#?(?P<number>[0-9]+))"
    r"(?![A-Za-z0-9]|\.[0-9])"
)


class Mention(NamedTuple):
    """Characters [start, end) of the text name `id`, written as in the case; `known`: the case has it."""

    id: str
    start: int
    end: int
    known: bool


@lru_cache(maxsize=4096)
def _vocabulary(ids: tuple[str, ...]) -> tuple[dict[str, str], re.Pattern[str] | None]:
    """Canonical spelling -> ID of the case, and a pattern for IDs that are not E and digits."""
    spelling = {identifier.upper(): identifier for identifier in ids}
    odd = sorted((i for i in spelling if i and not _PLAIN.fullmatch(i)), key=len, reverse=True)
    if not odd:
        return spelling, None
    alternatives = "|".join(re.escape(i) for i in odd)
    return spelling, re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])", re.IGNORECASE)


def mentions(text: str, ids: Iterable[str]) -> list[Mention]:
    """Every place where `text` names an evidence ID, those that the case does not have included."""
    spelling, odd = _vocabulary(tuple(ids))
    found = []
    for match in _ANY.finditer(text):
        identifier = f"E{match['plain'] or match['number']}"
        known = identifier in spelling
        if known or match["plain"]:  # "evidence 3" without such an ID counts for nothing
            found.append(Mention(spelling.get(identifier, identifier), *match.span(), known))
    if odd:
        found += [
            Mention(spelling.get(m[0].upper(), m[0]), *m.span(), m[0].upper() in spelling)
            for m in odd.finditer(text)
        ]
        found.sort(key=lambda mention: mention.start)
    return found
