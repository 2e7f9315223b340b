# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Tablets that fetch a file at the same moment, each with its own address, and throw away what they get."""

import selectors
import socket
import statistics
import time
from dataclasses import dataclass, field


@dataclass
class Download:
    sock: socket.socket
    request: bytes
    begun: float = 0
    first: float = 0
    done: float = 0
    head: bytes = b""
    left: int | None = None
    status: int = 0


@dataclass
class Outcome:
    downloads: list[Download] = field(default_factory=list)

    @property
    def complete(self) -> int:
        return sum(1 for one in self.downloads if one.left == 0 and one.status in (200, 206))

    @property
    def seconds(self) -> float:
        return max(one.done for one in self.downloads) - min(one.begun for one in self.downloads)

    @property
    def first_octet_p50(self) -> float:
        return statistics.median(one.first - one.begun for one in self.downloads)


ROOM = bytearray(1 << 20)


def read_some(one: Download) -> bool:
    """Whether there is more to come."""
    if one.left is None:
        chunk = one.sock.recv(16384)
        if not chunk:
            return False
        one.first = one.first or time.monotonic()
        one.head += chunk
        if b"\r\n\r\n" not in one.head:
            return True
        head, _, body = one.head.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        one.status = int(lines[0].split(" ")[1])
        one.left = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")) - len(body)
    else:
        # Thrown away in the kernel: the clients are not what is measured.
        got = one.sock.recv_into(ROOM, len(ROOM), socket.MSG_TRUNC)
        if got == 0:
            return False
        one.left -= got
    return one.left > 0


def fetch_together(school, tablets: list[int], address: str, host: str, path: str, seconds: float) -> Outcome:
    """All at once, over HTTP; each has ended or `seconds` have passed when this returns."""
    outcome = Outcome()
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    selector = selectors.DefaultSelector()
    for number in tablets:
        sock = school.socket(f"tablet{number}", socket.AF_INET)
        sock.connect((address, 80))
        one = Download(sock, request)
        outcome.downloads.append(one)
        selector.register(sock, selectors.EVENT_READ, one)
    for one in outcome.downloads:
        one.begun = time.monotonic()
        one.sock.sendall(request)
    deadline = time.monotonic() + seconds
    while selector.get_map() and (left := deadline - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            one = key.data
            try:
                more = read_some(one)
            except ConnectionError:
                more = False
            if not more:
                one.done = time.monotonic()
                selector.unregister(one.sock)
                one.sock.close()
    for key in list(selector.get_map().values()):
        key.data.done = time.monotonic()
        key.data.sock.close()
    return outcome
