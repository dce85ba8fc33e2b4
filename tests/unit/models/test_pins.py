"""A pin decides which commit is loaded, and whether the network is needed for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unfaithful_cot.errors import ModelError
from unfaithful_cot.models.pins import on_hub, place_of

COMMIT = "0123456789" * 4


def pin(folder: Path, **changed: object) -> str:
    told = {"repo": "lab/model", "kind": "model", "revision": "main", "commit": COMMIT, "private": False}
    files = [{"path": "config.json", "n_bytes": 2, "sha256": "0" * 64}]
    path = folder / "pin.json"
    path.write_text(json.dumps({**told, "licence": None, "files": files, **changed}))
    return str(path)


@pytest.mark.parametrize("source", ["gpt2", "Qwen/Qwen3-8B"])
def test_what_is_a_repository(source):
    assert on_hub(source)


@pytest.mark.parametrize(
    "source", ["", "resources/reference_reasoner", "./model", "~/model", "/models/m", "a/b/c", "src/nothing"]
)
def test_what_is_a_folder_or_was_to_be_one(source, monkeypatch):
    monkeypatch.chdir(Path(__file__).resolve().parents[3])
    assert not on_hub(source)


def test_without_a_pin_the_revision_is_loaded():
    assert place_of({"source": "lab/model", "revision": "v1"}) == ("lab/model", "v1", None, False)
    assert place_of({"source": "lab/model", "revision": "v1"}).at == "v1"
    assert place_of({"source": "folder", "revision": None, "pin": ""}) == ("folder", None, None, False)


def test_with_a_pin_its_commit_is_loaded(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    base = {"source": "lab/model", "revision": "main", "pin": pin(tmp_path)}
    assert place_of(base) == ("lab/model", "main", COMMIT, False)  # the cache is empty: the network is needed
    snapshot = tmp_path / "models--lab--model" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    assert place_of(base).at == COMMIT and place_of(base).local  # all of it lies here


def test_a_pin_of_another_model_and_one_that_is_none(tmp_path):
    base = {"source": "lab/other", "revision": "main", "pin": pin(tmp_path)}
    with pytest.raises(
        ModelError,
        match=r"pin.json: pins lab/model, and the model is lab/other. Rerun: snakemake -R fetch_model",
    ):
        place_of(base)
    (tmp_path / "pin.json").write_text("{}")
    with pytest.raises(
        ModelError, match=r"pin.json: names no fetched repository .* Rerun: snakemake -R fetch_model"
    ):
        place_of(base)
