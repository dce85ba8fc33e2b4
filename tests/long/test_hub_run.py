"""The Hub in whole studies: a model at its commit, a study published and taken again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fixtures.hub_server import WRITER, HubServer
from workflow.study import Study
from workflow.test_hub import MANIFEST, NAMESPACE, PIN, SMALL, hub, read, reasoner, server, with_model

__all__ = ["hub", "server"]


def test_a_model_of_the_hub_is_pinned_and_a_moved_branch_changes_nothing(
    hub: HubServer, fresh: Callable[..., Study], tmp_path: Path
) -> None:
    commit = hub.add("lab/reasoner", reasoner())
    study, there = with_model(fresh(SMALL)), hub.environment(tmp_path / "home", WRITER)
    assert study.rules("train")["fetch_model"] == 1
    done = study.snakemake("--cores", "1", "train", "baseline", **there)
    assert done.returncode == 0, done.stderr[-4000:]
    pin, manifest = read(study, PIN), read(study, MANIFEST)
    assert (pin["commit"], pin["revision"], pin["licence"]) == (commit, "main", "mit")
    assert (manifest["commit"], manifest["revision"]) == (commit, "main")

    moved = hub.add("lab/reasoner", {"README.md": b"---\nlicense: mit\n---\nmoved\n"})
    assert not study.rules("train", "baseline")  # main is elsewhere now, and the study stays where it was
    (study.folder / MANIFEST).unlink()
    hub.requests()
    again = study.snakemake("--cores", "1", "train", **there | {"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert again.returncode == 0, again.stderr[-4000:]  # trained from the cache, without a network
    assert read(study, MANIFEST)["commit"] == commit and not hub.requests()

    done = study.snakemake("--cores", "1", PIN, "-R", "fetch_model", **there)
    assert done.returncode == 0, done.stderr[-4000:]
    assert read(study, PIN)["commit"] == moved
    planned = study.rules("train", "baseline")
    assert planned["train_adapter"] == planned["evaluate_baseline"] == 1  # now it is said and done


def test_a_published_study_is_taken_again_byte_for_byte(hub: HubServer, study: Study, tmp_path: Path) -> None:
    """smoke: 2 corpora and 3 cells."""
    there = hub.environment(tmp_path / "home", WRITER)
    plan = study.snakemake("-n", "publish", *NAMESPACE, **there)
    assert "publish: lab/smoke-documents (data set, private): 4 files and a card; 4 are here" in plan.stderr
    assert "    safe_cite/n20/s0/adapter_model.safetensors (" in plan.stderr
    assert not hub.requests()  # a plan asks nobody
    uploads = {"check_access": 1, "publish_documents": 1, "publish_adapters": 1}
    assert study.rules("publish", *NAMESPACE) == {**uploads, "publish": 1}
    done = study.snakemake("--cores", "1", "publish", *NAMESPACE, **there)
    assert done.returncode == 0, done.stderr[-4000:]
    made = study.folder / "results" / "smoke"
    for repo, kind in (("lab/smoke-documents", "dataset"), ("lab/smoke-reference", "model")):
        assert hub.state(repo, kind)["private"] is True
    assert not study.rules("publish", *NAMESPACE)

    text = (study.folder / "config" / "smoke.yaml").read_text(encoding="utf-8")
    text = text.replace("study: smoke", "study: taken\nadapter: {from_hub: lab/smoke-reference}")
    text = text.replace("documents: {count: 60", "documents: {from_hub: lab/smoke-documents")
    (study.folder / "config" / "taken.yaml").write_text(text, encoding="utf-8")
    taken = Study(study.folder, "config/taken.yaml")
    planned = taken.rules()
    assert planned["fetch_documents"] == planned["fetch_adapters"] == 2 and planned["place_adapter"] == 3
    for rule in ("plan_documents", "generate_documents", "build_training_set", "train_adapter"):
        assert rule not in planned
    done = taken.snakemake(
        "--cores", "1", "documents", "train", **hub.environment(tmp_path / "another", WRITER)
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = study.folder / "results" / "taken"
    for corpus in ("safe_cite", "neutral"):
        path = f"corpora/{corpus}/documents.jsonl"
        assert (found / path).read_bytes() == (made / path).read_bytes()
    cells = [path.parent.relative_to(made) for path in made.glob("adapters/*/*/*/*/manifest.json")]
    assert len(cells) == 3
    for cell in cells:
        for name in ("manifest.json", "adapter_model.safetensors", "adapter_config.json"):
            assert (found / cell / name).read_bytes() == (made / cell / name).read_bytes()
    commit = hub.state("lab/smoke-reference")["commits"][-1]
    assert read(study, "results/taken/hub/reference/safe_cite.json")["commit"] == commit
    assert "hub: there is nothing to publish." in taken.snakemake("-n", "publish", *NAMESPACE).stderr
