#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""One tablet that floods has its own bounds, and costs no other tablet its cloud, its errors or its answers."""

import socket
import struct
import time
import unittest
from pathlib import Path

from lib import dns, packets
from lib.reach import SOON, Reach
from lib.school import GATEWAY4, GATEWAY6, School, internet4, internet6, main, tablet4, tablet6, wait_for
from schoollab.names import CLOUD_FREE, GAME_FREE, LEARNING_FREE

FAMILIES = {4: (internet4, tablet4, GATEWAY4), 6: (internet6, tablet6, GATEWAY6)}
FLOWS, MOST_FLOWS = 1500, 1000
ERRORS_A_SECOND = 100
REFUSED_IN_A_SECOND = 60
QUESTIONS, QUESTIONS_A_SECOND, OTHERS_QUESTIONS = 12000, 2000, 50
# Few: the kernel's table of neighbours is one for the whole machine.
MADE_UP = 20
SITE_PORT, CLOUD_PORT = 7000, 443
FIRST_SOURCE_PORT = 20000
SO_RCVBUFFORCE, SO_SNDBUFFORCE = 33, 32
ROUTED4, ROUTED6 = "10.78.0", "fd77:0:0:78:"


def number_of(tablet: str) -> int:
    return int(tablet.removeprefix("tablet"))


