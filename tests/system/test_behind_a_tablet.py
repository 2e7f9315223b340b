#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A tablet is no other tablet's router, with its address translated or not; a router that the school names is one."""

import socket
import unittest

from lib import dns
from lib.reach import Reach
from lib.school import GATEWAY4, GATEWAY6, School, internet4, internet6, main, tablet4, tablet6
from schoollab.names import CLOUD_FREE, GAME_FREE, LEARNING_FREE

ADDRESSES = (internet4, internet6)
# In an open profile, and whoever would have the same through it.
ROUTER, BEHIND = "tablet7", "tablet1"
FORWARDING = ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.eth0.send_redirects=0")
NO_REDIRECTS = ("net.ipv4.conf.all.accept_redirects=0", "net.ipv4.conf.eth0.accept_redirects=0", "net.ipv6.conf.eth0.accept_redirects=0")
TRANSLATION = "add table inet n; add chain inet n c { type nat hook postrouting priority 100; }; add rule inet n c oifname eth0 masquerade"

ROUTED4, ROUTED6 = "10.78.0", "fd77:0:0:78:"


def resolve_all(school: School, tablet: str) -> None:
    for name in ("frei.lernen.test", "frei.mnspro.test"):
        for kind in (dns.A, dns.AAAA):
            assert len(school.resolve(tablet, name, kind).addresses) == 1, name


class ATabletAsRouter(Reach, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00"))
        cls.school.exec(ROUTER, "sysctl", "-qw", *FORWARDING)
        cls.school.exec(BEHIND, "sysctl", "-qw", *NO_REDIRECTS)

    def setUp(self):
        resolve_all(self.school, BEHIND)
        self.route(tablet4(7), tablet6(7))

    def route(self, *routers: str) -> None:
        for router in routers:
            self.school.exec(BEHIND, "ip", "route", "replace", "default", "via", router)

    def assert_refused_but_the_cloud(self) -> None:
        for address in ADDRESSES:
            for host in (GAME_FREE, LEARNING_FREE):
                with self.subTest(address=address(host)):
                    self.assert_tcp_refused(BEHIND, address(host), 443)
                    self.assert_udp_refused(BEHIND, address(host), 7000)
            with self.subTest(address=address(CLOUD_FREE)):
                self.assert_tcp_passes(BEHIND, address(CLOUD_FREE), 443)
                self.assert_udp_passes(BEHIND, address(CLOUD_FREE), 443)
            with self.subTest(router=address(GAME_FREE)):
                self.assert_tcp_passes(ROUTER, address(GAME_FREE), 443)
                self.assert_udp_passes(ROUTER, address(GAME_FREE), 7000)

    def test_whoever_is_behind_it_has_the_cloud_alone(self):
        self.assert_refused_but_the_cloud()
        # It is the way that is refused, not who goes it.
        self.route(GATEWAY4, GATEWAY6)
        for address in ADDRESSES:
            self.assert_tcp_passes(BEHIND, address(LEARNING_FREE), 443)

    def test_nor_has_it_more_with_the_routers_address(self):
        self.school.exec(ROUTER, "nft", TRANSLATION)
        self.addCleanup(self.school.exec, ROUTER, "nft", "delete table inet n")
        self.assert_refused_but_the_cloud()

    def test_a_device_that_sends_by_itself_begins_with_one_of_these_numbers(self):
        direct = "tablet3"
        for address, level, option in ((internet4, socket.IPPROTO_IP, socket.IP_TTL), (internet6, socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)):
            for hops, passes in ((32, True), (60, True), (64, True), (128, True), (255, True), (63, False), (61, False), (59, False), (31, False)):
                with self.subTest(address=address(LEARNING_FREE), hops=hops):
                    server = self.school.server("internet", address(LEARNING_FREE), 7001, socket.SOCK_DGRAM)
                    near = self.udp(direct, address(LEARNING_FREE), 7001)
                    near.setsockopt(level, option, hops)
                    near.send(b"hallo")
                    if passes:
                        self.assertEqual(server.recv(100), b"hallo")
                    else:
                        self.assert_prohibited(near, 4 if address is internet4 else 6)
                        self.assert_nothing_came(server)
                    near.close()

    def test_nor_in_leisure(self):
        self.school.time("2026-11-23 18:00:00")
        self.addCleanup(self.school.time, "2026-11-23 09:00:00")
        self.assert_refused_but_the_cloud()


class ARoutedSchool(Reach, unittest.TestCase):
    """tablet6 in a network of its own behind tablet9, a device that the roster does not know; that network is the teachers'."""

    def setUp(self):
        text = (School.DEFAULT_CONFIG / "school.toml").read_text().replace(
            'ownership = "staff"', f'ownership = "staff"\nprefixes  = ["{ROUTED4}.0/24", "{ROUTED6}:/64"]')
        self.school = self.enterContext(School(at="2026-11-23 09:00:00", tablets=9, config={"school.toml": text}))
        resolve_all(self.school, BEHIND)
        self.school.exec("gateway", "ip", "route", "add", f"{ROUTED4}.0/24", "via", tablet4(9))
        self.school.exec("gateway", "ip", "-6", "route", "add", f"{ROUTED6}:/64", "via", tablet6(9))
        self.school.exec("tablet9", "sysctl", "-qw", *FORWARDING)
        for family, network, router in (("-4", f"{ROUTED4}.2/32", tablet4(9)), ("-6", f"{ROUTED6}:2/128", tablet6(9))):
            self.school.exec("tablet9", "ip", family, "route", "add", network, "dev", "eth0")
            for words in ("addr flush dev eth0 scope global", f"addr add {network} dev eth0", f"route add {router} dev eth0",
                          f"route replace default via {router}"):
                self.school.exec("tablet6", "ip", family, *words.split())

    def test_who_is_behind_a_router_that_is_named_has_what_its_network_has(self):
        for address in ADDRESSES:
            with self.subTest(address=address(GAME_FREE)):
                self.assert_tcp_passes("tablet6", address(GAME_FREE), 443)
                self.assert_udp_passes("tablet6", address(GAME_FREE), 7000)
                self.assert_tcp_passes("tablet6", address(CLOUD_FREE), 443)
                # The router itself is a stranger.
                self.assert_tcp_refused("tablet9", address(GAME_FREE), 443)
                self.assert_tcp_passes("tablet9", address(CLOUD_FREE), 443)


if __name__ == "__main__":
    main()
