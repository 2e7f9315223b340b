#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What a crash, a restart, a reload and a stranger's hand leave standing."""

import json
import unittest

from lib import dns
from lib.school import School, internet4, main, tcp_info, wait_for
from test_clock import call
from test_groups import pairs
from test_switch import talk

CLOUD, LEARNING, GAME = 11, 21, 31


def without_time(ruleset: dict) -> str:
    """The listing with handles, without what runs down by itself or counts up."""
    def strip(value):
        if isinstance(value, dict):
            if "size" in value:  # the set fills itself
                value = {key: item for key, item in value.items() if key != "elem"}
            return {key: strip(item) for key, item in value.items() if key not in ("expires", "packets", "bytes")}
        return sorted((strip(item) for item in value), key=json.dumps) if isinstance(value, list) else value
    return json.dumps(strip(ruleset), sort_keys=True)


class Recovery(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00"))

    def test_enforcement_stands_while_schultord_is_dead_and_its_return_changes_nothing(self):
        school = self.school
        for name in ("frei.mnspro.test", "frei.lernen.test"):
            school.resolve("tablet1", name)
        cloud, learning = pairs(school, "tablet1", CLOUD, 443), pairs(school, "tablet1", LEARNING, 7000)
        # The belt goes with schultord.
        table = "table inet schultor"
        before = without_time(school.nft(table))
        school.kill("schultord")
        self.assertEqual(talk(*cloud), b"hallo")
        self.assertEqual(talk(*learning), b"hallo")
        pairs(school, "tablet2", CLOUD, 443)
        with self.assertRaises(ConnectionRefusedError):
            school.connect("tablet1", internet4(30), 80)
        # The gate answers by pins that live, and opens nothing new.
        self.assertEqual(len(school.resolve("tablet1", "frei.lernen.test").addresses), 1)
        self.assertEqual(school.resolve("tablet1", "spiele.test").rcode, dns.NXDOMAIN)
        self.assertEqual(school.resolve("tablet1", "www.lernen.test").addresses, [])
        school.restart("schultord")
        self.assertEqual(without_time(school.nft(table)), before, "a restart changed the ruleset")
        for flow in (cloud, learning):
            self.assertEqual(talk(*flow), b"hallo")
            self.assertEqual([tcp_info(end).retransmissions for end in flow], [0, 0])
        pairs(school, "tablet1", LEARNING, 8081)

    def test_a_switch_that_fell_due_meanwhile_is_made_at_once(self):
        school = self.school
        school.time("2026-11-23 07:59:00")
        game, played = pairs(school, "tablet1", GAME, 7000), school.resolve("tablet1", "spiele.test")
        self.assertEqual(len(played.addresses), 1)
        school.kill("schultord")
        school.time("2026-11-23 08:30:00")
        self.assertEqual(talk(*game), b"hallo")
        school.restart("schultord")
        game[0].sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            game[0].recv(1)
        wait_for(lambda: school.resolve("tablet1", "spiele.test").rcode == dns.NXDOMAIN, what="the gate to answer by the new view")

    def test_events_are_listed_by_their_instants_also_after_a_crash(self):
        school = self.school
        call(school, "Override", "byod", "paused", "45m", "")
        school.time("2026-11-23 09:10:00")
        call(school, "Override", "3b", "exam", "45m", "")
        school.kill("schultord")
        school.restart("schultord")
        listed = school.exec("gateway", "busctl", "--system", "--json=short", "call", "org.schultor.Gateway1", "/org/schultor/Gateway1",
                             "org.schultor.Gateway1.Manager", "ListEvents")
        events = [json.loads(event) for event in json.loads(listed.stdout)["data"][0]]
        self.assertLessEqual({"mode", "override"}, {event["kind"] for event in events})
        # All of one offset: as text they sort as they follow each other.
        instants = [event["at"] for event in events]
        self.assertEqual(instants, sorted(instants), events)
        ids = [event["id"] for event in events]
        self.assertEqual(len(ids), len(set(ids)), events)

    def test_a_gate_that_was_killed_serves_again(self):
        self.school.kill("dns")
        self.school.restart("dns")
        self.assertEqual(self.school.resolve("tablet1", "lernen.test").addresses, [internet4(20)])
        self.assertEqual(self.school.resolve("tablet1", "spiele.test").rcode, dns.NXDOMAIN)

    def test_the_gate_knows_that_its_pins_went_with_a_table_that_a_stranger_took_away(self):
        school = self.school
        school.resolve("tablet1", "frei.lernen.test")
        school.exec("gateway", "nft", "delete", "table", "inet", "schultor")
        school.ctl("status")
        with self.assertRaises(ConnectionRefusedError):
            school.connect("tablet1", internet4(LEARNING), 7000)
        school.resolve("tablet1", "frei.lernen.test")
        pairs(school, "tablet1", LEARNING, 7000)

    def test_a_bad_configuration_changes_nothing_and_says_where_it_is_wrong(self):
        school = self.school
        before = without_time(school.nft())
        good = school.config("school.toml").read_text()
        school.config("school.toml").write_text(good + '\n[[group]]\nname = "4a"\nscheduel = "weekdays"\n')
        refused = school.reload()
        self.assertEqual(refused.returncode, 1)
        self.assertIn("school.toml:", refused.stderr)
        self.assertIn("schedule", refused.stderr)
        self.assertEqual(without_time(school.nft()), before)
        self.assertEqual(school.resolve("tablet1", "lernen.test").addresses, [internet4(20)])
        school.config("school.toml").write_text(good)
        self.assertEqual(school.reload().returncode, 0)

    def test_a_reload_that_allows_another_name_opens_it_at_once(self):
        school = self.school
        self.assertEqual(school.resolve("tablet1", "frei.spiele.test").rcode, dns.NXDOMAIN)
        city = school.config("city.toml")
        city.write_text(city.read_text().replace('["lernen.test"]', '["lernen.test", "frei.spiele.test"]'))
        self.assertEqual(school.reload().returncode, 0)
        wait_for(lambda: school.resolve("tablet1", "frei.spiele.test").addresses == [internet4(GAME)], what="the gate's new rules")
        pairs(school, "tablet1", GAME, 7000)
        self.assertEqual(school.resolve("tablet1", "spiele.test").addresses, [])
        self.assertEqual(school.resolve("tablet1", "www.spiele.test").rcode, dns.NXDOMAIN)


if __name__ == "__main__":
    main()
