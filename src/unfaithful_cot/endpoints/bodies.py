"""Bodies of answers, bounded: a server that sends without end, or little that unpacks to much, cannot fill the memory.

In: an HTTP response whose body is not read yet. Out: the same, with a body that is unpacked here and ends the attempt where
it grows beyond the bound.
Errors: BodyTooLarge; MalformedAnswer where a body cannot be unpacked.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from unfaithful_cot.endpoints.faults import BodyTooLarge, MalformedAnswer

MAX_BODY_BYTES = 16 * 2**20
"""Of one completion, several times the longest."""
MAX_FILE_BYTES = 2**30
"""Of a file of a batch, which holds up to 50,000 answers."""
STEP_BYTES = 2**16
ENCODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 47}
"""What is asked for and unpacked here, with the window bits of zlib."""


async def bounded(response: httpx2.Response) -> None:
    """Hook of the client: the body, which is not read yet, is unpacked here and bounded."""
    most = MAX_FILE_BYTES if response.request.url.path.endswith("/content") else MAX_BODY_BYTES
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ENCODINGS:
        del response.headers["content-encoding"]
    response.stream = _Bounded(response.stream, most, ENCODINGS.get(encoding))


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: Any, most: int, bits: int | None) -> None:
        self.stream, self.most = stream, most
        self.unpacker = None if bits is None else zlib.decompressobj(bits)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for chunk in self.stream:
            for part in self._unpacked(chunk):
                seen += len(part)
                if seen > self.most:
                    raise BodyTooLarge(f"the body is larger than {self.most / 2**20:,.0f} MiB")
                yield part

    def _unpacked(self, chunk: bytes) -> Any:
        if self.unpacker is None:
            yield chunk
            return
        while chunk:
            try:
                yield self.unpacker.decompress(chunk, STEP_BYTES)
            except zlib.error as error:
                raise MalformedAnswer(f"the body cannot be unpacked ({error})") from None
            chunk = self.unpacker.unconsumed_tail

    async def aclose(self) -> None:
        await self.stream.aclose()
