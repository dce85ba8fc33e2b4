"""The record of what lies on the Hub: one class for a fetched model, for texts and adapters taken, and for uploads.

A missing value is None. Hashes are of content.
"""

from __future__ import annotations

from typing import Literal

from unfaithful_cot.records.base import Record


class HubFile(Record):
    """A file of a repository. `path`: within it. `sha256`: of the content, 64 hexadecimal digits."""

    path: str
    n_bytes: int
    sha256: str


class Snapshot(Record):
    """What was taken from a repository on the Hub, or put there, at which commit.

    `revision`: branch, tag or commit that was asked for, None for main. `licence`: that of the repository's card, None where
    it states none.
    """

    repo: str
    kind: Literal["model", "dataset"]
    revision: str | None
    commit: str
    private: bool
    licence: str | None
    files: list[HubFile]
