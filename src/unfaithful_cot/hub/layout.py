"""Which files of a study go to which place of which repository: uploads, downloads and the plan agree by this module.

In: names. Out: repositories' names, {path in the repository: file here}, and the lines of a dry-run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from unfaithful_cot.hub.access import Kind
from unfaithful_cot.models.adapters import CONFIG_FILE, WEIGHTS_FILE

DOCUMENTS, QUALITY, MANIFEST, CARD = "documents.jsonl", "quality.json", "manifest.json", "README.md"
ADAPTER_FILES = (MANIFEST, WEIGHTS_FILE, CONFIG_FILE)


class Upload(NamedTuple):
    """What a repository is to hold beside its card. files: {path in the repository: file here}."""

    repo: str
    kind: Kind
    private: bool
    files: Mapping[str, Path]


def documents_upload(
    results: str, study: str, namespace: str, private: bool, corpora: Iterable[str]
) -> Upload:
    """One data set a study, a folder a corpus. results: the folder of the study."""
    files = {
        f"{corpus}/{name}": Path(results) / "corpora" / corpus / name
        for corpus in corpora
        for name in (DOCUMENTS, QUALITY)
    }
    return Upload(f"{namespace}/{study}-documents", "dataset", private, files)


def adapters_upload(
    results: str, study: str, namespace: str, private: bool, cells: Sequence[str], suffix: str = ""
) -> Upload:
    """One repository a model, a folder a cell. cells: {model}/{corpus}/n{n}/s{seed} of one model; suffix: of the name."""
    model = cells[0].split("/")[0]
    files = {
        f"{cell.removeprefix(f'{model}/')}/{name}": Path(results) / "adapters" / cell / name
        for cell in cells
        for name in ADAPTER_FILES
    }
    return Upload(f"{namespace}/{study}-{model}{suffix}", "model", private, files)


def upload_lines(uploads: Iterable[Upload]) -> Iterator[str]:
    """What would be uploaded, a line a repository and a line a file; sizes of what is there already."""
    for upload in uploads:
        kind = "data set" if upload.kind == "dataset" else "model"
        seen = "private" if upload.private else "PUBLIC"
        there = [file for file in upload.files.values() if file.is_file()]
        size = sum(file.stat().st_size for file in there)
        yield (
            f"publish: {upload.repo} ({kind}, {seen}): {len(upload.files)} files and a card; "
            f"{len(there)} are here ({size / 1e6:,.1f} MB), {len(upload.files) - len(there)} are still to be made"
        )
        for path, file in upload.files.items():
            size_here = f"{file.stat().st_size:,} bytes" if file.is_file() else "still to be made"
            yield f"    {path} ({size_here})"
