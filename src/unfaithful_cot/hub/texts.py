"""Rule fetch_documents: the published documents of a corpus, in place of those that would be written.

In: a data set repository with {corpus}/documents.jsonl and {corpus}/quality.json, as rule publish_documents puts them
there. Out: raw.jsonl (the documents as they are there), the published account of their quality, and a Snapshot with the
commit. The filter of the study then looks at them as at any other: what contains a case of this study is removed.
Errors: those of hub.download; DataError for a repository without this corpus, and for a line that is no document of it.
"""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from unfaithful_cot import jsonl
from unfaithful_cot.errors import DataError, known
from unfaithful_cot.hub.download import take
from unfaithful_cot.hub.layout import DOCUMENTS, QUALITY
from unfaithful_cot.records.documents import Document


def fetch_documents(
    raw: str, account: str, origin: str, corpus: str, repo: str, revision: str | None = None
) -> None:
    """Fetch the documents of `corpus` from the data set `repo` at `revision` (None: main)."""
    choose = partial(corpus_files, repo=repo, corpus=corpus)
    record, folder = take(repo, revision, "dataset", choose)
    check_documents(folder / corpus / DOCUMENTS, corpus, repo)
    for name, out in ((DOCUMENTS, raw), (QUALITY, account)):
        with jsonl.storage_errors(out):
            shutil.copyfile(folder / corpus / name, out)
    jsonl.write_json(origin, record.model_dump())


def corpus_files(paths: list[str], repo: str, corpus: str) -> list[str]:
    """The two files of a corpus."""
    wanted = [f"{corpus}/{name}" for name in (DOCUMENTS, QUALITY)]
    if not set(wanted) <= set(paths):
        there = [Path(path).parent.name for path in paths if Path(path).name == DOCUMENTS]
        raise DataError(
            repo,
            f"holds no documents of the corpus '{corpus}' ({' and '.join(wanted)})",
            known(corpus, there),
            "Name another repository or revision in documents.from_hub",
        )
    return wanted


def check_documents(path: Path, corpus: str, repo: str) -> None:
    """Every line is a document of the corpus that its folder names."""
    for number, document in enumerate(jsonl.read(path, Document), 1):
        if document.spec.corpus != corpus:
            raise DataError(
                f"{repo}/{corpus}/{DOCUMENTS}:{number}",
                f"the document is of the corpus '{document.spec.corpus}'",
                f"Documents of '{corpus}'",
                "Name another repository or revision in documents.from_hub",
            )
