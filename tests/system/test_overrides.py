#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Overrides, as somebody in the school sets them with schultorctl: what tablets notice, who may, how they end, and what the city hears."""

import json
import shutil
import subprocess
import unittest

from lib import dns
from lib.school import School, internet4, main, tcp_info, wait_for
from test_groups import pairs
from test_switch import talk

CLOUD, LEARNING, GAME = 11, 21, 31
EVENT = "schultor/1/ggs-am-park/event/override"
START = "2026-11-23 10:00:00"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
CITY = (School.DEFAULT_CONFIG / "city.toml").read_text() + '\n[override]\nlongest = "4h"\n'

# Who may own polkit's name on the lab's bus, and who may call it there: what polkit's own policy file says.
POLKIT_ON_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <policy user="root"><allow own="org.freedesktop.PolicyKit1"/></policy>
  <policy context="default"><allow send_destination="org.freedesktop.PolicyKit1"/></policy>
</busconfig>
"""


class AnOverride(unittest.TestCase):
    def ctl(self, *words: str, status: int = 0) -> str:
        """What it prints: to standard output, or where it is not to succeed, to standard error."""
        done = self.school.ctl(*words, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stderr

    def json(self, *words: str):
        return json.loads(self.ctl("--json", *words))

    def holding(self) -> dict[str, tuple[str, str]]:
        return {group["name"]: (group["profile"], group["because"]) for group in self.json("status")["groups"]}

    def profile(self, group: str = "3b") -> str:
        return self.holding()[group][0]

    def assert_learning_is_closed(self, tablet: str) -> None:
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect(tablet, internet4(LEARNING), 7000)
        self.assertEqual(self.school.resolve(tablet, "frei.lernen.test").rcode, dns.NXDOMAIN)

    def assert_learning_is_open(self, tablet: str) -> None:
        self.assertEqual(self.school.resolve(tablet, "frei.lernen.test").addresses, [internet4(LEARNING)])
        pairs(self.school, tablet, LEARNING, 7000)


class InTheLesson(AnOverride):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at=START, tablets=9, config={"city.toml": CITY}))

    def setUp(self):
        self.ctl("override", "--clear")
        self.school.time(START)
        for tablet in ("tablet1", "tablet5", "tablet9"):
            for name in ("frei.mnspro.test", "frei.lernen.test"):
                self.assertEqual(len(self.school.resolve(tablet, name).addresses), 1, name)

    def test_an_exam_leaves_the_class_its_cloud_alone_and_all_others_what_they_had(self):
        cloud, learning = pairs(self.school, "tablet1", CLOUD, 443), pairs(self.school, "tablet1", LEARNING, 7000)
        others, unknowns = pairs(self.school, "tablet5", LEARNING, 8081), pairs(self.school, "tablet9", LEARNING, 8082)
        made = self.json("override", "--group", "3b", "--profile", "exam", "--for", "45m", "--reason", "Mathearbeit")
        self.assertEqual({key: made[key] for key in ("group", "profile", "by", "reason")},
                         {"group": "3b", "profile": "exam", "by": "root", "reason": "Mathearbeit"})
        self.assertEqual(made["until"][:16], "2026-11-23T10:45")
        # A connection that is open ends at its next packet; the cloud's does not notice.
        for near, _ in (learning, unknowns):
            near.sendall(b"frage")
            with self.assertRaises(ConnectionResetError):
                near.recv(1)
        for near, far in (cloud, others):
            self.assertEqual(talk(near, far, b"x" * 100_000), b"x" * 100_000)
            self.assertEqual(talk(far, near, b"y" * 100_000), b"y" * 100_000)
            self.assertEqual([tcp_info(end).retransmissions for end in (near, far)], [0, 0])
        for tablet in ("tablet1", "tablet2", "tablet9"):
            self.assert_learning_is_closed(tablet)
            self.assertEqual(len(self.school.resolve(tablet, "frei.mnspro.test").addresses), 1)
            pairs(self.school, tablet, CLOUD, 443)
        self.assert_learning_is_open("tablet5")
        self.assertEqual(self.holding()["3b"], ("exam", "override"))
        listed = self.ctl("override")
        for word in ("GROUP", "3b", "exam", made["from"], made["until"], "root", "Mathearbeit"):
            self.assertIn(word, listed)
        self.assertIn(listed, self.ctl("status"))
        self.assertEqual(self.json("override"), [made])

    def test_it_is_extended_ended_by_hand_and_the_newest_wins(self):
        self.ctl("override", "--group", "3b", "--profile", "exam", "--until", "10:45")
        extended = self.json("override", "--group", "3b", "--extend", "15m")
        self.assertEqual((extended["profile"], extended["until"]), ("exam", "2026-11-23T11:00:00+01:00"))
        self.school.time("10:50:00")
        self.assert_learning_is_closed("tablet1")
        self.ctl("override", "--group", "3b", "--profile", "leisure", "--until", "10:55")
        self.assertEqual(self.profile(), "leisure")
        pairs(self.school, "tablet1", GAME, 7000)
        self.school.time("10:55:00")
        self.assertEqual(self.profile(), "exam")
        self.assertEqual(self.ctl("override", "--group", "3b", "--clear"), "1 override cleared for 3b\n")
        self.assertEqual(self.holding()["3b"], ("school", "window"))
        self.assert_learning_is_open("tablet1")
        self.assertIn("nothing to clear", self.ctl("override", "--group", "3b", "--clear"))
        self.assertEqual(self.json("override", "--clear"), {"cleared": 0})
        self.assertEqual(self.ctl("override"), "no override is set\n")

    def test_one_for_all_holds_but_for_groups_with_a_newer_one_or_none(self):
        self.ctl("override", "--all", "--profile", "paused", "--for", "30m")
        self.assertEqual({profile for profile, _ in self.holding().values()}, {"paused"})
        self.assert_learning_is_closed("tablet7")
        pairs(self.school, "tablet7", CLOUD, 443)
        self.ctl("override", "--group", "byod", "--profile", "leisure", "--for", "10m")
        self.ctl("override", "--group", "lehrkraefte", "--clear")
        now = {group: profile for group, (profile, _) in self.holding().items()}
        self.assertEqual(now, {"3b": "paused", "byod": "leisure", "lehrkraefte": "leisure", "gaeste": "paused"})
        self.assertIn("all groups", self.ctl("override", "--all", "--extend", "15m"))
        self.school.time("10:40:00")
        now = {group: profile for group, (profile, _) in self.holding().items()}
        self.assertEqual(now, {"3b": "paused", "byod": "paused", "lehrkraefte": "leisure", "gaeste": "paused"})
        self.ctl("override", "--clear")
        self.assertNotIn("override", [because for _, because in self.holding().values()])

    def test_what_the_rules_do_not_allow_is_refused_with_the_reason_and_changes_nothing(self):
        exam = ("override", "--group", "3b", "--profile", "exam")
        for words, reason in (
                (("override", "--group", "3b", "--profile", "exma", "--for", "45m"), "there is no profile “exma”; did you mean “exam”?"),
                ((*exam, "--for", "4h1m"), "more than the 4 h that an override may last ([override] longest, city.toml:"),
                ((*exam, "--until", "2026-11-23 09:59"), "2026-11-23T09:59:00+01:00 has passed"),
                ((*exam, "--until", "noon"), "“noon” is no end"),
                ((*exam, "--for", "45m", "--reason", "Mathe\narbeit"), "the reason holds characters that are no text"),
                ((*exam, "--for", "45m", "--reason", "Mathe\x1b[2J"), "the reason holds characters that are no text"),
                ((*exam, "--for", "45m", "--reason", "x" * 201), "the reason is longer than 200 octets"),
                (("override", "--group", "3b", "--extend", "15m"), "no override holds for group “3b”")):
            with self.subTest(words=words):
                self.assertIn(reason, self.ctl(*words, status=1))
        for words in (("--profile", "exam", "--for", "45m"), ("--extend", "15m"), ("--clear",)):
            with self.subTest(words=words):
                said = self.ctl("override", "--group", "3c", *words, status=2)
                self.assertIn("there is no group “3c”; did you mean “3b”?", said, "misuse, as with explain")
        self.assertIn("expected: schultorctl override", self.ctl(*exam, status=2))
        self.assertEqual(self.json("override"), [])
        self.assertEqual(self.holding()["3b"], ("school", "window"))

    def test_events_tell_what_happened_and_what_happens(self):
        self.ctl("override", "--group", "3b", "--profile", "exam", "--for", "45m", "--reason", "Mathearbeit")
        lines = self.ctl("events").splitlines()
        self.assertTrue(any("override" in line and "3b: exam until" in line and line.endswith("set by root (Mathearbeit)") for line in lines), lines)
        known = self.json("events")
        self.assertEqual(len(known), len(lines))
        following = self.school.popen("gateway", "schultorctl", "--json", "events", "--follow", stdout=subprocess.PIPE, text=True)
        self.addCleanup(following.stdout.close)
        for event in known:
            self.assertEqual(json.loads(following.stdout.readline()), event)
        self.ctl("override", "--group", "3b", "--clear")
        happened = [json.loads(following.stdout.readline())]
        while happened[-1]["kind"] != "override":
            happened.append(json.loads(following.stdout.readline()))
        self.assertEqual(happened[-1]["result"], "cleared")
        self.assertIn(("mode", "3b", "school"), [(event["kind"], event["group"], event["profile"]) for event in happened])
        following.send_signal(2)
        self.assertEqual(following.wait(30), 0)

    def test_who_is_not_root_reads_and_sets_nothing_without_the_right(self):
        def as_nobody(*words: str) -> subprocess.CompletedProcess:
            return self.school.exec("gateway", *NOBODY, "schultorctl", *words, check=False)

        self.assertEqual(as_nobody("override").stdout, "no override is set\n")
        for words in (("--group", "3b", "--profile", "exam", "--for", "45m"), ("--all", "--extend", "5m"), ("--clear",)):
            refused = as_nobody("override", *words)
            self.assertEqual(refused.returncode, 2, refused.stdout)
            self.assertIn("not allowed: ", refused.stderr)
            self.assertIn("org.schultor.gateway1.override", refused.stderr)
        self.assertEqual(self.json("override"), [])

    @unittest.skipUnless(shutil.which("/usr/bin/python3") and not subprocess.run(["/usr/bin/python3", "-c", "import dbusmock"], check=False,
                                                                                  capture_output=True).returncode, "python3-dbusmock is not installed")
    def test_whom_polkit_grants_the_right_sets_an_override_under_their_name(self):
        (self.school.directory / "bus-policies" / "polkit.conf").write_text(POLKIT_ON_BUS)
        self.school.exec("gateway", "busctl", "--system", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                         "ReloadConfig")
        polkit = self.school.popen("gateway", "/usr/bin/python3", "-m", "dbusmock", "--system", "--template", "polkitd", stdout=subprocess.DEVNULL)
        self.addCleanup(polkit.kill)
        mock = ("busctl", "--system", "call", "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.DBus.Mock",
                "SetAllowed", "as")
        wait_for(lambda: self.school.exec("gateway", *mock, "0", check=False).returncode == 0, what="the stand-in of polkit")
        wish = (*NOBODY, "schultorctl", "--json", "override", "--group", "3b", "--profile", "exam", "--for", "45m")
        refused = self.school.exec("gateway", *wish, check=False)
        self.assertEqual(refused.returncode, 2, refused.stdout)
        self.assertIn("org.schultor.gateway1.override", refused.stderr)
        self.school.exec("gateway", *mock, "1", "org.schultor.gateway1.override")
        self.assertEqual(json.loads(self.school.exec("gateway", *wish).stdout)["by"], "nobody")
        self.assertEqual(self.profile(), "exam")


class ItsEnd(AnOverride):
    def setUp(self):
        self.school = self.enterContext(School(at=START, config={"city.toml": CITY}))

    def results(self, watch) -> list[str]:
        return [message.json["result"] for message in watch.drain() if message.topic == EVENT]

    def test_it_ends_by_itself_and_the_city_hears_of_it_once_without_reason_or_name(self):
        watch = self.school.watch()
        self.ctl("override", "--group", "3b", "--profile", "exam", "--until", "10:45", "--reason", "Mathearbeit")
        watch.wait_for(lambda m: m.topic == EVENT and m.json["result"] == "set")
        self.school.time("10:39:50")
        self.assertEqual(self.results(watch), ["set"])
        self.school.time("10:40:00")
        warned = watch.wait_for(lambda m: m.topic == EVENT and m.json["result"] == "ending").json
        self.assertEqual((warned["group"], warned["profile"], warned["at"], warned["until"]),
                         ("3b", "exam", "2026-11-23T10:40:00+01:00", "2026-11-23T10:45:00+01:00"))
        # Neither those who are told nor those who tell forget.
        self.school.restart("schultord")
        self.school.restart("report")
        self.school.time("10:44:50")
        self.assert_learning_is_closed("tablet1")
        self.school.time("10:45:00")
        self.assert_learning_is_open("tablet1")
        self.assertEqual(self.ctl("override"), "no override is set\n")
        watch.wait_for(lambda m: m.topic == EVENT and m.json["result"] == "ended")
        self.school.time("17:00:00")
        watch.wait_for(lambda m: m.topic.endswith("/event/mode") and m.json["at"].startswith("2026-11-23T17:00:00"))
        self.assertEqual(self.results(watch), ["set", "ending", "ended"])
        everything = json.dumps([message.payload for message in watch.messages])
        for secret in ("Mathearbeit", "reason", '\\"by\\"', "root"):
            self.assertNotIn(secret, everything)

    def test_it_outlives_whatever_happens_to_the_daemon_and_ends_while_that_is_away(self):
        self.school.resolve("tablet1", "frei.mnspro.test")
        made = self.json("override", "--group", "3b", "--profile", "exam", "--until", "10:45")
        cloud = pairs(self.school, "tablet1", CLOUD, 443)
        self.school.kill("schultord")
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect("tablet1", internet4(LEARNING), 7000)
        self.school.restart("schultord")
        self.assertEqual(self.json("override"), [made])
        self.assertEqual(self.profile(), "exam")
        wait_for(lambda: self.school.resolve("tablet1", "frei.lernen.test").rcode == dns.NXDOMAIN, what="the gate")
        self.school.kill("schultord")
        self.school.time("2026-11-23 10:46:00")
        self.school.restart("schultord")
        self.assertEqual(self.holding()["3b"], ("school", "window"))
        self.assertEqual(self.json("override"), [])
        wait_for(lambda: self.school.resolve("tablet1", "frei.lernen.test").addresses == [internet4(LEARNING)], what="the gate")
        pairs(self.school, "tablet1", LEARNING, 7000)
        ended = [event for event in self.json("events") if event["kind"] == "override" and event["result"] == "ended"]
        self.assertEqual([event["at"] for event in ended], ["2026-11-23T10:45:00+01:00"])
        self.assertEqual(talk(*cloud), b"hallo")
        self.assertEqual([tcp_info(end).retransmissions for end in cloud], [0, 0])


if __name__ == "__main__":
    main()
