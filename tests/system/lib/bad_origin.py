# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""An origin by the byte: what it says is what a test wrote, however wrong. It keeps what it was asked."""

import socket
import ssl
import threading
from dataclasses import dataclass
from email.utils import formatdate


@dataclass
class Asked:
    line: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    to: str
    """The address that was connected to."""

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


def response(body: bytes = b"", *lines: str, status: str = "200 OK", length: int | None = None, version: str = "1.1") -> bytes:
    """A response with Date and Content-Length, `length` instead of the right one."""
    head = [f"HTTP/{version} {status}", f"Date: {formatdate(usegmt=True)}", *lines, f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class BadOrigin:
    """`pages`: path without query → function of the connection and what was asked, which sends what it likes. The connection is closed after
    it, unless it returns True."""

    def __init__(self, *endpoints: tuple[str, int], tls: ssl.SSLContext | None = None):
        self.pages = {}
        self.asked: list[Asked] = []
        self.connections = 0
        self.tls = tls
        for address, port in endpoints:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listening = socket.create_server((address, port), family=family, backlog=64)
            threading.Thread(target=self.accept, args=(listening,), daemon=True).start()

    def count(self, path: str) -> int:
        return sum(asked.path.split("?")[0] == path for asked in self.asked)

    def last(self, path: str) -> Asked:
        return [asked for asked in self.asked if asked.path.split("?")[0] == path][-1]

    def accept(self, listening: socket.socket) -> None:
        while True:
            connection, _ = listening.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while (asked := self.read(stream, connection)) is not None:
                    self.asked.append(asked)
                    page = self.pages.get(asked.path.split("?")[0], lambda c, _: c.sendall(response(status="404 Not Found")))
                    if not page(connection, asked):
                        return
        except OSError:
            pass

    def read(self, stream, connection: socket.socket) -> Asked | None:
        line = stream.readline().decode().strip()
        if not line:
            return None
        headers = {}
        while header := stream.readline().decode().strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        while headers.get("transfer-encoding") == "chunked":
            size = int(stream.readline(), 16)
            body += stream.read(size)
            stream.readline()
            if size == 0:
                break
        return Asked(line, headers, body, connection.getsockname()[0])


def sliced(octets: bytes, *lines: str):
    """A page that answers a range with that part, and anything else with all of it; connections stay open."""

    def page(connection: socket.socket, asked: Asked) -> bool:
        if "range" not in asked.headers:
            connection.sendall(response(octets, *lines))
            return True
        first, last = (int(end) for end in asked.headers["range"].removeprefix("bytes=").split("-"))
        last = min(last, len(octets) - 1)
        if first >= len(octets):
            connection.sendall(response(b"", f"Content-Range: bytes */{len(octets)}", status="416 Range Not Satisfiable"))
        else:
            connection.sendall(response(octets[first:last + 1], f"Content-Range: bytes {first}-{last}/{len(octets)}", *lines, status="206 Partial Content"))
        return True

    return page


def said(octets: bytes, stays: bool = False):
    """A page that says just this."""

    def page(connection: socket.socket, _: Asked) -> bool:
        connection.sendall(octets)
        return stays

    return page
