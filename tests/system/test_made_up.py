#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""One tablet that makes up addresses fills none of the box's tables for others: neighbours, connections, what is counted of devices."""

import socket
import struct
import time
import unittest

from lib import dns, packets
from lib.reach import SOON, Reach
from lib.school import GATEWAY4, GATEWAY6, School, internet4, internet6, main, tablet4, tablet6, tablet_mac, wait_for
from schoollab.names import CLOUD_FREE, GAME_FREE, LEARNING_FREE

FAMILIES = {4: (internet4, tablet4, GATEWAY4), 6: (internet6, tablet6, GATEWAY6)}
BOX_MAC = bytes.fromhex("02770000ff01")
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
SO_RCVBUFFORCE, SO_SNDBUFFORCE = 33, 32
SITE_PORT, FIRST_SOURCE_PORT = 7000, 20000
# What netfilter/planner/limits.hpp allows.
ADDRESSES, STRANGERS_ADDRESSES, STRANGERS_ADDRESSES_A_SECOND = 32, 2000, 100
BOX_FLOWS, STRANGER_FLOWS = 1000, 250
STRANGERS_FLOWS, STRANGERS_FLOWS_A_SECOND = 10000, 2000
LINK_MESSAGES, LINK_MESSAGES_A_SECOND = 200, 100
# What an honest device has: with IPv6 an address of each day, for a week, and some more.
HONEST_ADDRESSES = 10
HOSTS = (10, 11, 20, 21, 30)


def school_with_strangers() -> School:
    """The last three of its tablets are in no roster."""
    roster = "mac,group\n" + "".join(f"{tablet_mac(n)},3b\n" for n in range(1, 14))
    return School(at="2026-11-23 09:00:00", tablets=16, config={"roster.csv": roster})


class Making(Reach, unittest.TestCase):
    def resolve_all(self) -> None:
        for name in ("frei.lernen.test", "frei.mnspro.test"):
            for kind in (dns.A, dns.AAAA):
                self.assertEqual(len(self.school.resolve("tablet1", name, kind).addresses), 1, name)

    def sink(self, family: int, port: int) -> socket.socket:
        server = self.school.server("internet", FAMILIES[family][0](LEARNING_FREE), port, socket.SOCK_DGRAM)
        server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.addCleanup(server.close)
        return server

    def arrived(self, sink: socket.socket) -> int:
        """Whatever is sent now comes after all that was sent before."""
        self.assert_cloud_is_open("tablet1")
        sink.setblocking(False)
        count = 0
        try:
            while sink.recv(100):
                count += 1
        except BlockingIOError:
            return count

    def assert_cloud_is_open(self, tablet: str) -> None:
        for address, _, _ in FAMILIES.values():
            self.assert_tcp_passes(tablet, address(CLOUD_FREE), 443)

    def wire(self, tablet: str) -> socket.socket:
        """Sends whole frames."""
        made = self.school.socket(tablet, socket.AF_PACKET, socket.SOCK_RAW)
        self.addCleanup(made.close)
        made.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 32 << 20)
        made.bind(("eth0", 0))
        return made

    @staticmethod
    def frame(mac: bytes, family: int, packet: bytes) -> bytes:
        return BOX_MAC + mac + struct.pack("!H", ETHERTYPE[family]) + packet

    def datagram(self, family: int, source: str, source_port: int, port: int) -> bytes:
        target = FAMILIES[family][0](LEARNING_FREE)
        return packets.ip(source, target, socket.IPPROTO_UDP, packets.udp(source, target, source_port, port, b"hallo"))

    def neighbours(self, family: int, beginning: str) -> int:
        listed = self.school.exec("gateway", "ip", f"-{family}", "neigh", "show", "dev", "lan0").stdout
        return sum(line.startswith(beginning) for line in listed.splitlines())


