#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The box itself: what it takes in from its sides, who manages it, and how what leaves by it looks outside."""

import select
import socket
import struct
import unittest

from lib import dns, packets
from lib.reach import SOON, Reach
from lib.school import GATEWAY4, GATEWAY6, School, internet4, internet6, main, tablet4, tablet6, tablet_mac
from schoollab.names import CLOUD_FREE, GAME_FREE, LEARNING_FREE, PROVIDER4, PROVIDER6, WAN4, WAN6
from test_gate import WanTap, transport

DEFAULT = School.DEFAULT_CONFIG
HOUR = "2026-11-23 09:00:00"
PUPIL, TEACHER = "tablet1", "tablet7"
BOX = (GATEWAY4, GATEWAY6, WAN4, WAN6)
# Behind the provider's router, and some tablets' addresses.
MANAGER, MANAGER6, NO_MANAGER = "10.9.0.5", "fd09::5", "10.9.1.5"
LAN_MANAGER, LAN_MANAGER6 = "10.77.9.9", "fd77::9:9"
GATEWAY = (DEFAULT / "gateway.toml").read_text().replace("prefixes = []", """\
prefixes = ["10.9.0.0/24", "fd09::/64", "10.77.9.0/24", "fd77::9:0/112"]
ports    = [22]""")
assert '"fd77::9:0/112"' in GATEWAY
SSH, CONSOLE = 22, 9090
SERVED_TCP = (80, 443)
CLOSED_TCP = (SSH, CONSOLE, 25, 139, 631, 8883)
CLOSED_UDP = (69, 123, 161, 500, 5353, 51820)
RESOLVER = 5335
BY_FAMILY = ((internet4, socket.AF_INET), (internet6, socket.AF_INET6))
ETH_P_ALL, ETH_P_IP = 3, 0x0800
MARK = b"SPUR" * 8


def add_addresses(school: School, host: str, device: str, *addresses: str) -> None:
    for address in addresses:
        school.exec(host, "ip", "addr", "add", address, "dev", device, *(["nodad"] if ":" in address else []))


