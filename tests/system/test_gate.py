#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A name decides, not an address: DNS as a tablet meets it, and what its answers open."""

import errno
import select
import socket
import struct
import unittest
from time import monotonic

from lib import dns
from lib.school import GATEWAY4, GATEWAY6, School, internet4, internet6, main, wait_for
from schoollab.names import AUTHORITY, MANY, MANY4, many4, many6

CLOUD, LEARNING, GAME, DOH = 11, 21, 31, 53
PTR, SVCB = 12, 64
ETH_P_ALL = 3
SOL_PACKET, PACKET_OUTGOING = 263, 4


class WanTap:
    """Sees every packet that arrives at the internet's end of the school's line."""

    def __init__(self, school: School):
        self.socket = school.socket("internet", socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind(("wan", ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.school = school

    def packets(self) -> list[bytes]:
        """Everything that has come until a connection made now."""
        probe = self.school.server("internet", internet4(CLOUD), 443)
        self.school.resolve("tablet8", "frei.mnspro.test")
        near, far = self.school.pair("tablet8", probe)
        local_port = near.getsockname()[1]
        for end in (near, far, probe):
            end.close()
        seen = []
        while True:
            if not select.select([self.socket], [], [], 20)[0]:
                raise TimeoutError("the tap did not see the connection made to mark its end")
            packet, (_, _, kind, *_rest) = self.socket.recvfrom(65536)
            if kind == PACKET_OUTGOING:
                continue
            if transport(packet)[1] == local_port:
                return seen
            seen.append(packet)

    def ports_asked(self) -> set[int]:
        """Destination ports of what tablets sent: of all but what went to the authority, which the box's own resolver asks. IPv4 has
        the box's address by then."""
        return {transport(packet)[2] for packet in self.packets() if not to_authority(packet)}


def to_authority(packet: bytes) -> bool:
    return packet[30:34] == socket.inet_aton(internet4(AUTHORITY)) or packet[38:54] == socket.inet_pton(socket.AF_INET6, internet6(AUTHORITY))


def transport(packet: bytes) -> tuple[int, int, int]:
    """Protocol, source and destination port of an Ethernet frame; zeros for what is neither TCP nor UDP over IP."""
    kind = struct.unpack_from("!H", packet, 12)[0]
    if kind == 0x0800:
        protocol, at = packet[23], 14 + (packet[14] & 15) * 4
    elif kind == 0x86DD:
        protocol, at = packet[20], 54
    else:
        return 0, 0, 0
    if protocol not in (socket.IPPROTO_TCP, socket.IPPROTO_UDP) or len(packet) < at + 4:
        return protocol, 0, 0
    return protocol, *struct.unpack_from("!HH", packet, at)


class TheGateInSchoolHours(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        city = (School.DEFAULT_CONFIG / "city.toml").read_text().replace('["lernen.test"]', '["lernen.test", "viele.test"]')
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00", config={"city.toml": city}))

    def setUp(self):
        self.school.time("2026-11-23 09:00:00")

    def test_an_address_that_was_never_resolved_is_refused(self):
        for address in (internet4(LEARNING), internet6(LEARNING), internet4(CLOUD), internet6(CLOUD)):
            with self.subTest(address=address):
                school = self.school
                listener = school.server("internet", address, 443)
                self.addCleanup(listener.close)
                with self.assertRaises(ConnectionRefusedError):
                    school.connect("tablet1", address, 443)

    def test_a_resolved_address_is_open_from_the_first_syn_after_the_answer(self):
        servers = [self.school.server("internet", any_address, 7777) for any_address in ("0.0.0.0", "::")]
        failures = []
        for i in range(MANY):
            ipv4 = i < MANY4
            # In turn: a single tablet would soon ask for more than its share of a second.
            tablet = f"tablet{1 + i % 4}"
            answer = self.school.resolve(tablet, f"n{i}.viele.test", dns.A if ipv4 else dns.AAAA)
            address = many4(i) if ipv4 else many6(i)
            self.assertEqual(answer.addresses, [address])
            try:
                near = self.school.connect(tablet, address, 7777, seconds=5)
                far, _ = servers[0 if ipv4 else 1].accept()
                near.close()
                far.close()
            except OSError as error:
                failures.append(f"{address}: {error}")
        self.assertEqual(failures, [])

    def test_a_refusal_is_nxdomain_with_a_short_soa_of_the_questions_own_name_and_says_why(self):
        answer = self.school.resolve("tablet1", "www.spiele.test")
        self.assertEqual(answer.rcode, dns.NXDOMAIN)
        self.assertEqual([(record.name, record.type) for record in answer.authority], [("www.spiele.test", dns.SOA)])
        self.assertLessEqual(answer.authority[0].ttl, 10)
        self.assertEqual(answer.ede, [dns.EDE_FILTERED])

    def test_a_refused_name_above_an_allowed_one_exists_but_holds_nothing(self):
        answer = self.school.resolve("tablet1", "test")
        self.assertEqual((answer.rcode, answer.addresses), (dns.NOERROR, []))
        self.assertEqual(answer.ede, [dns.EDE_FILTERED])

    def test_answers_follow_cname_chains_in_both_families(self):
        for name, host in (("www.lernen.test", 20), ("start.mnspro.test", 10)):
            for type, address in ((dns.A, internet4(host)), (dns.AAAA, internet6(host))):
                with self.subTest(name=name, type=type):
                    answer = self.school.resolve("tablet1", name, type)
                    self.assertEqual(answer.addresses, [address])
                    self.assertEqual(answer.answers[0].type, dns.CNAME)

    def test_a_ttl_handed_out_never_outlives_the_pin(self):
        answer = self.school.resolve("tablet1", "lernen.test")
        expiry = {element["elem"]["val"]: element["elem"]["expires"] for element in self.school.nft_elements("allow_school4")}
        self.assertLess(answer.answers[0].ttl, expiry[answer.addresses[0]])
        cloud = self.school.resolve("tablet1", "cloud.mnspro.test")
        ends = [e["elem"]["expires"] for e in self.school.nft_elements("cloud4") if e["elem"]["val"]["concat"][0] == cloud.addresses[0]]
        self.assertEqual(len(ends), 3)
        self.assertLess(cloud.answers[0].ttl, min(ends))

    def test_the_gate_answers_over_ipv6_and_tcp_as_well(self):
        self.assertEqual(self.school.resolve("tablet1", "lernen.test", dns.AAAA, GATEWAY6).addresses, [internet6(20)])
        for server in (GATEWAY4, GATEWAY6):
            stream = self.school.connect("tablet1", server, 53)
            self.assertEqual(dns.ask_tcp(stream, "lernen.test").addresses, [internet4(20)])
            self.assertEqual(dns.ask_tcp(stream, "spiele.test").rcode, dns.NXDOMAIN)

    def test_the_gateway_has_a_name_in_every_view_and_its_addresses_lead_back_to_it(self):
        for time in ("2026-11-23 09:00:00", "2026-11-23 18:00:00"):
            self.school.time(time)
            with self.subTest(time=time):
                self.assertEqual(self.school.resolve("tablet1", "schultor.internal").addresses, [GATEWAY4])
                self.assertEqual(self.school.resolve("tablet1", "schultor.internal", dns.AAAA).addresses, [GATEWAY6])
                back = self.school.resolve("tablet1", "1.0.77.10.in-addr.arpa", PTR)
                self.assertEqual([record.type for record in back.answers], [PTR])

    def test_special_names_are_answered_here(self):
        self.school.time("2026-11-23 18:00:00")
        for name, type, rcode in (("_dns.resolver.arpa", SVCB, dns.NOERROR), ("drucker.local", dns.A, dns.NXDOMAIN),
                                  ("1.1.168.192.in-addr.arpa", PTR, dns.NXDOMAIN), ("intranet", dns.A, dns.NOERROR)):
            with self.subTest(name=name):
                answer = self.school.resolve("tablet1", name, type)
                self.assertEqual((answer.rcode, answer.answers), (rcode, []))
                self.assertEqual(len(answer.authority), 1)

    def test_never_is_never_also_in_leisure(self):
        self.school.time("2026-11-23 18:00:00")
        for name in ("doh.test", "use-application-dns.net", "mask.icloud.com"):
            with self.subTest(name=name):
                self.assertEqual(self.school.resolve("tablet1", name).rcode, dns.NXDOMAIN)


class TheViewOfAKeptSocket(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 07:59:00"))

    def test_a_udp_socket_kept_from_leisure_is_answered_by_the_new_view(self):
        for server in (GATEWAY4, GATEWAY6, internet4(DOH), internet6(DOH)):
            with self.subTest(server=server):
                self.school.time("2026-11-23 07:59:00")
                kept = self.school.socket("tablet1", socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
                self.assertEqual(dns.ask_udp(kept, server, "spiele.test", id=1).addresses, [internet4(30)])
                self.school.time("08:00:00")
                self.assertEqual(dns.ask_udp(kept, server, "spiele.test", id=2).rcode, dns.NXDOMAIN)
                self.school.time("17:00:00")
                self.assertEqual(dns.ask_udp(kept, server, "spiele.test", id=3).addresses, [internet4(30)])

    def test_a_dns_session_over_tcp_is_reset_at_the_switch(self):
        for server in (GATEWAY4, GATEWAY6):
            with self.subTest(server=server):
                self.school.time("2026-11-23 07:59:00")
                stream = self.school.connect("tablet1", server, 53)
                self.assertEqual(dns.ask_tcp(stream, "spiele.test").addresses, [internet4(30)])
                self.school.time("08:00:00")
                with self.assertRaises(ConnectionResetError):
                    dns.ask_tcp(stream, "spiele.test")


class WhatIsDeniedAtASwitch(unittest.TestCase):
    """The clock runs: nobody sets it past the switch."""

    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 07:00:00"))

    def denied_until(self, names: list[str], is_new) -> None:
        """Asks for all names until is_new(answer to the last): what was denied before has expired by then."""
        denied = {name: [] for name in names}

        def ask() -> bool:
            asked = [(name, monotonic(), self.school.resolve("tablet1", name)) for name in names]
            # The others may have been asked behind the switch as well.
            if is_new(asked[-1][2]):
                return True
            for name, asked_at, answer in asked:
                self.assertEqual((answer.rcode, len(answer.authority)), (dns.NXDOMAIN, 1), name)
                denied[name].append((asked_at, answer.authority[0].ttl))
            return False

        wait_for(ask, what="the switch")
        switched_at = monotonic()
        for name, seen in denied.items():
            with self.subTest(name=name):
                ttls = [ttl for _, ttl in seen]
                self.assertEqual([(at, ttl) for at, ttl in seen if at + ttl > switched_at], [], "outlives the switch")
                self.assertEqual(ttls, sorted(ttls, reverse=True), "counts down")
                self.assertGreater(ttls[0], ttls[-1])

    def test_nothing_refused_or_missing_in_school_outlives_the_end_of_school(self):
        self.school.time("2026-11-23 16:59:54")
        self.denied_until(["gibtsnicht.lernen.test", "www.spiele.test"], lambda answer: answer.addresses == [internet4(30)])
        self.assertEqual(self.school.resolve("tablet1", "www.spiele.test").addresses, [internet4(30)])

    def test_a_name_that_is_missing_in_leisure_is_refused_as_soon_as_school_begins(self):
        self.school.time("2026-11-23 07:59:54")
        self.denied_until(["gibtsnicht.spiele.test"], lambda answer: answer.ede == [dns.EDE_FILTERED])


class ResolversOutside(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00"))
        # Somebody else's table, which has connections tracked also while ours is not there.
        self.school.exec("gateway", "nft", "add table ip fremd; add chain ip fremd c { type filter hook forward priority 0; }; "
                         "add rule ip fremd c ct state new accept; add table ip6 fremd; "
                         "add chain ip6 fremd c { type filter hook forward priority 0; }; add rule ip6 fremd c ct state new accept")

    def test_a_tablet_that_asks_a_resolver_outside_is_answered_by_the_gate_and_nothing_leaves(self):
        tap = WanTap(self.school)
        for server in (internet4(DOH), internet6(DOH)):
            # The resolver outside would know this name.
            self.assertEqual(self.school.resolve("tablet1", "spiele.test", server=server).rcode, dns.NXDOMAIN)
            self.assertEqual(self.school.resolve("tablet1", "lernen.test", server=server).addresses, [internet4(20)])
            stream = self.school.connect("tablet1", server, 53)
            self.assertEqual(dns.ask_tcp(stream, "spiele.test").rcode, dns.NXDOMAIN)
            with self.assertRaises(ConnectionRefusedError):
                self.school.connect("tablet1", server, 853)
        self.assertEqual(tap.ports_asked() & {53, 853, 5300}, set())

    def test_a_dns_flow_older_than_the_table_ends(self):
        for time in ("2026-11-23 09:00:00", "2026-11-23 18:00:00"):
            with self.subTest(time=time):
                self.school.time(time)
                self.school.kill("schultord")
                self.school.exec("gateway", "nft", "delete", "table", "inet", "schultor")
                flows = []
                for server, kind in ((internet4(DOH), socket.AF_INET), (internet6(DOH), socket.AF_INET6)):
                    old = self.school.socket("tablet1", kind, socket.SOCK_DGRAM)
                    old.connect((server, 53))
                    old.send(dns.question("spiele.test"))
                    self.assertEqual(dns.parse(old.recv(4096)).addresses, [internet4(30)], "the resolver outside answers before there is a table")
                    flows.append(old)
                self.school.restart("schultord")
                tap = WanTap(self.school)
                for old, refusal in zip(flows, (errno.EHOSTUNREACH, errno.EACCES)):
                    old.send(dns.question("spiele.test"))
                    with self.assertRaises(OSError) as refused:
                        old.recv(4096)
                    self.assertEqual(refused.exception.errno, refusal)
                self.assertNotIn(53, tap.ports_asked())


class SpoofedSources(unittest.TestCase):
    MARK = b"SPUR" * 100

    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00"))

    def test_a_refusal_carries_nothing_to_whoever_a_packet_pretends_to_come_from(self):
        datagram = struct.pack("!HHHH", 4000, 4001, 8 + len(self.MARK), 0) + self.MARK
        header4 = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, socket.IPPROTO_UDP, 0,
                              socket.inet_aton(internet4(GAME)), socket.inet_aton(internet4(LEARNING)))
        header6 = struct.pack("!IHBB16s16s", 6 << 28, len(datagram), socket.IPPROTO_UDP, 64, socket.inet_pton(socket.AF_INET6, internet6(GAME)),
                              socket.inet_pton(socket.AF_INET6, internet6(LEARNING)))
        # The checksum of UDP over IPv6 is left wrong: the gateway does not look at it.
        tap = WanTap(self.school)
        # One whose packet is refused, and one whose packet would be let through.
        for tablet in ("tablet1", "tablet8"):
            for family, header, target in ((socket.AF_INET, header4, internet4(LEARNING)), (socket.AF_INET6, header6, internet6(LEARNING))):
                raw = self.school.socket(tablet, family, socket.SOCK_RAW, socket.IPPROTO_RAW)
                raw.sendto(header + datagram, (target, 0))
        # tablet8 may go anywhere: its own address leaves, and shows that the tap would have seen the others.
        honest = self.school.socket("tablet8", socket.AF_INET, socket.SOCK_DGRAM)
        honest.sendto(b"EHRLICH", (internet4(LEARNING), 4001))
        packets = tap.packets()
        self.assertTrue(any(b"EHRLICH" in packet for packet in packets))
        self.assertFalse([packet for packet in packets if self.MARK[:40] in packet])


if __name__ == "__main__":
    main()