class MadeUp(Making):
    """Each test floods from tablets of its own."""

    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(school_with_strangers())

    def setUp(self):
        self.resolve_all()

    def test_the_box_answers_few_addresses_of_a_device_and_others_find_it(self):
        for family, flooding, other, beginning in ((4, "tablet2", "tablet3", "10.77.200."), (6, "tablet4", "tablet5", "fd77::200:")):
            gate, begun = FAMILIES[family][2], time.monotonic()
            with self.subTest(family=family), self.raw(flooding, family) as raw:
                for i in range(1, 200):
                    source = f"{beginning}{i}"
                    raw.sendto(packets.ip(source, gate, socket.IPPROTO_TCP, packets.tcp(source, gate, FIRST_SOURCE_PORT, 443)), (gate, 0))
                    # Refused: an error would be its answer.
                    raw.sendto(packets.ip(source, gate, socket.IPPROTO_UDP, packets.udp(source, gate, FIRST_SOURCE_PORT, 161)), (gate, 0))
                self.assertEqual(self.school.resolve(other, "frei.mnspro.test", server=gate).rcode, dns.NOERROR)
                self.assert_cloud_is_open(other)
                self.assertGreaterEqual(self.neighbours(family, beginning), ADDRESSES // 2)
                self.assertLessEqual(self.neighbours(family, beginning), ADDRESSES + time.monotonic() - begun + 1)
                # Its own cloud does not suffer from what it has made up.
                self.assert_cloud_is_open(flooding)

    def test_few_addresses_of_a_device_get_through(self):
        for family, (_, own, _) in FAMILIES.items():
            with self.subTest(family=family), self.raw(f"tablet{2 + family}", family) as raw:
                sink, begun = self.sink(family, SITE_PORT), time.monotonic()
                target = FAMILIES[family][0](LEARNING_FREE)
                for i in range(150):
                    raw.sendto(self.datagram(family, own(100 + i), FIRST_SOURCE_PORT, SITE_PORT), (target, 0))
                got, seconds = self.arrived(sink), time.monotonic() - begun
                self.assertGreaterEqual(got, HONEST_ADDRESSES)
                self.assertLessEqual(got, ADDRESSES + seconds + 1)

    def test_a_device_with_ten_addresses_notices_nothing(self):
        tablet = "tablet9"
        for i in range(HONEST_ADDRESSES):
            self.school.exec(tablet, "ip", "addr", "add", f"{tablet6(90 + i)}/64", "dev", "eth0", "nodad")
        for i in range(HONEST_ADDRESSES):
            listener = self.school.server("internet", internet6(CLOUD_FREE), 443)
            near = self.school.socket(tablet, socket.AF_INET6, seconds=SOON)
            near.bind((tablet6(90 + i), 0))
            near.connect((internet6(CLOUD_FREE), 443))
            near.close()
            listener.close()

    def test_a_stranger_has_fewer_connections(self):
        sink, wire = self.sink(4, SITE_PORT + 2), self.wire("tablet16")
        for i in range(2 * STRANGER_FLOWS):
            wire.send(self.frame(bytes.fromhex("02770b000001"), 4, self.datagram(4, tablet4(200), FIRST_SOURCE_PORT + i, SITE_PORT + 2)))
        self.assertEqual(self.arrived(sink), STRANGER_FLOWS)

    def test_a_device_tells_of_so_many_neighbours_a_second(self):
        begun, beginning = time.monotonic(), "fd77::300:"
        with self.raw("tablet7", 6) as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            for i in range(1, 3 * LINK_MESSAGES):
                source = f"{beginning}{i:x}"
                option = b"\x01\x01" + bytes.fromhex(tablet_mac(7).replace(":", ""))
                solicitation = packets.icmp(source, GATEWAY6, 135, data=packets.packed(GATEWAY6) + option)
                raw.sendto(packets.ip(source, GATEWAY6, socket.IPPROTO_ICMPV6, solicitation, hops=255), (GATEWAY6, 0))
        self.assert_cloud_is_open("tablet1")
        got, seconds = self.neighbours(6, beginning), time.monotonic() - begun
        self.assertGreaterEqual(got, LINK_MESSAGES // 2)
        self.assertLessEqual(got, LINK_MESSAGES + LINK_MESSAGES_A_SECOND * (seconds + 1))

    def connections(self, *words: str) -> int:
        return len(self.school.exec("gateway", "conntrack", "-L", *words).stdout.splitlines())

    def test_the_box_itself_has_few_connections_of_a_device(self):
        self.school.exec("gateway", "sysctl", "--quiet", "net.netfilter.nf_conntrack_udp_timeout=600")
        for flooding, other, port, asks in (("tablet10", "tablet11", 67, b"DISCOVER"), ("tablet12", "tablet13", 53, dns.question("frei.mnspro.test"))):
            with self.subTest(port=port), self.raw(flooding, 4) as raw:
                source = tablet4(int(flooding.removeprefix("tablet")))
                for i in range(2 * BOX_FLOWS):
                    datagram = packets.udp(source, GATEWAY4, FIRST_SOURCE_PORT + i, port, asks)
                    raw.sendto(packets.ip(source, GATEWAY4, socket.IPPROTO_UDP, datagram), (GATEWAY4, 0))
                self.assertEqual(self.school.resolve(other, "frei.mnspro.test").rcode, dns.NOERROR)
                self.assert_cloud_is_open(flooding)
                tracked = self.connections("-p", "udp", "--orig-src", source, "--orig-port-dst", str(port))
                self.assertLessEqual(tracked, BOX_FLOWS)
                self.assertGreaterEqual(tracked, BOX_FLOWS // 2)

    def fill(self, percent: int) -> None:
        """The table of connections, with the gateway's own: no tablet is let have so many."""
        self.school.exec("gateway", "sysctl", "--quiet", "net.netfilter.nf_conntrack_udp_timeout=600")
        most = int(self.school.exec("gateway", "sysctl", "--values", "net.netfilter.nf_conntrack_max").stdout)
        sender = self.school.socket("gateway", socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(most * percent // 100):
            sender.sendto(b"", (internet4(HOSTS[number // 60_000]), 1 + number % 60_000))

    def holds_strangers_off(self) -> bool:
        return bool(self.school.nft_elements("crowded"))

    def test_while_connections_fill_the_table_its_rest_is_for_devices_of_the_roster(self):
        stranger, known = "tablet14", "tablet8"
        held = [self.school.pair(stranger, self.school.server("internet", address(CLOUD_FREE), 443)) for address, _, _ in FAMILIES.values()]
        self.fill(52)
        wait_for(self.holds_strangers_off, what="strangers held off")
        for address, _, _ in FAMILIES.values():
            self.assert_tcp_refused(stranger, address(CLOUD_FREE), 443)
        for tablet in (known, "tablet1"):
            self.assert_cloud_is_open(tablet)
            self.assertEqual(self.school.resolve(tablet, "frei.mnspro.test").rcode, dns.NOERROR)
        for near, far in held:
            near.sendall(b"weiter")
            self.assertEqual(far.recv(100), b"weiter")
        self.school.exec("gateway", "conntrack", "-D", "-p", "udp")
        wait_for(lambda: not self.holds_strangers_off(), what="room for all")
        self.assert_cloud_is_open(stranger)


class StrangersTogether(Making):
    """What one test takes is not there for the next."""

    def setUp(self):
        self.school = self.enterContext(school_with_strangers())
        self.resolve_all()

    def test_new_addresses_of_strangers_are_few_together(self):
        sink, wire, begun = self.sink(4, SITE_PORT + 1), self.wire("tablet15"), time.monotonic()
        for i in range(2 * STRANGERS_ADDRESSES):
            source = f"10.77.{100 + i // 250}.{1 + i % 250}"
            wire.send(self.frame(struct.pack("!HI", 0x0277, 0x0A000000 + i), 4, self.datagram(4, source, FIRST_SOURCE_PORT, SITE_PORT + 1)))
        got, seconds = self.arrived(sink), time.monotonic() - begun
        self.assertGreaterEqual(got, STRANGERS_ADDRESSES // 2)
        self.assertLessEqual(got, STRANGERS_ADDRESSES + STRANGERS_ADDRESSES_A_SECOND * (seconds + 1))

    def test_strangers_begin_so_many_connections_a_second_together(self):
        sink, wire, begun = self.sink(4, SITE_PORT + 3), self.wire("tablet16"), time.monotonic()
        strangers = 100
        for i in range(2 * STRANGERS_FLOWS):
            stranger = i % strangers
            datagram = self.datagram(4, f"10.77.90.{1 + stranger}", FIRST_SOURCE_PORT + i // strangers, SITE_PORT + 3)
            wire.send(self.frame(struct.pack("!HI", 0x0277, 0x0C000000 + stranger), 4, datagram))
        self.assert_cloud_is_open("tablet13")
        got, seconds = self.arrived(sink), time.monotonic() - begun
        self.assertGreaterEqual(got, STRANGERS_FLOWS // 2)
        self.assertLessEqual(got, STRANGERS_FLOWS + STRANGERS_FLOWS_A_SECOND * (seconds + 1))


if __name__ == "__main__":
    main()
