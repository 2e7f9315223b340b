#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Block lists close names and addresses as the profiles say, from the first question after a reload, and never the cloud."""

import json
import select
import socket
import subprocess
import time
import unittest

from lib import dns
from lib.school import GATEWAY4, School, internet4, internet6, main, wait_for
from schoollab.names import ANY, GAME_FREE
from test_clock import call
from test_groups import pairs
from test_switch import talk

CLOUD, LEARNING = 11, 21
PUPIL, TEACHER = "tablet1", "tablet7"  # at nine in the morning in school mode and, always, in leisure
FAMILIES = ((internet4, dns.A), (internet6, dns.AAAA))

CITY = (School.DEFAULT_CONFIG / "city.toml").read_text().replace(
    "[never]\n", '[never]\ncategories = ["boese"]\n').replace(
    'access = "open"', 'access = "open"\nallow = ["gut.any.test"]\nblock_categories = ["spiele", "netze"]')
SCHOOL = (School.DEFAULT_CONFIG / "school.toml").read_text() + '[extend.school]\nallow = ["any.test"]\nblock_categories = ["spiele"]\n'
LISTS = {
    "lists/boese.domains": "boese.any.test\nfrei.mnspro.test\n",
    "lists/spiele.domains": "spiele.test\nany.test\nsehr.gut.any.test\n",
    "lists/netze.domains": f"{internet4(GAME_FREE)}\n{internet6(GAME_FREE)}\n",
}
RELOAD = ("busctl", "--system", "call", "org.schultor.Gateway1", "/org/schultor/Gateway1", "org.schultor.Gateway1.Manager", "Reload")