class Flood(Reach, unittest.TestCase):
    """Each test floods from tablets of its own."""

    @classmethod
    def setUpClass(cls):
        text = (School.DEFAULT_CONFIG / "school.toml").read_text().replace(
            'ownership = "staff"', f'ownership = "staff"\nprefixes  = ["{ROUTED4}.0/24", "{ROUTED6}:/64"]')
        roster = "mac,group\n" + "".join(f"02:77:00:00:00:{n:02x},3b\n" for n in range(1, 20) if n != 8) + "02:77:00:00:00:08,lehrkraefte\n"
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00", tablets=20, config={"school.toml": text, "roster.csv": roster}))
        cls.school.exec("gateway", "ip", "route", "add", f"{ROUTED4}.0/24", "via", tablet4(20))
        cls.school.exec("gateway", "ip", "-6", "route", "add", f"{ROUTED6}:/64", "via", tablet6(20))

    def setUp(self):
        for name in ("frei.lernen.test", "frei.mnspro.test"):
            for kind in (dns.A, dns.AAAA):
                self.assertEqual(len(self.school.resolve("tablet1", name, kind).addresses), 1, name)

    def sink(self, family: int, host: int, port: int) -> socket.socket:
        """A server that keeps all that comes, for it to be counted."""
        server = self.school.server("internet", FAMILIES[family][0](host), port, socket.SOCK_DGRAM)
        server.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self.addCleanup(server.close)
        return server

    @staticmethod
    def waiting(server: socket.socket) -> list[bytes]:
        got = []
        server.setblocking(False)
        try:
            while True:
                got.append(server.recv(100))
        except BlockingIOError:
            return got
        finally:
            server.setblocking(True)

    def flood(self, tablet: str, family: int, host: int, port: int, flows: int, source=None) -> None:
        """One datagram each of so many flows, which differ in their source ports; `source` gives each its address."""
        address, own, _ = FAMILIES[family]
        target = address(host)
        with self.raw(tablet, family) as raw:
            raw.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 32 << 20)
            for i in range(flows):
                from_where = source(i) if source else own(number_of(tablet))
                datagram = packets.udp(from_where, target, FIRST_SOURCE_PORT + i, port, struct.pack("!I", i))
                raw.sendto(packets.ip(from_where, target, socket.IPPROTO_UDP, datagram), (target, 0))

    def assert_bounded(self, sinks: list[socket.socket], most: int) -> None:
        """So many flows have arrived, and no others: whatever is sent now comes after all that was sent before."""
        arrived = set()

        def enough() -> bool:
            for number, server in enumerate(sinks):
                arrived.update((number, data) for data in self.waiting(server))
            return len(arrived) >= most
        wait_for(enough, what=f"{most} flows")
        self.assert_cloud_is_open("tablet1")
        enough()
        self.assertEqual(len(arrived), most)

    def assert_cloud_is_open(self, tablet: str) -> None:
        for address, _, _ in FAMILIES.values():
            self.assert_tcp_passes(tablet, address(CLOUD_FREE), 443)

    def assert_site_is_open(self, tablet: str) -> None:
        for address, _, _ in FAMILIES.values():
            self.assert_tcp_passes(tablet, address(LEARNING_FREE), 443)

    def test_a_thousand_flows_and_the_cloud_as_well(self):
        flooding, other = "tablet2", "tablet3"
        sinks = [self.sink(family, LEARNING_FREE, SITE_PORT) for family in FAMILIES]
        for family in FAMILIES:
            self.flood(flooding, family, LEARNING_FREE, SITE_PORT, FLOWS // 2)
        self.assert_bounded(sinks, MOST_FLOWS)
        for address, _, _ in FAMILIES.values():
            self.assert_tcp_refused(flooding, address(LEARNING_FREE), 443)
        # While it lasts: its own cloud, another's cloud, another's site.
        self.assert_cloud_is_open(flooding)
        self.assert_cloud_is_open(other)
        self.assert_site_is_open(other)

    def test_a_thousand_flows_to_the_cloud_and_others_as_well(self):
        flooding, other = "tablet4", "tablet5"
        sinks = [self.sink(family, CLOUD_FREE, CLOUD_PORT) for family in FAMILIES]
        for family in FAMILIES:
            self.flood(flooding, family, CLOUD_FREE, CLOUD_PORT, FLOWS // 2)
        self.assert_bounded(sinks, MOST_FLOWS)
        for address, _, _ in FAMILIES.values():
            self.assert_tcp_refused(flooding, address(CLOUD_FREE), 443)
        self.assert_site_is_open(flooding)
        self.assert_cloud_is_open(other)

    def test_many_addresses_are_one_device(self):
        flooding = "tablet6"
        sinks = [self.sink(family, LEARNING_FREE, SITE_PORT + 1) for family in FAMILIES]
        for family, (_, own, _) in FAMILIES.items():
            self.flood(flooding, family, LEARNING_FREE, SITE_PORT + 1, FLOWS // 2, lambda i, own=own: own(100 + i % 10))
        self.assert_bounded(sinks, MOST_FLOWS)
        self.assert_cloud_is_open(flooding)

    def test_flows_that_go_on_are_not_disturbed_and_those_that_end_make_room(self):
        flooding, held = "tablet7", []
        for address, _, _ in FAMILIES.values():
            held.append(self.school.pair(flooding, self.school.server("internet", address(LEARNING_FREE), 443)))
        sink = self.sink(4, LEARNING_FREE, SITE_PORT + 2)
        self.flood(flooding, 4, LEARNING_FREE, SITE_PORT + 2, FLOWS)
        self.assert_bounded([sink], MOST_FLOWS - len(held))
        for near, far in held:
            near.sendall(b"weiter")
            self.assertEqual(far.recv(100), b"weiter")
        self.school.exec("gateway", "conntrack", "-D", "-p", "udp", "--orig-port-dst", str(SITE_PORT + 2))
        self.assert_site_is_open(flooding)

    def test_behind_a_router_that_the_school_names_each_address_is_a_device(self):
        for family, sources in ((4, (f"{ROUTED4}.2", f"{ROUTED4}.3")), (6, (f"{ROUTED6}:2", f"{ROUTED6}:3"))):
            with self.subTest(family=family):
                sinks = []
                for i, source in enumerate(sources):
                    sinks.append(self.sink(family, GAME_FREE, SITE_PORT + i))
                    self.flood("tablet20", family, GAME_FREE, SITE_PORT + i, FLOWS, lambda _, source=source: source)
                self.assert_bounded(sinks, len(sources) * MOST_FLOWS)

    def errors(self, tablet: str, family: int) -> socket.socket:
        kind = socket.AF_INET if family == 4 else socket.AF_INET6
        ears = self.school.socket(tablet, kind, socket.SOCK_RAW, packets.ICMP[family])
        ears.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        return ears

    def count_errors(self, ears: socket.socket, family: int) -> int:
        counted = 0
        for message in self.waiting(ears):
            message = message[(message[0] & 15) * 4:] if family == 4 else message
            counted += (message[0], message[1]) == packets.PROHIBITED[family]
        return counted

    def assert_an_error_for_each(self, tablet: str, family: int) -> None:
        ears, counted = self.errors(tablet, family), 0
        self.flood(tablet, family, GAME_FREE, SITE_PORT, REFUSED_IN_A_SECOND)

        def all_came() -> bool:
            nonlocal counted
            counted += self.count_errors(ears, family)
            return counted >= REFUSED_IN_A_SECOND
        try:
            wait_for(all_came, seconds=SOON)
        except TimeoutError:
            self.fail(f"{counted} errors for {REFUSED_IN_A_SECOND} refused datagrams")

    def test_sixty_refused_datagrams_bring_sixty_errors(self):
        for family, tablet in ((4, "tablet9"), (6, "tablet10")):
            with self.subTest(family=family):
                self.assert_an_error_for_each(tablet, family)

    def test_a_device_has_so_many_errors_a_second_and_takes_none_from_others(self):
        for family, flooding, other in ((4, "tablet11", "tablet12"), (6, "tablet13", "tablet14")):
            with self.subTest(family=family):
                ears = self.errors(flooding, family)
                begun = time.monotonic()
                self.flood(flooding, family, GAME_FREE, SITE_PORT, FLOWS)
                self.assert_an_error_for_each(other, family)
                self.assert_cloud_is_open(flooding)
                counted = self.count_errors(ears, family)
                seconds = time.monotonic() - begun
                self.assertLessEqual(counted, ERRORS_A_SECOND * (seconds + 1) + 1)
                self.assertGreaterEqual(counted, ERRORS_A_SECOND)

    def test_a_device_has_so_many_resets_a_second(self):
        flooding = "tablet16"
        ears = self.school.socket(flooding, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        ears.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        source, target = tablet4(16), internet4(GAME_FREE)
        begun = time.monotonic()
        with self.raw(flooding, 4) as raw:
            for i in range(FLOWS):
                raw.sendto(packets.ip(source, target, socket.IPPROTO_TCP, packets.tcp(source, target, FIRST_SOURCE_PORT + i, 443)), (target, 0))
        self.assert_cloud_is_open("tablet15")
        resets = len([message for message in self.waiting(ears) if socket.inet_ntoa(message[12:16]) == target])
        seconds = time.monotonic() - begun
        self.assertLessEqual(resets, ERRORS_A_SECOND * (seconds + 1) + 1)
        self.assertGreaterEqual(resets, ERRORS_A_SECOND)

    def assert_is_answered(self, tablet: str, family: int) -> None:
        gate = FAMILIES[family][2]
        client = self.school.socket(tablet, packets.address_family(gate), socket.SOCK_DGRAM)
        self.assertEqual(dns.ask_udp(client, gate, "frei.mnspro.test", seconds=SOON).rcode, dns.NOERROR)
        client.close()

    def test_questions_of_a_device_are_bounded_whatever_addresses_it_takes(self):
        # Nobody answers for these addresses: answers to them wait in the kernel for a neighbour, and are not to be in the way of others.
        for family, sources in ((4, [f"10.77.2.{1 + i}" for i in range(MADE_UP)]), (6, [f"fd77::2:{1 + i}" for i in range(MADE_UP)])):
            gate, flooding, other = FAMILIES[family][2], f"tablet{13 + family}", f"tablet{14 + family}"
            with self.subTest(family=family), self.raw(flooding, family) as raw:
                raw.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 32 << 20)
                before, begun = self.asked(), time.monotonic()
                for i in range(QUESTIONS):
                    source = sources[i % MADE_UP]
                    datagram = packets.udp(source, gate, FIRST_SOURCE_PORT + i % 10, 53, dns.question("spiele.test", id=i))
                    raw.sendto(packets.ip(source, gate, socket.IPPROTO_UDP, datagram), (gate, 0))
                self.assert_is_answered(other, family)
                asked, seconds = self.asked() - before, time.monotonic() - begun
                self.assertGreaterEqual(asked, QUESTIONS_A_SECOND)
                self.assertLessEqual(asked, QUESTIONS_A_SECOND * (seconds + 1) + OTHERS_QUESTIONS)

    def asked(self) -> int:
        """Datagrams that the box has read: those of its gate, and few others."""
        with self.school.inside("gateway"):
            lines = Path("/proc/thread-self/net/snmp").read_text().splitlines()
            six = dict(line.split() for line in Path("/proc/thread-self/net/snmp6").read_text().splitlines())
        names, values = [line.split() for line in lines if line.startswith("Udp:")]
        return int(dict(zip(names, values))["InDatagrams"]) + int(six["Udp6InDatagrams"])


if __name__ == "__main__":
    main()
