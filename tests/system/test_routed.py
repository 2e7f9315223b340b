#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A school behind a router, whose networks are groups, beside an interface that is one."""

import json
import unittest

from lib import dns
from lib.school import School, internet4, main
from test_groups import pairs
from test_switch import talk

CLOUD, LEARNING, GAME = 11, 21, 31
GROUPS = """
[[group]]
name     = "haus"
schedule = "weekdays"
prefixes = ["10.78.0.0/17"]

[[group]]
name     = "lehrerzimmer"
profile  = "leisure"
prefixes = ["10.78.5.0/24"]

[[group]]
name       = "werkstatt"
profile    = "leisure"
interfaces = ["lan1"]
"""


class Routed(unittest.TestCase):
    """tablet6 is a host behind the router tablet8, with an address in either network; tablet7 is in lan1."""

    def setUp(self):
        changes = {name: (School.DEFAULT_CONFIG / name).read_text() for name in ("gateway.toml", "school.toml", "roster.csv")}
        changes["gateway.toml"] = changes["gateway.toml"].replace('["lan0"]', '["lan0", "lan1"]').replace('"fd77::1/64"]', '"fd77::1/64", "10.78.128.1/24"]')
        changes["school.toml"] += GROUPS
        # The router and tablet7 are in no roster; the address of tablet6, which is, never leaves the router's other side.
        changes["roster.csv"] = "".join(line for line in changes["roster.csv"].splitlines(True) if "lehrkraefte" not in line)
        self.school = self.enterContext(School(at="2026-11-23 09:00:00", config=changes))
        self.ip("tablet8", f"link add eth1 type veth peer name eth1 netns {self.school.namespace('tablet6')}", "link set eth1 up",
                "addr add 10.78.0.1/17 dev eth1")
        self.school.exec("tablet8", "sysctl", "-q", "net.ipv4.ip_forward=1")
        self.ip("tablet6", "link set eth0 down", "link set eth1 up", "addr add 10.78.1.2/17 dev eth1", "addr add 10.78.5.2/17 dev eth1")
        self.ip("gateway", "route add 10.78.0.0/17 via 10.77.1.8",
                f"link add lan1 type veth peer name eth1 netns {self.school.namespace('tablet7')}", "link set lan1 up",
                "addr add 10.78.128.1/24 dev lan1")
        self.ip("tablet7", "link set eth0 down", "link set eth1 up", "addr add 10.78.128.2/24 dev eth1", "route replace default via 10.78.128.1")
        self.speak_as("10.78.1.2")

    def ip(self, host: str, *commands: str) -> None:
        for words in commands:
            self.school.exec(host, "ip", *words.split())

    def speak_as(self, address: str) -> None:
        """From now on tablet6 speaks as this one."""
        self.ip("tablet6", f"route replace default via 10.78.0.1 src {address}")

    def explained(self, *words: str) -> tuple[str, str]:
        done = self.school.ctl("--config", str(self.school.directory / "config"), "explain", *words, "--json", "spiele.test", check=False)
        document = json.loads(done.stdout)
        return document["group"], document["device"]["by"]

    def may_play(self, tablet: str) -> bool:
        try:
            pairs(self.school, tablet, GAME, 7000)
        except ConnectionRefusedError:
            return False
        return True

    def test_each_network_has_its_group_and_the_longest_counts(self):
        for address, group, plays in (("10.78.1.2", "haus", False), ("10.78.5.2", "lehrerzimmer", True)):
            with self.subTest(address):
                self.speak_as(address)
                self.assertEqual(self.explained("--address", address), (group, "prefix"))
                self.assertEqual(self.may_play("tablet6"), plays)
                self.assertEqual(self.school.resolve("tablet6", "spiele.test").rcode, dns.NOERROR if plays else dns.NXDOMAIN)
                self.school.resolve("tablet6", "frei.mnspro.test")
                pairs(self.school, "tablet6", CLOUD, 443)

    def test_the_interface_counts_where_no_network_does_and_the_roster_over_both(self):
        school = self.school
        self.assertEqual(self.explained("--interface", "lan1", "--address", "10.78.128.2"), ("werkstatt", "interface"))
        self.assertTrue(self.may_play("tablet7"))
        mac = school.exec("tablet7", "cat", "/sys/class/net/eth1/address").stdout.strip()
        self.assertEqual(self.explained("--device", mac, "--interface", "lan1"), ("werkstatt", "interface"))
        near, far = pairs(school, "tablet7", GAME, 7001)
        roster = school.config("roster.csv")
        roster.write_text(roster.read_text() + f"{mac},3b,\n")
        self.assertEqual(school.reload().returncode, 0)
        self.assertEqual(self.explained("--device", mac, "--interface", "lan1", "--address", "10.78.5.2"), ("3b", "roster"))
        near.sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            near.recv(1)
        self.assertFalse(self.may_play("tablet7"))

    def test_a_network_that_is_cut_out_of_another_one_is_judged_anew_with_its_open_flows(self):
        school = self.school
        self.speak_as("10.78.5.2")
        school.resolve("tablet6", "frei.mnspro.test")
        school.resolve("tablet6", "frei.lernen.test")
        cloud = pairs(school, "tablet6", CLOUD, 443)
        learning = pairs(school, "tablet6", LEARNING, 8000)
        near, _ = pairs(school, "tablet6", GAME, 7001)
        config = school.config("school.toml")
        text = config.read_text()
        config.write_text(text.replace('["10.78.5.0/24"]', '["10.78.5.128/25"]'))
        self.assertEqual(school.reload().returncode, 0)
        self.assertEqual(self.explained("--address", "10.78.5.2"), ("haus", "prefix"))
        near.sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            near.recv(1)
        self.assertEqual([talk(*cloud), talk(*learning)], [b"hallo", b"hallo"])
        self.assertFalse(self.may_play("tablet6"))
        config.write_text(text)
        self.assertEqual(school.reload().returncode, 0)
        self.assertTrue(self.may_play("tablet6"))
        # Two groups with one network are refused, and nothing changes.
        config.write_text(text.replace('["10.78.5.0/24"]', '["10.78.0.0/17"]'))
        self.assertEqual(school.reload().returncode, 1)
        self.assertTrue(self.may_play("tablet6"))


if __name__ == "__main__":
    main()