class Categories(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00", config={
            "city.toml": CITY, "school.toml": SCHOOL, **LISTS}))

    @property
    def kept(self):
        return self.school.directory / "state" / "applied.table"

    def wait_until_kept(self) -> None:
        wait_for(self.kept.exists, what="the table of what was applied")

    def rcode(self, tablet: str, name: str) -> int:
        return self.school.resolve(tablet, name).rcode

    def refused(self, tablet: str, name: str) -> bool:
        return dns.EDE_FILTERED in self.school.resolve(tablet, name).ede

    def list(self, name: str, text: str) -> None:
        self.school.config(f"lists/{name}.domains").write_text(text)

    def reload(self) -> None:
        done = self.school.reload()
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_names_are_judged_by_lists_as_by_patterns(self):
        # More labels are more specific; a city's block gives way to the city's own more specific allow alone, and
        # a list of [never] to nothing but the cloud.
        for tablet, name, wanted in (
                (TEACHER, "www.spiele.test", True), (TEACHER, "beliebig.any.test", True), (TEACHER, "gut.any.test", False),
                (TEACHER, "sehr.gut.any.test", True), (TEACHER, "boese.any.test", True), (TEACHER, "lernen.test", False),
                (PUPIL, "any.test", True), (PUPIL, "lernen.test", False), (PUPIL, "x.boese.any.test", True),
                (PUPIL, "frei.mnspro.test", False), (TEACHER, "frei.mnspro.test", False)):
            with self.subTest(tablet=tablet, name=name):
                self.assertEqual(self.refused(tablet, name), wanted)
        explained = self.school.ctl("--json", "explain", "--group", "lehrkraefte", "www.spiele.test", check=False)
        self.assertEqual(explained.returncode, 1)
        told = json.loads(explained.stdout)
        self.assertEqual((told["because"], told["rule"]), (
            "city-block", {"text": "spiele.test", "file": "lists/spiele.domains", "line": 1}))

    def test_a_list_that_changes_is_in_force_with_the_reload_that_compiles_it(self):
        school = self.school
        self.assertTrue(self.refused(TEACHER, "frei.spiele.test"))
        self.list("spiele", "any.test\n")
        self.assertTrue(self.refused(TEACHER, "frei.spiele.test"), "nothing was asked to change yet")
        done = school.ctl("--json", "reload")
        self.assertEqual(json.loads(done.stdout), {"reloaded": True, "lists_compiled": True})
        self.assertFalse(self.refused(TEACHER, "frei.spiele.test"))
        pair = pairs(school, TEACHER, LEARNING, 7000)
        self.assertEqual(json.loads(school.ctl("--json", "reload").stdout), {"reloaded": True, "lists_compiled": False})
        self.assertEqual(talk(*pair), b"hallo")
        self.list("spiele", "any.test\nfrei.spiele.test\n")
        self.reload()
        self.assertTrue(self.refused(TEACHER, "frei.spiele.test"))
        # A gate that is new is told the same.
        school.restart("dns")
        wait_for(lambda: self.refused(TEACHER, "frei.spiele.test"), what="the gate")

    def test_an_address_on_a_list_is_closed_whatever_name_leads_to_it(self):
        school = self.school
        for address, kind in FAMILIES:
            with self.subTest(kind=kind):
                listener = school.server("internet", address(GAME_FREE), 7000)
                with self.assertRaises(ConnectionRefusedError):
                    school.connect(TEACHER, address(GAME_FREE), 7000)
                self.assertTrue(talk(*school.pair(TEACHER, school.server("internet", address(ANY), 7000))))
                listener.close()
        self.list("netze", "203.0.113.77\n")
        self.reload()
        before = [rule for rule in school.nft()["nftables"] if "rule" in rule]
        open_now = []
        for address, _ in FAMILIES:
            open_now.append(school.pair(TEACHER, school.server("internet", address(GAME_FREE), 7000)))
            self.assertEqual(talk(*open_now[-1]), b"hallo")
        # Back on the list: what is open ends at its next packet, and nothing of the ruleset changes but elements.
        self.list("netze", LISTS["lists/netze.domains"])
        self.reload()
        for near, far in open_now:
            with self.assertRaises(OSError):
                for _ in range(50):
                    talk(near, far)
        self.assertEqual([rule for rule in school.nft()["nftables"] if "rule" in rule], before)

    def test_an_address_that_came_to_a_list_while_schultord_was_away_is_closed_to_open_connections_too(self):
        school = self.school
        self.list("netze", "203.0.113.77\n")
        self.reload()
        school.resolve(TEACHER, "frei.mnspro.test")
        cloud, game = pairs(school, TEACHER, CLOUD, 443), pairs(school, TEACHER, GAME_FREE, 7000)
        school.kill("schultord")
        self.list("netze", LISTS["lists/netze.domains"])
        school.exec("gateway", "schultorctl", "lists", "compile")
        school.restart("schultord")
        game[0].sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            game[0].recv(1)
        self.assertEqual(talk(*cloud), b"hallo")

    def test_fifty_tables_in_a_row_cost_no_question_an_answer(self):
        school = self.school
        pair = pairs(school, TEACHER, CLOUD, 443)
        swaps = school.popen("gateway", "sh", "-ec", """
            for i in $(seq 50); do
                echo "n$i.spiele.test" > /etc/schultor/lists/spiele.domains
                echo "any.test" >> /etc/schultor/lists/spiele.domains
                schultorctl reload
            done 2>&1 | grep -v compiling || true""", stdout=subprocess.PIPE, text=True)
        self.addCleanup(swaps.stdout.close)
        client = school.socket(TEACHER, type=socket.SOCK_DGRAM)
        asked, longest = 0, 0.0
        while swaps.poll() is None or asked < 200:
            # The gate hears so much of each tablet and no more.
            select.select([swaps.stdout], [], [], 0.01)
            # Refused by every table, allowed by every one, the cloud, and one that comes and goes.
            for name, wanted in (("x.any.test", True), ("lernen.test", False), ("frei.mnspro.test", False), ("n7.spiele.test", None)):
                asked += 1
                begun = time.monotonic()
                answer = dns.ask_udp(client, GATEWAY4, name, id=asked & 0xFFFF)
                longest = max(longest, time.monotonic() - begun)
                if wanted is not None:
                    self.assertEqual(dns.EDE_FILTERED in answer.ede, wanted, (name, asked))
        self.assertEqual(swaps.stdout.read(), "")
        self.assertTrue(self.refused(TEACHER, "n50.spiele.test"))
        self.assertFalse(self.refused(TEACHER, "n49.spiele.test"))
        self.assertEqual(talk(*pair), b"hallo")
        print(f"{asked} questions during 50 swaps, the longest took {longest * 1000:.0f} ms", flush=True)

    def test_a_table_that_does_not_fit_is_refused_and_what_is_in_force_stays(self):
        school = self.school
        table = school.directory / "lists" / "lists.table"
        good = table.read_bytes()
        city = school.config("city.toml")
        city.write_text(CITY.replace('["boese"]', '["boese", "neu"]'))
        for text, octets in (("neu", good), ("lists.table", good[:-1]), ("lists.table", good[:-1] + bytes([good[-1] ^ 1])),
                             ("lists.table", None)):
            # Another file: the one that is in use is only ever replaced.
            table.unlink()
            if octets is not None:
                table.write_bytes(octets)
            done = school.exec("gateway", *RELOAD, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(text, done.stderr)
            self.assertIn("schultorctl lists compile", done.stderr)
            self.assertTrue(self.refused(TEACHER, "www.spiele.test"))
        # The CLI knows what lies there, and says so before anything is compiled into force.
        self.assertIn("there is no list “neu”", school.reload().stderr)
        self.list("neu", "neu.any.test\n")
        self.reload()
        self.assertTrue(self.refused(PUPIL, "neu.any.test"))

    def test_a_start_with_a_worse_table_goes_on_with_the_one_that_was_applied(self):
        school = self.school
        table = school.directory / "lists" / "lists.table"
        self.wait_until_kept()
        # One that lacks a list, as a refused reload leaves it; one that is none; and none.
        school.config("lists/spiele.domains").unlink()
        self.assertNotEqual(school.reload().returncode, 0)
        for octets in (table.read_bytes(), b"x", None):
            table.unlink()
            if octets is not None:
                table.write_bytes(octets)
            school.kill("schultord")
            school.restart("schultord")
            wait_for(lambda: self.rcode(TEACHER, "frei.mnspro.test") == dns.NOERROR, what="the gate")
            self.assertTrue(self.refused(TEACHER, "frei.spiele.test"))
            self.assertTrue(self.refused(TEACHER, "boese.any.test"))
            described = call(school, "Describe")
            self.assertTrue(described["categories"]["in_effect"])
            self.assertIn("schultorctl lists compile", json.dumps(described["refused"]["errors"]))

    def test_a_start_without_the_table_is_a_gateway_without_categories_that_says_so(self):
        school = self.school
        table = school.directory / "lists" / "lists.table"
        self.assertTrue(call(school, "Describe")["categories"]["in_effect"])
        self.wait_until_kept()
        school.kill("schultord")
        table.unlink()
        self.kept.unlink()
        school.restart("schultord")
        wait_for(lambda: self.rcode(PUPIL, "frei.mnspro.test") == dns.NOERROR, what="the gate, with schultord")
        self.assertEqual(talk(*pairs(school, PUPIL, CLOUD, 443)), b"hallo")
        self.assertFalse(self.refused(TEACHER, "frei.spiele.test"))
        self.assertTrue(self.refused(TEACHER, "doh.test"), "what is no list holds")
        described = call(school, "Describe")["categories"]
        self.assertFalse(described["in_effect"])
        self.assertIn("schultorctl lists compile", described["error"])
        self.assertIn("not in effect", school.ctl("status").stdout)
        events = json.loads(school.ctl("--json", "events").stdout)
        self.assertTrue(any(event["kind"] == "fault" and "categories" in event["text"] for event in events), events)
        self.reload()
        self.assertTrue(self.refused(TEACHER, "frei.spiele.test"))
        self.assertTrue(call(school, "Describe")["categories"]["in_effect"])


if __name__ == "__main__":
    main()
