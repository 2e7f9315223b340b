#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A configuration is applied whole or not at all, and a bad one says why: on reload, at a start, after a power cut."""

import json
import shutil
import unittest

from lib.school import School, main, wait_for
from test_city import faults_of
from test_clock import PREFIX, call, group
from test_groups import pairs
from test_recovery import without_time
from test_switch import talk

CLOUD, LEARNING = 11, 21


def replaced(old: str, new: str):
    def edit(path):
        text = path.read_text()
        assert old in text, f"{path.name} has no {old}"
        path.write_text(text.replace(old, new))
    return edit


# The file, what becomes of it, and a word of what is said.
BAD = {
    "TOML that is none": ("city.toml", replaced("[cloud]", "[cloud"), "city.toml:"),
    "an unknown key": ("school.toml", replaced("schedule", "scheduel"), "schedule"),
    "a profile that is not there": ("city.toml", replaced('during    = "school"', 'during    = "schule"'), "schule"),
    "a time zone that is none": ("gateway.toml", replaced("Europe/Berlin", "Europe/Berln"), "Europe/Berln"),
    "a window that is none": ("city.toml", replaced("08:00-17:00", "08:00-25:00"), "city.toml:"),
    "no group for unknown devices": ("school.toml", replaced("unknown   = true", "unknown   = false"), "unknown"),
    "a device that is none": ("roster.csv", lambda path: path.write_text(path.read_text() + "02:77:zz:00:00:01,3b\n"), "roster.csv:"),
    "a device of no group": ("roster.csv", lambda path: path.write_text(path.read_text() + "02:77:00:00:00:63,9z\n"), "9z"),
    "bytes that are no text": ("city.toml", lambda path: path.write_bytes(path.read_bytes() + b"\xff\xfe\n"), "city.toml:"),
    "an empty file": ("gateway.toml", lambda path: path.write_text(""), "gateway.toml:"),
    "a file that has gone": ("school.toml", lambda path: path.unlink(), "school.toml"),
    "a file that cannot be read": ("city.toml", lambda path: path.chmod(0), "city.toml"),
    "a directory in a file's place": ("roster.csv", lambda path: (path.unlink(), path.mkdir()), "roster.csv"),
}


