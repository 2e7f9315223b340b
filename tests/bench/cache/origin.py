# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""An origin that counts what is fetched and sends no faster than a school's line: GET /SIZE/NAME is SIZE octets that say where they are."""

import asyncio
import email.utils
import re
import socket
import threading
import time

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


class Origin:
    """Serves a listening socket on a thread of its own until close()."""

    def __init__(self, listener: socket.socket, rate: float = 0):
        self.rate, self.free_at = rate, 0.0
        self.requests: list[tuple[str, str | None]] = []
        self.sent = 0
        self.loop = asyncio.new_event_loop()
        listener.setblocking(False)
        self.listener = listener
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self.serve, sock=self.listener, limit=1 << 16))
        self.loop.run_forever()

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
                target = head[0].split(" ")[1]
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                await self.answer(writer, target, fields.get("range"))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, writer: asyncio.StreamWriter, target: str, wanted: str | None) -> None:
        self.requests.append((target, wanted))
        size = int(re.match(r"/(\d+)/", target)[1])
        first, last, status = 0, size - 1, "200 OK"
        lines = [f"Date: {email.utils.formatdate(time.time(), usegmt=True)}", "Content-Type: application/octet-stream",
                 "Cache-Control: public, max-age=86400", f'ETag: "{size}"', "Accept-Ranges: bytes"]
        if wanted and (part := re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)):
            first, last, status = int(part[1]), min(int(part[2]), size - 1), "206 Partial Content"
            lines.append(f"Content-Range: bytes {first}-{last}/{size}")
        lines.append(f"Content-Length: {last - first + 1}")
        writer.write(("\r\n".join([f"HTTP/1.1 {status}", *lines]) + "\r\n\r\n").encode())
        while first <= last:
            count = min(last - first + 1, 1 << 16)
            await self.pace(count)
            writer.write(octets(first, count))
            await writer.drain()
            self.sent += count
            first += count
