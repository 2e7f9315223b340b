#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What the city learns, and what it does not: the school's state and its events over MQTT."""

import json
import unittest

from lib.asyncapi import Contract
from lib.school import School, internet4, main, wait_for

STATE = "schultor/1/ggs-am-park/state"
MODE = "schultor/1/ggs-am-park/event/mode"
TELEMETRY = "schultor/1/ggs-am-park/telemetry"
GAME = 30
OVERRIDE = "schultor/1/ggs-am-park/event/override"


def profile_of(message, group: str) -> str | None:
    return next((entry["profile"] for entry in message.json.get("groups", []) if entry["name"] == group), None)


def faults_of(watch) -> list[str]:
    """What of the messages so far is not as config/asyncapi.yaml says."""
    contract = Contract()
    return [fault for message in watch.messages for fault in contract.judge(message.topic, message.json)]


class TheCitysView(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 07:59:00"))

    def modes(self, watch) -> list:
        return [message.json for message in watch.messages if message.topic == MODE]

    def test_the_state_follows_the_switch_and_each_event_comes_once(self):
        watch = self.school.watch()
        watch.wait_for(lambda m: m.topic == STATE and profile_of(m, "3b") == "leisure")
        self.school.time("08:00:00")
        watch.wait_for(lambda m: m.topic == STATE and profile_of(m, "3b") == "school")
        event = watch.wait_for(lambda m: m.topic == MODE and m.json["group"] == "3b" and m.json["profile"] == "school").json
        self.assertEqual((event["previous"], event["at"]), ("leisure", "2026-11-23T08:00:00+01:00"))
        # A restart derives the same events again; the city hears none of them twice.
        self.school.restart("schultord")
        self.school.restart("report")
        self.school.time("17:00:00")
        watch.wait_for(lambda m: m.topic == MODE and m.json["at"].startswith("2026-11-23T17:00:00") and m.json["group"] == "3b")
        ids = [event["id"] for event in self.modes(watch)]
        self.assertEqual(len(ids), len(set(ids)), ids)
        self.assertEqual(faults_of(watch), [])

    def test_events_of_a_broken_line_arrive_when_it_is_back(self):
        watch = self.school.watch()
        watch.wait_for(lambda m: m.topic == STATE)
        self.school.wan("down")
        self.school.time("08:00:00")
        self.school.kill("report")
        self.school.restart("report")
        self.school.wan("up")
        watch.wait_for(lambda m: m.topic == MODE and m.json["group"] == "3b" and m.json["profile"] == "school", seconds=90)
        watch.wait_for(lambda m: m.topic == STATE and profile_of(m, "3b") == "school", seconds=90)
        ids = [event["id"] for event in self.modes(watch)]
        self.assertEqual(len(ids), len(set(ids)), ids)

    def test_counts_are_told_of_five_devices_and_more_and_of_no_fewer(self):
        watch = self.school.watch()
        watch.wait_for(lambda m: m.topic == STATE)
        tablets = [f"tablet{n}" for n in range(1, 7)]
        for tablet in tablets:
            self.school.resolve(tablet, "cloud.mnspro.test")
        wait_for(lambda: sum(group["online"] for group in json.loads(self.school.ctl("status", "--json").stdout)["groups"]) >= 5,
                 what="five devices online")
        # schultor-report looks at a switch too: what is refused from then on is counted.
        self.school.time("08:00:00")
        watch.wait_for(lambda m: m.topic == STATE and profile_of(m, "3b") == "school")
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect("tablet1", internet4(GAME), 443)
        first = watch.wait_for(lambda m: m.topic == TELEMETRY, seconds=120).json
        self.assertEqual(first["complete"], False)
        self.assertGreaterEqual(first["refused"], 1)
        self.assertGreaterEqual(first["online"], 5)
        second = watch.wait_for(lambda m: m.topic == TELEMETRY and m.json["from"] == first["until"], seconds=120).json
        self.assertEqual((second["complete"], second["refused"]), (True, 0))
        self.assertEqual(faults_of(watch), [])

    def test_a_reporter_that_dies_is_announced_by_its_last_will(self):
        watch = self.school.watch(STATE)
        watch.wait_for(lambda m: m.json.get("online") is True)
        self.school.kill("report")
        watch.wait_for(lambda m: m.json == {"online": False}, seconds=90)

    def test_an_override_is_told_without_who_set_it_and_why(self):
        watch = self.school.watch()
        words = ("3b", "exam", "6m", "Mathearbeit von Mia")
        self.school.exec("gateway", "busctl", "--system", "call", "org.schultor.Gateway1", "/org/schultor/Gateway1",
                         "org.schultor.Gateway1.Manager", "Override", "ssss", *words)

        def told(result: str):
            return watch.wait_for(lambda m: m.topic == OVERRIDE and m.json["result"] == result).json
        self.assertEqual({name: told("set")[name] for name in ("group", "profile")}, {"group": "3b", "profile": "exam"})
        self.school.time("+90s")
        self.assertTrue(told("ending")["id"].startswith(told("set")["id"].removesuffix("set") + "ending/"))
        self.school.time("+5m")
        told("ended")
        watch.wait_for(lambda m: m.topic == STATE and profile_of(m, "3b") == "school")
        everything = json.dumps([message.payload for message in watch.messages])
        for secret in ("Mathearbeit", "Mia", "root", '"by"', '"reason"', "overrides"):
            self.assertNotIn(secret, everything)
        self.assertEqual(faults_of(watch), [])

    def test_no_device_no_address_and_no_name_that_was_asked_for_leaves_the_school(self):
        watch = self.school.watch()
        self.school.resolve("tablet1", "geheim.any.test")
        self.school.time("08:00:00")
        self.school.resolve("tablet1", "geheim.any.test")
        watch.wait_for(lambda m: m.topic == STATE and profile_of(m, "3b") == "school")
        everything = json.dumps([message.payload for message in watch.messages])
        for secret in ("geheim", "02:77", "10.77", "fd77", "devices", "tablet"):
            self.assertNotIn(secret, everything)
        logs = self.school.lab("logs").stdout
        self.assertNotIn("geheim", logs)


if __name__ == "__main__":
    main()
