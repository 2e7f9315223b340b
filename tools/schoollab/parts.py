# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What runs in a lab, how each part is started, and how one knows that it is ready."""

import os
import select
import signal
import socket
import time
from dataclasses import dataclass, field
from typing import Callable

from . import clock, gateway, namespaces, processes
from .instance import Instance
from .names import LabError

READY_SECONDS = 30
STOP_SECONDS = 10
LOG_LINES = 15


@dataclass(frozen=True)
class Part:
    host: str
    argv: Callable[[Instance], list[str]]
    env: Callable[[Instance], dict[str, str]] = field(default=lambda lab: {})
    notifies: bool = True
    """Says READY=1 by sd_notify(3); else `answers` is asked."""
    answers: Callable[[Instance], bool] = field(default=lambda lab: True)
    then: Callable[[Instance], None] = field(default=lambda lab: None)
    """ExecStartPost="""


def daemon(lab: Instance, name: str, capabilities: list[str], *options: str) -> list[str]:
    users = {"schultord": "schultor", "schultor-origin": "schultor-cache"}
    return gateway.as_user(users.get(name, name), capabilities, [str(lab.path("bin", name)), *options])


def schultord(lab: Instance) -> list[str]:
    return daemon(lab, "schultord", ["net_admin"], "--config", lab.facts["config"], "--state", str(lab.path("state")), "--runtime",
                  str(lab.path("run")))


def origin(lab: Instance) -> list[str]:
    return daemon(lab, "schultor-origin", [], "--control", str(lab.path("run", "cache.sock")), "--runtime", str(lab.path("cache")), "--state",
                  str(lab.path("cache-state")))


def cache(lab: Instance) -> list[str]:
    """As schultor-cache.service does."""
    return gateway.as_user("schultor-cache", [], ["nginx", "-e", "stderr", "-p", str(lab.path("cache")), "-c", str(lab.path("cache", "nginx.conf"))])


def after_schultord(lab: Instance) -> None:
    gateway.load_sysctl(lab, "forwarding.conf")
    if lab.facts["caches"]:
        gateway.tend_certificates(lab)


def hold_before_network(lab: Instance) -> None:
    """As schultor-before-network.service does at a start of the machine; raises where the unit would fail."""
    clocked = [f"{name}={value}" for name, value in schultord_clock(lab).items() if name != "SCHULTOR_LAB_CLOCK_SOCKET"]
    argv = ["env", *clocked, *daemon(lab, "schultord", ["net_admin"], "--before-network", "--state", str(lab.path("state")))]
    namespaces.run(lab.namespace("gateway"), argv, gateway.binds(lab), gateway.layers(lab))
    gateway.load_sysctl(lab, "forwarding.conf")


def schultord_clock(lab: Instance) -> dict[str, str]:
    return {"SCHULTOR_LAB_CLOCK_OFFSET": str(clock.offset(lab)), "SCHULTOR_LAB_CLOCK_SOCKET": str(lab.path("run", "clock.sock")),
            "SCHULTOR_LAB_CLOCK_SYNCHRONISED": str(int(clock.trusted(lab)))}


def connects(host: str, family: int, address) -> Callable[[Instance], bool]:
    def ask(lab: Instance) -> bool:
        with namespaces.inside(lab.namespace(host)):
            attempt = socket.socket(family, socket.SOCK_STREAM)
        with attempt:
            return attempt.connect_ex(address(lab) if callable(address) else address) == 0
    return ask


