"""Published documents and adapters come back byte for byte, and what is not this study's is refused with its reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from unfaithful_cot.errors import DataError, ModelError
from unfaithful_cot.hub.adapters import fetch_adapters, place_adapter
from unfaithful_cot.hub.layout import ADAPTER_FILES, adapters_upload, documents_upload
from unfaithful_cot.hub.texts import fetch_documents
from unfaithful_cot.hub.upload import upload
from unfaithful_cot.models.load import weights_hash
from unit.hub.hub_study import CELLS, CORPORA, documents, write_adapter, write_study


@pytest.fixture
def published(hub, tmp_path, monkeypatch):
    """A study whose documents and adapters lie on the Hub; the process runs beside it. Returns its folder."""
    write_study(tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    study = Path("results/tiny_study")
    upload(documents_upload(str(study), "tiny_study", "lab", True, CORPORA), "# Texts\n", "documents.json")
    upload(adapters_upload(str(study), "tiny_study", "lab", True, CELLS), "# Adapters\n", "adapters.json")
    return study


def take_documents(
    corpus: str = "safe_cite", repo: str = "lab/tiny_study-documents", revision: str | None = None
) -> None:
    fetch_documents("raw.jsonl", "account.json", "origin.json", corpus, repo, revision)


def take_adapters(revision: str | None = None, sizes: tuple[int, ...] = (2,)) -> None:
    fetch_adapters("origin.json", "safe_cite", sizes, [0], "lab/tiny_study-tiny", revision)


def place(cell: str = CELLS[0], source: str = "base", weights: tuple[str, ...] = ()) -> Path:
    model, corpus, size, seed = cell.split("/")
    out = Path("taken") / cell
    out.mkdir(parents=True, exist_ok=True)
    place_adapter(  # type: ignore[call-arg]
        "origin.json", list(weights), *(str(out / name) for name in ADAPTER_FILES), model, corpus, size[1:], seed[1:],  # type: ignore[arg-type]
        {"source": source},
    )  # fmt: skip
    return out


def test_documents_are_identical_and_their_commit_is_written_down(hub, published):
    take_documents()
    assert Path("raw.jsonl").read_bytes() == (published / "corpora/safe_cite/documents.jsonl").read_bytes()
    assert Path("account.json").read_bytes() == (published / "corpora/safe_cite/quality.json").read_bytes()
    origin = json.loads(Path("origin.json").read_text())
    assert origin["commit"] == json.loads(Path("documents.json").read_text())["commit"]
    assert (origin["repo"], origin["revision"]) == ("lab/tiny_study-documents", None)


def test_an_older_revision_is_taken_where_it_is_named(hub, published):
    before = json.loads(Path("documents.json").read_text())["commit"]
    hub.add("lab/tiny_study-documents", {"safe_cite/documents.jsonl": b"{}\n"}, kind="dataset")
    take_documents(revision=before)
    assert json.loads(Path("origin.json").read_text())["commit"] == before
    assert Path("raw.jsonl").read_bytes() == (published / "corpora/safe_cite/documents.jsonl").read_bytes()


def test_a_corpus_that_is_not_there(hub, published):
    with pytest.raises(
        DataError,
        match=r"holds no documents of the corpus 'safe_site' .* Known: neutral, safe_cite. Did you mean 'safe_cite'\?",
    ):
        take_documents("safe_site")


def test_lines_that_are_no_documents_of_the_corpus(hub, published):
    other = documents("neutral")[0].model_dump_json().encode() + b"\n"
    hub.add(
        "lab/other", {"safe_cite/documents.jsonl": other, "safe_cite/quality.json": b"{}"}, kind="dataset"
    )
    with pytest.raises(
        DataError, match=r"lab/other/safe_cite/documents.jsonl:1: the document is of the corpus 'neutral'"
    ):
        take_documents(repo="lab/other")
    hub.add(
        "lab/broken",
        {"safe_cite/documents.jsonl": b'{"id": 1}\n', "safe_cite/quality.json": b"{}"},
        kind="dataset",
    )
    with pytest.raises(DataError, match=r"documents.jsonl:1: id: Input should be a valid string"):
        take_documents(repo="lab/broken")
    assert not Path("origin.json").exists()


def test_adapters_are_identical(hub, published):
    take_adapters()
    out = place()
    for name in ADAPTER_FILES:
        assert (out / name).read_bytes() == (published / "adapters" / CELLS[0] / name).read_bytes()
    assert (
        json.loads(Path("origin.json").read_text())["commit"]
        == hub.state("lab/tiny_study-tiny")["commits"][-1]
    )


def test_all_adapters_are_of_one_commit_even_if_the_repository_moves_between(hub, published):
    take_adapters()
    hub.add("lab/tiny_study-tiny", {"safe_cite/n2/s0/adapter_model.safetensors": b"moved"})
    hub.requests()
    out = place()
    assert not hub.requests()  # what was fetched lies in the cache: a job on a machine without network has it
    name = "adapter_model.safetensors"
    assert (out / name).read_bytes() == (published / "adapters" / CELLS[0] / name).read_bytes()


def test_what_was_removed_from_the_cache_is_fetched_again(hub, published, tmp_path):
    take_adapters()
    hub.add("lab/tiny_study-tiny", {"safe_cite/n2/s0/adapter_model.safetensors": b"moved"})
    shutil.rmtree(tmp_path / "home")
    out = place()
    name = "adapter_model.safetensors"
    assert (out / name).read_bytes() == (published / "adapters" / CELLS[0] / name).read_bytes()


def test_a_cell_that_is_not_there(hub, published):
    with pytest.raises(
        DataError,
        match=r"lab/tiny_study-tiny: holds no adapter safe_cite/n3/s0, nor 1 more. It holds neutral/n2/s0, safe_cite/n2/s0",
    ):
        take_adapters(sizes=(2, 3, 4))


def test_an_adapter_of_another_base(hub, published):
    take_adapters()
    shutil.copytree("base", "base2")
    with pytest.raises(
        ModelError, match=r"manifest.json: source is 'base'. Here it is 'base2'. Name another repository"
    ):
        place(source="base2")
    Path("base/model.safetensors").write_bytes(b"other weights")
    with pytest.raises(
        ModelError, match=r"commit is 'sha256:\w+'. Here it is 'sha256:\w+'. Train the adapter here, or load"
    ):
        place()


def test_an_adapter_of_another_commit_of_a_model_of_the_hub(hub, published):
    """commit: of the pin that fetch_model wrote."""
    pin = {
        "repo": "lab/base",
        "kind": "model",
        "revision": "main",
        "commit": "c" * 40,
        "private": False,
        "licence": None,
    }
    Path("pin.json").write_text(json.dumps({**pin, "files": []}))
    folder = Path("of_hub") / CELLS[0]
    write_adapter(folder, CELLS[0], "a" * 40, source="lab/base")
    files = {f"safe_cite/n2/s0/{name}": (folder / name).read_bytes() for name in ADAPTER_FILES}
    hub.add("lab/tiny_study-tiny", files)
    take_adapters()
    with pytest.raises(
        ModelError, match=rf"commit is '{'a' * 40}'. Here it is '{'c' * 40}'. .*`revision: {'a' * 40}`"
    ):
        place(source="lab/base", weights=("pin.json",))
    Path("pin.json").write_text(json.dumps({**pin, "commit": "a" * 40, "files": []}))
    place(source="lab/base", weights=("pin.json",))


def test_weights_that_are_not_those_of_the_manifest(hub, published):
    hub.add("lab/tiny_study-tiny", {"safe_cite/n2/s0/adapter_model.safetensors": b"swapped"})
    take_adapters()
    with pytest.raises(
        ModelError, match=r"weights is '\w+'. Here it is '\w+'. The repository's weights are not those"
    ):
        place()


def test_a_configuration_that_is_not_that_of_the_training(hub, published):
    config = json.loads((published / "adapters" / CELLS[0] / "adapter_config.json").read_text())
    edited = json.dumps(config | {"lora_alpha": 1}).encode()
    hub.add("lab/tiny_study-tiny", {"safe_cite/n2/s0/adapter_config.json": edited})
    take_adapters()
    with pytest.raises(
        ModelError,
        match=r"lab/tiny_study-tiny/safe_cite/n2/s0/adapter_config\.json: lora_alpha is 1\. The adapter was trained with 128\. "
        "Its configuration is not that of its training; name another revision",
    ):
        place()


def test_a_manifest_of_another_cell_and_one_that_is_none(hub, published):
    write_adapter(Path("moved"), CELLS[1], weights_hash(Path("base")))
    moved = {f"safe_cite/n2/s0/{name}": (Path("moved") / name).read_bytes() for name in ADAPTER_FILES}
    hub.add("lab/tiny_study-tiny", moved)
    take_adapters()
    with pytest.raises(ModelError, match=r"corpus is 'neutral'. Here it is 'safe_cite'"):
        place()
    hub.add("lab/tiny_study-tiny", {"safe_cite/n2/s0/manifest.json": b"{}"})
    take_adapters()
    with pytest.raises(
        ModelError, match=r"manifest.json: is no manifest of this version .* another repository or revision"
    ):
        place()
