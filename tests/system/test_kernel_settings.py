#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The kernel's settings that the gate leans on are looked at, and so is the room in its table of connections."""

import json
import socket
import unittest

from lib.school import School, internet4, main, wait_for

STATE, FAULT = "schultor/1/ggs-am-park/state", "schultor/1/ggs-am-park/event/fault"
HOSTS = (10, 11, 20, 21, 30, 31)
SETTING = "net.ipv4.conf.lan0.rp_filter"


def kernel(school: School) -> dict:
    return json.loads(school.ctl("status", "--json").stdout)["kernel"]


class KernelSettings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00"))

    def wrong(self) -> list[str] | None:
        settings = kernel(self.school)["settings"]
        # The machine's own, which no lab may change.
        return None if settings is None else [one["name"] for one in settings if one["name"] != "net.netfilter.nf_conntrack_max"]

    def test_what_the_units_set_is_what_is_needed(self):
        wait_for(lambda: self.wrong() is not None, what="the first look")
        self.assertEqual(self.wrong(), [])

    def test_one_that_is_otherwise_is_logged_with_the_remedy_and_shown_to_the_school_and_the_city(self):
        school = self.school
        wait_for(lambda: self.wrong() == [], what="the first look")
        watch = school.watch(STATE)
        school.exec("gateway", "sysctl", "--quiet", f"{SETTING}=2")
        wait_for(lambda: self.wrong() == [SETTING], what="the second look")
        [one] = [one for one in kernel(school)["settings"] if one["name"] == SETTING]
        self.assertEqual(one, {"name": SETTING, "value": 2, "expected": "1", "remedy": f"sysctl -w {SETTING}=1"})
        self.assertIn(f"{SETTING} is 2, expected 1: sysctl -w {SETTING}=1", school.ctl("status").stdout)
        self.assertEqual(school.log("schultord").count(f"{SETTING} is 2, expected 1"), 1)
        watch.wait_for(lambda m: m.topic == STATE and SETTING in (m.json["health"]["settings"] or []))
        school.exec("gateway", *one["remedy"].split())
        wait_for(lambda: self.wrong() == [], what="the third look")
        watch.wait_for(lambda m: m.topic == STATE and SETTING not in m.json["health"]["settings"])

    def test_a_setting_that_is_a_list_is_told_as_the_kernel_writes_it(self):
        school, setting = self.school, "net.ipv6.icmp.ratemask"
        wait_for(lambda: self.wrong() == [], what="the first look")
        school.exec("gateway", "sysctl", "--quiet", f"{setting}=0,1,3-127")
        wait_for(lambda: self.wrong() == [setting], what="the second look")
        [one] = [one for one in kernel(school)["settings"] if one["name"] == setting]
        self.assertEqual(one, {"name": setting, "value": "0-1,3-127", "expected": "0,3-127", "remedy": f"sysctl -w {setting}=0,3-127"})
        self.assertIn(f"{setting} is 0-1,3-127, expected 0,3-127: {one['remedy']}", school.ctl("status").stdout)
        school.exec("gateway", *one["remedy"].split())
        wait_for(lambda: self.wrong() == [], what="the third look")

    def test_a_table_of_connections_that_is_nearly_full_is_a_fault_once(self):
        school = self.school
        table = wait_for(lambda: kernel(school)["connections"], what="the first look")
        watch = school.watch(FAULT)
        school.exec("gateway", "sysctl", "--quiet", "net.netfilter.nf_conntrack_udp_timeout=3600")
        # The gateway's own: no tablet is let have so many.
        sender = school.socket("gateway", socket.AF_INET, socket.SOCK_DGRAM)
        for number in range(table["most"] * 85 // 100):
            sender.sendto(b"", (internet4(HOSTS[number // 60_000]), 1 + number % 60_000))
        told = watch.wait_for(lambda m: m.topic == FAULT).json
        self.assertRegex(told["text"], r"^the table of connections is (8[0-9]|9[0-9]|100) % full$")
        self.assertGreaterEqual(kernel(school)["connections"]["percent"], 80)
        self.assertRegex(school.ctl("status").stdout, r"connections: +[0-9]+ of [0-9]+ tracked \([0-9]+ %\)")


if __name__ == "__main__":
    main()