# In the order of starting.
PARTS: dict[str, Part] = {
    "authority": Part("internet", lambda lab: ["nsd", "-d", "-c", str(lab.path("nsd", "nsd.conf"))]),
    "web": Part("internet", lambda lab: ["nginx", "-c", str(lab.path("nginx", "nginx.conf")), "-e", "stderr"], notifies=False,
                answers=connects("internet", socket.AF_INET, ("198.51.100.10", 80))),
    "broker": Part("city", lambda lab: ["mosquitto", "-c", str(lab.path("mosquitto", "mosquitto.conf"))]),
    "bus": Part("gateway", lambda lab: ["dbus-daemon", f"--config-file={lab.path('bus.conf')}", "--nofork", "--nopidfile"], notifies=False,
                answers=connects("gateway", socket.AF_UNIX, lambda lab: str(lab.path("bus.sock")))),
    "resolver": Part("gateway", lambda lab: ["unbound", "-d", "-p", "-c", str(lab.path("unbound", "unbound.conf"))]),
    "schultord": Part("gateway", schultord, env=schultord_clock, then=after_schultord),
    "dns": Part("gateway", lambda lab: daemon(lab, "schultor-dns", [], "--socket", str(lab.path("run", "gate.sock")), "--resolver",
                                              "127.0.0.1:5335")),
    "report": Part("gateway", lambda lab: daemon(lab, "schultor-report", [], "--config", lab.facts["config"], "--state",
                                                 str(lab.path("report")))),
    "origin": Part("gateway", origin),
    "cache": Part("gateway", cache, notifies=False, answers=connects("gateway", socket.AF_INET, ("127.0.0.1", 8080))),
}
# By which fact about the lab they run.
DAEMONS = {"schultord": "", "dns": "", "report": "reports", "origin": "caches", "cache": "caches"}


def find(name: str) -> Part:
    if name not in PARTS:
        raise LabError(f"there is no part “{name}”: {', '.join(PARTS)}")
    return PARTS[name]


def log_tail(lab: Instance, name: str) -> str:
    try:
        lines = lab.path("log", f"{name}.log").read_text(errors="replace").splitlines()[-LOG_LINES:]
    except FileNotFoundError:
        lines = []
    return "".join(f"\n  {line}" for line in lines) or "\n  (it said nothing)"


def base_environment() -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"} | {
        key: value for key, value in os.environ.items() if key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "GCOV_PREFIX")}


class Starting:
    """A part that was started and is not known to be ready yet: several may get ready at the same time."""

    def __init__(self, lab: Instance, name: str):
        self.lab, self.name, self.part = lab, name, find(name)
        self.notify = processes.ReadySocket(lab.path(f"notify-{name}.sock"))
        on_gateway = self.part.host == "gateway"
        environment = base_environment() | (gateway.environment(lab) if on_gateway else {}) | self.part.env(lab)
        mounts = (gateway.binds(lab), gateway.layers(lab)) if on_gateway else ()
        self.pid = namespaces.spawn(lab.namespace(self.part.host), self.part.argv(lab), lab.path("log", f"{name}.log"),
                                    environment | {"NOTIFY_SOCKET": str(self.notify.path)}, *mounts)
        try:
            lab.started(name, self.pid)
        except LabError:
            pass  # It ended already: wait() tells.

    def wait(self) -> None:
        try:
            trouble = self.notify.wait(self.pid, READY_SECONDS) if self.part.notifies else self.ask()
        except ProcessLookupError:
            trouble = "ended instead of getting ready"
        finally:
            self.notify.close()
        if trouble:
            raise LabError(f"{self.name} {trouble}; its last words:{log_tail(self.lab, self.name)}")
        self.part.then(self.lab)

    def ask(self) -> str | None:
        """Of programs that do not tell: asks every few milliseconds."""
        ended = os.pidfd_open(self.pid)
        try:
            deadline = time.monotonic() + READY_SECONDS
            while time.monotonic() < deadline:
                if self.part.answers(self.lab):
                    return None
                if select.select([ended], [], [], 0.01)[0]:
                    return "ended instead of getting ready"
            return f"is not ready after {READY_SECONDS} s"
        finally:
            os.close(ended)


def start(lab: Instance, names: list[str]) -> None:
    """All at once; returns when all are ready."""
    for starting in [Starting(lab, name) for name in names]:
        starting.wait()


def stop(lab: Instance, name: str) -> None:
    if named := lab.running(name):
        processes.stop(named, STOP_SECONDS)
    lab.stopped(name)


def kill(lab: Instance, name: str) -> None:
    """With whatever it has started, as a service manager does of a service whose main process was killed."""
    find(name)
    named = lab.running(name)
    if named is None:
        raise LabError(f"{name} does not run")
    for each in [named, *processes.session_of(named)]:
        processes.send_signal(each, signal.SIGKILL)
        if not processes.wait_gone(each, STOP_SECONDS):
            raise LabError(f"{name} does not end")
    lab.stopped(name)


def restart(lab: Instance, name: str) -> None:
    find(name)
    stop(lab, name)
    start(lab, [name])
