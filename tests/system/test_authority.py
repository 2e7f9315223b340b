#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Who may change something, as polkit says, whose answer nothing waits for but the caller."""

import subprocess
import sys
import unittest
from pathlib import Path

from lib.school import School, main
from test_clock import call, group

FAKE = Path(__file__).resolve().parent / "lib" / "fake_polkit.py"
POLICY = """<busconfig>
  <policy user="root"><allow own="org.freedesktop.PolicyKit1"/></policy>
  <policy context="default"><allow send_destination="org.freedesktop.PolicyKit1"/></policy>
</busconfig>
"""
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
OVERRIDE = ("busctl", "--system", "--json=short", "--timeout=60", "call", "org.schultor.Gateway1", "/org/schultor/Gateway1",
            "org.schultor.Gateway1.Manager", "Override", "ssss", "3b", "exam", "45m", "Mathearbeit")
# busctl keeps to itself why access is denied.
ASK = ("gdbus", "call", "--system", "--dest", "org.schultor.Gateway1", "--object-path", "/org/schultor/Gateway1", "--method",
       "org.schultor.Gateway1.Manager.Override", "3b", "exam", "45m", "Mathearbeit")


class Authority(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 07:30:00"))
        policy = self.school.directory / "bus-policies" / "polkit.conf"
        policy.write_text(POLICY)
        self.school.exec("gateway", "busctl", "--system", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                         "ReloadConfig")

    def polkit(self, answer: str) -> subprocess.Popen:
        fake = self.school.popen("gateway", "/usr/bin/python3", str(FAKE), answer, stdout=subprocess.PIPE, text=True)
        self.addCleanup(fake.stdout.close)
        self.assertEqual(fake.stdout.readline(), "ready\n")
        return fake

    def test_whom_polkit_allows_may_and_is_named(self):
        fake = self.polkit("yes")
        self.school.exec("gateway", *NOBODY, *OVERRIDE)
        self.assertEqual(fake.stdout.readline(), "asked org.schultor.gateway1.override group=3b profile=exam\n")
        override = call(self.school, "Describe")["overrides"][0]
        self.assertEqual((override["by"], override["reason"]), ("nobody", "Mathearbeit"))

    def test_whom_polkit_does_not_allow_may_not_and_is_told_what_is_missing(self):
        self.polkit("no")
        refused = self.school.exec("gateway", *NOBODY, *ASK, check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("org.schultor.gateway1.override", refused.stderr)
        self.assertEqual(call(self.school, "Describe")["overrides"], [])

    def test_without_polkit_root_alone_may(self):
        refused = self.school.exec("gateway", *NOBODY, *ASK, check=False)
        self.assertIn("polkitd", refused.stderr)
        self.school.exec("gateway", *OVERRIDE)
        self.assertEqual(call(self.school, "Describe")["overrides"][0]["by"], "root")

    def test_questions_are_never_logged_for_the_city_whatever_polkit_says(self):
        fake = self.polkit("yes")
        log = ("gdbus", "call", "--system", "--dest", "org.schultor.Gateway1", "--object-path", "/org/schultor/Gateway1", "--method",
               "org.schultor.Gateway1.Manager.LogQuestions", "60", "school")
        for user in ("schultor-report", "nobody"):
            done = self.school.exec("gateway", "setpriv", f"--reuid={user}", "--clear-groups", *log, check=False)
            if user == "schultor-report":
                self.assertIn("never done for the city", done.stderr)
                self.assertIsNone(call(self.school, "Describe")["gate"]["question_log"])
        # It was asked about the second alone.
        self.assertEqual(fake.stdout.readline(), "asked org.schultor.gateway1.debug profile=school\n")
        self.assertEqual(call(self.school, "Describe")["gate"]["question_log"]["by"], "nobody")

    def test_a_switch_that_is_due_does_not_wait_for_polkit_and_who_leaves_is_forgotten(self):
        fake = self.polkit("silent")
        waiting = self.school.popen("gateway", *NOBODY, *OVERRIDE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.assertTrue(fake.stdout.readline().startswith("asked "))
        self.school.time("2026-11-23 08:00:00")
        self.assertEqual(group(self.school, "3b")["profile"], "school")
        self.assertIsNone(waiting.poll())
        waiting.kill()
        waiting.wait()
        self.assertEqual(fake.stdout.readline(), "cancelled\n")
        self.assertEqual(call(self.school, "Describe")["overrides"], [])

    def test_callers_who_wait_are_few_and_lock_nobody_out(self):
        fake = self.polkit("silent")
        waiting = [self.school.popen("gateway", *NOBODY, *OVERRIDE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(8)]
        for _ in waiting:
            self.assertTrue(fake.stdout.readline().startswith("asked "))
        refused = self.school.exec("gateway", *NOBODY, *ASK, check=False)
        self.assertIn("too many requests", refused.stderr)
        self.school.exec("gateway", *OVERRIDE)
        self.assertEqual(group(self.school, "3b")["profile"], "exam")


if __name__ == "__main__":
    found = subprocess.run(["/usr/bin/python3", "-c", "import dbus; from gi.repository import GLib"], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        print(f"skipped: {found.stderr.strip().splitlines()[-1]} (tools/packages install)")
        sys.exit(77)
    main()
