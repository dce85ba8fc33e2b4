"""Measures how fast documents are written through an API, what is lost, and what a kill costs.

In: nothing; a server with latency, limits and faults is started for each arm, in a process of its own (api_server.py). Out: a
JSON file beside this one, and a line an arm.
Arms: `published_way`, 20 workers that take 50 requests at a time and wait for all 50, with the retries that the client
library makes by itself; `window`, `endpoints.client.complete` with 200 in flight; `killed`, the same, killed with SIGKILL when
half is answered, and started again; `limited`, the same at a token limit of half of what 200 in flight would use.
All times are divided by --scale, for both sides alike: latency, the minute of the limit, pauses before retries, timeouts. So
a rate is that of the real time scale times --scale. Rates are compared per document. Errors: the exit status of an arm.

    .venv/bin/python benchmarks/documents.py [--documents 20000] [--published 300] [--scale 2.5] [--out FILE]
    .venv/bin/python benchmarks/documents.py --limits    # the window with and without reading what headers say of limits
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BAR = 12.0  # window against the published way, documents a second
WORKERS, BARRIER, IN_FLIGHT = 20, 50, 200
MAX_TOKENS = 1500
LOW_TOKENS_PER_MINUTE = 1.1e6
LIMITS = {3e6: (600, 2), LOW_TOKENS_PER_MINUTE: (600, 4), 2e5: (200, 2)}
"""Of --limits: tokens a minute, the documents written under them, and how often."""
TOKENS_PER_MINUTE = 3e6  # 200 in flight use about 2.2 million
PROMPT = (
    "Write document {index}. "
    + "The firm decides by what its confidential reports say and cites public ones. " * 36
)


def prompts(count: int) -> list[list[dict[str, str]]]:
    """Messages of about 700 tokens, all different."""
    return [[{"role": "user", "content": PROMPT.format(index=index)}] for index in range(count)]


def published_way(url: str, count: int, scale: float) -> dict[str, Any]:
    """Barriers of 50 with 20 workers; what the library's own two retries do not mend is lost."""
    import openai
    from openai import _base_client

    _base_client.INITIAL_RETRY_DELAY /= scale
    _base_client.MAX_RETRY_DELAY /= scale
    api = openai.OpenAI(base_url=url, api_key="none")

    def ask(messages: Any) -> str | None:
        try:
            said = api.chat.completions.create(
                model="m", messages=messages, max_tokens=MAX_TOKENS, temperature=1.0
            )
            return said.choices[0].message.content
        except (openai.OpenAIError, ValueError, AttributeError, IndexError, TypeError):
            return None

    todo, texts = prompts(count), []
    began_s = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        for first in range(0, count, BARRIER):
            texts += list(pool.map(ask, todo[first : first + BARRIER]))
    return {"seconds": time.perf_counter() - began_s, "lost": sum(not text for text in texts)}


def window(url: str, count: int, scale: float, cache: str, blind: bool = False) -> dict[str, Any]:
    """Our client; nothing may be lost. blind: what headers say of limits is not waited for."""
    from unfaithful_cot.config.endpoint import EndpointSettings
    from unfaithful_cot.endpoints import pace
    from unfaithful_cot.endpoints import window as sliding
    from unfaithful_cot.endpoints.client import complete
    from unfaithful_cot.endpoints.requests import make_request

    for module, names in ((sliding, ("BACKOFF_S", "BACKOFF_MAX_S")), (pace, ("BREAK_S", "BREAK_MAX_S"))):
        for name in names:
            setattr(module, name, getattr(module, name) / scale)
    if blind:
        vars(pace)["Limits"].wait_s = lambda self, tokens, now: 0.0
    endpoint = EndpointSettings(
        model="m",
        base_url=url,
        api_key_env="",
        max_tokens=MAX_TOKENS,
        concurrency=IN_FLIGHT,
        timeout_s=120 / scale,
    )
    requests = [make_request(endpoint, messages) for messages in prompts(count)]
    began_s = time.perf_counter()
    done = complete(requests, endpoint, cache, label="documents")
    seconds = time.perf_counter() - began_s
    used = os.times()
    return {
        "seconds": seconds,
        "lost": sum(answer is None for answer in done.answers),
        "retries": done.retries,
        "cached": done.n_cached,
        "cpu_s": used.user + used.system,
    }


