#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Who belongs where: unknown tablets, tablets that move, networks beside one another, and the cloud whatever happens."""

import socket
import unittest

from lib import dns
from lib.reach import PROHIBITED
from lib.school import School, internet4, main, tablet4, tablet_mac, tcp_info
from test_switch import talk

CLOUD, LEARNING, GAME = 11, 21, 31


def pairs(school: School, tablet: str, host: int, port: int):
    listener = school.server("internet", internet4(host), port)
    near, far = school.pair(tablet, listener)
    assert talk(near, far) == b"hallo" and talk(far, near) == b"hallo"
    return near, far


class Groups(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00", tablets=9))

    def move(self, tablet: int, group: str) -> None:
        roster = self.school.config("roster.csv")
        lines = [line for line in roster.read_text().splitlines() if not line.startswith(tablet_mac(tablet))]
        roster.write_text("\n".join([*lines, f"{tablet_mac(tablet)},{group}", ""]))
        done = self.school.reload()
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_tablet_that_no_roster_knows_is_held_to_the_unknown_group(self):
        self.assertEqual(self.school.resolve("tablet9", "spiele.test").rcode, dns.NXDOMAIN)
        self.assertEqual(len(self.school.resolve("tablet9", "frei.lernen.test").addresses), 1)
        self.assertEqual(len(self.school.resolve("tablet9", "frei.mnspro.test").addresses), 1)
        pairs(self.school, "tablet9", LEARNING, 80)
        pairs(self.school, "tablet9", CLOUD, 443)
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect("tablet9", internet4(30), 80)

    def test_a_moved_tablet_is_judged_anew_with_its_open_flows_and_keeps_its_cloud(self):
        self.school.resolve("tablet7", "frei.mnspro.test")
        self.school.resolve("tablet7", "frei.lernen.test")
        cloud = pairs(self.school, "tablet7", CLOUD, 443)
        learning = pairs(self.school, "tablet7", LEARNING, 7000)
        game = pairs(self.school, "tablet7", GAME, 7000)
        other = pairs(self.school, "tablet8", GAME, 7001)
        self.move(7, "3b")
        game[0].sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            game[0].recv(1)
        for near, far in (cloud, learning):
            self.assertEqual(talk(near, far), b"hallo")
            self.assertEqual(talk(far, near), b"hallo")
            self.assertEqual([tcp_info(end).retransmissions for end in (near, far)], [0, 0])
        self.assertEqual(talk(*other), b"hallo")
        self.assertEqual(self.school.resolve("tablet7", "spiele.test").rcode, dns.NXDOMAIN)
        self.move(7, "lehrkraefte")
        self.assertEqual(len(self.school.resolve("tablet7", "spiele.test").addresses), 1)
        pairs(self.school, "tablet7", GAME, 7002)

    def test_a_moved_tablets_game_server_that_speaks_first_is_reset_by_the_tablets_answer_at_the_latest(self):
        near, far = pairs(self.school, "tablet7", GAME, 7000)
        self.move(7, "3b")
        far.sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            while True:
                near.sendall(b"zug")
                if not near.recv(100):
                    break

    def test_a_moved_tablets_datagrams_end_in_both_directions_with_the_first_that_it_sends(self):
        self.school.resolve("tablet7", "frei.mnspro.test")
        cloud = pairs(self.school, "tablet7", CLOUD, 443)
        server = self.school.server("internet", internet4(GAME), 7000, socket.SOCK_DGRAM)
        near = self.school.socket("tablet7", type=socket.SOCK_DGRAM)
        near.connect(server.getsockname())
        near.send(b"zug")
        _, client = server.recvfrom(16)
        self.move(7, "3b")
        near.send(b"zug")
        with self.assertRaises(OSError) as refused:
            near.recv(16)
        self.assertEqual(refused.exception.errno, PROHIBITED[4])
        server.sendto(b"gegenzug", client)
        # By the same way, and later.
        self.assertEqual(talk(*reversed(cloud)), b"hallo")
        near.setblocking(False)
        with self.assertRaises(BlockingIOError):
            near.recv(16)

    def test_a_group_without_any_map_element_still_reaches_the_cloud(self):
        self.school.resolve("tablet1", "frei.mnspro.test")
        before = pairs(self.school, "tablet1", CLOUD, 443)
        for name in ("group_policy", "group_stamp", "group_view", "fresh_pair", "fresh"):
            kind = "map" if name.startswith("group") else "set"
            self.school.exec("gateway", "nft", "flush", kind, "inet", "schultor", name)
        self.assertEqual(talk(*before), b"hallo")
        pairs(self.school, "tablet1", CLOUD, 80)
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect("tablet1", internet4(LEARNING), 80)


class TwoNetworks(unittest.TestCase):
    """lan1, a network of the teachers beside lan0, with tablet8 plugged into both."""

    def setUp(self):
        changes = {name: (School.DEFAULT_CONFIG / name).read_text() for name in ("gateway.toml", "school.toml")}
        changes["gateway.toml"] = changes["gateway.toml"].replace('["lan0"]', '["lan0", "lan1"]').replace(
            '"fd77::1/64"]', '"fd77::1/64", "10.78.0.1/24"]\nreachable = ["10.77.0.0/16", "10.78.0.0/24"]')
        changes["school.toml"] = changes["school.toml"].replace('ownership = "staff"', 'ownership = "staff"\nprefixes = ["10.78.0.0/24"]')
        self.school = self.enterContext(School(at="2026-11-23 07:59:00", config=changes))
        other = self.school.namespace("tablet8")
        for words in (f"link add lan1 type veth peer name eth1 netns {other}", "link set lan1 up", "addr add 10.78.0.1/24 dev lan1"):
            self.school.exec("gateway", "ip", *words.split())
        for words in ("link set eth1 up", "addr add 10.78.0.2/24 dev eth1", f"route add {tablet4(1)}/32 via 10.78.0.1 dev eth1 src 10.78.0.2"):
            self.school.exec("tablet8", "ip", *words.split())

    def test_a_flow_between_two_lan_interfaces_of_different_groups_carries_on_whoever_speaks_first(self):
        listener = self.school.server("tablet1", tablet4(1), 7000)
        for first in ("teacher", "tablet"):
            with self.subTest(first=first):
                self.school.time("2026-11-23 07:59:00")
                near, far = self.school.pair("tablet8", listener)
                self.assertEqual(near.getsockname()[0], "10.78.0.2")
                self.assertEqual(talk(near, far), b"hallo")
                self.school.time("08:00:00")
                ends = (near, far) if first == "teacher" else (far, near)
                self.assertEqual(talk(*ends), b"hallo")
                self.assertEqual(talk(*reversed(ends)), b"hallo")
                self.assertEqual([tcp_info(end).retransmissions for end in (near, far)], [0, 0])

    def test_the_class_itself_may_not_reach_the_other_network_in_school_hours(self):
        listener = self.school.server("tablet8", "10.78.0.2", 7000)
        near, far = self.school.pair("tablet1", listener)
        self.assertEqual(talk(near, far), b"hallo")
        self.school.time("08:00:00")
        far.sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            far.recv(1)
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect("tablet1", "10.78.0.2", 7000)


if __name__ == "__main__":
    main()
