#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What kill -9 does to overrides that are being set: what was acknowledged is in force, and disk and kernel say the same."""

import json
import os
import random
import threading
import unittest

from lib.school import School, main
from test_clock import call

ROUNDS = int(os.environ.get("SCHULTOR_CRASH_ROUNDS", "50"))
PROFILES = ("exam", "paused", "leisure")
MOST_ACKNOWLEDGED = 8


class Burst:
    """Sets override after override by one busctl after the other, until the daemon is gone. `acknowledged`: ids, of each group the last."""

    def __init__(self, school: School, groups: tuple[str, ...], seed: int):
        self.school, self.groups, self.random = school, groups, random.Random(seed)
        self.acknowledged: list[dict] = []
        self.more = threading.Condition()
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        script = ("for i in $(seq 1 200); do busctl --system --json=short call org.schultor.Gateway1 /org/schultor/Gateway1 "
                  "org.schultor.Gateway1.Manager Override ssss $1 $2 45m \"round $i\" || exit 0; shift 2; done")
        words = [word for _ in range(200) for word in (self.random.choice(self.groups), self.random.choice(PROFILES))]
        process = self.school.popen("gateway", "bash", "-c", script, "burst", *words, stdout=-1, stderr=-3, text=True)
        with process.stdout:
            for line in process.stdout:
                with self.more:
                    self.acknowledged.append(json.loads(json.loads(line)["data"][0]))
                    self.more.notify()
        process.wait()
        with self.more:
            self.ended = True
            self.more.notify()

    def wait_for(self, count: int) -> bool:
        with self.more:
            return self.more.wait_for(lambda: self.ended or len(self.acknowledged) >= count, 30) and not self.ended


class OverrideCrash(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 18:00:00"))

    def in_the_kernel(self) -> dict[int, str]:
        """Group number → the chain of its profile."""
        found = {}
        for key, verdict in self.school.nft_elements("group_policy"):
            number = key["elem"]["val"] if isinstance(key, dict) else key
            found[int(str(number), 0)] = (verdict.get("goto") or verdict.get("jump"))["target"]
        return found

    def test_what_was_acknowledged_is_in_force_after_a_crash_at_any_point(self):
        school = self.school
        seed = int(os.environ.get("SCHULTOR_CRASH_SEED", "20261123"))
        chance = random.Random(seed)
        numbers = json.loads((school.directory / "state" / "numbers.json").read_text())["groups"]
        ids = set()
        for number in range(ROUNDS):
            burst = Burst(school, ("3b", "byod"), seed + number)
            burst.thread.start()
            # From the last of these to the kill a few more are on their way: nobody knows how far.
            self.assertTrue(burst.wait_for(chance.randint(1, MOST_ACKNOWLEDGED)), "the overrides were not set")
            school.kill("schultord")
            burst.thread.join(30)
            school.restart("schultord")
            with self.subTest(round=number, seed=seed, acknowledged=len(burst.acknowledged)):
                kept = json.loads((school.directory / "state" / "overrides.json").read_text())
                on_disk = {one["id"]: one for one in kept["overrides"]}
                for one in burst.acknowledged:
                    self.assertIn(one["id"], on_disk)
                    self.assertEqual((on_disk[one["id"]]["group"], on_disk[one["id"]]["profile"]), (one["group"], one["profile"]))
                self.assertFalse(ids & {one["id"] for one in burst.acknowledged}, "an id was given twice")
                ids |= {one["id"] for one in burst.acknowledged}
                kernel, said = self.in_the_kernel(), {one["name"]: one["profile"] for one in call(school, "Describe")["groups"]}
                for name in ("3b", "byod"):
                    newest = max((one for one in kept["overrides"] if one["group"] == name), key=lambda one: one["id"], default=None)
                    wanted = newest["profile"] if newest else "leisure"
                    self.assertEqual((said[name], kernel[numbers[name]]), (wanted, f"profile_{wanted}"))
                told = {json.loads(one["event"])["id"] for one in kept["told"]}
                self.assertLessEqual({f"override/{one['id']}/set" for one in burst.acknowledged[-100:]}, told)
            call(school, "ClearOverride", "")


if __name__ == "__main__":
    main()
