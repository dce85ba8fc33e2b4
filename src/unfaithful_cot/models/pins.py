"""Which weights `source` means: a folder, or one commit of a repository on the Hub.

In: the base of a job: source, revision and pin (the file that rule fetch_model writes; empty for a folder). Out: a
Place. Errors: ModelError for a pin that is no pin, or of another repository.
A revision is a name that may move (main does). What is loaded is the commit that was fetched, from the cache where all
of its files lie, so that a job needs no network and two jobs never load two models under one name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from unfaithful_cot.errors import ModelError
from unfaithful_cot.records.hub import Snapshot

REMAKE = "Rerun: snakemake -R fetch_model"


class Place(NamedTuple):
    """Where weights are. revision: as it was asked for; commit: that of the pin, None without one; local: all of it is here."""

    source: str
    revision: str | None
    commit: str | None
    local: bool

    @property
    def at(self) -> str | None:
        """The revision that is loaded."""
        return self.commit or self.revision


def place_of(base: Mapping[str, Any]) -> Place:
    """The place that a base means; without a pin the revision itself is loaded."""
    source, revision, pin = str(base["source"]), base.get("revision"), base.get("pin")
    if not pin:
        return Place(source, revision, None, False)
    snapshot = read_pin(pin)
    if snapshot.repo != source:
        raise ModelError(pin, f"pins {snapshot.repo}, and the model is {source}", todo=REMAKE)
    return Place(source, revision, snapshot.commit, _cached(snapshot))


def read_pin(path: Path | str, remake: str = REMAKE) -> Snapshot:
    """The record of a fetched repository. remake: what to do where it is none."""
    try:
        return Snapshot.model_validate_json(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            path, f"names no fetched repository ({str(error).splitlines()[0][:150]})", todo=remake
        ) from None


def on_hub(source: str) -> bool:
    """Whether a source is a repository on the Hub, by its form: no folder, and NAME or OWNER/NAME."""
    path = Path(source)
    looks_local = source.startswith((".", "~")) or path.is_absolute() or len(path.parts) > 2
    known_parent = len(path.parts) == 2 and path.parent.is_dir()
    return bool(source) and not (path.is_dir() or looks_local or known_parent)


def _cached(snapshot: Snapshot) -> bool:
    """Whether every file of the snapshot lies in the cache of this machine."""
    from huggingface_hub import try_to_load_from_cache

    return all(
        isinstance(try_to_load_from_cache(snapshot.repo, file.path, revision=snapshot.commit), str)
        for file in snapshot.files
    )


def folder_files(source: str | None) -> list[str]:
    """The files of a model that is a folder, so that new weights rerun; none of one of the Hub."""
    folder = Path(source or "nowhere")
    kinds = ["*config.json", "tokenizer*", "*.jinja", "*.safetensors*"]
    return sorted({str(path) for kind in kinds for path in folder.glob(kind)})