class Reload(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00"))
        self.config = self.school.directory / "config"
        self.good = self.school.directory / "config.good"
        shutil.copytree(self.config, self.good)

    def cloud(self):
        """A connection of 3b's to the cloud, as a tablet makes one: it asks first."""
        # A gate whose schultord is new opens names as soon as it is connected.
        wait_for(lambda: self.school.resolve("tablet1", "frei.mnspro.test").addresses, what="the gate")
        return pairs(self.school, "tablet1", CLOUD, 443)

    def spoil(self, kind: str) -> None:
        name, edit, _ = BAD[kind]
        edit(self.config / name)

    def mend(self) -> None:
        for path in self.good.iterdir():
            target = self.config / path.name
            if target.is_dir() and not path.is_dir():
                target.rmdir()
            if path.is_file():
                shutil.copy(path, target)
                target.chmod(0o644)

    def events(self) -> list[dict]:
        done = self.school.exec("gateway", "busctl", "--system", "--json=short", "call", "org.schultor.Gateway1", "/org/schultor/Gateway1",
                                "org.schultor.Gateway1.Manager", "ListEvents")
        return [json.loads(event) for event in json.loads(done.stdout)["data"][0]]

    def configurations(self, result: str) -> list[dict]:
        return [event for event in self.events() if event["kind"] == "configuration" and event["result"] == result]

    def test_in_json_says_what_validate_says(self):
        school = self.school
        self.assertEqual(json.loads(school.ctl("--json", "reload").stdout), {"reloaded": True, "lists_compiled": False})
        # But for the file that cannot be read: root asks here, who can.
        for kind in BAD.keys() - {"a file that cannot be read"}:
            with self.subTest(kind):
                self.spoil(kind)
                told = school.ctl("--json", "reload", check=False)
                self.assertEqual((told.returncode, told.stderr), (1, ""))
                found = json.loads(school.ctl("--json", "validate", check=False).stdout)
                self.assertTrue(found)
                self.assertEqual(json.loads(told.stdout), [one for one in found if one["severity"] == "error"])
                self.mend()

    def test_every_kind_of_bad_file_changes_nothing_and_is_told(self):
        school = self.school
        watch = school.watch(PREFIX + "configuration")
        for name in ("frei.mnspro.test", "frei.lernen.test"):
            school.resolve("tablet1", name)
        cloud, learning = pairs(school, "tablet1", CLOUD, 443), pairs(school, "tablet1", LEARNING, 7000)
        before = without_time(school.nft())
        kept = {path.name: path.read_bytes() for path in (school.directory / "state" / "applied").iterdir()}
        for count, (kind, (_, _, word)) in enumerate(BAD.items(), 1):
            with self.subTest(kind):
                self.spoil(kind)
                refused = school.reload()
                self.assertEqual(refused.returncode, 1, refused.stdout + refused.stderr)
                self.assertIn(word, refused.stderr)
                self.assertEqual(without_time(school.nft()), before)
                self.assertEqual((talk(*cloud), talk(*learning)), (b"hallo", b"hallo"))
                described = call(school, "Describe")["refused"]
                self.assertTrue(any(word in error for error in described["errors"]), described)
                self.assertEqual(len(self.configurations("refused")), count)
                self.assertEqual(self.configurations("refused")[-1]["errors"], described["errors"])
                self.assertIn(word, school.log("schultord"))
                self.mend()
        self.assertEqual({path.name: path.read_bytes() for path in (school.directory / "state" / "applied").iterdir()}, kept)
        self.assertEqual(school.reload().returncode, 0)
        self.assertIsNone(call(school, "Describe")["refused"])
        self.assertEqual(without_time(school.nft()), before, "a reload of the same changed something")
        watch.wait_for(lambda m: m.json["result"] == "applied", seconds=60)
        told = [message.json for message in watch.messages]
        self.assertEqual(sum(event["result"] == "refused" for event in told), len(BAD))
        self.assertEqual(faults_of(watch), [])
        self.assertFalse(any("\n" in error for event in told for error in event.get("errors", [])))

    def test_a_start_with_a_bad_configuration_goes_on_with_the_last_good_one(self):
        school = self.school
        pair = self.cloud()
        # The belt goes with schultord.
        table = "table inet schultor"
        before = without_time(school.nft(table))
        school.kill("schultord")
        self.spoil("an unknown key")
        school.restart("schultord")
        self.assertEqual(without_time(school.nft(table)), before)
        self.assertEqual(talk(*pair), b"hallo")
        self.assertIn("school.toml:", call(school, "Describe")["refused"]["errors"][0])
        self.assertEqual(len(self.configurations("refused")), 1)
        # It switches, and a reload that is refused again leaves it at that.
        school.time("2026-11-23 17:00:00")
        self.assertEqual(group(school, "3b")["profile"], "leisure")
        self.assertEqual(school.reload().returncode, 1)
        self.assertEqual(group(school, "3b")["profile"], "leisure")
        self.mend()
        self.assertEqual(school.reload().returncode, 0)
        self.assertIsNone(call(school, "Describe")["refused"])

    def test_a_power_cut_after_a_bad_edit_leaves_the_school_its_gateway(self):
        school = self.school
        for path in self.config.iterdir():
            if path.is_file():
                path.unlink()
        school.kill("schultord")
        # The kernel forgets, as it does without power.
        school.exec("gateway", "nft", "delete", "table", "inet", "schultor")
        school.restart("schultord")
        with self.assertRaises(ConnectionRefusedError):
            school.connect("tablet1", "198.51.100.30", 80)
        self.cloud()
        self.mend()
        self.assertEqual(school.reload().returncode, 0)

    def test_without_anything_that_was_good_it_does_not_start_and_says_why(self):
        school = self.school
        school.kill("schultord")
        before = without_time(school.nft())
        shutil.rmtree(school.directory / "state" / "applied")
        self.spoil("an unknown key")
        failed = school.lab("restart", "schultord", check=False)
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("school.toml:", school.log("schultord"))
        self.assertEqual(without_time(school.nft()), before)

    def test_what_is_kept_is_for_nobody_elses_eyes(self):
        applied = self.school.directory / "state" / "applied"
        self.assertEqual(applied.stat().st_mode & 0o777, 0o700)
        self.assertEqual({path.stat().st_mode & 0o777 for path in applied.iterdir() if path.is_file()}, {0o600})

    def test_groups_come_go_and_change_their_names(self):
        school = self.school
        call(school, "Override", "3b", "exam", "45m", "")
        call(school, "Override", "byod", "paused", "45m", "")
        school_toml = self.config / "school.toml"
        text = school_toml.read_text()
        # 3b becomes 4b, byod goes, 1a comes.
        text = text.replace('"3b"', '"4b"').replace('"byod"\nschedule', '"1a"\nschedule')
        school_toml.write_text(text)
        roster = self.config / "roster.csv"
        roster.write_text(roster.read_text().replace(",3b", ",4b").replace(",byod", ",1a"))
        self.assertEqual(school.reload().returncode, 0)
        described = call(school, "Describe")
        self.assertEqual([one["name"] for one in described["groups"]], ["4b", "1a", "lehrkraefte", "gaeste"])
        self.assertEqual({one["profile"] for one in described["groups"] if one["name"] in ("4b", "1a")}, {"school"})
        self.assertEqual(described["overrides"], [])
        cleared = [event for event in self.events() if event["kind"] == "override" and event["result"] == "cleared"]
        self.assertEqual(sorted(event["group"] for event in cleared), ["3b", "byod"])
        numbers = json.loads((school.directory / "state" / "numbers.json").read_text())["groups"]
        self.assertEqual(len(set(numbers.values())), len(numbers))
        self.assertLessEqual({"3b", "4b", "byod", "1a"}, numbers.keys())
        self.cloud()
        school.time("2026-11-23 17:00:00")
        self.assertEqual(group(school, "4b")["profile"], "leisure")

    def test_a_profile_changes_its_name_and_is_told_by_both(self):
        school = self.school
        for path in self.config.glob("*.toml"):
            path.write_text(path.read_text().replace('"leisure"', '"freizeit"'))
        done = school.reload()
        self.assertEqual(done.returncode, 0, done.stderr)
        told = [event for event in self.events() if event["kind"] == "mode" and event["group"] == "lehrkraefte"][-1]
        self.assertEqual((told["previous"], told["profile"]), ("leisure", "freizeit"))


if __name__ == "__main__":
    main()
