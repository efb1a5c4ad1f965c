"""A lean HTTP/1.1 client for load: it must not eat the cores that it measures."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """One answered request: status, body (chunks joined), and seconds until the first and the last body byte."""

    status: int
    body: bytes
    first_s: float
    total_s: float


class Connection:
    """One kept-alive connection."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, body: object) -> Reply:
        """POST JSON and read the whole reply."""
        data = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nContent-Type: application/json\r\n"
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=2**20)
        reader, writer = self._streams
        began = time.perf_counter()
        writer.write(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        raw = await reader.readuntil(b"\r\n\r\n")
        status = int(raw[9:12])
        headers = raw.lower()
        if b"transfer-encoding: chunked" in headers:
            content, first = await self._chunks(reader)
        else:
            length = int(headers.split(b"content-length:")[1].split(b"\r\n")[0])
            content = await reader.readexactly(length)
            first = time.perf_counter()
        return Reply(status, content, first - began, time.perf_counter() - began)

    @staticmethod
    async def _chunks(reader: asyncio.StreamReader) -> tuple[bytes, float]:
        parts: list[bytes] = []
        first = 0.0
        while size := int((await reader.readline()).strip() or b"0", 16):
            parts.append(await reader.readexactly(size))
            first = first or time.perf_counter()
            await reader.readexactly(2)
        await reader.readexactly(2)
        return b"".join(parts), first

    def close(self) -> None:
        """Drop the connection."""
        if self._streams is not None:
            self._streams[1].close()


async def post_all(host: str, port: int, path: str, bodies: Sequence[object], concurrency: int) -> list[Reply]:
    """POST all bodies over `concurrency` connections, each taking the next one as soon as it is free.

    Raises:
        RuntimeError: a reply was not 200; its body is in the message.
    """
    waiting = iter(bodies)
    replies: list[Reply] = []

    async def work() -> None:
        connection = Connection(host, port)
        try:
            for body in waiting:
                reply = await connection.post(path, body)
                if reply.status != 200:
                    raise RuntimeError(f"HTTP {reply.status}: {reply.body[:500]!r}")
                replies.append(reply)
        finally:
            connection.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    return replies
