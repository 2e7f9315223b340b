# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""An origin that counts what is fetched, and sends no faster than a school's line: GET /SIZE/NAME is SIZE octets that say where they are.
Other answers are a test's."""

import asyncio
import email.utils
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Callable

PATTERN = b"".join(number.to_bytes(8, "big") for number in range(1 << 17))
"""A mebibyte; each one of a file is turned by its number, so that no two are alike."""


def octets(first: int, count: int) -> bytes:
    """What stands there, in any file."""
    parts = []
    while count > 0:
        block, at = divmod(first, len(PATTERN))
        turn = (block * 4099 + at) % len(PATTERN)
        part = PATTERN[turn:turn + min(count, len(PATTERN) - max(turn, at))]
        parts.append(part)
        first, count = first + len(part), count - len(part)
    return b"".join(parts)


@dataclass
class Request:
    method: str
    target: str
    fields: dict[str, str]

    @property
    def range(self) -> tuple[int, int] | None:
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.fields.get("range", ""))
        return (int(part[1]), int(part[2])) if part else None


@dataclass
class Reply:
    status: str = "200 OK"
    lines: list[str] = field(default_factory=list)
    body: bytes = b""
    length: int | None = -1
    """Told; -1 as it is, None not at all: the end of the connection ends it."""
    cut: bool = False
    """The connection ends behind the body, whatever was told."""


def of_size(request: Request, tag: str | None = None, lines: tuple[str, ...] = ("Cache-Control: public, max-age=86400",)) -> Reply:
    """/SIZE/NAME, or the part that is asked for."""
    if not (named := re.match(r"/(\d+)/", request.target)):
        return Reply("404 Not Found")
    size = int(named[1])
    told = [*lines, "Content-Type: application/octet-stream", f'ETag: "{tag or size}"', "Accept-Ranges: bytes"]
    if request.range is None or request.range[0] >= size:
        return Reply("200 OK", told, octets(0, size))
    first, last = request.range[0], min(request.range[1], size - 1)
    return Reply("206 Partial Content", [*told, f"Content-Range: bytes {first}-{last}/{size}"], octets(first, last - first + 1))


def context_of(school) -> ssl.SSLContext:
    """By which the lab's internet speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(school.directory / "ca" / "web.crt", school.directory / "ca" / "web.key")
    return context


class Origin:
    """Serves listening sockets on a thread of its own until close()."""

    def __init__(self, plain: list[socket.socket], tls: list[socket.socket] = (), context: ssl.SSLContext | None = None, rate: float = 0,
                 answer: Callable[[Request], Reply] = of_size):
        self.rate, self.free_at, self.answer = rate, 0.0, answer
        self.requests: list[Request] = []
        self.sent = 0
        self.loop = asyncio.new_event_loop()
        self.listeners = [(sock, None) for sock in plain] + [(sock, context) for sock in tls]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        for sock, context in self.listeners:
            self.loop.run_until_complete(asyncio.start_server(self.serve, sock=sock, ssl=context, limit=1 << 16))
        self.loop.run_forever()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def forget(self) -> None:
        self.requests, self.sent = [], 0

    async def pace(self, count: int) -> None:
        if self.rate <= 0:
            return
        now = self.loop.time()
        begins = max(now, self.free_at)
        self.free_at = begins + count / self.rate
        if begins > now:
            await asyncio.sleep(begins - now)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(high=1 << 16)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, target, _version = head[0].split(" ")
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                await reader.readexactly(int(fields.get("content-length", 0)))
                request = Request(method, target, fields)
                self.requests.append(request)
                if not await self.reply(writer, request, self.answer(request)):
                    return
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def reply(self, writer: asyncio.StreamWriter, request: Request, reply: Reply) -> bool:
        """Whether the connection goes on."""
        lines = [f"HTTP/1.1 {reply.status}", f"Date: {email.utils.formatdate(time.time(), usegmt=True)}", *reply.lines]
        if reply.length is not None:
            lines.append(f"Content-Length: {len(reply.body) if reply.length < 0 else reply.length}")
        else:
            lines.append("Connection: close")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        for first in range(0, len(reply.body) if request.method != "HEAD" else 0, 1 << 16):
            part = reply.body[first:first + (1 << 16)]
            await self.pace(len(part))
            writer.write(part)
            await writer.drain()
            self.sent += len(part)
        return not reply.cut and reply.length is not None
