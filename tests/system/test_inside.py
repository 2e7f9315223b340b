#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Private and special networks, those of the school and those on its line, are closed in open profiles too, unless the school names them."""

import unittest

from lib import dns
from lib.reach import Reach
from lib.school import School, internet4, internet6, main
from schoollab.names import CLOUD_FREE, GAME_FREE, LEARNING_FREE, PRINTER

DEFAULT = School.DEFAULT_CONFIG
# At nine in the morning: in a listed profile, in an open one.
PUPIL, TEACHER = "tablet1", "tablet7"
# A router of the provider's, a management network, carrier-grade NAT, link-local, unique local.
INSIDE = ("10.1.2.3", "172.16.5.5", "172.31.255.254", "192.168.1.1", "100.64.0.1", "169.254.9.9", "192.0.0.8", "198.18.0.1",
          "fd99::1", "fc00::1", "64:ff9b::a01:203", "2002:a01:203::1", "fec0::1")
REACHABLE = ("192.168.5.5", "fd05::5")
# Beside the one that is named.
BESIDE = ("192.168.4.255", "192.168.6.0", "fd05:0:0:1::5")
OTHER_LAN = "10.79.0.2"

GATEWAY = (DEFAULT / "gateway.toml").read_text().replace('["lan0"]', '["lan0", "lan1"]').replace(
    '"fd77::1/64"]', '"fd77::1/64", "10.79.0.1/24"]\nreachable  = ["192.168.5.0/24", "fd05::/64"]').replace(
    "[resolver]\n", '[resolver]\nlocal   = ["schule.test"]\n')
CITY = (DEFAULT / "city.toml").read_text().replace('["lernen.test"]', '["lernen.test", "schule.test"]')


class Inside(Reach, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00", config={"gateway.toml": GATEWAY, "city.toml": CITY}))
        for address in (*INSIDE, *REACHABLE, *BESIDE, *PRINTER):
            cls.school.exec("internet", "ip", "addr", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []))
        # Another network of the school's, with tablet8 plugged into it.
        other = cls.school.namespace("tablet8")
        for words in (f"link add lan1 type veth peer name eth1 netns {other}", "link set lan1 up", "addr add 10.79.0.1/24 dev lan1"):
            cls.school.exec("gateway", "ip", *words.split())
        for words in ("link set eth1 up", f"addr add {OTHER_LAN}/24 dev eth1", "route replace default via 10.79.0.1"):
            cls.school.exec("tablet8", "ip", *words.split())

    def setUp(self):
        for name in ("frei.lernen.test", "frei.mnspro.test"):
            for kind in (dns.A, dns.AAAA):
                self.assertEqual(len(self.school.resolve(PUPIL, name, kind).addresses), 1, name)

    def assert_the_rest_is_open(self) -> None:
        for address in (internet4, internet6):
            for tablet, host in ((PUPIL, LEARNING_FREE), (TEACHER, GAME_FREE), (PUPIL, CLOUD_FREE), (TEACHER, CLOUD_FREE)):
                self.assert_tcp_passes(tablet, address(host), 443)

    def test_networks_inside_are_refused_in_open_profiles_too(self):
        for tablet in (PUPIL, TEACHER):
            for address in (*INSIDE, *BESIDE):
                with self.subTest(tablet=tablet, address=address):
                    self.assert_tcp_refused(tablet, address, 443)
                    self.assert_udp_refused(tablet, address, 7000)
        self.assert_the_rest_is_open()

    def test_networks_that_the_school_names_are_open_in_open_profiles_alone(self):
        for address in REACHABLE:
            with self.subTest(address=address):
                self.assert_tcp_passes(TEACHER, address, 443)
                self.assert_udp_passes(TEACHER, address, 7000)
                self.assert_tcp_refused(PUPIL, address, 443)
                self.assert_udp_refused(PUPIL, address, 7000)
        self.assert_the_rest_is_open()

    def test_another_network_of_the_schools_is_inside(self):
        for tablet in (PUPIL, TEACHER):
            with self.subTest(tablet=tablet):
                self.assert_tcp_refused(tablet, OTHER_LAN, 443, where="tablet8")
                self.assert_udp_refused(tablet, OTHER_LAN, 7000, where="tablet8")

    def test_a_name_of_a_local_zone_opens_its_address_where_it_is_allowed(self):
        for address, kind in zip(PRINTER, (dns.A, dns.AAAA)):
            with self.subTest(address=address):
                for tablet in (PUPIL, TEACHER):
                    self.assert_tcp_refused(tablet, address, 443)
                self.assertEqual(self.school.resolve(PUPIL, "drucker.schule.test", kind).addresses, [address])
                for tablet in (PUPIL, TEACHER):
                    self.assert_tcp_passes(tablet, address, 443)


if __name__ == "__main__":
    main()
