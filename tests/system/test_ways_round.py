#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Ways round the gate are closed also towards an address that the profile allows: tunnels, proxies, other resolvers. The cloud, on the
same ports, stays open."""

import json
import socket
import struct
import unittest

from lib import dns, packets
from lib.reach import SOON, Reach
from lib.school import School, internet4, internet6, main, tablet4, tablet6
from schoollab.names import ANY, CLOUD_FREE, DOH, GAME, GAME_FREE, LEARNING_FREE
from test_gate import WanTap

FAMILIES = {4: (internet4, tablet4, dns.A), 6: (internet6, tablet6, dns.AAAA)}
# At nine in the morning: in school mode, in a listed profile with services, in an open profile.
PUPIL, WORKSHOP, TEACHER = "tablet1", "tablet5", "tablet7"
SITES = {PUPIL: LEARNING_FREE, WORKSHOP: LEARNING_FREE, TEACHER: GAME_FREE}

# Closed in listed profiles, and in open ones on bypass = true. DNS over TLS and QUIC, OpenVPN, PPTP, SOCKS, HTTP proxies, Tor;
# IKE, L2TP, WireGuard, Tailscale, ZeroTier.
TUNNELS_TCP = (853, 1194, 1723, 1080, 3128, 8080, 8118, 8888, 9001, 9030, 9050, 9150)
TUNNELS_UDP = (853, 500, 4500, 1194, 1701, 51820, 41641, 9993)
# Closed in listed profiles: SSH, QUIC.
LISTED_TCP, LISTED_UDP = (22,), (80, 443, 8443)

# Everybody knows them; none needs a name.
RESOLVERS = ("8.8.8.8", "1.1.1.1", "9.9.9.9", "2001:4860:4860::8888", "2606:4700:4700::1111", "2620:fe::fe")

# What the clients of these ports send first.
FIRST = {
    500: bytes(8) * 2 + bytes([0x21, 0x20, 34, 0x08]) + struct.pack("!II", 0, 28),  # IKE_SA_INIT (RFC 7296)
    1194: b"\x38" + bytes(8) + b"\0" + bytes(4),  # P_CONTROL_HARD_RESET_CLIENT_V2
    1701: struct.pack("!HHHHHH", 0xC802, 12, 0, 0, 0, 0),  # L2TP control message (RFC 2661)
    51820: b"\x01\0\0\0" + bytes(144),  # WireGuard's handshake initiation
    443: b"\xc3\0\0\0\x01\x08" + bytes(1194),  # QUIC Initial (RFC 9000)
}

INNER4 = packets.udp("192.0.2.1", "192.0.2.2", 1, 2)
INNER6 = packets.udp("2001:db8::1", "2001:db8::2", 1, 2)
# Protocol numbers, and a packet of each that carries a mark.
PROTOCOLS = {
    4: lambda mark: packets.ip("192.0.2.1", "192.0.2.2", 17, INNER4 + mark),  # IP in IP
    41: lambda mark: packets.ip("2001:db8::1", "2001:db8::2", 17, INNER6 + mark),  # 6in4
    47: lambda mark: struct.pack("!HH", 0, 0x0800) + mark,  # GRE
    50: lambda mark: struct.pack("!II", 1, 1) + mark,  # ESP
    97: lambda mark: b"\x30\0" + mark,  # EtherIP
    115: lambda mark: struct.pack("!II", 1, 0) + mark,  # L2TPv3
    132: lambda mark: packets.sctp_init(5000, 5000, mark),
    253: lambda mark: mark,  # for experiments (RFC 3692)
}
# The kernel sends no error for a packet whose checksum it finds wrong, and looks for one in all protocols but a few
# (nf_reject_verify_csum in include/net/netfilter/nf_reject.h): of the others nothing is heard.
ANSWERED = (47, 50, 132)
MARK, OPEN_MARK = b"SPUR" * 8, b"FREI" * 8

DEFAULT = School.DEFAULT_CONFIG
ENDPOINTS = "endpoints/werkzeug.json"
CITY = (DEFAULT / "city.toml").read_text().replace("[cloud]\n", f'[cloud]\nendpoints = ["{ENDPOINTS}"]\n') + """
[[profile]]
name     = "werkstatt"
access   = "listed"
allow    = ["lernen.test"]
services = ["tcp/22", "udp/443"]
"""
SCHOOL = (DEFAULT / "school.toml").read_text() + """
[[group]]
name      = "werkstatt"
profile   = "werkstatt"
ownership = "school"
"""


def ports(numbers) -> str:
    return ",".join(str(number) for number in numbers)


CONFIG = {
    "city.toml": CITY, "school.toml": SCHOOL,
    "roster.csv": (DEFAULT / "roster.csv").read_text().replace("02:77:00:00:00:05,byod", "02:77:00:00:00:05,werkstatt"),
    # Names of the cloud on just the ports that are closed elsewhere.
    ENDPOINTS: json.dumps([
        {"id": 1, "serviceArea": "Common", "required": True, "urls": ["tcp.any.test"], "tcpPorts": ports(TUNNELS_TCP + LISTED_TCP)},
        {"id": 2, "serviceArea": "Common", "required": True, "urls": ["udp.any.test"], "udpPorts": ports(TUNNELS_UDP + LISTED_UDP)}]),
}


class WaysRound(Reach):
    def send_protocol(self, tablet: str, protocol: int, target: str, mark: bytes) -> socket.socket:
        """By a connected raw socket, which is told of a refusal."""
        near = self.school.socket(tablet, packets.address_family(target), socket.SOCK_RAW, protocol, seconds=SOON)
        self.addCleanup(near.close)
        near.connect((target, 0))
        near.send(PROTOCOLS[protocol](mark))
        return near


class TheWaysRound(WaysRound, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00", config=CONFIG))

    def setUp(self):
        for name in ("frei.lernen.test", "frei.mnspro.test", "tcp.any.test", "udp.any.test"):
            for _, _, kind in FAMILIES.values():
                self.assertEqual(len(self.school.resolve(PUPIL, name, kind).addresses), 1, name)

    def assert_site_and_cloud_are_open(self, tablet: str, family: int) -> None:
        address = FAMILIES[family][0]
        self.assert_tcp_passes(tablet, address(SITES[tablet]), 443)
        self.assert_tcp_passes(tablet, address(CLOUD_FREE), 443)
        self.assert_udp_passes(tablet, address(CLOUD_FREE), 443, FIRST[443])

    def test_tunnels_proxies_and_foreign_resolvers_are_refused_but_to_the_cloud(self):
        for tablet in (PUPIL, WORKSHOP, TEACHER):
            for family, (address, _, _) in FAMILIES.items():
                for port in TUNNELS_TCP:
                    with self.subTest(tablet=tablet, family=family, tcp=port):
                        self.assert_tcp_refused(tablet, address(SITES[tablet]), port)
                        self.assert_tcp_passes(tablet, address(ANY), port)
                for port in TUNNELS_UDP:
                    with self.subTest(tablet=tablet, family=family, udp=port):
                        self.assert_udp_refused(tablet, address(SITES[tablet]), port, FIRST.get(port, b"hallo"))
                        self.assert_udp_passes(tablet, address(ANY), port, FIRST.get(port, b"hallo"))
                self.assert_site_and_cloud_are_open(tablet, family)

    def test_quic_and_ssh_are_refused_in_listed_profiles_but_to_the_cloud(self):
        for family, (address, _, _) in FAMILIES.items():
            for port in LISTED_TCP:
                with self.subTest(family=family, tcp=port):
                    self.assert_tcp_refused(PUPIL, address(LEARNING_FREE), port)
                    self.assert_tcp_passes(PUPIL, address(ANY), port)
                    self.assert_tcp_passes(TEACHER, address(GAME_FREE), port)
            for port in LISTED_UDP:
                with self.subTest(family=family, udp=port):
                    self.assert_udp_refused(PUPIL, address(LEARNING_FREE), port, FIRST[443])
                    self.assert_udp_passes(PUPIL, address(ANY), port, FIRST[443])
                    self.assert_udp_passes(TEACHER, address(GAME_FREE), port, FIRST[443])
            self.assert_site_and_cloud_are_open(PUPIL, family)

    def test_a_profiles_services_are_open_where_it_may_go_and_nowhere_else(self):
        for family, (address, _, _) in FAMILIES.items():
            with self.subTest(family=family):
                self.assert_tcp_passes(WORKSHOP, address(LEARNING_FREE), 22)
                self.assert_udp_passes(WORKSHOP, address(LEARNING_FREE), 443, FIRST[443])
                self.assert_udp_refused(WORKSHOP, address(LEARNING_FREE), 8443, FIRST[443])
                self.assert_tcp_refused(WORKSHOP, address(GAME_FREE), 22)
                self.assert_udp_refused(WORKSHOP, address(GAME_FREE), 443, FIRST[443])

    def test_other_ports_of_an_allowed_site_are_open(self):
        for family, (address, _, _) in FAMILIES.items():
            with self.subTest(family=family):
                self.assert_tcp_passes(PUPIL, address(LEARNING_FREE), 7000)
                self.assert_udp_passes(PUPIL, address(LEARNING_FREE), 7000)

    def test_literal_addresses_are_refused(self):
        for family, (address, _, _) in FAMILIES.items():
            with self.subTest(family=family):
                self.assert_tcp_refused(PUPIL, address(GAME_FREE), 443)
                self.assert_tcp_refused(PUPIL, address(GAME_FREE), 7000)
                self.assert_udp_refused(PUPIL, address(GAME_FREE), 443, FIRST[443])
                self.assert_udp_refused(PUPIL, address(GAME_FREE), 7000)
                self.assert_site_and_cloud_are_open(PUPIL, family)

    def test_a_browser_with_a_literal_address_is_refused_and_with_the_clouds_name_served(self):
        for address in (internet4(GAME), f"[{internet6(GAME)}]"):
            refused = self.school.exec(PUPIL, "curl", "-sk", "--max-time", "20", f"https://{address}/", check=False)
            self.assertEqual(refused.returncode, 7, refused.stderr)
        for family in "46":
            served = self.school.exec(PUPIL, "curl", f"-sk{family}", "--max-time", "20", "https://cloud.mnspro.test/")
            self.assertIn("Lerncloud", served.stdout)

    def test_a_browser_with_a_proxy_outside_is_refused(self):
        for proxy, port in (("socks5h", 1080), ("http", 3128), ("http", 8080)):
            for address in (internet4(LEARNING_FREE), f"[{internet6(LEARNING_FREE)}]"):
                with self.subTest(proxy=proxy, address=address):
                    listener = self.school.server("internet", address.strip("[]"), port)
                    refused = self.school.exec(PUPIL, "curl", "-sk", "--max-time", "20", "-x", f"{proxy}://{address}:{port}", "https://spiele.test/",
                                               check=False)
                    self.assertEqual(refused.returncode, 7, refused.stderr)
                    self.assert_nothing_came(listener)

    def assert_protocols_refused(self, tablet: str) -> None:
        tap = WanTap(self.school)
        for family, (address, _, _) in FAMILIES.items():
            for protocol in PROTOCOLS:
                with self.subTest(tablet=tablet, family=family, protocol=protocol):
                    near = self.send_protocol(tablet, protocol, address(SITES[tablet]), MARK)
                    if protocol in ANSWERED:
                        self.assert_prohibited(near, family)
            self.assert_site_and_cloud_are_open(tablet, family)
        self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])

    def test_protocols_that_carry_others_are_refused(self):
        for tablet in (PUPIL, TEACHER):
            self.assert_protocols_refused(tablet)

    def test_authenticated_packets_are_refused_whatever_they_carry(self):
        # IPv6 counts the header (RFC 4302) among its extensions: what follows is judged.
        tap = WanTap(self.school)
        for family, (address, own, _) in FAMILIES.items():
            source, target = own(1), address(LEARNING_FREE)
            inner = packets.udp(source, target, 4000, 51820, MARK)
            header = struct.pack("!BBHII4s", socket.IPPROTO_UDP, 2, 0, 1, 1, bytes(4))
            self.raw(PUPIL, family).sendto(packets.ip(source, target, packets.AUTHENTICATION, header + inner), (target, 0))
        self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])

    def test_resolvers_outside_are_the_gate_whoever_is_asked(self):
        tap = WanTap(self.school)
        for server in (internet4(DOH), internet6(DOH), internet4(LEARNING_FREE), internet6(CLOUD_FREE)):
            for way in ("+notcp", "+tcp"):
                with self.subTest(server=server, way=way):
                    asked = self.school.exec(PUPIL, "dig", way, "+tries=1", "+timeout=10", f"@{server}", "spiele.test", "lernen.test")
                    self.assertIn("status: NXDOMAIN", asked.stdout)
                    self.assertIn("status: NOERROR", asked.stdout)
        self.assertEqual(tap.ports_asked() & {53, 5300}, set())

    def test_resolvers_over_tls_and_https_are_refused_by_name_and_by_address(self):
        for tablet in (PUPIL, TEACHER):
            for name in ("doh.test", "dns.google", "cloudflare-dns.com", "dns.quad9.net", "mask.icloud.com"):
                with self.subTest(tablet=tablet, name=name):
                    answer = self.school.resolve(tablet, name)
                    self.assertEqual((answer.rcode, answer.ede), (dns.NXDOMAIN, [dns.EDE_FILTERED]))
        for server in RESOLVERS:
            self.school.exec("internet", "ip", "addr", "add", server, "dev", "lo", *(["nodad"] if ":" in server else []))
            for tablet in (PUPIL, TEACHER):
                with self.subTest(tablet=tablet, server=server):
                    self.assert_tcp_refused(tablet, server, 443)
                    self.assert_udp_refused(tablet, server, 7000)
        for server in (internet4(DOH), internet6(DOH)):
            for tablet in (PUPIL, TEACHER):
                with self.subTest(tablet=tablet, server=server):
                    asked = self.school.exec(tablet, "dig", "+tls", "+tries=1", "+timeout=10", f"@{server}", "spiele.test", check=False)
                    self.assertIn("connection refused", asked.stdout + asked.stderr)
            asked = self.school.exec(PUPIL, "curl", "-sk", "--max-time", "20", "--doh-insecure", "--doh-url",
                                     f"https://{server if '.' in server else f'[{server}]'}/dns-query", "https://spiele.test/", check=False)
            self.assertEqual(asked.returncode, 6, asked.stderr)

    def test_a_resolver_in_the_class_opens_nothing(self):
        for family, (address, own, kind) in FAMILIES.items():
            with self.subTest(family=family):
                rogue = self.school.server("tablet2", own(2), 53, socket.SOCK_DGRAM)
                asker = self.school.socket(PUPIL, packets.address_family(own(2)), socket.SOCK_DGRAM)
                for name in ("frei.spiele.test", "frei.lernen.test", "frei.mnspro.test"):
                    asker.sendto(dns.question(name, kind), (own(2), 53))
                    question, peer = rogue.recvfrom(512)
                    rogue.sendto(answer_to(question, kind, address(GAME_FREE)), peer)
                    self.assertEqual(dns.parse(asker.recv(512)).addresses, [address(GAME_FREE)])
                    self.assert_tcp_refused(PUPIL, address(GAME_FREE), 443)
                self.assert_site_and_cloud_are_open(PUPIL, family)


def answer_to(question: bytes, kind: int, address: str) -> bytes:
    """What a resolver would say, with an address of its own choice."""
    end = dns.read_name(question, 12)[1] + 4
    data = packets.packed(address)
    return question[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + question[12:end] + struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(data)) + data


class FlowsThatAreOpen(WaysRound, unittest.TestCase):
    """What was begun where it was allowed ends where it is not; the cloud's goes on."""

    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 07:59:00", config=CONFIG | {"city.toml": CITY.replace("bypass  = true", "")}))
        for name in ("frei.lernen.test", "frei.mnspro.test"):
            for _, _, kind in FAMILIES.values():
                self.school.resolve(PUPIL, name, kind)

    def open(self, tablet: str, address: str, port: int, kind: int):
        server = self.school.server("internet", address, port, kind)
        if kind == socket.SOCK_STREAM:
            return self.school.pair(tablet, server)
        near = self.udp(tablet, address, port)
        near.send(b"hallo")
        server.connect(server.recvfrom(100)[1])
        return near, server

    def assert_goes_on(self, ends) -> None:
        for sender, receiver in (ends, reversed(ends)):
            sender.sendall(b"weiter")
            self.assertEqual(receiver.recv(100), b"weiter")

    def assert_ends(self, ends, family: int) -> None:
        near, far = ends
        near.sendall(b"weiter")
        if near.type == socket.SOCK_STREAM:
            with self.assertRaises(ConnectionResetError):
                near.recv(1)
        else:
            self.assert_prohibited(near, family)
        far.setblocking(False)
        with self.assertRaises(BlockingIOError):
            far.recv(100)

    def test_quic_and_ssh_end_when_school_begins(self):
        for family, (address, _, _) in FAMILIES.items():
            with self.subTest(family=family):
                self.school.time("2026-11-23 07:59:00")
                flows = [self.open(PUPIL, address(LEARNING_FREE), port, kind)
                         for port, kind in ((22, socket.SOCK_STREAM), (443, socket.SOCK_DGRAM))]
                others = [self.open(PUPIL, address(host), port, kind) for host, port, kind in (
                    (LEARNING_FREE, 443, socket.SOCK_STREAM), (CLOUD_FREE, 443, socket.SOCK_STREAM), (CLOUD_FREE, 443, socket.SOCK_DGRAM))]
                self.school.time("08:00:00")
                for ends in flows:
                    self.assert_ends(ends, family)
                for ends in others:
                    self.assert_goes_on(ends)

    def test_tunnels_end_when_the_city_closes_them(self):
        tap = WanTap(self.school)
        flows = []
        for family, (address, _, _) in FAMILIES.items():
            flows += [(family, self.open(TEACHER, address(GAME_FREE), port, kind))
                      for port, kind in ((1080, socket.SOCK_STREAM), (51820, socket.SOCK_DGRAM))]
            for protocol in PROTOCOLS:
                self.send_protocol(TEACHER, protocol, address(GAME_FREE), OPEN_MARK)
        # The tap would have seen what is refused.
        self.assertEqual(len([packet for packet in tap.packets() if OPEN_MARK in packet]), 2 * len(PROTOCOLS))
        game = self.open(TEACHER, internet4(GAME_FREE), 7000, socket.SOCK_STREAM)
        self.school.config("city.toml").write_text(CITY)
        done = self.school.reload()
        self.assertEqual(done.returncode, 0, done.stderr)
        for family, ends in flows:
            self.assert_ends(ends, family)
        self.assert_goes_on(game)
        tap = WanTap(self.school)
        for address, _, _ in FAMILIES.values():
            for protocol in PROTOCOLS:
                self.send_protocol(TEACHER, protocol, address(GAME_FREE), MARK)
        self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])


if __name__ == "__main__":
    main()
