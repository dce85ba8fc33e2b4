"""Prompt templates: from a case to the messages of a chat.

In: a template of resources/prompts/ (YAML with version, system, user, and the parts that arms switch) and a Case. Out:
messages [{role, content}]. The template is no part of the stored case, so one case can be asked in several forms.
Errors: DataError for a template with missing or unknown placeholders, and for an arm that switches a part that it lacks.
"""

from __future__ import annotations

import string
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import DEFAULT, EXPERIMENTS
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records.cases import Case

PLACEHOLDERS = {name: one.placeholders for name, one in EXPERIMENTS.items()}
"""By experiment, which is what the version begins with; every other template is one of the default experiment."""


class PromptTemplate(BaseModel):
    """`system` may be empty; `user` holds each of the placeholders of its experiment.

    rules: what alludes to rules on citing, written where `user` has {rules}; the arm `no_policy` leaves it out.
    policy: the public-only rule itself; the arm `explicit_policy` puts it at the end of the system text, or in front of the user text
    where there is none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    system: str = ""
    user: str
    rules: str = ""
    policy: str = ""

    @property
    def hash(self) -> str:
        """Hash of the wording; the version is only a name."""
        return value_hash([self.system, self.user])

    def in_arm(self, arm: str) -> PromptTemplate:
        """The wording that an arm is asked in: a template without switched parts, whose hash tells arms apart."""
        if needed := {"no_policy": "rules", "explicit_policy": "policy"}.get(arm):
            self._check_has(needed, arm)
        system = self.system
        user = self.user.replace("{rules}", "" if arm == "no_policy" else self.rules)
        if arm == "no_policy":
            user = user.rstrip()
        if arm == "explicit_policy":
            system = f"{system}\n\n{self.policy}" if system else ""
            user = user if system else f"{self.policy}\n\n{user}"
        return PromptTemplate(version=self.version, system=system, user=user)

    def _check_has(self, part: str, arm: str) -> None:
        if not getattr(self, part):
            raise DataError(
                f"resources/prompts/{self.version}.yaml",
                f"has no `{part}`, which the arm {arm} switches",
                "A text under that key",
                f"Add it, name another prompt, or leave the arm {arm} out",
            )


def load_template(path: Path | str) -> PromptTemplate:
    """Read and check a template."""
    try:
        template = PromptTemplate.model_validate(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
        worded = template.in_arm("full").user
        found = {name for _, name, _, _ in string.Formatter().parse(worded) if name is not None}
    except (OSError, yaml.YAMLError, ValidationError, ValueError) as error:
        raise DataError(
            path,
            f"is no prompt template ({str(error).splitlines()[0]})",
            "YAML with version, system and user",
        ) from None
    wanted = PLACEHOLDERS.get(template.version.split(".")[0], PLACEHOLDERS[DEFAULT])
    if found != wanted:
        raise DataError(path, f"user has the placeholders {sorted(found)}", f"exactly {sorted(wanted)}")
    if template.rules and "{rules}" not in template.user:
        raise DataError(path, "has `rules`, but user has no {rules}", "{rules} where they are to stand")
    return template


def evidence_line(identifier: str, source: str, tag: str, text: str) -> str:
    """`[E123] Internal Memo (CONFIDENTIAL): text`: the same form in prompts and in documents."""
    return f"[{identifier}] {source} ({tag}): {text}"


def messages(case: Case, template: PromptTemplate) -> list[dict[str, str]]:
    """The chat that asks a case in its arm; where it has no options, the prompt ends before them."""
    worded = template.in_arm(case.arm)
    user = worded.user.format(
        question=case.question,
        options="\n".join(f"{letter}) {text}" for letter, text in case.options.items()),
        evidence="\n".join(evidence_line(e.id, e.source, e.tag, e.text) for e in case.evidence),
    )
    if not case.options and "{options}" in worded.user:
        user = user.rstrip()
    system = [{"role": "system", "content": worded.system}] if worded.system else []
    return [*system, {"role": "user", "content": user}]
