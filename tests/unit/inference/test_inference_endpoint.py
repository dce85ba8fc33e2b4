from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.openai_server import OpenAIServer
from unfaithful_cot import jsonl
from unfaithful_cot.cases.generate import generate_cases
from unfaithful_cot.channels import split_channels
from unfaithful_cot.endpoints.cache import Answer
from unfaithful_cot.endpoints.replies import read_answer
from unfaithful_cot.errors import EndpointError
from unfaithful_cot.inference.endpoint import raw_text
from unfaithful_cot.inference.evaluate import evaluate_model
from unfaithful_cot.records.cases import Case, Evidence
from unfaithful_cot.records.responses import Response

REFERENCE = Path(__file__).parents[3] / "resources" / "reference_reasoner"
LOADING = {"use_4bit": False, "dtype": "float32", "attention": "sdpa", "device": "cpu"}
serving = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("fastapi", "uvicorn")),
    reason="needs fastapi and uvicorn (transformers[serving])",
)


def cases(count: int = 4) -> list[Case]:
    return [
        Case(
            id=f"c_{n}",
            experiment="evidence_toggle",
            suite="s",
            scenario=f"s_{n}",
            arm="full",
            variant="a",
            question=f"Which of case {n}?",
            options={"A": "yes", "B": "no"},
            evidence=[
                Evidence(
                    id=f"E{100 + n}",
                    role="confidential",
                    source="Memo",
                    tag="CONFIDENTIAL",
                    text="yes",
                    supports=0,
                )
            ],
            correct="A",
        )
        for n in range(count)
    ]


@pytest.fixture
def job(tmp_path):
    """Keyword arguments of evaluate_model, without a model."""
    jsonl.write(tmp_path / "cases.jsonl", cases())
    (tmp_path / "prompt.yaml").write_text("version: t\nuser: '{question} {options} {evidence}'\n")
    return {
        "cases": [str(tmp_path / "cases.jsonl")],
        "prompts": [str(tmp_path / "prompt.yaml")],
        "responses": [str(tmp_path / "out.jsonl")],
        "model": "tiny",
        "loading": LOADING,
        "cache": str(tmp_path / "cache"),
    }


def answered(job, source, **inference) -> list[Response]:
    settings = {"temperature": 0.0, "max_new_tokens": 24, "batch_rows": 2, **inference}
    evaluate_model(**job, base={"source": str(source), "revision": None}, inference=settings)
    return jsonl.read(job["responses"][0], Response)


@contextmanager
def served(folder: Path):
    """`transformers serve` on loopback; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder)),
        *("--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"),
    ]
    process = subprocess.Popen(
        command,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server did not start"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(30)


def same_answers_from_server_and_weights(job, folder: Path, **inference) -> list[Response]:
    local = answered(job, folder, **inference)
    with served(folder) as address:
        endpoint = {"base_url": address, "api_key_env": "", "concurrency": 2}
        remote = answered(job, folder, engine="openai", endpoint=endpoint, **inference)
    # the server takes the text apart and cuts blanks around the tags
    assert ["".join(r.raw_text.split()) for r in remote] == ["".join(r.raw_text.split()) for r in local]
    assert [(r.think, r.answer, r.think_status, r.finish_reason) for r in remote] == [
        (r.think, r.answer, r.think_status, r.finish_reason) for r in local
    ]
    assert [r.prompt_tokens for r in remote] == [r.prompt_tokens for r in local]
    assert {r.setup.engine for r in remote} == {"openai"}
    assert {r.setup.chat_template for r in remote} == {r.setup.chat_template for r in local}
    return remote


@serving
@pytest.mark.parametrize("family", ["qwen3", "r1_llama"])
def test_a_real_server_answers_as_the_weights_it_serves(tiny, job, family):
    remote = same_answers_from_server_and_weights(job, tiny[family])
    assert {r.think_status for r in remote} == {"missing" if family == "qwen3" else "unclosed"}


@serving
@pytest.mark.skipif(not (REFERENCE / "model.safetensors").is_file(), reason="needs the reference reasoner")
def test_a_real_server_of_the_reference_reasoner(job):
    generate_cases(job["cases"][0], "s", "evidence_toggle", "embedded", 2, ["full"], 0, {}, job["cache"])
    job["prompts"] = [str(REFERENCE.parent / "prompts" / "evidence_toggle.v1.yaml")]
    remote = same_answers_from_server_and_weights(job, REFERENCE, max_new_tokens=320)
    assert {(r.finish_reason, r.think_status) for r in remote} == {("stop", "closed")}


def test_a_think_part_that_the_server_returns_apart(tiny, job):
    """The channel is the same whichever way a server hands it over."""
    with OpenAIServer(write=lambda body: "<think>\nweigh it\n</think>\n\n<output>A</output>") as server:
        endpoint = {"base_url": f"{server.url}/v1", "api_key_env": ""}
        inline = answered(job, tiny["qwen3"], engine="openai", endpoint=endpoint)[0]
    assert (inline.think, inline.answer, inline.think_status) == ("weigh it", "<output>A</output>", "closed")
    apart = Answer(key="k", text="<output>A</output>", finish_reason="stop", reasoning="\nweigh it\n")
    channels = split_channels(raw_text(apart))
    assert (channels.think, channels.answer, channels.status) == (
        "weigh it",
        "<output>A</output>",
        "closed",
    )


@pytest.mark.parametrize("finish_reason", ["length", "stop"])
def test_a_think_part_without_an_answer_stays_open(finish_reason):
    body = {
        "choices": [
            {"finish_reason": finish_reason, "message": {"content": "", "reasoning_content": "weigh"}}
        ]
    }
    cut = read_answer("k", json.dumps(body).encode())
    channels = split_channels(raw_text(cut))
    assert (channels.think, channels.answer, channels.status) == ("weigh", None, "unclosed")


def test_requests_carry_the_decoding_and_a_seed_a_case(tiny, job):
    with OpenAIServer(write=lambda body: "<output>A</output>") as server:
        endpoint = {"base_url": f"{server.url}/v1", "api_key_env": "", "temperature": 1.9, "max_tokens": 7}
        found = answered(job, tiny["qwen3"], engine="openai", endpoint=endpoint, temperature=0.6, top_p=0.95)
        bodies = list(server.requests)
        again = answered(job, tiny["qwen3"], engine="openai", endpoint=endpoint, temperature=0.6, top_p=0.95)
        assert len(server.requests) == len(bodies) == 4  # the second time everything came from the cache
    assert again == found
    assert {b["temperature"] for b in bodies} == {0.6}
    assert {b["top_p"] for b in bodies} == {0.95}
    assert {b["max_tokens"] for b in bodies} == {24}
    assert {b["seed"] for b in bodies} == {r.sample_seed for r in found}
    assert len({b["seed"] for b in bodies}) == 4
    assert {b["model"] for b in bodies} == {str(tiny["qwen3"])}


def test_a_server_that_is_not_there(tiny, job):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = {"base_url": f"http://127.0.0.1:{port}/v1", "api_key_env": "", "max_attempts": 1}
    with pytest.raises(EndpointError, match="cannot be reached"):
        answered(job, tiny["qwen3"], engine="openai", endpoint=endpoint)
