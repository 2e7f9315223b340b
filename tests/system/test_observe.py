#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The gate observed without watching anyone: what it counts is what happened."""

import json
import socket
import unittest

from lib import dns
from lib.asyncapi import Contract
from lib.school import GATEWAY4, School, main, wait_for
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
                         {"allowed": 4, "refused": 4, "own": 1, "no_type": 1, "fault": 1, "ignored": 1, "cached": 3})
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


class QuestionsInTheJournal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00"))

    def setUp(self):
        self.begin = len(self.school.log("dns"))

    def logged(self) -> list[str]:
        """The questions that the gate has logged since the test began."""
        return [line.partition("question ")[2] for line in self.school.log("dns")[self.begin:].splitlines() if "question " in line]

    def events(self) -> list[tuple]:
        events = json.loads(self.school.ctl("events", "--json").stdout)
        return [(event["result"], event.get("profile"), event["by"]) for event in events if event["kind"] == "debug"]

    def call(self, *words: str) -> None:
        self.school.exec("gateway", "busctl", "--system", "call", "org.schultor.Gateway1", "/org/schultor/Gateway1",
                         "org.schultor.Gateway1.Manager", *words)

    def test_they_are_logged_without_who_asks_until_it_is_switched_off(self):
        school, before = self.school, len(self.events())
        watch = school.watch("schultor/1/ggs-am-park/event/debug")
        school.resolve("tablet1", "vorher.test")
        said = school.ctl("gate", "debug", "--for", "10m", "--profile", "school").stdout
        self.assertIn("questions of school are logged until 2026-11-23T09:1", said)
        self.assertIn("switched on by root", school.ctl("status").stdout)
        school.resolve("tablet1", "spiele.test")
        school.resolve("tablet1", "lernen.test", dns.AAAA)
        school.resolve("tablet8", "andere.test")
        self.assertEqual(school.ctl("gate", "debug", "--off").stdout, "questions are not logged any more\n")
        school.resolve("tablet1", "nachher.test")
        self.assertEqual(self.logged(), ["spiele.test A in school: refused", "lernen.test AAAA in school: allowed"])
        self.assertNotRegex(school.log("dns")[self.begin:], r"10\.77\.|fd77:")
        self.assertEqual(self.events()[before:], [("begun", "school", "root"), ("ended", "school", "root")])
        self.assertIsNone(call(school, "Describe")["gate"]["question_log"])
        self.assertEqual(school.ctl("gate", "debug", "--off").stdout, "questions were not logged\n")
        # The city learns that it was on.
        told = [watch.wait_for(lambda m, result=result: m.json["result"] == result) for result in ("begun", "ended")]
        contract = Contract()
        for message in told:
            self.assertEqual(contract.judge(message.topic, message.json), [])
            self.assertNotIn("by", message.json)
            self.assertNotIn("test", message.payload)

    def test_it_ends_by_itself(self):
        before = len(self.events())
        self.call("LogQuestions", "us", "2", "")
        self.school.resolve("tablet8", "andere.test")
        wait_for(lambda: len(self.events()) == before + 2, what="the end")
        wait_for(lambda: "not logged any more" in self.school.log("dns")[self.begin:], what="the gate's own end")
        self.school.resolve("tablet8", "nachher.test")
        self.assertEqual(len(self.logged()), 1)
        self.assertTrue(self.logged()[0].startswith("andere.test A in "))

    def test_without_schultord_nothing_is_logged(self):
        self.school.ctl("gate", "debug", "--for", "1h")
        self.school.kill("schultord")
        wait_for(lambda: "not logged any more" in self.school.log("dns")[self.begin:], what="the gate's own end")
        self.school.resolve("tablet1", "spiele.test")
        self.school.restart("schultord")
        self.assertIsNone(call(self.school, "Describe")["gate"]["question_log"])
        self.school.resolve("tablet1", "spiele.test")
        self.assertEqual(self.logged(), [])

    def test_too_long_is_refused_and_so_is_a_profile_that_is_not_there(self):
        for words, why in ((("--for", "61m"), "an hour at most"), (("--for", "5m", "--profile", "schol"), "did you mean “school”?")):
            refused = self.school.ctl("gate", "debug", *words, check=False)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(why, refused.stderr)
        self.assertIsNone(call(self.school, "Describe")["gate"]["question_log"])


if __name__ == "__main__":
    main()