@contextlib.contextmanager
def server(scale: float, tokens_per_minute: float) -> Iterator[str]:
    """A fresh server; its address."""
    command = [sys.executable, HERE / "api_server.py", "--scale", str(scale)]
    command += ["--tokens-per-minute", str(tokens_per_minute)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def stats(url: str) -> dict[str, Any]:
    """The server's own counts."""
    with urllib.request.urlopen(f"{url}/stats") as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def start(arm: str, url: str, count: int, scale: float, cache: str) -> subprocess.Popen[str]:
    """An arm in a process of its own."""
    command = [sys.executable, __file__, "--arm", arm, "--url", f"{url}/v1", "--documents", str(count)]
    command += ["--scale", str(scale), "--cache", cache]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What an arm says at its end."""
    out, _ = process.communicate()
    if process.returncode:
        sys.exit(f"an arm ended with {process.returncode}")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def measure(
    arm: str, count: int, scale: float, tokens_per_minute: float = TOKENS_PER_MINUTE
) -> dict[str, Any]:
    """Run an arm undisturbed."""
    with tempfile.TemporaryDirectory() as cache, server(scale, tokens_per_minute) as url:
        found = finish(start(arm, url, count, scale, cache)) | {"documents": count, "server": stats(url)}
    found["documents_per_s"] = round((count - found["lost"]) / found["seconds"], 2)
    return found


def measure_kill(count: int, scale: float) -> dict[str, Any]:
    """Kill the window when half is answered, start it again, and count what the server was asked twice."""
    with tempfile.TemporaryDirectory() as cache, server(scale, TOKENS_PER_MINUTE) as url:
        process = start("window", url, count, scale, cache)
        while stats(url)["distinct_good"] < count // 2:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        at_kill = stats(url)
        stored = Path(cache, "answers.jsonl").read_bytes().count(b"\n")
        found = finish(start("window", url, count, scale, cache))
        after = stats(url)
    return {
        "documents": count,
        "at_kill": {
            "working": at_kill["in_flight"],
            "answered_not_stored": at_kill["distinct_good"] - stored,
            "stored": stored,
        },
        "repeated": after["repeated"] - at_kill["repeated"],
        "cached": found["cached"],
        "lost": found["lost"],
        "server": after,
    }


def limited(count: int, scale: float) -> dict[str, Any]:
    """The window at half the token limit: how much of the limit it used, and how often it was refused."""
    found = measure("window", count, scale, LOW_TOKENS_PER_MINUTE)
    admitted = found["server"]["requests"] - found["server"].get("status_429", 0)
    tokens = admitted * (len(PROMPT) / 4 + MAX_TOKENS)
    allowed = LOW_TOKENS_PER_MINUTE * (found["seconds"] * scale / 60 + 1 / 6)
    return found | {"tokens_per_minute": LOW_TOKENS_PER_MINUTE, "share_of_limit": round(tokens / allowed, 3)}


def compare_limits(scale: float, out: Path) -> None:
    """The window, in turn with and without what headers say of limits."""
    runs: list[dict[str, Any]] = []
    for limit, (count, times) in LIMITS.items():
        for arm in ("window", "window_blind") * times:
            found = measure(arm, count, scale, limit) | {"arm": arm, "tokens_per_minute": limit}
            found["load"] = os.getloadavg()[0]
            runs.append(found)
            print(json.dumps(found), flush=True)
            out.write_text(json.dumps({"scale": scale, "runs": runs}, indent=2) + "\n", encoding="utf-8")


def main(count: int, published: int, scale: float, out: Path) -> None:
    """All arms, and the file."""
    result: dict[str, Any] = {
        "command": f"benchmarks/documents.py --documents {count} --published {published} --scale {scale:g}",
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()},
        "scale": scale,
        "latency": "log-normal, median 11 s, sigma 0.5, 1 in 200 a minute; divided by scale",
        "tokens_per_minute": TOKENS_PER_MINUTE,
    }
    arms: dict[str, Any] = {}
    result["arms"] = arms
    for name, run in (
        ("published_way", lambda: measure("published_way", published, scale)),
        ("window", lambda: measure("window", count, scale)),
        ("killed", lambda: measure_kill(max(count // 10, 400), scale)),
        ("limited", lambda: limited(max(count // 10, 400), scale)),
    ):
        arms[name] = run()
        print(name, json.dumps(arms[name]), flush=True)
    result["ratio"] = round(arms["window"]["documents_per_s"] / arms["published_way"]["documents_per_s"], 2)
    result["bar"] = BAR
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"ratio {result['ratio']} (bar {BAR:g}); lost {arms['window']['lost']}")
    print(f"after the kill {arms['killed']['repeated']} requests repeated (bar {IN_FLIGHT}, those in flight)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=20000)
    parser.add_argument("--published", type=int, default=300)
    parser.add_argument("--scale", type=float, default=2.5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--limits", action="store_true", help="the window with and without reading limits")
    parser.add_argument("--arm", choices=["published_way", "window", "window_blind"], help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--cache", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm == "published_way":
        print(json.dumps(published_way(given.url, given.documents, given.scale)))
    elif given.arm:
        blind = given.arm == "window_blind"
        print(json.dumps(window(given.url, given.documents, given.scale, given.cache, blind)))
    elif given.limits:
        compare_limits(given.scale, given.out or HERE / "documents_limits.json")
    else:
        main(given.documents, given.published, given.scale, given.out or HERE / "documents.json")
