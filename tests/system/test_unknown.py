#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A tablet with an address of its own making is no way out of a paused class."""

import unittest

from lib.school import School, internet4, main
from test_clock import call, group
from test_groups import pairs
from test_switch import talk

CLOUD, GAME = 11, 31
STRANGER = "tablet9"


class Unknown(unittest.TestCase):
    def test_a_stranger_has_what_the_strictest_class_has_and_the_cloud(self):
        school = self.enterContext(School(at="2026-11-23 18:00:00", tablets=9))
        self.assertEqual(group(school, "gaeste")["profile"], "leisure")
        school.resolve(STRANGER, "frei.mnspro.test")
        cloud, game = pairs(school, STRANGER, CLOUD, 443), pairs(school, STRANGER, GAME, 7000)
        self.assertEqual(talk(*game), b"hallo")
        call(school, "Override", "3b", "paused", "45m", "")
        self.assertEqual(group(school, "gaeste")["profile"], "paused")
        self.assertIn("3b", group(school, "gaeste")["text"])
        game[0].sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            game[0].recv(1)
        with self.assertRaises(ConnectionRefusedError):
            school.connect(STRANGER, internet4(30), 80)
        self.assertEqual(talk(*cloud), b"hallo")
        pairs(school, STRANGER, CLOUD, 443)
        # Teachers' and children's own devices are nobody's measure.
        call(school, "ClearOverride", "3b")
        call(school, "Override", "byod", "paused", "45m", "")
        self.assertEqual(group(school, "gaeste")["profile"], "leisure")
        pairs(school, STRANGER, GAME, 7001)

    def test_a_school_may_say_otherwise(self):
        school = self.enterContext(School(at="2026-11-23 18:00:00", tablets=9))
        path = school.config("school.toml")
        path.write_text(path.read_text().replace("unknown   = true", "unknown   = true\nstrictest = false"))
        self.assertEqual(school.reload().returncode, 0)
        call(school, "Override", "3b", "paused", "45m", "")
        self.assertEqual(group(school, "gaeste")["profile"], "leisure")
        pairs(school, STRANGER, GAME, 7000)


if __name__ == "__main__":
    main()
