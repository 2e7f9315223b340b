# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""schultor-origin between a test, which speaks as the caching engine does, and origins of the test's, in a network namespace of its own."""

import ctypes
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from . import dns

DEADLINE = 20.0
SLICE = 4 << 20
CLONE_NEWNET = 0x40000000


def enter_own_network(addresses: list[str]) -> None:
    """This process in a namespace whose loopback has these addresses; exits with 77 and the reason where that cannot be."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        print("skipped: network namespaces want root and ip(8)")
        sys.exit(77)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        print(f"skipped: no network namespace: {os.strerror(ctypes.get_errno())}")
        sys.exit(77)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in addresses:
        nodad = ["nodad"] if ":" in address else []
        subprocess.run(["ip", "address", "add", f"{address}/{128 if ':' in address else 32}", "dev", "lo", *nodad], check=True)


def die_with_parent() -> None:
    """Between fork and exec: a test that is killed leaves nothing behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Resolver:
    """Answers what `names` says: name → addresses; a name alone is an alias."""

    def __init__(self, names: dict[str, list[str] | str]):
        self.names = names
        self.asked: list[str] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 5335))
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        while True:
            message, client = self.socket.recvfrom(4096)
            question = dns.parse(message)
            name, type = question.question
            self.asked.append(name)
            records, owner = [], name.lower()
            while isinstance(found := self.names.get(owner), str):
                records.append((owner, dns.CNAME, dns.encode_name(found)))
                owner = found
            family = {dns.A: socket.AF_INET, dns.AAAA: socket.AF_INET6}.get(type)
            for address in found or []:
                if family == (socket.AF_INET6 if ":" in address else socket.AF_INET):
                    records.append((owner, type, socket.inet_pton(family, address)))
            rcode = dns.NXDOMAIN if found is None else dns.NOERROR
            end = 12 + len(dns.encode_name(name)) + 4
            head = struct.pack("!6H", question.id, 0x8180 | rcode, 1, len(records), 0, 0)
            body = b"".join(dns.encode_name(own) + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for own, kind, data in records)
            self.socket.sendto(head + message[12:end] + body, client)


@dataclass
class Response:
    status: int
    """0: the connection was closed without an answer."""
    headers: list[tuple[str, str]]
    body: bytes
    whole: bool
    """Its end was told, not only the connection's."""

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def exactly(stream, count: int) -> tuple[bytes, bool]:
    got = stream.read(count)
    return got, len(got) == count


def read_response(stream, head: bool = False) -> Response:
    try:
        line = stream.readline().decode()
        if not line:
            return Response(0, [], b"", False)
        headers = []
        while field := stream.readline().decode("latin-1").strip():
            name, _, value = field.partition(":")
            headers.append((name, value.strip()))
        response = Response(int(line.split(" ")[1]), headers, b"", True)
        if head or response.status in (204, 304):
            return response
        if (length := response.get("Content-Length")) is not None:
            response.body, response.whole = exactly(stream, int(length))
            return response
        while True:
            size = stream.readline().strip()
            if not size:
                response.whole = False
                return response
            octets, whole = exactly(stream, int(size, 16))
            stream.readline()
            response.body += octets
            response.whole = whole
            if size == b"0" or not whole:
                return response
    except ConnectionError:
        return Response(0, [], b"", False)


class Hop:
    """The program, and requests to it."""

    def __init__(self, directory: Path, origins: list[dict], inside: list[str], ca: Path | None = None, stalled: int = 2):
        # Where nginx's configuration is written as well: an origin of the test's may be nginx, too.
        self.directory = directory / "runtime"
        self.directory.mkdir()
        self.rules = directory / "rules.json"
        self.inside = inside
        self.write_rules(origins)
        self.words = [str(Path(os.environ["SCHULTOR_BUILD"], "daemon/app/schultor-origin")), "--runtime", str(self.directory), "--state", str(directory),
                      "--certificates", str(directory), "--rules", str(self.rules), "--stalled", str(stalled)] + (["--ca", str(ca)] if ca else [])
        self.log = directory / "log"
        self.process = None
        self.start()

    def write_rules(self, origins: list[dict]) -> None:
        text = json.dumps({"version": 1, "origins": sorted(origins, key=lambda one: one["name"]), "inside": self.inside, "resolver": "127.0.0.1:5335", "lan": [],
                           "directory": "/var/cache/schultor", "size": 1 << 30, "least_free": 0})
        aside = self.rules.with_suffix(".new")
        aside.write_text(text)
        aside.rename(self.rules)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.words, stderr=log, preexec_fn=die_with_parent)  # noqa: PLW1509
        self.until(lambda: self.request("GET", "/.schultor/health", host="health.schultor.internal").status == 204)

    def until(self, true) -> None:
        deadline = time.monotonic() + DEADLINE
        while not true():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"schultor-origin ended, or waited for in vain: {self.log.read_text()}")
            select.select([], [], [], 0.02)

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        self.process.send_signal(with_signal)
        return self.process.wait(DEADLINE)

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(DEADLINE)
        try:
            client.connect(str(self.directory / "hop.sock"))
        except OSError:
            client.close()
            raise
        return client

    def request(self, method: str, target: str, *lines: str, host: str = "inhalte.test", body: bytes = b"") -> Response:
        try:
            with self.connect() as client, client.makefile("rb") as stream:
                client.sendall(self.text(method, target, *lines, host=host) + body)
                return read_response(stream, method == "HEAD")
        except (FileNotFoundError, ConnectionError):
            return Response(0, [], b"", False)

    @staticmethod
    def text(method: str, target: str, *lines: str, host: str = "inhalte.test") -> bytes:
        if not any(line.startswith("X-Schultor-Scheme") for line in lines):
            lines = ("X-Schultor-Scheme: http", *lines)
        return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode()

    def store(self, target: str, *lines: str, slice: int | None = 0, host: str = "inhalte.test") -> Response:
        """As the engine asks for what it may store; `slice`: the number of the slice, or None."""
        ranged = () if slice is None else (f"Range: bytes={slice * SLICE}-{(slice + 1) * SLICE - 1}",)
        return self.request("GET", target, "X-Schultor-Store: 1", *ranged, *lines, host=host)

    def direct(self, target: str, *lines: str, host: str = "inhalte.test") -> Response:
        return self.request("GET", target, *lines, host=host)

    def memory(self) -> int:
        """Octets of anonymous memory that it holds."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no RssAnon")


def origin(name: str, *hosts: str, **values) -> dict:
    return {"name": name, "hosts": list(hosts), "http": True, "https": True, "scope": "all", "largest": 1 << 30, "longest": 2592000,
            "paths": []} | values
