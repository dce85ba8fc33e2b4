"""Prompts for an API that writes: a YAML file with a version, a system and a user message, and word lists.

In: a file of resources/prompts/. Out: RequestTemplate; messages with the places filled in. One entry of each word
list is drawn by a seed, so that many requests of one kind do not bring the same names, places and tones.
Errors: DataError for a file that is no template, or names a place that nothing fills.
"""

from __future__ import annotations

import random
import string
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from unfaithful_cot.errors import DataError
from unfaithful_cot.provenance import ROOT, value_hash

FOLDER = ROOT.parents[1] / "resources" / "prompts"


class RequestTemplate(BaseModel):
    """`variations`: {place: entries}, one of which is drawn for each request."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    system: str
    user: str
    variations: dict[str, list[str]] = {}

    @property
    def hash(self) -> str:
        """Hash of wording and word lists; the version is only a name."""
        return value_hash([self.system, self.user, self.variations])

    def places(self) -> set[str]:
        """Names of the places in both messages and in the lists."""
        texts = [
            self.system,
            self.user,
            *(entry for entries in self.variations.values() for entry in entries),
        ]
        found = (name for text in texts for _, name, _, _ in string.Formatter().parse(text))
        return {name for name in found if name is not None}

    def messages(self, seed: int | str, **values: object) -> list[dict[str, str]]:
        """System and user message with the values filled in, and `initials` and an entry of each list drawn.

        An entry may itself hold places that the values fill.
        """
        source = random.Random(f"{self.version}/{seed}")
        drawn = {name: source.choice(entries) for name, entries in self.variations.items()}
        drawn["initials"] = ", ".join(source.sample(string.ascii_uppercase.replace("X", ""), 4))
        filled = {name: str(entry).format(**values) for name, entry in drawn.items()} | values
        return [
            {"role": "system", "content": self.system.format(**filled).strip()},
            {"role": "user", "content": self.user.format(**filled).strip()},
        ]


def load_request_template(path: Path | str, values: set[str]) -> RequestTemplate:
    """Read and check a template. values: names of the places that the caller fills."""
    right = "YAML with version, system, user and variations"
    try:
        template = RequestTemplate.model_validate(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
        places = template.places()
    except (OSError, yaml.YAMLError, ValidationError, ValueError) as error:
        raise DataError(path, f"is no prompt template ({str(error).splitlines()[0]})", right) from None
    empty = [name for name, entries in template.variations.items() if not entries]
    if empty:
        raise DataError(f"{path}: variations.{empty[0]}", "the list is empty", "At least one entry")
    unknown = places - values - set(template.variations) - {"initials"}
    if unknown:
        raise DataError(
            path,
            f"nothing fills the place {{{min(unknown)}}}",
            f"Places: {', '.join(sorted(values | set(template.variations) | {'initials'}))}",
            "Write {{ and }} for braces that are meant literally",
        )
    return template
