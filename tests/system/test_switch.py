#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The mode holds: what happens to open connections when a class goes from leisure to school and back."""

import socket
import unittest

from lib import dns
from lib.reach import PROHIBITED
from lib.school import School, internet4, internet6, main, tcp_info

CLOUD, LEARNING, GAME = 11, 21, 31
FAMILIES = {4: (internet4, dns.A), 6: (internet6, dns.AAAA)}


def talk(sender, receiver, text: bytes = b"hallo") -> bytes:
    sender.sendall(text)
    received = b""
    while len(received) < len(text):
        part = receiver.recv(65536)
        if not part:
            raise ConnectionError("the other side closed")
        received += part
    return received


def nothing_came(receiver) -> bool:
    receiver.setblocking(False)
    try:
        receiver.recv(65536)
        return False
    except BlockingIOError:
        return True
    finally:
        receiver.setblocking(True)


class TheSwitchAtEight(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at="2026-11-23 07:59:00"))

    def setUp(self):
        self.school.time("2026-11-23 07:59:00")
        for name in ("frei.mnspro.test", "frei.lernen.test", "frei.spiele.test"):
            for type in (dns.A, dns.AAAA):
                self.assertEqual(len(self.school.resolve("tablet1", name, type).addresses), 1, name)

    def open_flow(self, host: int, family: int, port: int, tablet: str = "tablet1"):
        listener = self.school.server("internet", FAMILIES[family][0](host), port)
        near, far = self.school.pair(tablet, listener)
        self.addCleanup(listener.close)
        self.addCleanup(near.close)
        self.addCleanup(far.close)
        self.assertEqual(talk(near, far), b"hallo")
        self.assertEqual(talk(far, near), b"hallo")
        return near, far

    def test_an_open_game_connection_is_reset_at_its_first_packet_after_eight(self):
        for family in FAMILIES:
            with self.subTest(family=family):
                self.school.time("07:59:00")
                near, far = self.open_flow(GAME, family, 7000)
                self.school.time("08:00:00")
                near.sendall(b"zug")
                with self.assertRaises(ConnectionResetError):
                    near.recv(1)
                self.assertTrue(nothing_came(far), "a forbidden byte reached the game")

    def test_a_game_server_that_speaks_first_after_eight_is_reset_too(self):
        for family in FAMILIES:
            with self.subTest(family=family):
                self.school.time("07:59:00")
                near, far = self.open_flow(GAME, family, 7001)
                self.school.time("08:00:00")
                far.sendall(b"zug")
                with self.assertRaises(ConnectionResetError):
                    far.recv(1)
                self.assertTrue(nothing_came(near), "a forbidden byte reached the tablet")

    def test_an_open_cloud_connection_carries_data_across_the_switch_undisturbed(self):
        for family in FAMILIES:
            with self.subTest(family=family):
                self.school.time("07:59:00")
                near, far = self.open_flow(CLOUD, family, 443)
                for time in ("08:00:00", "17:00:00", "07:59:00", "08:00:00"):
                    self.school.time(time)
                    self.assertEqual(talk(near, far, b"x" * 200_000), b"x" * 200_000)
                    self.assertEqual(talk(far, near, b"y" * 200_000), b"y" * 200_000)
                self.assertEqual([tcp_info(end).retransmissions for end in (near, far)], [0, 0])

    def test_udp_and_quic_like_flows_end_with_admin_prohibited(self):
        for family, (address, _) in FAMILIES.items():
            for port in (5000, 443):
                with self.subTest(family=family, port=port):
                    self.school.time("07:59:00")
                    kind = socket.AF_INET6 if family == 6 else socket.AF_INET
                    server = self.school.server("internet", address(GAME), port, socket.SOCK_DGRAM)
                    self.addCleanup(server.close)
                    near = self.school.socket("tablet1", kind, socket.SOCK_DGRAM)
                    self.addCleanup(near.close)
                    near.connect((address(GAME), port))
                    near.send(b"hallo")
                    _, peer = server.recvfrom(100)
                    server.sendto(b"hallo", peer)
                    self.assertEqual(near.recv(100), b"hallo")
                    self.school.time("08:00:00")
                    near.send(b"zug")
                    with self.assertRaises(OSError) as refused:
                        near.recv(100)
                    self.assertEqual(refused.exception.errno, PROHIBITED[family])
                    self.assertTrue(nothing_came(server), "a forbidden datagram reached the game")

    def test_new_connections_to_the_game_are_refused_until_five_in_the_afternoon(self):
        for family, (address, _) in FAMILIES.items():
            with self.subTest(family=family):
                self.school.time("08:00:00")
                listener = self.school.server("internet", address(GAME), 7002)
                self.addCleanup(listener.close)
                with self.assertRaises(ConnectionRefusedError):
                    self.school.connect("tablet1", address(GAME), 7002)
                self.school.time("16:59:59")
                with self.assertRaises(ConnectionRefusedError):
                    self.school.connect("tablet1", address(GAME), 7002)
                self.school.time("17:00:00")
                near, far = self.school.pair("tablet1", listener)
                self.assertEqual(talk(near, far), b"hallo")

    def test_an_allowed_server_that_speaks_first_after_the_switch_carries_on(self):
        near, far = self.open_flow(LEARNING, 4, 7000)
        self.school.time("08:00:00")
        self.assertEqual(talk(far, near), b"hallo")
        self.assertEqual(talk(near, far), b"hallo")
        self.assertEqual([tcp_info(end).retransmissions for end in (near, far)], [0, 0])

    def test_a_listed_connection_opened_in_leisure_carries_on_after_its_pin_has_expired(self):
        for first in ("tablet", "server"):
            with self.subTest(first=first):
                self.school.time("07:59:00")
                self.school.resolve("tablet1", "frei.lernen.test")
                near, far = self.open_flow(LEARNING, 4, 8081)
                # The kernel expires an element by taking it out: so does this, without waiting for it.
                self.school.exec("gateway", "nft", "flush", "set", "inet", "schultor", "allow_school4")
                self.school.time("08:00:00")
                ends = (near, far) if first == "tablet" else (far, near)
                self.assertEqual(talk(*ends), b"hallo")
                self.assertEqual(talk(*reversed(ends)), b"hallo")
                self.restore_pins()

    def restore_pins(self):
        """The gate believes its pins to live, which this test took from under it."""
        self.school.restart("dns")

    def test_a_teachers_tablet_goes_on_playing(self):
        near, far = self.open_flow(GAME, 4, 7003, tablet="tablet7")
        self.school.time("08:00:00")
        self.assertEqual(talk(near, far), b"hallo")
        self.assertEqual(talk(far, near), b"hallo")
        self.assertEqual(len(self.school.resolve("tablet7", "spiele.test").addresses), 1)


if __name__ == "__main__":
    main()