class TheBox(Reach, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at=HOUR, config={"gateway.toml": GATEWAY}))
        add_addresses(cls.school, "internet", "lo", MANAGER, MANAGER6, NO_MANAGER)

    def service(self, port: int, type: int = socket.SOCK_STREAM) -> socket.socket:
        """A program of the box that takes whatever the kernel lets in, over both families."""
        with self.school.inside("gateway"):
            made = socket.socket(socket.AF_INET6, type)
        self.addCleanup(made.close)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("::", port))
        if type == socket.SOCK_STREAM:
            made.listen()
        made.settimeout(SOON)
        return made

    def client(self, host: str, source: str, address: str, port: int) -> socket.socket:
        made = self.school.socket(host, packets.address_family(address), socket.SOCK_STREAM, seconds=SOON)
        made.bind((source, 0))
        made.connect((address, port))
        return made

    def test_tablets_reach_the_status_page_and_the_cache(self):
        for port in SERVED_TCP:
            service = self.service(port)
            for address in (GATEWAY4, GATEWAY6):
                with self.subTest(address=address, port=port):
                    near = self.school.connect(PUPIL, address, port, seconds=SOON)
                    far, _ = service.accept()
                    far.sendall(b"hallo")
                    self.assertEqual(near.recv(100), b"hallo")
                    far.close()
            service.close()

    def test_all_else_is_refused_quickly_to_tablets_at_every_address_of_the_box(self):
        for tablet in (PUPIL, TEACHER):
            for port in CLOSED_TCP:
                service = self.service(port)
                for address in BOX:
                    with self.subTest(tablet=tablet, address=address, tcp=port), self.assertRaises(ConnectionRefusedError):
                        self.school.connect(tablet, address, port, seconds=SOON)
                self.assert_nothing_came(service)
        for tablet in ("tablet2", "tablet8"):
            for port in CLOSED_UDP:
                service = self.service(port, socket.SOCK_DGRAM)
                for address in BOX:
                    with self.subTest(tablet=tablet, address=address, udp=port):
                        near = self.udp(tablet, address, port)
                        near.send(b"hallo")
                        self.assert_prohibited(near, packets.family_of(address))
                self.assert_nothing_came(service)

    def test_the_resolver_behind_the_gate_is_not_reached(self):
        for address in BOX:
            with self.subTest(address=address):
                near = self.udp("tablet4", address, RESOLVER)
                near.send(dns.question("spiele.test"))
                self.assert_prohibited(near, packets.family_of(address))

    def test_the_box_is_not_pinged_by_tablets(self):
        for address in BOX:
            with self.subTest(address=address):
                family = packets.family_of(address)
                near = self.school.socket("tablet3", packets.address_family(address), socket.SOCK_RAW, packets.ICMP[family], seconds=SOON)
                near.connect((address, 0))
                source = near.getsockname()[0]
                near.send(packets.icmp(source, address, packets.ECHO_REQUEST[family], rest=struct.pack("!HH", 7, 1), data=MARK))
                self.assert_prohibited(near, family)

    def test_neighbours_find_each_other(self):
        for host, target in ((PUPIL, GATEWAY6), (PUPIL, GATEWAY4)):
            self.school.exec(host, "ip", "neigh", "flush", "to", target)
        self.school.exec("gateway", "ip", "-6", "neigh", "flush", "dev", "lan0")
        self.assertEqual(self.school.resolve(PUPIL, "frei.mnspro.test", server=GATEWAY6).rcode, dns.NOERROR)
        self.assertEqual(self.school.resolve(PUPIL, "frei.mnspro.test").rcode, dns.NOERROR)

    def test_a_router_that_is_solicited_hears_it(self):
        for kind in (133, 143):  # router solicitation; a report of who listens to which group
            with self.subTest(type=kind):
                ears = self.school.socket("gateway", socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6, seconds=SOON)
                ears.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lan0")
                group = socket.inet_pton(socket.AF_INET6, "ff02::2") + struct.pack("@I", 0)
                ears.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
                message = packets.icmp(tablet6(1), "ff02::2", kind)
                with self.raw(PUPIL, 6) as raw:
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
                    raw.sendto(packets.ip(tablet6(1), "ff02::2", socket.IPPROTO_ICMPV6, message, hops=255), ("ff02::2", 0))
                while ears.recv(2048)[0] != kind:
                    pass

    def test_dhcp_reaches_its_server(self):
        service = self.service(67, socket.SOCK_DGRAM)
        discover = packets.ip("0.0.0.0", "255.255.255.255", socket.IPPROTO_UDP, packets.udp("0.0.0.0", "255.255.255.255", 68, 67, b"DISCOVER"))
        wire = self.school.socket(PUPIL, socket.AF_PACKET, socket.SOCK_RAW)
        wire.bind(("eth0", ETH_P_IP))
        mac = bytes.fromhex(tablet_mac(1).replace(":", ""))
        wire.send(b"\xff" * 6 + mac + struct.pack("!H", ETH_P_IP) + discover)
        self.assertEqual(service.recv(100), b"DISCOVER")
        service6 = self.service(547, socket.SOCK_DGRAM)
        near = self.udp(PUPIL, GATEWAY6, 547)
        near.send(b"SOLICIT")
        self.assertEqual(service6.recv(100), b"SOLICIT")

    def test_nothing_from_outside_is_taken_in_or_answered(self):
        services = [self.service(port) for port in (*SERVED_TCP, SSH, CONSOLE)] + [self.service(port, socket.SOCK_DGRAM) for port in (67, 547, 161)]
        answers = AnswerTap(self.school)
        for address, source in ((WAN4, internet4(GAME_FREE)), (WAN6, internet6(GAME_FREE)), (WAN4, NO_MANAGER)):
            family = packets.family_of(address)
            with self.raw("internet", family) as raw:
                for port in (53, 5300, *SERVED_TCP, SSH, CONSOLE, 33333):
                    raw.sendto(packets.ip(source, address, socket.IPPROTO_TCP, packets.tcp(source, address, 4000, port)), (address, 0))
                for port in (53, 5300, 67, 547, 161, 33333):
                    data = dns.question("spiele.test") if port in (53, 5300) else b"hallo"
                    raw.sendto(packets.ip(source, address, socket.IPPROTO_UDP, packets.udp(source, address, 4000, port, data)), (address, 0))
                echo = packets.icmp(source, address, packets.ECHO_REQUEST[family], rest=struct.pack("!HH", 7, 1))
                raw.sendto(packets.ip(source, address, packets.ICMP[family], echo), (address, 0))
                raw.sendto(packets.ip(source, address, 47, MARK), (address, 0))
        self.assertEqual(answers.to({internet4(GAME_FREE), internet6(GAME_FREE), NO_MANAGER}), [])
        for service in services:
            self.assert_nothing_came(service)

    def test_nothing_from_outside_reaches_a_tablet(self):
        answers, listeners = AnswerTap(self.school), []
        for address in (tablet4(1), tablet6(1)):
            listener = self.school.server(PUPIL, address, 7000)
            source = (internet4 if "." in address else internet6)(GAME_FREE)
            with self.raw("internet", packets.family_of(address)) as raw:
                raw.sendto(packets.ip(source, address, socket.IPPROTO_TCP, packets.tcp(source, address, 4000, 7000)), (address, 0))
            listeners.append(listener)
        self.assertEqual(answers.to({internet4(GAME_FREE), internet6(GAME_FREE)}), [])
        for listener in listeners:
            self.assert_nothing_came(listener)

    def test_what_the_box_asks_outside_is_answered(self):
        for address, kind in BY_FAMILY:
            with self.subTest(address=address(CLOUD_FREE)):
                self.assert_tcp_passes("gateway", address(CLOUD_FREE), 7000)
                self.assert_udp_passes("gateway", address(CLOUD_FREE), 7000)
                near = self.udp("gateway", address(GAME_FREE), 7999)  # where nothing is
                near.send(b"hallo")
                with self.assertRaises(ConnectionRefusedError):
                    near.recv(100)
                echo = self.school.socket("gateway", kind, socket.SOCK_RAW, packets.ICMP[6 if kind == socket.AF_INET6 else 4], seconds=SOON)
                echo.connect((address(CLOUD_FREE), 0))
                family = packets.family_of(address(CLOUD_FREE))
                echo.send(packets.icmp(echo.getsockname()[0], address(CLOUD_FREE), packets.ECHO_REQUEST[family], rest=struct.pack("!HH", 9, 1)))
                message = echo.recv(2048)
                self.assertEqual((message[(message[0] & 15) * 4:] if family == 4 else message)[0], packets.ECHO_REPLY[family])

    def test_the_providers_dhcp_server_is_heard(self):
        for port, source, address in ((68, PROVIDER4, WAN4), (546, PROVIDER6, WAN6)):
            with self.subTest(port=port):
                service = self.service(port, socket.SOCK_DGRAM)
                server = self.school.socket("internet", packets.address_family(address), socket.SOCK_DGRAM)
                server.bind((source, port - 1))
                server.sendto(b"OFFER", (address, port))
                self.assertEqual(service.recv(100), b"OFFER")
                server.close()

    def test_the_box_is_managed_from_configured_networks_on_configured_ports_alone(self):
        add_addresses(self.school, "tablet4", "eth0", f"{LAN_MANAGER}/16", f"{LAN_MANAGER6}/64")
        managers = (("internet", MANAGER, WAN4), ("internet", MANAGER6, WAN6), ("tablet4", LAN_MANAGER, GATEWAY4),
                    ("tablet4", LAN_MANAGER6, GATEWAY6), ("tablet4", LAN_MANAGER, WAN4))
        service, console = self.service(SSH), self.service(CONSOLE)
        for host, source, address in managers:
            with self.subTest(source=source, address=address):
                near = self.client(host, source, address, SSH)
                far, peer = service.accept()
                self.assertEqual(peer[0].removeprefix("::ffff:"), source)
                far.sendall(b"SSH-2.0")
                self.assertEqual(near.recv(100), b"SSH-2.0")
                far.close()
        for source, address in ((LAN_MANAGER, GATEWAY4), (LAN_MANAGER6, GATEWAY6), (tablet4(4), GATEWAY4), (tablet6(4), GATEWAY6)):
            with self.subTest(source=source), self.assertRaises(ConnectionRefusedError):
                self.client("tablet4", source, address, CONSOLE)
        for source, address in ((tablet4(4), GATEWAY4), (tablet6(4), GATEWAY6)):
            with self.subTest(source=source), self.assertRaises(ConnectionRefusedError):
                self.client("tablet4", source, address, SSH)
        self.assert_nothing_came(console)
        self.assert_nothing_came(service)

    def test_a_managers_address_on_the_wrong_side_manages_nothing(self):
        service = self.service(SSH)
        tap = WanTap(self.school)
        for source, address in ((MANAGER, GATEWAY4), (MANAGER6, GATEWAY6)):
            with self.raw(PUPIL, packets.family_of(source)) as raw:
                raw.sendto(packets.ip(source, address, socket.IPPROTO_TCP, packets.tcp(source, address, 4000, SSH)), (address, 0))
        self.assertEqual([packet for packet in tap.packets() if transport(packet)[1:] == (SSH, 4000)], [])
        self.assert_nothing_came(service)


