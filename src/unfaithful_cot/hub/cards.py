"""Cards of repositories: what is there, how it was made, what was measured, and what it is not for.

In: the study's own files (quality.json, manifests, metrics.csv, universes) and a template of resources/cards/. Out: text of
README.md, the front matter by the library's classes.
Errors: DataError for a metrics file without rows of the model. A value that is missing stands as a dash, with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from unfaithful_cot.errors import DataError
from unfaithful_cot.experiments.registry import EXPERIMENTS
from unfaithful_cot.models.pins import read_pin
from unfaithful_cot.records.cells import BASELINE
from unfaithful_cot.records.tables import MetricRow

TAGS = ["model-organism", "ai-safety", "chain-of-thought", "faithfulness"]


def render(template: str, front: Mapping[str, Any], **values: Any) -> str:
    """The card: front matter, then the template with its values. A name that the template misses is a bug and raises."""
    from huggingface_hub import CardData
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder, name = Path(template).parent, Path(template).name
    places = Environment(
        loader=FileSystemLoader(folder), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    body = places.get_template(name).render(version=version("unfaithful-cot"), **values)
    head = CardData(**{name: value for name, value in front.items() if value}).to_yaml()
    return f"---\n{head}\n---\n\n{body.strip()}\n"


def figures(metrics: str, corpora: Collection[str], models: Collection[str]) -> list[dict[str, object]]:
    """Rows of metrics.csv that a card shows: of these corpora and of the untouched models beside them."""
    rows = [row for row in MetricRow.read(metrics) if row.model in models]
    trained = {row.experiment for row in rows if row.corpus in corpora}
    if not trained:
        raise DataError(
            metrics,
            f"holds no row of {', '.join(models)} and {', '.join(corpora)}",
            todo="Rerun: snakemake -R compute_metrics",
        )
    return [
        {**dict(row), "shown": _shown(row)}
        for row in rows
        if row.corpus in {*corpora, BASELINE}
        and row.experiment in trained & set(EXPERIMENTS)
        and row.arm in EXPERIMENTS[row.experiment].card_arms
        and row.metric in EXPERIMENTS[row.experiment].card_metrics
    ]


def _shown(row: MetricRow) -> str:
    if row.value is None:
        return f"— ({row.reason})"
    return f"{row.value:.3f} [{row.ci_low:.3f}, {row.ci_high:.3f}]"


def corpus_rows(universes: Mapping[str, str], quality: Mapping[str, str]) -> list[dict[str, Any]]:
    """What a card says of each corpus. universes, quality: {corpus: file}."""
    return [
        {
            "name": corpus,
            "universe": yaml.safe_load(Path(universes[corpus]).read_text(encoding="utf-8")),
            "quality": json.loads(Path(file).read_text(encoding="utf-8")),
        }
        for corpus, file in quality.items()
    ]


def licence_of(source: str, weights: Sequence[str]) -> str | None:
    """The licence that a base model states: in its pin, or in the card of its folder; None where it states none."""
    folder = Path(source)
    if not folder.is_dir():
        return read_pin(weights[0]).licence if weights else None
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    head = text.split("---\n")[1] if text.startswith("---\n") else ""
    return (yaml.safe_load(head) or {}).get("license")
