#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Before schultord is there, while it dies again and again, and when it is stopped for service."""

import json
import unittest

from lib import dns
from lib.school import School, internet4, internet6, main, tcp_info, wait_for
from schoollab.names import LabError
from test_cloud_pins import flush, forwarding
from test_groups import pairs
from test_switch import talk

CLOUD, GAME, RANGE = 11, 31, 21
LIST = "endpoints/m365.json"
EVENING = "2026-11-23 18:00:00"
FAULT, STATE = "schultor/1/ggs-am-park/event/fault", "schultor/1/ggs-am-park/state"


def with_range() -> dict[str, str]:
    """A configuration whose cloud has a range of addresses as well."""
    city = (School.DEFAULT_CONFIG / "city.toml").read_text().replace("[cloud]\n", f'[cloud]\nendpoints = ["{LIST}"]\n')
    ranges = [f"{internet4(RANGE)}/32", f"{internet6(RANGE)}/128"]
    return {"city.toml": city, LIST: json.dumps([{"id": 1, "serviceArea": "Common", "required": True, "ips": ranges, "tcpPorts": "443"}])}


def with_service(on_stop: str) -> dict[str, str]:
    return {"gateway.toml": (School.DEFAULT_CONFIG / "gateway.toml").read_text() + f'\n[service]\non_stop = "{on_stop}"\n'}


def profiles(school: School) -> dict[str, str]:
    return {group["name"]: group["profile"] for group in json.loads(school.ctl("status", "--json").stdout)["groups"]}


class BeforeTheNetwork(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at=EVENING, config=with_range()))

    def power_cut(self) -> None:
        """As far as the gateway can tell: no daemon, no table, no forwarding."""
        for part in ("dns", "schultord"):
            self.school.kill(part)
        forwarding(self.school, False)
        flush(self.school)

    def assert_refused(self, tablet: str, address: str, port: int) -> None:
        self.school.server("internet", address, port)
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect(tablet, address, port)

    def test_each_group_has_its_strictest_profile_and_the_cloud_is_open(self):
        school = self.school
        self.assertEqual(profiles(school)["3b"], "leisure")
        self.assertEqual(len(school.resolve("tablet1", "frei.mnspro.test").addresses), 1)
        kept = school.directory / "state" / "cloud_pins"
        wait_for(lambda: kept.exists() and internet4(CLOUD) in kept.read_text(), what="the address in the file")
        self.power_cut()
        school.hold_before_network()
        # The class and whoever nobody knows are in school mode; who has one profile has that.
        for tablet in ("tablet1", "tablet5", "tablet8"):
            with self.subTest(tablet):
                if tablet == "tablet8":
                    pairs(school, tablet, GAME, 7000)
                else:
                    self.assert_refused(tablet, internet4(GAME), 7000)
        cloud = pairs(school, "tablet1", CLOUD, 443)
        by_range = pairs(school, "tablet1", RANGE, 443)
        # The daemon then reconciles over it: what is open goes on, and the evening's mode holds.
        school.restart("schultord")
        school.restart("dns")
        for flow in (cloud, by_range):
            self.assertEqual(talk(*flow), b"hallo")
            self.assertEqual([tcp_info(end).retransmissions for end in flow], [0, 0])
        pairs(school, "tablet1", GAME, 7001)
        self.assertEqual(json.loads(school.ctl("verify", "--json").stdout), {"differences": []})

    def test_an_override_that_is_stricter_counts_whether_it_has_ended_or_not(self):
        school = self.school
        school.ctl("override", "--group", "lehrkraefte", "--profile", "exam", "--for", "45m")
        self.power_cut()
        school.hold_before_network()
        self.assert_refused("tablet8", internet4(GAME), 7000)
        pairs(school, "tablet8", RANGE, 443)

    def test_with_no_configuration_that_was_ever_applied_nothing_is_forwarded(self):
        school = self.school
        self.power_cut()
        (school.directory / "state" / "applied").rename(school.directory / "state" / "away")
        school.hold_before_network()
        self.assert_closed()
        school.restart("schultord")
        pairs(school, "tablet1", RANGE, 443)

    def test_with_one_that_is_of_no_use_nothing_is_forwarded_and_the_unit_fails(self):
        school = self.school
        self.power_cut()
        (school.directory / "state" / "applied" / "city.toml").write_text("revision = ")
        with self.assertRaisesRegex(LabError, "city.toml:1"):
            school.hold_before_network()
        forwarding(school, True)
        self.assert_closed()
        school.restart("schultord")
        pairs(school, "tablet1", RANGE, 443)

    def assert_closed(self) -> None:
        chains = [item["chain"] for item in self.school.nft()["nftables"] if "chain" in item]
        self.assertEqual([(chain["name"], chain["hook"], chain["policy"]) for chain in chains], [("through_gateway", "forward", "drop")])
        self.assertEqual([item for item in self.school.nft()["nftables"] if "rule" in item], [])
        self.school.server("internet", internet4(RANGE), 443)
        with self.assertRaises(TimeoutError):
            self.school.connect("tablet8", internet4(RANGE), 443, seconds=1)

    def test_a_ruleset_that_is_in_force_stays_as_it_is(self):
        school = self.school
        game = pairs(school, "tablet1", GAME, 7000)
        school.kill("schultord")
        before = school.exec("gateway", "nft", "list", "map", "inet", "schultor", "group_stamp").stdout
        school.hold_before_network()
        self.assertEqual(school.exec("gateway", "nft", "list", "map", "inet", "schultor", "group_stamp").stdout, before)
        self.assertEqual(talk(*game), b"hallo")

    def test_a_daemon_that_dies_again_and_again_leaves_the_last_ruleset(self):
        school = self.school
        school.time("2026-11-24 09:00:00")
        self.assertEqual(len(school.resolve("tablet1", "frei.mnspro.test").addresses), 1)
        cloud = pairs(school, "tablet1", CLOUD, 443)
        for _ in range(8):
            school.kill("schultord")
            self.assertEqual(talk(*cloud), b"hallo")
            self.assert_refused("tablet1", internet4(GAME), 7000)
            pairs(school, "tablet2", CLOUD, 443)
            school.restart("schultord")
            self.assertEqual(talk(*cloud), b"hallo")
            self.assert_refused("tablet1", internet4(GAME), 7000)
        self.assertEqual([tcp_info(end).retransmissions for end in cloud], [0, 0])


