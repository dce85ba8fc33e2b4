"""Files of a repository on the Hub, taken at one commit into the library's cache, whole and once.

In: a repository, a revision, and a choice among its files. Out: a Snapshot record and the folder of the cache where
the files lie.
Errors: those of hub.access; EndpointError for content that is not what the Hub says; StorageError for a full disk.
Large files are fetched by Range into `{sha256}.part` beside the library's own blobs and take their name when
their hash is right. The library itself begins a file anew after a kill, which for weights of eight billion parameters is up
to sixteen gigabytes; it does everything else: small files, links, locks (docs/decisions/0015).
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from unfaithful_cot.errors import EndpointError, StorageError
from unfaithful_cot.host import progress
from unfaithful_cot.hub.access import Kind, check_repository, client, hub_errors
from unfaithful_cot.jsonl import storage_errors
from unfaithful_cot.records.hub import HubFile, Snapshot

AT_ONCE = 4  # files; one stream does not fill a fast line
MEGABYTE = 1_000_000
ATTEMPTS = 5  # at a file, while connections break off without giving a byte


def take(
    repo: str, revision: str | None, kind: Kind, choose: Callable[[list[str]], Collection[str]]
) -> tuple[Snapshot, Path]:
    """Take the files that `choose` picks from the paths at the commit that `revision` means now.

    What lies in the cache already is not fetched again. Returns the record and the snapshot's folder.
    """
    from huggingface_hub.hf_api import RepoFile
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    disable_progress_bars()
    found, api = check_repository(repo, revision, kind), client()
    with hub_errors(repo, revision, kind):
        tree = api.list_repo_tree(repo, recursive=True, revision=found.commit, repo_type=kind)
        there = {file.path: file for file in tree if isinstance(file, RepoFile)}
        files = [there[path] for path in sorted(choose(list(there)))]
        _fetch_large(repo, found.commit, kind, [file for file in files if file.lfs])
        folder = _linked(repo, found.commit, kind, [file.path for file in files])
    record = Snapshot(
        repo=repo,
        kind=kind,
        revision=revision,
        commit=found.commit,
        private=found.private,
        licence=found.licence,
        files=[_recorded(file, folder) for file in files],
    )
    return record, folder


def cached(record: Snapshot, paths: Collection[str]) -> Path:
    """The folder of the cache that holds these files of a snapshot; what was removed since is fetched again.

    Asks nothing of the network where all of them lie there.
    """
    return _linked(record.repo, record.commit, record.kind, paths)


def _linked(repo: str, commit: str, kind: Kind, paths: Collection[str]) -> Path:
    """Have the library fetch what is small or missing, and link it into the snapshot's folder."""
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(
            repo, revision=commit, repo_type=kind, allow_patterns=sorted(paths), token=client().token
        )
    )


def _recorded(file: Any, folder: Path) -> HubFile:
    """A file with its hash: the Hub's own for a large one, which the download has compared, else of what lies here."""
    path = folder / file.path
    sha256 = file.lfs.sha256 if file.lfs else hashlib.sha256(path.read_bytes()).hexdigest()
    return HubFile(path=file.path, n_bytes=path.stat().st_size, sha256=sha256)


def _fetch_large(repo: str, commit: str, kind: Kind, files: Iterable[Any]) -> None:
    """Fetch what the cache does not hold, several files at a time, with one bar over their megabytes."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    blobs = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type=kind) / "blobs"
    different = {file.lfs.sha256: file for file in files}.values()
    missing = [file for file in different if not _blob(blobs, file).exists()]
    if not missing:
        return
    with storage_errors(blobs):
        blobs.mkdir(parents=True, exist_ok=True)
    there = sum(part.stat().st_size for file in missing if (part := _part(blobs, file)).exists())
    total = sum(file.lfs.size for file in missing)
    _check_room(blobs, total - there)
    with (
        progress.bar(total // MEGABYTE, f"fetching {repo}", "megabyte", there // MEGABYTE) as bar,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        list(pool.map(lambda file: _fetch(repo, commit, kind, file, blobs, bar), missing))


def _fetch(repo: str, commit: str, kind: Kind, file: Any, blobs: Path, bar: Any) -> None:
    """One large file, from where an earlier attempt stopped; another process that fetches it is waited for."""
    from filelock import FileLock
    from httpx2 import NetworkError
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

    api, part, blob = client(), _part(blobs, file), _blob(blobs, file)
    url = hf_hub_url(repo, file.path, repo_type=kind, revision=commit, endpoint=api.endpoint)
    headers = build_hf_headers(token=api.token) | {"Accept-Encoding": "identity"}
    retrying = Retrying(
        retry=retry_if_exception_type(NetworkError),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(max=30),
        reraise=True,
    )
    with FileLock(f"{part}.lock"):
        if blob.exists():
            return
        for attempt in retrying:
            with attempt, Counted(part, bar) as out:
                http_get(url, out, resume_size=out.tell(), headers=headers, expected_size=file.lfs.size)
        _check_content(repo, file, part)
        part.replace(blob)
    Path(f"{part}.lock").unlink(missing_ok=True)


class Counted(io.FileIO):
    """A file opened at its end, whose writes move a bar of megabytes."""

    def __init__(self, path: Path, bar: Any) -> None:
        super().__init__(path, "ab")
        self.bar = bar

    def write(self, data: Any) -> int:
        """Write all of `data`."""
        before = self.tell() // MEGABYTE
        left = memoryview(data)
        while left:
            left = left[super().write(left) or 0 :]
        self.bar.update(self.tell() // MEGABYTE - before)
        return len(data)


def _check_content(repo: str, file: Any, part: Path) -> None:
    with part.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != file.lfs.sha256:
        part.unlink()
        raise EndpointError(
            f"{repo}/{file.path}",
            f"what came has the hash {found[:16]}",
            f"The Hub says {file.lfs.sha256[:16]}",
            "It was removed; run the same command again",
        )


def _check_room(folder: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise StorageError(
            folder,
            f"{n_bytes / 1e9:,.1f} GB are to come and {free / 1e9:,.1f} GB are free",
            todo="Free space, or set HF_HOME to a folder of a larger disk",
        )


def _blob(blobs: Path, file: Any) -> Path:
    return blobs / str(file.lfs.sha256)


def _part(blobs: Path, file: Any) -> Path:
    return blobs / f"{file.lfs.sha256}.part"
