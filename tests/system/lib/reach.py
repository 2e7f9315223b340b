# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What a tablet reaches, and what it is refused: judged at both ends, with a server that would answer."""

import errno
import socket

from .packets import address_family, family_of
from .school import School

# What a socket says of ICMP and ICMPv6 "administratively prohibited" (net/ipv4/icmp.c, net/ipv6/icmp.c).
PROHIBITED = {4: errno.EHOSTUNREACH, 6: errno.EACCES}
# A refusal comes at once: this is long enough for a machine that is busy, and not as long as a client tries again.
SOON = 5.0


class Reach:
    """A unittest.TestCase with a `school`. Ports are free at `address`, which is one of the host's `where`."""

    school: School

    def assert_nothing_came(self, server: socket.socket) -> None:
        """Closes it."""
        server.setblocking(False)
        with self.assertRaises(BlockingIOError, msg=f"something reached {server.getsockname()[:2]}"):
            server.accept() if server.type == socket.SOCK_STREAM else server.recv(2048)
        server.close()

    def assert_tcp_refused(self, tablet: str, address: str, port: int, where: str = "internet") -> None:
        listener = self.school.server(where, address, port)
        self.addCleanup(listener.close)
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect(tablet, address, port)
        self.assert_nothing_came(listener)

    def assert_tcp_passes(self, tablet: str, address: str, port: int, where: str = "internet") -> None:
        listener = self.school.server(where, address, port)
        self.addCleanup(listener.close)
        near, far = self.school.pair(tablet, listener)
        for sender, receiver in ((near, far), (far, near)):
            sender.sendall(b"hallo")
            self.assertEqual(receiver.recv(5, socket.MSG_WAITALL), b"hallo")
        for end in (near, far, listener):
            end.close()

    def udp(self, tablet: str, address: str, port: int) -> socket.socket:
        near = self.school.socket(tablet, address_family(address), socket.SOCK_DGRAM, seconds=SOON)
        self.addCleanup(near.close)
        near.connect((address, port))
        return near

    def assert_prohibited(self, near: socket.socket, family: int) -> None:
        """The refusal of what was sent has come, or comes."""
        with self.assertRaises(OSError) as refused:
            near.recv(2048)
        self.assertEqual(refused.exception.errno, PROHIBITED[family])

    def assert_udp_refused(self, tablet: str, address: str, port: int, data: bytes = b"hallo", where: str = "internet") -> None:
        """The first datagram has its error."""
        server = self.school.server(where, address, port, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        near = self.udp(tablet, address, port)
        near.send(data)
        self.assert_prohibited(near, family_of(address))
        near.close()
        self.assert_nothing_came(server)

    def assert_udp_passes(self, tablet: str, address: str, port: int, data: bytes = b"hallo", where: str = "internet") -> None:
        server = self.school.server(where, address, port, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        near = self.udp(tablet, address, port)
        near.send(data)
        received, peer = server.recvfrom(2048)
        self.assertEqual(received, data)
        server.sendto(data, peer)
        self.assertEqual(near.recv(2048), data)
        near.close()
        server.close()

    def raw(self, tablet: str, family: int) -> socket.socket:
        """Sends whole packets, with the IP header that they bring along."""
        made = self.school.socket(tablet, socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.addCleanup(made.close)
        return made