class StoppedForService(unittest.TestCase):
    def test_hold_leaves_what_holds(self):
        school = self.enterContext(School(at="2026-11-23 09:00:00", config=with_service("hold")))
        school.stop("schultord")
        with self.assertRaises(ConnectionRefusedError):
            school.connect("tablet1", internet4(30), 80)
        self.assertEqual(school.resolve("tablet1", "spiele.test").rcode, dns.NXDOMAIN)

    def test_a_crash_is_no_stop(self):
        school = self.enterContext(School(at="2026-11-23 09:00:00", config=with_service("open")))
        school.kill("schultord")
        with self.assertRaises(ConnectionRefusedError):
            school.connect("tablet1", internet4(30), 80)

    def test_open_opens_for_everybody_but_never_what_the_city_never_opens(self):
        school = self.enterContext(School(at="2026-11-23 09:00:00", config=with_service("open")))
        watch = school.watch(FAULT, STATE)
        school.resolve("tablet1", "frei.mnspro.test")
        cloud = pairs(school, "tablet1", CLOUD, 443)
        school.stop("schultord")
        told = watch.wait_for(lambda m: m.topic == FAULT).json
        self.assertRegex(told["id"], "^fault/service/")
        # The city does not go on believing in the mode of before.
        state = watch.wait_for(lambda m: m.topic == STATE and not m.json["health"]["schultord"]).json
        self.assertEqual({group["name"]: group["profile"] for group in state["groups"]}["3b"], "leisure")
        self.assertIn("every group is in leisure", told["text"])
        game = pairs(school, "tablet1", GAME, 7000)
        pairs(school, "tablet5", GAME, 7001)
        self.assertEqual(talk(*cloud), b"hallo")
        # Names too, those that a listed profile has as well: nobody is there to open their addresses, and they need not be.
        for name in ("spiele.test", "www.lernen.test"):
            wait_for(lambda: len(school.resolve("tablet1", name).addresses) == 1, what=name)  # noqa: B023
        self.assertEqual(school.resolve("tablet1", "doh.test").rcode, dns.NXDOMAIN)
        with self.assertRaises(ConnectionRefusedError):
            school.connect("tablet1", internet4(53), 853)
        # Its return closes what is closed at this hour, and nothing else.
        school.restart("schultord")
        self.assertEqual(profiles(school)["3b"], "school")
        game[0].sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            game[0].recv(1)
        self.assertEqual(talk(*cloud), b"hallo")
        self.assertEqual([tcp_info(end).retransmissions for end in cloud], [0, 0])

    def test_open_is_told_also_where_nobody_listened_when_it_happened(self):
        school = self.enterContext(School(at="2026-11-23 09:00:00", config=with_service("open")))
        watch = school.watch(FAULT)
        school.stop("report")
        school.stop("schultord")
        school.restart("schultord")
        school.restart("report")
        self.assertRegex(watch.wait_for(lambda m: m.topic == FAULT).json["id"], "^fault/service/")

    def test_open_leaves_an_override_that_is_stricter(self):
        school = self.enterContext(School(at="2026-11-23 18:00:00", config=with_service("open")))
        school.ctl("override", "--group", "3b", "--profile", "exam", "--for", "45m")
        school.stop("schultord")
        school.server("internet", internet4(GAME), 7000)
        with self.assertRaises(ConnectionRefusedError):
            school.connect("tablet1", internet4(GAME), 7000)
        pairs(school, "tablet8", GAME, 7001)


if __name__ == "__main__":
    main()
