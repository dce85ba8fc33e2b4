"""Which batches lie at an API, so that a restart finds them: `batches.jsonl` beside the answers, append-only.

In: what is about to be sent, the ID it got, its end. Out: the batches that are not ended.
A line stands there before the batch is made, with a tag that goes along as its metadata: killed between the two, a run is
followed by one that looks for the tag at the server, and makes no second batch of the same requests.
Each line is on the disk before the next step (jsonl.AppendOnly). Errors: StorageError.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Literal

from pydantic import Field

from unfaithful_cot.jsonl import AppendOnly
from unfaithful_cot.records.base import Record

FILE = "batches.jsonl"


class Entry(Record):
    """A line. `creating`: tag, server, keys of the requests, estimated prompt tokens, reserved dollars; `created`: tag, id;
    `ended`: tag, status."""

    event: Literal["creating", "created", "ended"]
    tag: str
    server: str = ""
    keys: list[str] = Field(default_factory=list)
    tokens: int = 0
    usd: float = 0.0
    id: str | None = None
    status: str | None = None


class Journal(AppendOnly[Entry]):
    """The file of one folder, for one server."""

    def __init__(self, folder: Path, server: str) -> None:
        super().__init__(folder / FILE, Entry, "batches are looked for by their tags")
        self.server = server

    def open(self, wanted: Set[str]) -> list[Entry]:
        """Batches of this server that hold a wanted request and are not ended; `id` None where none was noted."""
        found: dict[str, Entry] = {}
        for entry in self.read():
            if entry.event == "creating" and entry.server == self.server and wanted & set(entry.keys):
                found[entry.tag] = entry
            elif entry.event == "created" and entry.tag in found:
                found[entry.tag] = found[entry.tag].model_copy(update={"id": entry.id})
            elif entry.event == "ended":
                found.pop(entry.tag, None)
        return list(found.values())

    def creating(self, keys: Sequence[str], tokens: int, usd: float) -> Entry:
        """Note a batch that is about to be made; its entry, with a new tag."""
        entry = Entry(
            event="creating",
            tag=uuid.uuid4().hex,
            server=self.server,
            keys=list(keys),
            tokens=tokens,
            usd=usd,
        )
        self.append(entry, at_once=True)
        return entry

    def created(self, entry: Entry, batch_id: str) -> Entry:
        """Note the ID that the API gave."""
        self.append(Entry(event="created", tag=entry.tag, id=batch_id), at_once=True)
        return entry.model_copy(update={"id": batch_id})

    def ended(self, entry: Entry, status: str) -> None:
        """Note that everything a batch brought is in the cache, or that it never came to be."""
        self.append(Entry(event="ended", tag=entry.tag, status=status), at_once=True)
