#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What the ruleset counts never falls: over restarts, crashes, a ruleset that was taken away and a machine's start before it."""

import re
import unittest

from lib.school import School, internet4, main, wait_for

GAME = 30


class Counters(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00"))

    def metrics(self) -> str:
        return self.school.ctl("metrics").stdout

    def refused(self) -> int:
        return int(re.search(r'^schultor_packets_total\{verdict="refused",profile="school",cause=""\} ([0-9]+)$', self.metrics(), re.MULTILINE)[1])

    def be_refused(self, times: int) -> None:
        for _ in range(times):
            with self.assertRaises(ConnectionRefusedError):
                self.school.connect("tablet1", internet4(GAME), 80)

    def test_sums_go_on_whatever_becomes_of_the_daemon_and_the_table(self):
        school = self.school
        begun = self.refused()
        self.be_refused(3)
        self.assertEqual(self.refused(), begun + 3)
        school.restart("schultord")
        self.assertEqual(self.refused(), begun + 3)
        school.kill("schultord")
        self.be_refused(2)
        school.restart("schultord")
        self.assertEqual(self.refused(), begun + 5)
        school.exec("gateway", "nft", "delete", "table", "inet", "schultor")
        self.assertEqual(self.refused(), begun + 5)
        self.be_refused(1)
        self.assertEqual(self.refused(), begun + 6)
        school.exec("gateway", "nft", "reset", "counters", "table", "inet", "schultor")
        self.assertEqual(self.refused(), begun + 6)

    def test_the_metrics_are_openmetrics_and_name_nobody(self):
        self.be_refused(1)
        self.school.resolve("tablet1", "frei.mnspro.test")
        wait_for(lambda: "schultor_settings_wrong" in self.metrics(), what="the first look at the kernel")
        lines = self.metrics().splitlines()
        self.assertEqual(lines[-1], "# EOF")
        families = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE ")}
        self.assertLessEqual({"schultor_packets", "schultor_questions", "schultor_connections_tracked", "schultor_devices"}, families.keys())
        for line in lines[:-1]:
            if line.startswith("#"):
                self.assertRegex(line, r"^# (TYPE|HELP) [a-z_]+ .+$")
                continue
            name, labels = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? [0-9]+', line).groups()
            family = name.removesuffix("_total")
            self.assertEqual(families[family], "counter" if name.endswith("_total") else "gauge", line)
            self.assertNotRegex(labels or "", r"02:77:|10\.77\.|fd77|test")
        self.assertRegex(self.school.ctl("status").stdout, r"packets: +.*[0-9]+ refused.* since the machine started")


if __name__ == "__main__":
    main()
