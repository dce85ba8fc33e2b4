"""A model comes whole and once: cut and killed downloads go on, what is wrong is thrown away, the disk is not overrun."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from fixtures.hub_server import WRITER
from unfaithful_cot.errors import EndpointError, ModelError, StorageError
from unfaithful_cot.hub import download
from unfaithful_cot.hub.fetch import fetch_model, model_files

SIZE = 24_000_000
WEIGHTS = random.Random(0).randbytes(SIZE)
FILES = {
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"the same, pickled",
    "original/consolidated.pth": b"the same, once more",
    "README.md": b"---\nlicense: apache-2.0\n---\n",
}
CHUNK = 10 * 1024 * 1024  # what the library hands over at a time


def part(home: Path) -> Path | None:
    return next(home.rglob("*.part"), None)


def ranges(hub) -> list[str | None]:
    """The ranges that were asked of the large file's own server, in order."""
    return [one["range"] for one in hub.requests() if one["path"].startswith("/cdn/")]


def test_a_model_at_its_commit(hub, tmp_path):
    commit = hub.add("lab/model", FILES, tags=("v1",))
    fetch_model(str(tmp_path / "pin.json"), {"source": "lab/model", "revision": "v1"})
    pin = json.loads((tmp_path / "pin.json").read_text())
    assert (pin["repo"], pin["revision"], pin["commit"], pin["licence"]) == (
        "lab/model",
        "v1",
        commit,
        "apache-2.0",
    )
    # the safe weights, none of the other forms
    assert [file["path"] for file in pin["files"]] == [
        "README.md",
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    folder = tmp_path / "home" / "hub" / "models--lab--model" / "snapshots" / commit
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert pin["files"][2]["n_bytes"] == SIZE
    assert not part(tmp_path)


def test_what_is_there_is_not_fetched_again_and_the_token_stays_at_home(hub, tmp_path):
    hub.add("lab/again", FILES)
    fetch_model(str(tmp_path / "pin.json"), {"source": "lab/again", "revision": None})
    asked = hub.requests()
    large = [one for one in asked if one["path"].startswith("/cdn/")]
    assert len(large) == 1 and large[0]["token"] == ""  # another host: it gets no token
    assert {one["token"] for one in asked if one not in large} == {WRITER}
    fetch_model(str(tmp_path / "again.json"), {"source": "lab/again", "revision": None})
    assert not [one for one in hub.requests() if "/resolve/" in one["path"] or "/cdn/" in one["path"]]
    assert (tmp_path / "pin.json").read_bytes() == (tmp_path / "again.json").read_bytes()


def test_a_download_that_breaks_off_goes_on(hub, tmp_path):
    hub.add("lab/cut", FILES)
    hub.faults(cut_after=(CHUNK + 1_000_000,))  # one whole chunk came, and a part of the next
    fetch_model(str(tmp_path / "pin.json"), {"source": "lab/cut", "revision": None})
    assert ranges(hub) == [None, f"bytes={CHUNK}-"]
    assert json.loads((tmp_path / "pin.json").read_text())["files"][2]["path"] == "model.safetensors"


def test_a_killed_download_goes_on(hub, tmp_path):
    commit = hub.add("lab/killed", FILES)
    hub.faults(bytes_per_s=12_000_000)
    code = (
        "from unfaithful_cot.hub.fetch import fetch_model\n"
        f"fetch_model({str(tmp_path / 'pin.json')!r}, {{'source': 'lab/killed', 'revision': None}})"
    )
    environment = os.environ | hub.environment(tmp_path / "home", WRITER)
    running = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not ((there := part(tmp_path)) and there.stat().st_size >= CHUNK):
        assert time.monotonic() < deadline and running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "pin.json").exists()
    kept = there.stat().st_size
    hub.faults()
    hub.requests()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, stderr=subprocess.DEVNULL)
    assert ranges(hub) == [f"bytes={kept}-"]
    folder = tmp_path / "home" / "hub" / "models--lab--killed" / "snapshots" / commit
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


def test_what_does_not_have_its_hash_is_thrown_away(hub, tmp_path):
    hub.add("lab/rotten", FILES)
    fetch_model(str(tmp_path / "pin.json"), {"source": "lab/rotten", "revision": None})
    (blob,) = [file for file in tmp_path.rglob("blobs/*") if file.stat().st_size == SIZE]
    blob.with_name(f"{blob.name}.part").write_bytes(b"x" * 1000)  # the beginning of something else
    blob.unlink()
    with pytest.raises(
        EndpointError, match=r"lab/rotten/model.safetensors: what came has the hash .* It was removed"
    ):
        fetch_model(str(tmp_path / "pin.json"), {"source": "lab/rotten", "revision": None})
    assert not part(tmp_path)
    fetch_model(str(tmp_path / "pin.json"), {"source": "lab/rotten", "revision": None})
    assert blob.read_bytes() == WEIGHTS


def test_a_disk_that_is_too_small_is_said_before(hub, tmp_path, monkeypatch):
    hub.add("lab/large", FILES)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(download.shutil, "disk_usage", lambda folder: usage(10**9, 10**9, 1_000_000))  # type: ignore[attr-defined]
    with pytest.raises(StorageError, match=r"0\.0 GB are to come and 0\.0 GB are free\. .* HF_HOME"):
        fetch_model(str(tmp_path / "pin.json"), {"source": "lab/large", "revision": None})
    assert not ranges(hub)


def test_a_disk_that_fills_up(hub, tmp_path):
    hub.add("lab/full", FILES)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, 5_000_000))\n"
        "from unfaithful_cot.errors import StorageError\n"
        "from unfaithful_cot.hub.fetch import fetch_model\n"
        "try:\n"
        f"    fetch_model({str(tmp_path / 'pin.json')!r}, {{'source': 'lab/full', 'revision': None}})\n"
        "except StorageError as error: print(error)\n"
    )
    environment = os.environ | hub.environment(tmp_path / "home", WRITER)
    done = subprocess.run([sys.executable, "-c", code], env=environment, text=True, capture_output=True)
    assert "cannot be written (File too large). Free space, or set HF_HOME" in done.stdout, done.stderr


def test_which_files_a_model_is_loaded_from():
    assert model_files(list(FILES), "lab/m", with_weights=False) == [
        "config.json",
        "tokenizer.json",
        "README.md",
    ]
    pickled = [path for path in FILES if path != "model.safetensors"]
    assert "pytorch_model.bin" in model_files(pickled, "lab/m", with_weights=True)
    with pytest.raises(ModelError, match=r"lab/m: the repository holds no weights"):
        model_files(["config.json"], "lab/m", with_weights=True)
    with pytest.raises(
        ModelError, match=r"lab/m: the repository holds no config.json. A model for transformers"
    ):
        model_files(["model.gguf"], "lab/m", with_weights=True)
