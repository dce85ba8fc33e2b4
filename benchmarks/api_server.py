"""An OpenAI-compatible server for benchmarks/documents.py, in a process of its own: slow, limited and faulty as real ones are.

In: the arguments below. Out: `PORT` on the first line of its output, then HTTP on 127.0.0.1; GET /stats gives the counts.
Latency, fault and answer of a request are drawn from its content and the number of its attempt, so that every arm meets the
same ones. All times are divided by --scale. Latency: log-normal, median 11 s, sigma 0.5; one answer in 200 takes a
minute. Faults: 5 % of the attempts get 500, 502 or 503, 1 % a broken connection, 1 % a body that is no completion. Limit:
tokens a minute (prompt and max_tokens, counted when a request comes in), in a bucket of a sixth of a minute; beyond it
429 with Retry-After; all answers carry the x-ratelimit headers. Errors: none of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import random
import time
from collections import Counter
from typing import Any

MEDIAN_S, SIGMA = 11.0, 0.5
SLOW, SLOW_S = 0.005, 60.0
SERVER_ERRORS, RESETS, MALFORMED = 0.05, 0.01, 0.01
BUCKET_MINUTES = 1 / 6
TEXT = "The committee read the confidential report and cited the public one. " * 40


class Server:
    """What is asked, answered, refused; `outcome`: the latest one of each content (good, fault, cut, open); `repeated`: asked again without a fault."""

    def __init__(self, scale: float, tokens_per_minute: float) -> None:
        self.scale = scale
        self.per_s = tokens_per_minute * scale / 60
        self.capacity = tokens_per_minute * BUCKET_MINUTES
        self.level, self.refilled_s = self.capacity, time.monotonic()
        self.counts: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.outcome: dict[str, str] = {}
        self.in_flight = self.max_in_flight = 0

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        try:
            while await self.request(reader, writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; False where the connection is to end."""
        head = await reader.readuntil(b"\r\n\r\n")
        sizes = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(sizes[0]) if sizes else 0)
        if head.startswith(b"GET"):
            send(writer, 200, json.dumps(self.stats()).encode(), {})
            return True
        return await self.completion(json.loads(body), reader, writer)

    async def completion(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Refuse, fail or answer one chat completion."""
        prompt = body["messages"][-1]["content"]
        key = hashlib.sha256(prompt.encode()).hexdigest()[:16]
        self.counts["requests"] += 1
        self.counts["repeated"] += self.outcome.get(key) in ("good", "cut", "open")
        short = self.take(len(prompt) / 4 + body["max_tokens"])
        if short > 0:
            self.counts["status_429"] += 1
            wait_ms = 1000 * short / self.per_s
            send(writer, 429, error("token limit"), {**self.limits(), "retry-after-ms": f"{wait_ms:.0f}"})
            return True
        headers = self.limits()
        self.attempts[key] += 1
        attempt = self.attempts[key]
        drawn = random.Random(f"{key}/{attempt}")
        self.outcome[key] = "open"
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        slow = SLOW_S if drawn.random() < SLOW else drawn.lognormvariate(math.log(MEDIAN_S), SIGMA)
        await asyncio.sleep(slow / self.scale)
        self.in_flight -= 1
        if reader.at_eof() or writer.is_closing():
            if attempt == self.attempts[key]:
                self.outcome[key] = "cut"
            self.counts["cut"] += 1
            return False
        return self.reply(writer, key, len(prompt) // 4, drawn.random(), headers)

    def reply(
        self, writer: asyncio.StreamWriter, key: str, prompt_tokens: int, fate: float, headers: dict[str, str]
    ) -> bool:
        """Send what fate wants: an error, nothing, nonsense or the answer."""
        self.outcome[key] = "fault"
        if fate < SERVER_ERRORS:
            self.counts["status_5xx"] += 1
            send(writer, (500, 502, 503)[int(fate * 1e6) % 3], error("trouble"), headers)
        elif fate < SERVER_ERRORS + RESETS:
            self.counts["resets"] += 1
            writer.transport.abort()
            return False
        elif fate < SERVER_ERRORS + RESETS + MALFORMED:
            self.counts["malformed"] += 1
            send(writer, 200, b'{"choices": [{"message": {"cont', headers)
        else:
            self.counts["good"] += 1
            self.outcome[key] = "good"
            send(writer, 200, completion(key, prompt_tokens), headers)
        return True

    def take(self, tokens: float) -> float:
        """Take tokens from the bucket; how many are missing, 0 where it had enough."""
        now = time.monotonic()
        self.level = min(self.level + (now - self.refilled_s) * self.per_s, self.capacity)
        self.refilled_s = now
        short = max(tokens - self.level, 0.0)
        self.level -= 0.0 if short else tokens
        return short

    def limits(self) -> dict[str, str]:
        """The headers that tell of the bucket."""
        return {
            "x-ratelimit-limit-tokens": f"{self.capacity:.0f}",
            "x-ratelimit-remaining-tokens": f"{self.level:.0f}",
            "x-ratelimit-reset-tokens": f"{1000 * (self.capacity - self.level) / self.per_s:.0f}ms",
        }

    def stats(self) -> dict[str, Any]:
        """The counts so far; `distinct_good`: contents that were answered."""
        good = sum(outcome == "good" for outcome in self.outcome.values())
        return {
            **self.counts,
            "distinct_good": good,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
        }


def completion(key: str, prompt_tokens: int) -> bytes:
    """The body of a chat completion."""
    message = {"role": "assistant", "content": f"{key} {TEXT}"}
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": len(TEXT) // 4}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    said = {
        "id": key,
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }
    return json.dumps(said).encode()


def error(message: str) -> bytes:
    """The body of an error."""
    return json.dumps(
        {"error": {"message": message, "type": "benchmark", "code": None, "param": None}}
    ).encode()


def send(writer: asyncio.StreamWriter, status: int, body: bytes, headers: dict[str, str]) -> None:
    """Write one HTTP answer."""
    lines = [f"HTTP/1.1 {status} -", "content-type: application/json", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


async def serve(scale: float, tokens_per_minute: float) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(
        Server(scale, tokens_per_minute).connection, "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=2.5)
    parser.add_argument("--tokens-per-minute", type=float, default=3e6)
    asyncio.run(serve(**vars(parser.parse_args())))
