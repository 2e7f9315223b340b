# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Connections that talk all the time, both ends in one loop: each message says in which phase it was sent."""

import contextlib
import itertools
import selectors
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

from model import SITES, Site
from lib.school import School

MESSAGE = struct.Struct("!II")  # flow, phase
BEAT = 0.1  # seconds between two messages of a flow and side
UNSETTLED = 0
"""The phase while something is being changed: nothing is judged that was sent or received in it."""
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM


@dataclass(eq=False)
class Flow:
    number: int
    tablet: int
    site: Site
    family: int
    kind: int
    near: socket.socket
    far: socket.socket | None = None
    peer: tuple | None = None
    buffers: dict[str, bytes] = field(default_factory=lambda: {"near": b"", "far": b""})
    heard: dict[str, int] = field(default_factory=lambda: {"near": 0, "far": 0})
    """The latest phase that was both sent and received in, by the side that received."""
    spoke: int = 0
    broken: str = ""
    profile: str = ""
    """Under which it was alive when last looked at."""
    excused: bool = False
    """It may have been cut since."""

    def __str__(self):
        return f"tablet{self.tablet} to {self.site.name} over {'TCP' if self.kind == TCP else 'UDP'}{self.family} (flow {self.number})"


class Traffic(threading.Thread):
    def __init__(self, school: School):
        super().__init__(daemon=True, name="traffic")
        self.school = school
        self.lock = threading.Lock()
        self.selector = selectors.DefaultSelector()
        self.numbers = itertools.count(1)
        self.flows: dict[int, Flow] = {}
        self.phase = UNSETTLED
        self.forbidden: set[int] = set()
        self.violations: list[str] = []
        self.messages = self.beats = 0
        self.ended = threading.Event()
        self.crashed = ""
        for site in SITES:
            for family in (4, 6):
                for kind in (TCP, UDP):
                    server = school.server("internet", site.address(family), site.port, kind)
                    server.setblocking(False)
                    self.selector.register(server, selectors.EVENT_READ, self.accept if kind == TCP else self.datagram)

    # What the soak's own thread calls.

    def open(self, tablet: int, site: Site, family: int, kind: int, seconds: float) -> Flow:
        """Raises OSError when it is refused."""
        with self.school.inside(f"tablet{tablet}"):
            near = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, kind)
        try:
            near.settimeout(seconds)
            if kind == TCP:
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            near.connect((site.address(family), site.port))
            near.setblocking(False)
        except BaseException:
            near.close()
            raise
        with self.lock:
            flow = Flow(next(self.numbers), tablet, site, family, kind, near)
            self.flows[flow.number] = flow
            self.selector.register(near, selectors.EVENT_READ, lambda _: self.read(flow, "near"))
        return flow

    def close(self, flow: Flow) -> None:
        with self.lock:
            self.flows.pop(flow.number, None)
            self.forget(flow.near)
            if flow.kind == TCP and flow.far:
                self.forget(flow.far)

    def unsettle(self) -> None:
        with self.lock:
            self.phase = UNSETTLED

    def settle(self, phase: int, forbidden: set[int]) -> None:
        """From now on nothing of these flows may come through."""
        with self.lock:
            self.phase, self.forbidden = phase, forbidden

    def stop(self) -> None:
        self.ended.set()
        self.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()

    # The loop.

    def forget(self, end: socket.socket) -> None:
        with contextlib.suppress(KeyError, ValueError):
            self.selector.unregister(end)
        end.close()

    def run(self) -> None:
        next_beat = time.monotonic()
        try:
            while not self.ended.is_set():
                ready = self.selector.select(max(0.0, next_beat - time.monotonic()))
                with self.lock:
                    for key, _ in ready:
                        # An earlier one of this round may have closed it.
                        if key.fileobj.fileno() >= 0:
                            key.data(key.fileobj)
                    if time.monotonic() >= next_beat:
                        self.beat()
                        next_beat = time.monotonic() + BEAT
        except Exception as error:  # noqa: BLE001: it is told by whoever waits for this thread
            self.crashed = repr(error)
            raise

    def beat(self) -> None:
        self.beats += 1
        for flow in self.flows.values():
            if flow.broken:
                continue
            self.say(flow, flow.near)
            spoken, flow.spoke = flow.spoke, self.phase
            # A tablet that was moved is known by its next packet, not by what comes for it: it speaks first in each phase.
            if flow.far and spoken == self.phase and not flow.broken:
                self.say(flow, flow.far)

    def say(self, flow: Flow, end: socket.socket) -> None:
        message = MESSAGE.pack(flow.number, self.phase)
        try:
            if flow.kind == UDP and end is not flow.near:
                end.sendto(message, flow.peer)
            else:
                end.send(message)
        except BlockingIOError:
            pass  # The line is down, and the buffer is full.
        except OSError as error:
            # What a datagram socket says is of an earlier datagram.
            if flow.kind == TCP:
                flow.broken = repr(error)

    def accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            far, _ = listener.accept()
            far.setblocking(False)
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Whose it is, its first message tells.
            self.selector.register(far, selectors.EVENT_READ, self.introduce)

    def introduce(self, far: socket.socket) -> None:
        try:
            message = far.recv(MESSAGE.size)
        except OSError:
            message = b""
        flow = self.flows.get(MESSAGE.unpack(message)[0]) if len(message) == MESSAGE.size else None
        if flow is None:
            return self.forget(far)
        flow.far = far
        self.selector.modify(far, selectors.EVENT_READ, lambda _: self.read(flow, "far"))
        self.judge(flow, "far", message)

    def datagram(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                message, peer = server.recvfrom(64)
                if flow := self.flows.get(MESSAGE.unpack(message)[0]):
                    flow.far, flow.peer = server, peer
                    self.judge(flow, "far", message)

    def read(self, flow: Flow, side: str) -> None:
        end = flow.near if side == "near" else flow.far
        try:
            data = end.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            if flow.kind == UDP:
                return  # ICMP.
            data, flow.broken = b"", flow.broken or f"{side} end: {error!r}"
        if not data:
            flow.broken = flow.broken or f"{side} end: closed"
            self.selector.unregister(end)
            return
        data = flow.buffers[side] + data
        whole = len(data) - len(data) % MESSAGE.size
        for at in range(0, whole, MESSAGE.size):
            self.judge(flow, side, data[at:at + MESSAGE.size])
        flow.buffers[side] = data[whole:]

    def judge(self, flow: Flow, side: str, message: bytes) -> None:
        _, phase = MESSAGE.unpack(message)
        self.messages += 1
        if phase == UNSETTLED or phase != self.phase:
            return
        flow.heard[side] = phase
        if flow.number in self.forbidden:
            self.violations.append(f"a forbidden byte reached the {'tablet' if side == 'near' else 'server'}: {flow}, phase {phase}")
            self.forbidden.discard(flow.number)
