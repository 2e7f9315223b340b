#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The gate observed without watching anyone: what it counts is what happened."""

import json
import socket
import unittest

from lib import dns
from lib.school import GATEWAY4, School, main
from test_clock import call

ANY, AXFR = 255, 252


def statistics(school: School) -> dict:
    return json.loads(school.ctl("gate", "stats", "--json").stdout)


def verdicts(told: dict, profile: str | None) -> dict:
    """Of all views of a profile together, those that are not 0."""
    sums = {}
    for view in told["views"]:
        if view["profile"] == profile:
            for name, count in (*view["verdicts"].items(), ("cached", view["cached"])):
                sums[name] = sums.get(name, 0) + count
    return {name: count for name, count in sums.items() if count}


def difference(after: dict, before: dict) -> dict:
    return {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}


class WhatTheGateCounts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00"))

    def test_each_question_counts_once_by_what_became_of_it(self):
        school = self.school
        before = statistics(school)
        client = school.socket("tablet1", socket.AF_INET, socket.SOCK_DGRAM)

        def ask(name: str, type: int = dns.A) -> dns.Answer:
            return dns.ask_udp(client, GATEWAY4, name, type)

        self.assertTrue(ask("lernen.test").addresses)
        for _ in range(3):
            self.assertTrue(ask("lernen.test").addresses)
        for _ in range(2):
            self.assertEqual(ask("spiele.test").rcode, dns.NXDOMAIN)
        self.assertEqual(ask("schultor.internal").rcode, dns.NOERROR)
        ask("lernen.test", ANY)
        self.assertEqual(ask("lernen.test", AXFR).rcode, dns.NOTIMP)
        stream = school.connect("tablet1", GATEWAY4, 53)
        self.assertEqual(dns.ask_tcp(stream, "spiele.test").rcode, dns.NXDOMAIN)
        client.sendto(b"kein DNS", (GATEWAY4, 53))
        self.assertEqual(ask("doh.test").rcode, dns.NXDOMAIN)
        after = statistics(school)
        self.assertEqual(difference(verdicts(after, "school"), verdicts(before, "school")),
                         {"allowed": 4, "refused": 4, "own": 1, "no_type": 1, "fault": 1, "ignored": 1, "cached": 4})
        self.assertEqual(after["since"], before["since"])
        self.assertEqual((after["connected"], after["age"], after["waiting"]), (True, 0, 0))
        self.assertEqual(after["resolver"]["questions"] - before["resolver"]["questions"], 1)
        self.assertEqual(after["resolver"]["answers"] - before["resolver"]["answers"], 1)
        self.assertEqual(after["pins"]["pinned"] - before["pins"]["pinned"], 1)
        counts = {kind: after["answered"][kind]["count"] - before["answered"][kind]["count"] for kind in ("nothing", "resolver", "pins")}
        self.assertEqual(counts, {"nothing": 10, "resolver": 0, "pins": 1})

    def test_the_table_names_profiles_and_nothing_of_who_asked_or_what(self):
        self.school.resolve("tablet1", "lernen.test")
        shown = self.school.ctl("gate", "stats").stdout
        self.assertIn("PROFILE", shown)
        self.assertIn("school", shown)
        self.assertNotIn("lernen", shown)
        for text in (shown, json.dumps(call(self.school, "GateStatistics"))):
            self.assertNotIn("lernen", text)
            self.assertNotRegex(text, r"10\.77\.|fd77:")

    def test_while_the_gate_is_away_what_it_told_last_is_told_and_it_begins_anew(self):
        self.school.resolve("tablet1", "spiele.test")
        last = statistics(self.school)
        self.assertTrue(verdicts(last, "school"))
        self.school.kill("dns")
        away = statistics(self.school)
        self.assertEqual((away["connected"], away["views"]), (False, last["views"]))
        self.assertIn("not connected", self.school.ctl("gate", "stats").stdout)
        self.school.restart("dns")
        self.school.resolve("tablet1", "spiele.test")
        anew = statistics(self.school)
        self.assertEqual(verdicts(anew, "school"), {"refused": 1})
        self.assertLess(anew["seconds"], 60)


if __name__ == "__main__":
    main()
