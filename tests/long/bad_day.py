"""A study that is stopped on purpose: how it is started, at which moment it is killed, and what is compared afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil
import yaml

from unfaithful_cot.training.checkpoints import HASHES
from workflow.study import Study, copy_repository

RESULTS = Path("results/bad_day")
CELL = Path("reference/safe_cite/n24/s0")
CONCURRENCY = 4
WORDS = "ledger harbour quartz meadow signal copper lantern orchard winter canvas marble ribbon anchor velvet timber".split()
Whom = Literal["group", "run", "jobs"]


def settings(url: str) -> dict[str, Any]:
    """A small study with documents of an API, checkpoints at every step and one answer at a time."""
    endpoint = {
        "model": "m", "base_url": f"{url}/v1", "api_key_env": "BAD_DAY_KEY", "concurrency": CONCURRENCY, "max_attempts": 3,
    }  # fmt: skip
    return {
        "study": "bad_day",
        "grid": {"models": ["reference"], "corpora": {"safe_cite": [24]}, "seeds": [0]},
        "documents": {
            "count": 60, "generator": "openai", "endpoint": endpoint,
            "quality": {"near_duplicate": 1.0, "min_words": 20},
        },
        "suites": {"evidence_toggle": {"scenarios": 4, "arms": ["full", "flipped"]}},
        "loading": {"dtype": "float32", "device": "cpu", "attention": "sdpa"},
        "training": {
            "lora_r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "max_length_tokens": 128, "effective_batch_rows": 1,
            "micro_batch_rows": 1, "checkpoint_steps": 1,
        },
        "inference": {"max_new_tokens": 160, "batch_rows": 1},
    }  # fmt: skip


def text_of(body: dict[str, Any]) -> str:
    """The document that the server writes: 60 words and a number of its own for every request."""
    seed = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
    source = random.Random(seed)
    sentences = [" ".join(source.choices(WORDS, k=12)).capitalize() + "." for _ in range(5)]
    return f"Memo {seed}. " + " ".join(sentences)


@dataclass
class Killed:
    """Where a run stood when it was killed. in_flight: requests that were sent and whose answers were not kept."""

    stage: str
    whom: Whom
    in_flight: frozenset[str] = frozenset()
    step: int = 0
    answers: int = 0


@dataclass
class Day:
    """The study's folder, the environment of its runs, and what happened there."""

    study: Study
    environment: dict[str, str]
    kills: list[Killed] = field(default_factory=list)

    @property
    def results(self) -> Path:
        return self.study.folder / RESULTS

    @property
    def said(self) -> str:
        """What all runs said."""
        return self.console.read_text(encoding="utf-8") if self.console.exists() else ""

    @property
    def console(self) -> Path:
        return self.study.folder / "console.txt"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A run in a group of its own, as a terminal starts it."""
        with self.console.open("ab") as out:
            return subprocess.Popen(
                self.study.command("--cores", "2", *arguments, "--configfile", str(self.study.config)),
                cwd=self.study.folder,
                env=self.study.environment() | self.environment,
                start_new_session=True,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def run(self, *arguments: str) -> tuple[int, str]:
        """A run to its end: exit status and what it said."""
        before = len(self.said)
        status = self.start(*arguments).wait(600)
        return status, self.said[before:]

    def stopped_at(
        self,
        moment: Callable[[], bool],
        how: signal.Signals,
        whom: Whom,
        *arguments: str,
        later_s: float = 0.0,
    ) -> str:
        """Start a run, send a signal `later_s` after the moment has come, wait until all of it is gone; what it said."""
        before = len(self.said)
        run = self.start(*arguments)
        end = time.monotonic() + 300
        while not moment():
            assert run.poll() is None, f"the run ended before its moment came:\n{self.said[before:][-3000:]}"
            assert time.monotonic() < end, "the moment did not come"
            time.sleep(0.005)
        time.sleep(later_s)
        jobs = children(run.pid)
        if whom == "group":
            os.killpg(run.pid, how)
        for process in [psutil.Process(run.pid)] if whom == "run" else jobs if whom == "jobs" else []:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(how)
        run.wait(120)
        _, alive = psutil.wait_procs(jobs, timeout=30)
        assert not alive, f"jobs outlived their run: {alive}"
        return self.said[before:]


def children(process: int) -> list[psutil.Process]:
    """The jobs of a run."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process).children(recursive=True)
    return []


def make_day(folder: Path, url: str, **environment: str) -> Day:
    """A copy of the repository with the study; nothing has run."""
    copy_repository(folder)
    (folder / "config" / "bad_day.yaml").write_text(yaml.safe_dump(settings(url)), encoding="utf-8")
    return Day(Study(folder, "config/bad_day.yaml"), {"BAD_DAY_KEY": "sk-of-the-test", **environment})


def cached(folder: Path, part: str) -> str:
    """Everything that a cache holds."""
    files = sorted((folder / "results/cache" / part).rglob("*.jsonl"))
    return "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


def last_checkpoint(results: Path) -> int:
    """The step of the latest complete checkpoint, 0 where there is none."""
    states = [
        path.with_name("trainer_state.json")
        for path in (results / "checkpoints").rglob(f"checkpoint-*/{HASHES}")
    ]
    steps = [0]
    for state in states:
        with contextlib.suppress(OSError, ValueError):
            steps.append(json.loads(state.read_text(encoding="utf-8"))["global_step"])
    return max(steps)


def first_state(said: str, what: str) -> int:
    """Where the bar of a job began: `what: 10% |##   | 3 of 30 steps`."""
    found = re.search(rf"{what}.*?\| (\d+) of \d+ ", said)
    assert found, f"no bar of {what}:\n{said[-3000:]}"
    return int(found[1])


def lines(path: Path, *without: str) -> list[dict[str, Any]]:
    """The records of a file without the fields that name the adapter, whose manifest holds how long it took."""

    def rest(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: rest(part) for key, part in value.items() if key not in {"adapter", *without}}
        return value

    return [rest(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def relative(folder: Path, pattern: str) -> list[str]:
    """Files below a folder, by name."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(pattern) if path.is_file())


@contextlib.contextmanager
def small_disk(folder: Path, size_kb: int) -> Iterator[None]:
    """A disk of a few kilobytes at a folder; needs the right to mount."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def may_mount(folder: Path) -> bool:
    """Whether this user may mount a disk there."""
    try:
        with small_disk(folder, 64):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False
