"""Weaving groups into one sequence whose every prefix has their shares.

In: how many of each group were taken, and the shares. Out: the group that is next.
Errors: none.
"""

from __future__ import annotations

from collections.abc import Mapping


def furthest_behind(taken: Mapping[str, int], shares: Mapping[str, float]) -> str:
    """The group with the smallest (taken + 1/2) / share; of equals the first in `taken`.

    shares: in any unit; a group without a share comes after all others. Taking this group again and again is the
    apportionment by Webster (Sainte-Laguë): the counts of a sequence of n are n times the shares, rounded, so that
    each is off by less than one but for rare cases with many groups.
    Reference: Balinski and Young (1982), Fair Representation.
    """
    return min(taken, key=lambda name: (taken[name] + 0.5) / max(shares.get(name, 0.0), 1e-12))