class AnswerTap(WanTap):
    """What the box sends to whoever asks it from outside."""

    def to(self, targets: set[str]) -> list[bytes]:
        wanted = {packets.packed(target) for target in targets}
        return [packet for packet in self.packets() if (packet[30:34] in wanted or packet[38:54] in wanted) and not is_neighbours(packet)]


def is_neighbours(packet: bytes) -> bool:
    """Neighbour discovery (RFC 4861), without which there would be no answer anyway."""
    return transport(packet)[0] == socket.IPPROTO_ICMPV6 and packet[54] in (135, 136)


class WhatLeaves(Reach, unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at=HOUR))
        for name in ("frei.lernen.test", "frei.mnspro.test"):
            for kind in (dns.A, dns.AAAA):
                self.assertEqual(len(self.school.resolve(PUPIL, name, kind).addresses), 1, name)

    def peer(self, tablet: str, address: str, port: int) -> str:
        """Whom a server of the internet sees."""
        listener = self.school.server("internet", address, port)
        near, far = self.school.pair(tablet, listener)
        peer = far.getpeername()[0]
        for end in (near, far, listener):
            end.close()
        return peer

    def test_ipv4_leaves_with_the_address_that_the_box_has_at_that_moment(self):
        self.assertEqual(self.peer(PUPIL, internet4(LEARNING_FREE), 443), WAN4)
        self.assertEqual(self.peer(PUPIL, internet4(CLOUD_FREE), 443), WAN4)
        self.assertEqual(self.peer(PUPIL, internet6(CLOUD_FREE), 443), tablet6(1))
        # As a provider gives another.
        another = "198.51.100.77"
        for words in (f"addr del {WAN4}/24 dev wan0", f"addr add {another}/24 dev wan0", f"route replace default via {PROVIDER4}"):
            self.school.exec("gateway", "ip", *words.split())
        self.assertEqual(self.peer(PUPIL, internet4(LEARNING_FREE), 443), another)
        self.assertEqual(self.peer(PUPIL, internet4(CLOUD_FREE), 443), another)
        self.assertEqual(self.peer(TEACHER, internet4(GAME_FREE), 7000), another)
        self.assertEqual(self.peer(PUPIL, internet6(CLOUD_FREE), 443), tablet6(1))

    def test_a_school_whose_networks_are_known_outside_is_not_translated(self):
        path = self.school.config("gateway.toml")
        path.write_text(path.read_text().replace("[wan]\n", "[wan]\nmasquerade = false\n"))
        done = self.school.reload()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.peer(PUPIL, internet4(CLOUD_FREE), 443), tablet4(1))
        self.assertEqual(self.peer(PUPIL, internet6(CLOUD_FREE), 443), tablet6(1))

    def segment(self, family: int) -> tuple[int, int]:
        """The longest segments that a server and a tablet are asked for."""
        listener = self.school.server("internet", BY_FAMILY[family][0](CLOUD_FREE), 443)
        near_tap = self.tap(PUPIL, "eth0")
        far_tap = self.tap("internet", "wan")
        near, far = self.school.pair(PUPIL, listener)
        asked = asked_segment(far_tap, near.getpeername()[1], from_server=False), asked_segment(near_tap, near.getpeername()[1], from_server=True)
        for end in (near, far, listener, near_tap, far_tap):
            end.close()
        return asked

    def tap(self, host: str, device: str) -> socket.socket:
        made = self.school.socket(host, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        made.bind((device, ETH_P_ALL))
        return made

    def test_segments_fit_the_line_in_both_directions(self):
        headers = (40, 60)
        self.assertEqual([self.segment(family) for family in range(2)], [(1500 - header, 1500 - header) for header in headers])
        self.school.exec("gateway", "ip", "link", "set", "wan0", "mtu", "1400")
        self.assertEqual([self.segment(family) for family in range(2)], [(1400 - header, 1400 - header) for header in headers])
        # The narrower side decides.
        self.school.exec("gateway", "ip", "link", "set", "lan0", "mtu", "1300")
        self.assertEqual([self.segment(family) for family in range(2)], [(1300 - header, 1300 - header) for header in headers])


def asked_segment(tap: socket.socket, port: int, from_server: bool) -> int:
    """The option of the first segment of a connection to `port`, or of its answer."""
    while True:
        if not select.select([tap], [], [], SOON)[0]:
            raise TimeoutError("the tap saw no connection begin")
        packet = tap.recv(65536)
        protocol, source, target = transport(packet)
        if protocol != socket.IPPROTO_TCP or port != (source if from_server else target):
            continue
        at = 34 if packet[12:14] == b"\x08\0" else 54
        options, end = at + 20, at + (packet[at + 12] >> 4) * 4
        while packet[at + 13] & packets.SYN and options < end:
            if packet[options] == 2:
                return struct.unpack_from("!H", packet, options + 2)[0]
            options += 1 if packet[options] == 1 else packet[options + 1]


if __name__ == "__main__":
    main()
