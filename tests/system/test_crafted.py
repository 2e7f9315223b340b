#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Packets that no honest client sends open nothing: extension headers, fragments, stray segments, pings that carry more, sources and
hop counts of somebody else."""

import itertools
import socket
import struct
import time
import unittest

from lib import dns, packets
from lib.reach import Reach
from lib.school import GATEWAY4, GATEWAY6, School, internet4, internet6, main, tablet4, tablet6
from schoollab.names import CLOUD_FREE, GAME_FREE, LEARNING, LEARNING_FREE
from test_gate import WanTap, transport
from test_ways_round import FAMILIES, MARK, PUPIL, SITES, TEACHER

CLOSED, OPEN, CLOUD_PORT = 51820, 7000, 443
SOURCE_PORT = 4000
ECHOES, ECHO_BURST, ECHOES_A_SECOND = 200, 20, 10
ALONE = {4: ((5, 0), (13, 0), (15, 0), (17, 0), (4, 0)), 6: ((137, 0), (138, 0), (139, 0), (200, 0))}
identifications, source_ports = itertools.count(1), itertools.count(20000)


class Crafted(Reach):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00"))

    def setUp(self):
        for name in ("frei.lernen.test", "lernen.test", "frei.mnspro.test"):
            for _, _, kind in FAMILIES.values():
                self.assertEqual(len(self.school.resolve(PUPIL, name, kind).addresses), 1, name)

    def ends(self, tablet: str, family: int, host: int) -> tuple[str, str]:
        address, own, _ = FAMILIES[family]
        return own(int(tablet.removeprefix("tablet"))), address(host)

    def send(self, tablet: str, *sent: bytes) -> None:
        """Packets with addresses of their own, to where they say."""
        for packet in sent:
            family = packet[0] >> 4
            target = socket.inet_ntop(socket.AF_INET, packet[16:20]) if family == 4 else socket.inet_ntop(socket.AF_INET6, packet[24:40])
            with self.raw(tablet, family) as raw:
                raw.sendto(packet, (target, 0))


class HeadersAndFragments(Crafted, unittest.TestCase):
    CHAINS = ([packets.HOP_BY_HOP], [packets.DESTINATION_OPTIONS], [packets.ROUTING], [packets.FRAGMENT], [packets.DESTINATION_OPTIONS] * 4,
              [packets.HOP_BY_HOP, packets.DESTINATION_OPTIONS, packets.ROUTING, packets.FRAGMENT, packets.DESTINATION_OPTIONS])
    # A protocol that is closed by itself (RFC 4302), though IPv6 has it among its extension headers.
    AUTHENTICATED = ([packets.AUTHENTICATION], [packets.DESTINATION_OPTIONS, packets.AUTHENTICATION])

    def send_extended(self, chain: list[int], host: int, port: int, mark: bytes) -> None:
        """Each is a flow of its own."""
        source, target = self.ends(PUPIL, 6, host)
        datagram = packets.udp(source, target, next(source_ports), port, mark)
        self.send(PUPIL, packets.extended(source, target, chain, socket.IPPROTO_UDP, datagram))

    def test_ports_are_found_behind_ipv6_extension_headers(self):
        tap = WanTap(self.school)
        wanted = []
        for number, chain in enumerate(self.CHAINS):
            for host, port, mark in ((LEARNING_FREE, OPEN, f"FREI{number}".encode()), (CLOUD_FREE, CLOUD_PORT, f"CLOUD{number}".encode())):
                self.send_extended(chain, host, port, mark)
                wanted.append(mark)
        for chain in (*self.CHAINS, *self.AUTHENTICATED):
            for host, port in ((LEARNING_FREE, CLOSED), (GAME_FREE, OPEN)):
                self.send_extended(chain, host, port, MARK)
            source, target = self.ends(PUPIL, 6, LEARNING_FREE)
            segment = packets.tcp(source, target, next(source_ports), 1080, data=MARK)
            self.send(PUPIL, packets.extended(source, target, chain, socket.IPPROTO_TCP, segment))
        for chain in self.AUTHENTICATED:
            self.send_extended(chain, LEARNING_FREE, OPEN, MARK)
        seen = tap.packets()
        self.assertEqual([mark for mark in wanted if not any(mark in packet for packet in seen)], [], "these are open, and did not arrive")
        self.assertEqual([packet for packet in seen if MARK in packet], [])

    def fragmented(self, family: int, host: int, port: int, data: bytes, shuffle) -> list[bytes]:
        """A datagram whose ports are in its first fragment alone."""
        source, target = self.ends(PUPIL, family, host)
        datagram = packets.udp(source, target, next(source_ports), port, data)
        cuts = shuffle([(0, 8), (8, 1288), (1288, len(datagram))])
        return packets.fragments(source, target, socket.IPPROTO_UDP, datagram, cuts, next(identifications))

    def test_a_datagram_in_fragments_is_judged_as_a_whole(self):
        tap = WanTap(self.school)
        for family in FAMILIES:
            for name, shuffle in (("in order", list), ("last first", lambda cuts: cuts[::-1])):
                with self.subTest(family=family, order=name):
                    for host, port in ((LEARNING_FREE, CLOSED), (GAME_FREE, OPEN)):
                        self.send(PUPIL, *self.fragmented(family, host, port, MARK * 50, shuffle))
                    for host, port in ((LEARNING_FREE, OPEN), (CLOUD_FREE, CLOUD_PORT)):
                        server = self.school.server("internet", FAMILIES[family][0](host), port, socket.SOCK_DGRAM)
                        self.send(PUPIL, *self.fragmented(family, host, port, b"frei" * 400, shuffle))
                        self.assertEqual(server.recvfrom(2048)[0], b"frei" * 400)
                        server.close()
        self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])

    def test_pieces_of_a_datagram_are_not_passed_on(self):
        tap = WanTap(self.school)
        for family in FAMILIES:
            for keep in ([0], [1], [2], [1, 2], [0, 2]):
                self.send(PUPIL, *self.fragmented(family, LEARNING_FREE, OPEN, MARK * 50, lambda cuts, keep=keep: [cuts[i] for i in keep]))
        self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])

    def test_a_fragment_that_overlaps_does_not_change_the_port(self):
        tap = WanTap(self.school)
        closed = []
        for family in FAMILIES:
            source, target = self.ends(PUPIL, family, LEARNING_FREE)
            for end, order in itertools.product((8, 16, 24), ((0, 1, 2), (1, 0, 2), (2, 0, 1), (2, 1, 0))):
                port, number = next(source_ports), next(identifications)
                honest = packets.udp(source, target, port, OPEN, b"frei" * 16)
                other = packets.udp(source, target, port, CLOSED, b"frei" * 16)
                pieces = packets.fragments(source, target, socket.IPPROTO_UDP, honest, [(0, 16), (16, len(honest))], number)
                pieces[1:1] = packets.fragments(source, target, socket.IPPROTO_UDP, other, [(0, end)], number)
                self.send(PUPIL, *(pieces[i] for i in order))
                closed.append(struct.pack("!HH", port, CLOSED))
        self.assertEqual([packet for packet in tap.packets() if any(ports in packet for ports in closed)], [])

    def test_a_connections_first_packet_in_fragments_is_refused_where_it_is_closed(self):
        tap = WanTap(self.school)
        for family in FAMILIES:
            source, target = self.ends(PUPIL, family, LEARNING_FREE)
            segment = packets.tcp(source, target, SOURCE_PORT, 1080, data=MARK)
            # The flags are not where the ports are.
            self.send(PUPIL, *packets.fragments(source, target, socket.IPPROTO_TCP, segment, [(0, 8), (8, len(segment))], next(identifications)))
        self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])


class Segments(Crafted, unittest.TestCase):
    BEYOND = 1 << 30  # No window is as large.
    HEADER = {4: 34, 6: 54}  # Where that of TCP begins in a frame.

    def test_a_segment_beyond_the_window_is_neither_passed_on_nor_answered(self):
        for family, (address, _, _) in FAMILIES.items():
            for host, port in ((LEARNING_FREE, OPEN), (CLOUD_FREE, CLOUD_PORT)):
                with self.subTest(family=family, port=port):
                    tap = WanTap(self.school)
                    near, far = self.school.pair(PUPIL, self.school.server("internet", address(host), port))
                    own_port = near.getsockname()[1]
                    begun = next(packet for packet in tap.packets() if transport(packet) == (socket.IPPROTO_TCP, own_port, port)
                                 and not self.flags(packet, family) & packets.SYN)
                    sequence, acknowledged = struct.unpack_from("!II", begun, self.HEADER[family] + 4)
                    source, target = self.ends(PUPIL, family, host)
                    stray = packets.tcp(source, target, own_port, port, packets.PUSH | packets.ACK, MARK, (sequence + self.BEYOND) % (1 << 32),
                                        acknowledged)
                    self.send(PUPIL, packets.ip(source, target, socket.IPPROTO_TCP, stray))
                    self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])
                    # A reset would have ended it.
                    for sender, receiver in ((near, far), (far, near)):
                        sender.sendall(b"weiter")
                        self.assertEqual(receiver.recv(6, socket.MSG_WAITALL), b"weiter")

    def flags(self, packet: bytes, family: int) -> int:
        return packet[self.HEADER[family] + 13]


class Pings(Crafted, unittest.TestCase):
    def echo(self, tablet: str, family: int, host: int, mark: bytes, source: str | None = None) -> bytes:
        own, target = self.ends(tablet, family, host)
        source = source or own
        message = packets.icmp(source, target, packets.ECHO_REQUEST[family], rest=struct.pack("!HH", next(identifications) & 0xFFFF, 1), data=mark)
        return packets.ip(source, target, packets.ICMP[family], message)

    def assert_bounded(self, tablet: str, sent: list[bytes], mark: bytes) -> None:
        """Of pings sent at once a burst arrives, and no more than so many in a second."""
        tap = WanTap(self.school)
        begun = time.monotonic()
        self.send(tablet, *sent)
        arrived = len([packet for packet in tap.packets() if mark in packet])
        seconds = time.monotonic() - begun
        self.assertGreaterEqual(arrived, ECHO_BURST)
        self.assertLessEqual(arrived, ECHO_BURST + ECHOES_A_SECOND * seconds + 1)

    def test_pings_carry_little_wherever_they_go(self):
        for family, (address, _, _) in FAMILIES.items():
            # Who has sent none yet.
            tablet = {4: "tablet4", 6: "tablet2"}[family]
            with self.subTest(family=family):
                mark = f"ECHO{family}".encode() * 4
                self.assert_bounded(tablet, [self.echo(tablet, family, LEARNING_FREE, mark) for _ in range(ECHOES)], mark)
                # All that is used up is what pings have.
                self.assert_tcp_passes(tablet, address(LEARNING_FREE), 443)
                self.assert_tcp_passes(tablet, address(CLOUD_FREE), 443)

    def test_a_device_has_no_more_pings_by_other_targets_sources_or_families(self):
        # Of an open profile.
        tablet, mark = TEACHER, b"VIELE" * 4
        sources = {4: lambda i: tablet4(100 + i % 50), 6: lambda i: tablet6(100 + i % 50)}
        hosts = (LEARNING, LEARNING_FREE, GAME_FREE)
        sent = [self.echo(tablet, 4 + i % 2 * 2, hosts[i % 3], mark, sources[4 + i % 2 * 2](i)) for i in range(ECHOES)]
        self.assert_bounded(tablet, sent, mark)

    def test_a_ping_is_answered_where_it_may_go_and_refused_elsewhere(self):
        tap = WanTap(self.school)
        for family in FAMILIES:
            with self.subTest(family=family):
                kind = socket.AF_INET if family == 4 else socket.AF_INET6
                ears = self.school.socket("tablet3", kind, socket.SOCK_RAW, packets.ICMP[family], seconds=5)
                mark = b"ANTWORT" * 3
                self.send("tablet3", self.echo("tablet3", family, LEARNING_FREE, mark))
                self.assertEqual(self.heard(ears, family, mark), (packets.ECHO_REPLY[family], 0))
                self.send("tablet3", self.echo("tablet3", family, GAME_FREE, MARK))
                self.assertEqual(self.heard(ears, family, MARK), packets.PROHIBITED[family])
        self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])

    @staticmethod
    def heard(ears: socket.socket, family: int, mark: bytes) -> tuple[int, int]:
        """Type and code of the first message that carries the mark."""
        while True:
            message = ears.recv(2048)
            message = message[(message[0] & 15) * 4:] if family == 4 else message
            if mark in message:
                return message[0], message[1]

    def test_no_other_kind_of_message_is_passed_on(self):
        tap = WanTap(self.school)
        for tablet in (PUPIL, TEACHER):
            for family in FAMILIES:
                source, target = self.ends(tablet, family, SITES[tablet])
                made_up = packets.ip(target, source, socket.IPPROTO_UDP, packets.udp(target, source, OPEN, SOURCE_PORT, MARK))
                for type, code in (*ALONE[family], (packets.ECHO_REPLY[family], 0), packets.PROHIBITED[family]):
                    self.send(tablet, packets.ip(source, target, packets.ICMP[family],
                                                 packets.icmp(source, target, type, code, data=made_up + MARK)))
        self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])


class SourcesAndHops(Crafted, unittest.TestCase):
    def test_a_source_that_is_somebody_elses_opens_nothing(self):
        foreign = {
            4: (tablet4(7), GATEWAY4, internet4(GAME_FREE), internet4(CLOUD_FREE), "127.0.0.1", "224.0.0.1", "255.255.255.255", "192.168.1.1"),
            6: (tablet6(7), GATEWAY6, internet6(GAME_FREE), internet6(CLOUD_FREE), "::1", "::", "ff02::1", "fe80::7", "fd99::1")}
        tap = WanTap(self.school)
        for family in FAMILIES:
            for host, port in ((GAME_FREE, OPEN), (LEARNING_FREE, CLOSED)):
                target = self.ends(PUPIL, family, host)[1]
                for source in foreign[family]:
                    self.send(PUPIL, packets.ip(source, target, socket.IPPROTO_UDP, packets.udp(source, target, SOURCE_PORT, port, MARK)))
            # What is its own passes: of the teacher everywhere, of the pupil where it may go.
            for tablet in (PUPIL, TEACHER):
                source, target = self.ends(tablet, family, SITES[tablet])
                self.send(tablet, packets.ip(source, target, socket.IPPROTO_UDP,
                                             packets.udp(source, target, SOURCE_PORT, OPEN, f"EIGEN{tablet}{family}".encode())))
        seen = tap.packets()
        self.assertEqual([packet for packet in seen if MARK in packet], [])
        for own in (f"EIGEN{tablet}{family}".encode() for tablet in (PUPIL, TEACHER) for family in FAMILIES):
            self.assertTrue(any(own in packet for packet in seen), own)

    def test_a_flow_of_somebody_elses_is_carried_on_by_nobody(self):
        for family, (address, own, _) in FAMILIES.items():
            with self.subTest(family=family):
                server = self.school.server("internet", address(GAME_FREE), OPEN, socket.SOCK_DGRAM)
                near = self.udp(TEACHER, address(GAME_FREE), OPEN)
                near.send(b"hallo")
                self.assertEqual(server.recv(100), b"hallo")
                source, target = own(int(TEACHER.removeprefix("tablet"))), address(GAME_FREE)
                foreign = packets.udp(source, target, near.getsockname()[1], OPEN, MARK)
                self.send(PUPIL, packets.ip(source, target, socket.IPPROTO_UDP, foreign))
                # The refusal goes to whose address it is, and whose flow goes on.
                self.assert_prohibited(near, family)
                near.send(b"danach")
                self.assertEqual(server.recv(100), b"danach")
                server.close()

    def test_a_route_that_the_sender_chose_leads_nowhere(self):
        tap = WanTap(self.school)
        for tablet in (PUPIL, TEACHER):
            for family, gate in ((4, GATEWAY4), (6, GATEWAY6)):
                source, target = self.ends(tablet, family, GAME_FREE)
                for via in (gate, self.ends(tablet, family, LEARNING_FREE)[1], self.ends(tablet, family, CLOUD_FREE)[1]):
                    datagram = packets.udp(source, target, SOURCE_PORT, CLOSED, MARK)
                    self.send(tablet, packets.source_routed(source, via, target, socket.IPPROTO_UDP, datagram))
        self.assertEqual([packet for packet in tap.packets() if MARK in packet], [])

    def test_the_box_answers_nothing_to_a_source_that_is_not_on_its_side(self):
        tap = WanTap(self.school)
        for source, gate in ((internet4(GAME_FREE), GATEWAY4), (internet6(GAME_FREE), GATEWAY6)):
            for port, data in ((53, dns.question("spur.spiele.test")), (9999, MARK), (443, MARK)):
                self.send(PUPIL, packets.ip(source, gate, socket.IPPROTO_UDP, packets.udp(source, gate, SOURCE_PORT, port, data)))
            self.send(PUPIL, packets.ip(source, gate, socket.IPPROTO_TCP, packets.tcp(source, gate, SOURCE_PORT, 9999)))
        seen = tap.packets()
        self.assertEqual([packet for packet in seen if MARK in packet or b"\4spur" in packet], [])
        self.assertEqual([packet for packet in seen if transport(packet)[1:] == (9999, SOURCE_PORT)], [])

    def with_hops(self, tablet: str, family: int, host: int, port: int, hops: int) -> socket.socket:
        near = self.udp(tablet, FAMILIES[family][0](host), port)
        near.setsockopt(*((socket.IPPROTO_IP, socket.IP_TTL) if family == 4 else (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)), hops)
        near.send(b"hallo")
        return near

    def test_hops_that_no_device_starts_with_are_refused_but_to_the_cloud(self):
        for family, (address, _, _) in FAMILIES.items():
            for tablet in (PUPIL, TEACHER):
                site = self.school.server("internet", address(SITES[tablet]), OPEN, socket.SOCK_DGRAM)
                cloud = self.school.server("internet", address(CLOUD_FREE), CLOUD_PORT, socket.SOCK_DGRAM)
                for hops in (32, 60, 64, 128, 255):
                    with self.subTest(family=family, tablet=tablet, hops=hops):
                        self.with_hops(tablet, family, SITES[tablet], OPEN, hops)
                        self.assertEqual(site.recv(100), b"hallo")
                for hops in (31, 59, 63, 127, 254, 65, 200):
                    with self.subTest(family=family, tablet=tablet, hops=hops):
                        self.assert_prohibited(self.with_hops(tablet, family, SITES[tablet], OPEN, hops), family)
                        self.with_hops(tablet, family, CLOUD_FREE, CLOUD_PORT, hops)
                        self.assertEqual(cloud.recv(100), b"hallo")
                self.assert_nothing_came(site)


if __name__ == "__main__":
    main()
