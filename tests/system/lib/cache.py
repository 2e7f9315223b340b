# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A content cache that the test plays: it takes schultord's rules and says which origins it answers for (daemon/cache/cache_protocol.hpp)."""

import json
import mmap
import os
import socket
import struct

from .school import DEADLINE, School

VERSION, RULES, HEALTH = 1, 1, 2
MOST_ORIGINS = 64
STARTING, ENGINE, CONFIGURATION, CERTIFICATE, STORAGE = range(1, 6)


class FakeCache:
    """Connected, and with its first rules, when this returns."""

    def __init__(self, school: School):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(str(school.directory / "run" / "cache.sock"))
        self.epoch, self.rules = 0, None
        self.take_rules()

    def take_rules(self) -> dict | None:
        """The next rules; None where nothing is to be kept."""
        packet, descriptors, _flags, _address = socket.recv_fds(self.socket, 128, 4)
        version, kind, self.epoch, kept = struct.unpack("=IIQQ", packet)
        assert (version, kind, len(descriptors)) == (VERSION, RULES, kept), (packet, descriptors)
        self.rules = None
        for fd in descriptors:
            with mmap.mmap(fd, os.fstat(fd).st_size, prot=mmap.PROT_READ) as held:
                self.rules = json.loads(held[:])
            os.close(fd)
        return self.rules

    def place(self, name: str) -> int:
        return [origin["name"] for origin in self.rules["origins"]].index(name)

    def tell(self, *well: str, why: int = ENGINE) -> None:
        """These origins are answered for, and the others not."""
        mask, reasons = 0, bytearray(MOST_ORIGINS)
        for at, origin in enumerate(self.rules["origins"]):
            if origin["name"] in well:
                mask |= 1 << at
            else:
                reasons[at] = why
        self.socket.send(struct.pack("=IIQQ", VERSION, HEALTH, self.epoch, mask) + bytes(reasons))

    def close(self) -> None:
        self.socket.close()
