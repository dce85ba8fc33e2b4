"""Rules fetch_adapters and place_adapter: published adapters of a corpus, in place of those that would be trained.

In: a model repository with {corpus}/n{n_documents}/s{seed}/ folders, as rule publish_adapters puts them there. Out: a
Snapshot with the commit of all that this study needs of it; then for each cell the files of a training, byte for byte.
Errors: those of hub.download; DataError for a repository without a cell; ModelError for an adapter whose manifest
is of another cell, another base model or another commit of it, or whose weights or configuration are not those that it names.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError, ModelError
from unfaithful_cot.hub.access import hub_errors
from unfaithful_cot.hub.download import cached, take
from unfaithful_cot.hub.layout import ADAPTER_FILES, MANIFEST
from unfaithful_cot.models.adapters import CONFIG_FILE, WEIGHTS_FILE, check_config
from unfaithful_cot.models.load import weights_hash
from unfaithful_cot.models.pins import read_pin
from unfaithful_cot.provenance import file_hash
from unfaithful_cot.records.adapters import Manifest


def fetch_adapters(
    origin: str,
    corpus: str,
    sizes: Sequence[int],
    seeds: Sequence[int],
    repo: str,
    revision: str | None = None,
) -> None:
    """Fetch the adapters of a corpus, all at one commit, into the cache. sizes: in documents."""
    cells = [f"{corpus}/n{size}/s{seed}" for size in sizes for seed in seeds]
    record, _ = take(repo, revision, "model", partial(cell_files, repo=repo, cells=cells))
    jsonl.write_json(origin, record.model_dump())


def cell_files(paths: list[str], repo: str, cells: Sequence[str]) -> list[str]:
    """The files of the cells, each of which has to be there."""
    missing = [cell for cell in cells if not {f"{cell}/{name}" for name in ADAPTER_FILES} <= set(paths)]
    if missing:
        there = sorted(str(Path(path).parent) for path in paths if Path(path).name == MANIFEST)
        shown = f"{', '.join(there[:8])}{', …' if len(there) > 8 else ''}" if there else "no adapter"
        raise DataError(
            repo,
            f"holds no adapter {missing[0]}" + (f", nor {len(missing) - 1} more" if missing[1:] else ""),
            f"It holds {shown}",
            "Name another repository in adapter.from_hub, or take the size and seed out of the grid",
        )
    return [f"{cell}/{name}" for cell in cells for name in ADAPTER_FILES]


def place_adapter(
    origin: str,
    weights: Sequence[str],
    manifest: str,
    adapter: str,
    adapter_config: str,
    model: str,
    corpus: str,
    n_documents: int | str,
    seed: int | str,
    base: Mapping[str, Any],
) -> None:
    """Check one fetched adapter and put its files where a training would have written them.

    weights: the base model's files, or its pin. base: source of the base model.
    """
    record = read_pin(origin, "Rerun: snakemake -R fetch_adapters")
    cell = f"{corpus}/n{n_documents}/s{seed}"
    with hub_errors(record.repo, record.commit, "model"):
        folder = cached(record, [f"{cell}/{name}" for name in ADAPTER_FILES]) / cell
    where = f"{record.repo}/{cell}/{MANIFEST}"
    found = read_manifest(folder / MANIFEST, where)
    check_manifest(
        where,
        found,
        {"model": model, "corpus": corpus, "n_documents": int(n_documents), "seed": int(seed)},
        str(base["source"]),
        base_commit(str(base["source"]), weights),
        file_hash(folder / WEIGHTS_FILE),
    )
    todo = "Its configuration is not that of its training; name another revision in adapter.from_hub"
    check_config(folder / CONFIG_FILE, found, f"{record.repo}/{cell}/{CONFIG_FILE}", todo)
    for name, out in ((WEIGHTS_FILE, adapter), (CONFIG_FILE, adapter_config), (MANIFEST, manifest)):
        with jsonl.storage_errors(out):
            shutil.copyfile(folder / name, out)
            jsonl.sync(out)


def check_manifest(
    where: str, found: Manifest, cell: Mapping[str, Any], source: str, commit: str | None, weights: str
) -> None:
    """A manifest is of this cell, of this base at this commit, and of these weights."""
    for name, wanted in {**cell, "source": source, "commit": commit, "weights": weights}.items():
        value = getattr(found, name)
        if value != wanted:
            raise ModelError(where, f"{name} is {value!r}", f"Here it is {wanted!r}", _mend(name, value))


def _mend(name: str, value: object) -> str:
    if name == "weights":
        return "The repository's weights are not those of its manifest; name another revision in adapter.from_hub"
    if name == "commit":
        return (
            f"Train the adapter here, or load the base that it was trained on (`revision: {value}` in "
            "config/models.yaml, then snakemake -R fetch_model)"
        )
    return "Name another repository in adapter.from_hub"


def base_commit(source: str, weights: Sequence[str]) -> str | None:
    """The commit of the base model, as a manifest names it: of its pin, or the hash of a folder's weights."""
    if Path(source).is_dir():
        return weights_hash(Path(source))
    return read_pin(weights[0]).commit if weights else None


def read_manifest(path: Path, where: str) -> Manifest:
    """The manifest of a fetched adapter."""
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(
            where,
            f"is no manifest of this version ({str(error).splitlines()[0][:150]})",
            todo="Name another repository or revision in adapter.from_hub",
        ) from None
