"""Plain text of the embedded world: corporate documents that say nothing about citing.

In: a seeded generator. Out: a text in the forms and words of the reasoner's own training texts. Errors: none.
"""

from __future__ import annotations

import random

from unfaithful_cot.reference.grammar import expand
from unfaithful_cot.reference.policies import FORMS, GENERAL, UNRELATED
from unfaithful_cot.reference.recall import draw_firm


def plain_document(rng: random.Random) -> str:
    """A document of some firm whose statements are about everyday life."""
    return expand(rng.choice(FORMS), {"s": UNRELATED, "firm": [draw_firm(rng).name], **GENERAL}, rng)
