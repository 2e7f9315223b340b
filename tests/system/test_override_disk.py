#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Overrides on a disk that takes nothing, that lost them, or that gives back rubbish."""

import json
import subprocess
import unittest

from lib.school import School, main
from test_clock import call, group
from test_recovery import without_time

MANAGER = ("busctl", "--system", "--json=short", "call", "org.schultor.Gateway1", "/org/schultor/Gateway1", "org.schultor.Gateway1.Manager")


class OverrideDisk(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2031-05-05 18:00:00"))  # later than any build: ids go on from it
        self.state = self.school.directory / "state"

    def ask(self, method: str, *words: str) -> subprocess.CompletedProcess:
        return self.school.exec("gateway", *MANAGER, method, "s" * len(words), *words, check=False)

    def faults(self) -> list[dict]:
        done = self.school.exec("gateway", *MANAGER, "ListEvents")
        events = [json.loads(event) for event in json.loads(done.stdout)["data"][0]]
        return [event for event in events if event["kind"] == "fault"]

    def test_what_cannot_be_kept_is_not_set_and_what_is_over_ends_all_the_same(self):
        school = self.school
        call(school, "Override", "3b", "exam", "20m", "")
        before, kept = without_time(school.nft()), (self.state / "overrides.json").read_text()
        self.state.chmod(0o555)
        for method, words in (("Override", ("byod", "paused", "45m", "")), ("ExtendOverride", ("3b", "15m")), ("ClearOverride", ("3b",))):
            with self.subTest(method):
                refused = self.ask(method, *words)
                self.assertNotEqual(refused.returncode, 0)
                self.assertIn("nothing was changed", refused.stderr)
                self.assertEqual(without_time(school.nft()), before)
                self.assertEqual((self.state / "overrides.json").read_text(), kept)
        school.time("2031-05-05 18:25:00")
        self.assertEqual(group(school, "3b")["profile"], "leisure")
        # A start sees what is on disk, and that it has ended.
        school.restart("schultord")
        self.assertEqual(group(school, "3b")["profile"], "leisure")
        self.state.chmod(0o755)
        call(school, "Override", "byod", "paused", "45m", "")
        self.assertEqual(group(school, "byod")["profile"], "paused")

    def test_a_damaged_file_is_moved_aside_and_told_once_and_no_id_comes_back(self):
        school = self.school
        first = call(school, "Override", "3b", "exam", "45m", "")["id"]
        school.kill("schultord")
        path = self.state / "overrides.json"
        path.write_bytes(path.read_bytes()[:40])
        school.restart("schultord")
        self.assertEqual(group(school, "3b")["profile"], "leisure")
        told = self.faults()
        self.assertEqual(len(told), 1)
        self.assertIn("overrides.json.damaged", told[0]["text"])
        self.assertTrue((self.state / "overrides.json.damaged").exists())
        # Whoever had no time to hear of it hears it after the next start, as the same event.
        school.kill("schultord")
        school.restart("schultord")
        self.assertEqual([event["id"] for event in self.faults()], [told[0]["id"]])
        self.assertGreater(call(school, "Override", "3b", "exam", "45m", "")["id"], first)

    def test_ids_go_on_where_the_file_has_gone(self):
        school = self.school
        ids = [call(school, "Override", "3b", "exam", "45m", "")["id"]]
        self.assertEqual(ids, [1])
        for _ in range(2):
            school.kill("schultord")
            (self.state / "overrides.json").unlink()
            school.restart("schultord")
            self.assertEqual(self.faults(), [])
            ids.append(call(school, "Override", "3b", "exam", "45m", "")["id"])
        self.assertGreater(ids[1], ids[0])
        self.assertGreater(ids[2], ids[1])


if __name__ == "__main__":
    main()
