# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A school for one test class: brought up by tools/lab under a name of its own, gone with the test."""

import atexit
import contextlib
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from socket import AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM

SOURCE = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(SOURCE / "tools"))

from schoollab import instance, namespaces, network, parts  # noqa: E402
from schoollab.names import DEFAULT_CONFIG, GATEWAY4, GATEWAY6, LABS, internet4, internet6, tablet4, tablet6, tablet_mac  # noqa: E402,F401

from . import dns  # noqa: E402
from .mqtt import MqttWatch  # noqa: E402
from .tcp import tcp_info  # noqa: E402,F401

LAB = SOURCE / "tools" / "lab"
DEADLINE = 30.0
numbers = itertools.count(1)


def cannot_run_here() -> str | None:
    """Why the lab cannot be brought up on this machine, or None."""
    if os.geteuid() != 0:
        return "network namespaces want root"
    missing = [tool for tool in ("ip", "nsd", "nginx", "mosquitto", "mosquitto_sub", "unbound", "dbus-daemon", "openssl", "setpriv")
               if not shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")]
    return f"not installed: {', '.join(missing)}" if missing else None


def main() -> None:
    """unittest.main for a system test: exits with 77 and the reason where it cannot run."""
    if reason := cannot_run_here():
        print(f"skipped: {reason}")
        sys.exit(77)
    # Ending in order takes the schools down; whatever is killed harder is cleared by the next.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    unittest.main(verbosity=2)


def wait_for(predicate, seconds: float = DEADLINE, what: str = "it"):
    """For what has no event to wait on. Returns the first true value of predicate(); raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        select.select([], [], [], 0.02)
    return value


def without_cache(text: str) -> str:
    """A file of the default configuration, with whatever was added to it, but for what it says of the content cache."""
    return re.sub(r"\n# The content cache:.*?(?=\n\n\[|\Z)", "", text, flags=re.DOTALL)


class School:
    """with School(at="2026-11-23 07:59:50") as school: …"""

    DEFAULT_CONFIG = DEFAULT_CONFIG

    def __init__(self, at: str | None = None, tablets: int = 8, config: dict[str, str] | None = None, gate: bool = True,
                 cache: bool | str = False):
        """`config` replaces files of the default configuration: name → text. Without `cache` whatever they say of it is
        left out; one that is "played" is configured and not started."""
        self.name = f"t{os.getpid()}n{next(numbers)}"
        self.at, self.tablets, self.gate, self.cache = at, tablets, gate, cache
        self.changes = config or {}
        self.directory = LABS / self.name
        self.open_files = contextlib.ExitStack()
        self.servers = {}

    def __enter__(self):
        words = ["up", "--tablets", str(self.tablets), "--owner", str(os.getpid())]
        words += ["--at", self.at] if self.at else []
        words += [] if self.gate else ["--no-gate"]
        words += ["--no-cache"] if self.cache == "played" else []
        with tempfile.TemporaryDirectory(prefix="schultor-config-") as directory:
            config = Path(directory, "config")
            shutil.copytree(DEFAULT_CONFIG, config)
            for name, text in self.changes.items():
                (config / name).parent.mkdir(exist_ok=True)
                (config / name).write_text(text)
            if not self.cache:
                for name in ("gateway.toml", "city.toml"):
                    (config / name).write_text(without_cache((config / name).read_text()))
            # Only root may enter the directory: the lab takes a copy, which config() then edits.
            Path(directory).chmod(0o700)
            # unittest forgets its class cleanups on Ctrl-C, and an interrupted `up` may have been killed.
            atexit.register(self.down)
            try:
                self.lab(*words, "--config", str(config))
            except BaseException:
                self.down()
                raise
        return self

    def __exit__(self, kind, error, trace):
        self.open_files.close()
        if error is not None and os.environ.get("SCHULTOR_TEST_LOGS"):
            print(self.lab("logs", check=False).stdout, file=sys.stderr)
        self.down()

    def down(self) -> None:
        self.lab("down")
        atexit.unregister(self.down)

    def lab(self, *words: str, check: bool = True, seconds: float = 120) -> subprocess.CompletedProcess:
        """Runs tools/lab for this school; a failure raises AssertionError with what it said."""
        done = subprocess.run([str(LAB), "--name", self.name, *words], capture_output=True, text=True, timeout=seconds, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"tools/lab {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def exec(self, host: str, *argv: str, check: bool = True, seconds: float = 60) -> subprocess.CompletedProcess:
        return self.lab("exec", host, *argv, check=check, seconds=seconds)

    def popen(self, host: str, *argv: str, **options) -> subprocess.Popen:
        """A program in a host; ended when the school goes."""
        process = subprocess.Popen([str(LAB), "--name", self.name, "exec", host, *argv], **options)
        self.open_files.callback(lambda: (process.kill(), process.wait()))
        return process

    def time(self, text: str) -> None:
        """Returns when the daemon has committed what holds then."""
        self.lab("time", text)

    def trust(self, synchronised: bool) -> None:
        """Whether a time service is said to have set the clock. Returns when the daemon has committed what holds then."""
        self.lab("time", "--trust", "yes" if synchronised else "no")

    def restart(self, part: str) -> None:
        self.lab("restart", part)

    def kill(self, part: str) -> None:
        self.lab("kill", part)

    def stop(self, part: str) -> None:
        self.lab("stop", part)

    def hold_before_network(self) -> None:
        """What a start of the machine does before the network comes up; raises LabError where that fails."""
        parts.hold_before_network(instance.Instance(self.name))

    def wan(self, state: str) -> None:
        self.lab("wan", state)

    def log(self, part: str) -> str:
        return self.lab("logs", part).stdout

    def config(self, name: str) -> Path:
        """A file of this school's configuration, to be edited before reload()."""
        return self.directory / "config" / name

    def reload(self) -> subprocess.CompletedProcess:
        """Over D-Bus; the caller judges the exit code."""
        return self.exec("gateway", "schultorctl", "reload", check=False)

    def ctl(self, *words: str, check: bool = True) -> subprocess.CompletedProcess:
        return self.exec("gateway", "schultorctl", *words, check=check)

    def nft(self, what: str = "ruleset") -> dict:
        """`nft -j list WHAT` of the gateway."""
        return json.loads(self.exec("gateway", "nft", "-j", "list", *what.split()).stdout)

    def nft_elements(self, name: str) -> list:
        """What a set or map of the table inet schultor holds, as nft tells it in JSON."""
        for kind in ("set", "map"):
            listed = self.exec("gateway", "nft", "-j", "list", kind, "inet", "schultor", name, check=False)
            if listed.returncode == 0:
                return next(item[kind].get("elem", []) for item in json.loads(listed.stdout)["nftables"] if kind in item)
        raise AssertionError(f"there is no set or map {name}")

    def namespace(self, host: str) -> str:
        return network.namespace(self.name, host)

    def inside(self, host: str):
        """with school.inside(host): the calling thread is in that host's network."""
        return namespaces.inside(self.namespace(host))

    def socket(self, host: str, family: int = AF_INET, type: int = SOCK_STREAM, protocol: int = 0, seconds: float = DEADLINE):
        """A socket of that host, whatever host the caller is in: closed with the school, blocking with this timeout."""
        with self.inside(host):
            made = socket.socket(family, type, protocol)
        made.settimeout(seconds)
        return self.open_files.enter_context(made)

    def server(self, host: str, address: str, port: int, type: int = SOCK_STREAM):
        """A bound socket (TCP: listening) on an address of that host. An earlier one there is closed."""
        if earlier := self.servers.pop((host, address, port, type), None):
            earlier.close()
        made = self.socket(host, AF_INET6 if ":" in address else AF_INET, type)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if made.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        if type == SOCK_STREAM:
            made.listen(256)
        self.servers[host, address, port, type] = made
        return made

    def connect(self, host: str, address: str, port: int, seconds: float = DEADLINE):
        """A TCP connection from that host; raises ConnectionRefusedError when the gate resets it, OSError (EHOSTUNREACH, EACCES) on ICMP."""
        made = self.socket(host, AF_INET6 if ":" in address else AF_INET, SOCK_STREAM, seconds=seconds)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.connect((address, port))
        return made

    def pair(self, host: str, listener):
        """A TCP connection from host to a server() socket: (tablet's end, server's end)."""
        near = self.connect(host, *listener.getsockname()[:2])
        far, _ = listener.accept()
        far.settimeout(DEADLINE)
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return near, self.open_files.enter_context(far)

    def resolve(self, host: str, name: str, type: int = dns.A, server: str | None = None) -> dns.Answer:
        """Asks the gate from a fresh UDP socket of that host."""
        server = server or GATEWAY4
        client = self.socket(host, AF_INET6 if ":" in server else AF_INET, SOCK_DGRAM)
        try:
            return dns.ask_udp(client, server, name, type)
        finally:
            client.close()

    def watch(self, *topics: str) -> MqttWatch:
        """The city listens: subscribed when this returns."""
        argv = [str(LAB), "--name", self.name, "exec", "city", "stdbuf", "-oL", "mosquitto_sub"]
        return self.open_files.enter_context(MqttWatch(argv, list(topics) or ["schultor/#"]))
