"""One upload to the Hub: looked through, then one commit that holds what has changed, then a marker that names it.

In: an Upload and the text of its card. Out: the repository on the Hub, and the marker, a Snapshot.
Errors: those of hub.privacy before anything is sent; those of hub.access; EndpointError for a repository that is public where a
private one is wanted, and for an upload that breaks off (large files that arrived are not sent again).
Nothing on the Hub is ever deleted: what an earlier study put there stays.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

from unfaithful_cot import jsonl
from unfaithful_cot.errors import EndpointError
from unfaithful_cot.host import progress
from unfaithful_cot.hub.access import check_repository, client, hub_errors
from unfaithful_cot.hub.layout import CARD, Upload
from unfaithful_cot.hub.privacy import check_upload
from unfaithful_cot.records.hub import HubFile, Snapshot

AT_ONCE = 8  # files a step of the bar
MEGABYTE = 1_000_000


def upload(wanted: Upload, card: str, marker: str) -> None:
    """Bring a repository to the state that `wanted` and `card` describe, and write the marker."""
    content: dict[str, Path | bytes] = {**wanted.files, CARD: card.encode()}
    check_upload(content)
    api = client()
    with hub_errors(wanted.repo, None, wanted.kind):
        api.create_repo(wanted.repo, repo_type=wanted.kind, private=wanted.private, exist_ok=True)
    found = check_repository(wanted.repo, None, wanted.kind)
    if wanted.private and not found.private:
        raise EndpointError(
            wanted.repo,
            "the repository is public, and this upload is to be private",
            todo="Make it private in its settings on the Hub, or choose another study or namespace",
        )
    commit = _commit(wanted, content)
    record = Snapshot(
        repo=wanted.repo,
        kind=wanted.kind,
        revision=None,
        commit=commit,
        private=found.private,
        licence=None,
        files=[_recorded(path, file) for path, file in sorted(content.items())],
    )
    jsonl.write_json(marker, record.model_dump())


def _commit(wanted: Upload, content: Mapping[str, Path | bytes]) -> str:
    """Send large files, then commit what differs from what is there. Returns the commit, a new one only if something did."""
    from huggingface_hub import CommitOperationAdd
    from huggingface_hub.utils import disable_progress_bars, logging  # type: ignore[attr-defined]

    disable_progress_bars()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    api = client()
    files = [CommitOperationAdd(path, file) for path, file in content.items()]
    total = sum(file.upload_info.size for file in files) // MEGABYTE
    try:
        with (
            hub_errors(wanted.repo, None, wanted.kind),
            progress.bar(total, f"to {wanted.repo}", "megabyte") as bar,
        ):
            for start in range(0, len(files), AT_ONCE):
                group = files[start : start + AT_ONCE]
                api.preupload_lfs_files(wanted.repo, group, repo_type=wanted.kind, free_memory=False)
                bar.update(sum(file.upload_info.size for file in group) / MEGABYTE)
            done = api.create_commit(
                wanted.repo, files, commit_message=f"{len(files)} files of a study", repo_type=wanted.kind
            )
    except (RuntimeError, ValueError) as error:
        said = str(error.__cause__ or error).strip().splitlines()[0][:150]
        raise EndpointError(
            wanted.repo,
            f"the upload broke off ({said})",
            todo="Run the same command again: what arrived is not sent twice",
        ) from None
    return str(done.oid)


def _recorded(path: str, file: Path | bytes) -> HubFile:
    with io.BytesIO(file) if isinstance(file, bytes) else file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
        return HubFile(path=path, n_bytes=content.tell(), sha256=sha256)
