#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A clock that nobody vouches for, and one that is set while overrides hold."""

import json
import unittest

from lib import dns
from lib.school import School, internet4, main, wait_for
from test_city import faults_of
from test_groups import pairs
from test_switch import talk

CLOUD, GAME = 11, 31
PREFIX = "schultor/1/ggs-am-park/event/"


def call(school: School, method: str, *words: str) -> dict:
    """A method of Manager as root calls it, whose answer is JSON."""
    signature = "s" * len(words)
    done = school.exec("gateway", "busctl", "--system", "--json=short", "call", "org.schultor.Gateway1", "/org/schultor/Gateway1",
                       "org.schultor.Gateway1.Manager", method, *([signature, *words] if words else []))
    return json.loads(json.loads(done.stdout)["data"][0])


def group(school: School, name: str) -> dict:
    return next(one for one in call(school, "Describe")["groups"] if one["name"] == name)


class UntrustedClock(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 18:00:00"))

    def start_behind_what_has_been(self) -> None:
        """As after a power cut with a clock whose battery is empty."""
        school = self.school
        written = school.directory / "state" / "clock"
        wait_for(lambda: written.exists() and written.read_text().strip(), what="the instant that the daemon keeps")
        school.kill("schultord")
        school.time("2026-11-23 17:30:00")
        school.trust(False)
        school.restart("schultord")

    def test_school_hours_hold_until_the_clock_is_right_and_the_cloud_is_open(self):
        school = self.school
        watch = school.watch(PREFIX + "#")
        for name in ("frei.mnspro.test", "frei.spiele.test"):
            school.resolve("tablet1", name)
        cloud, game = pairs(school, "tablet1", CLOUD, 443), pairs(school, "tablet1", GAME, 7000)
        self.assertEqual(talk(*game), b"hallo")
        self.start_behind_what_has_been()
        described = call(school, "Describe")
        self.assertEqual(described["clock"], {"trusted": False, "synchronised": False})
        self.assertEqual({one["name"]: (one["profile"], one["because"]) for one in described["groups"] if one["name"] != "gaeste"},
                         {"3b": ("school", "clock"), "byod": ("school", "clock"), "lehrkraefte": ("leisure", "fixed")})
        game[0].sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            game[0].recv(1)
        self.assertEqual(talk(*cloud), b"hallo")
        pairs(school, "tablet2", CLOUD, 443)
        wait_for(lambda: school.resolve("tablet1", "spiele.test").rcode == dns.NXDOMAIN, what="the gate to answer by the new view")
        told = watch.wait_for(lambda m: m.topic == PREFIX + "clock" and m.json["result"] == "untrusted", seconds=60).json
        self.assertIn("not known to be right", told["text"])
        refused = school.exec("gateway", "busctl", "--system", "call", "org.schultor.Gateway1", "/org/schultor/Gateway1",
                              "org.schultor.Gateway1.Manager", "Override", "ssss", "3b", "leisure", "45m", "", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("clock", refused.stderr)
        # A time service sets the clock.
        school.trust(True)
        self.assertEqual(group(school, "3b")["profile"], "leisure")
        self.assertEqual(call(school, "Describe")["clock"], {"trusted": True, "synchronised": True})
        watch.wait_for(lambda m: m.topic == PREFIX + "clock" and m.json["result"] == "trusted", seconds=60)
        self.assertEqual(faults_of(watch), [])
        self.assertEqual(talk(*cloud), b"hallo")
        wait_for(lambda: school.resolve("tablet1", "spiele.test").addresses == [internet4(30)], what="the gate to answer by the new view")

    def test_it_ends_by_itself_when_the_clock_goes_on_past_what_has_been(self):
        school = self.school
        self.start_behind_what_has_been()
        self.assertEqual(group(school, "3b")["because"], "clock")
        school.time("2027-11-22 18:00:00")
        self.assertEqual(group(school, "3b")["profile"], "leisure")

    def test_an_override_neither_ends_nor_opens_anything_by_a_clock_that_may_be_wrong(self):
        school = self.school
        call(school, "Override", "3b", "paused", "20m", "Feuerprobe")
        call(school, "Override", "byod", "leisure", "20m", "")
        self.start_behind_what_has_been()
        self.assertEqual((group(school, "3b")["profile"], group(school, "byod")["profile"]), ("paused", "school"))
        school.time("2026-11-23 18:30:00")
        school.trust(True)
        self.assertEqual((group(school, "3b")["profile"], group(school, "byod")["profile"]), ("leisure", "leisure"))
        self.assertEqual(call(school, "Describe")["overrides"], [])


class ClockSetBack(unittest.TestCase):
    def test_no_override_outlives_a_clock_that_was_years_ahead(self):
        school = self.enterContext(School(at="2031-05-05 10:00:00"))
        call(school, "Override", "3b", "exam", "45m", "")
        school.time("2026-11-23 18:00:00")
        override = call(school, "Describe")["overrides"][0]
        self.assertTrue(override["until"].startswith("2026-11-23T18:45:0"), override)
        self.assertEqual(group(school, "3b")["profile"], "exam")
        school.restart("schultord")
        self.assertTrue(call(school, "Describe")["overrides"][0]["until"].startswith("2026-11-23T18:45:0"))
        school.time("2026-11-23 18:45:05")
        self.assertEqual(group(school, "3b")["profile"], "leisure")

    def test_no_override_outlives_a_clock_that_was_hours_ahead(self):
        school = self.enterContext(School(at="2026-11-23 18:20:00"))
        call(school, "Override", "3b", "exam", "3m", "")
        school.time("2026-11-23 08:30:00")
        override = call(school, "Describe")["overrides"][0]
        self.assertTrue(override["from"].startswith("2026-11-23T08:30:0"), override)
        self.assertTrue(override["until"].startswith("2026-11-23T08:33:0"), override)
        school.time("2026-11-23 08:33:05")
        self.assertEqual(group(school, "3b")["profile"], "school")


if __name__ == "__main__":
    main()
