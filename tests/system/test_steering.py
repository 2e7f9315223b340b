#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Names of kept origins lead to the box while the cache answers for them, for those who may be sent there, and for nobody else."""

import json
import socket
import unittest

from lib import dns
from lib.cache import CERTIFICATE, FakeCache
from lib.reach import SOON, Reach
from lib.school import GATEWAY4, GATEWAY6, School, internet4, internet6, main, wait_for, without_cache
from schoollab.names import CLOUD, CONTENT, WAN4, WAN6

DEFAULT = School.DEFAULT_CONFIG
HOUR = "2026-11-23 09:00:00"
PUPIL, BYOD, TEACHER, STRANGER = "tablet1", "tablet5", "tablet7", "tablet9"
GATEWAY = (DEFAULT / "gateway.toml").read_text()
CITY = (DEFAULT / "city.toml").read_text()
EVERYBODYS = """
[[origin]]
name  = "cloud"
names = ["cloud.mnspro.test"]
http  = true
scope = "all"
"""
SCHOOL = (DEFAULT / "school.toml").read_text()
WEB, TLS, PASSTHROUGH = 8080, 8443, 8444
OWN = {dns.A: [GATEWAY4], dns.AAAA: [GATEWAY6]}
ORIGIN = {dns.A: [internet4(CONTENT)], dns.AAAA: [internet6(CONTENT)]}


class Steering(Reach, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at=HOUR, tablets=9, cache="played"))

    def setUp(self):
        for name, text in (("gateway.toml", GATEWAY), ("city.toml", CITY), ("school.toml", SCHOOL)):
            self.school.config(name).write_text(text)
        self.assertEqual(self.school.reload().returncode, 0)

    def cache(self) -> FakeCache:
        made = FakeCache(self.school)
        self.addCleanup(made.close)
        return made

    def addresses(self, tablet: str, name: str = "inhalte.test", type: int = dns.A) -> list[str]:
        return self.school.resolve(tablet, name, type).addresses

    def wait_until_steered(self, tablet: str = PUPIL, name: str = "inhalte.test") -> None:
        wait_for(lambda: self.addresses(tablet, name) == OWN[dns.A], what=f"{name} to lead to the box")

    def wait_until_not_steered(self, tablet: str = PUPIL) -> None:
        wait_for(lambda: self.addresses(tablet) == ORIGIN[dns.A], what="the name to lead to its origin")

    def status(self) -> dict:
        return json.loads(self.school.ctl("status", "--json").stdout)

    def steered(self) -> dict[bool, int]:
        """Of the questions in profile school, by whether the view is steered."""
        views = json.loads(self.school.ctl("gate", "stats", "--json").stdout)["views"]
        return {view["steer"]: view["verdicts"]["steered"] for view in views if view["profile"] == "school"}

    def test_school_owned_tablets_are_steered_and_nobody_else(self):
        for tablet in (PUPIL, BYOD, TEACHER, STRANGER):
            self.assertEqual(self.addresses(tablet), ORIGIN[dns.A], tablet)
        before = self.steered()
        cache = self.cache()
        self.assertEqual([origin["hosts"] for origin in cache.rules["origins"]], [["inhalte.test"]])
        self.assertEqual(cache.rules["lan"], [GATEWAY4, GATEWAY6])
        self.assertEqual(self.addresses(PUPIL), ORIGIN[dns.A], "before the cache has said that it is well")
        cache.tell("inhalte")
        self.wait_until_steered()
        for type in OWN:
            answer = self.school.resolve(PUPIL, "inhalte.test", type)
            self.assertEqual(answer.addresses, OWN[type])
            self.assertEqual([record.ttl for record in answer.answers], [5])
            for tablet in (BYOD, TEACHER, STRANGER):
                self.assertEqual(self.addresses(tablet, type=type), ORIGIN[type], tablet)
        binding = self.school.resolve(PUPIL, "inhalte.test", dns.HTTPS)
        self.assertEqual((binding.rcode, binding.answers), (dns.NOERROR, []))
        counted = self.steered()
        self.assertGreater(counted[True], before.get(True, 0))
        self.assertEqual(counted.get(False), before.get(False))

    def test_whatever_ends_the_caches_word_ends_steering(self):
        cache = self.cache()
        cache.tell("inhalte")
        self.wait_until_steered()
        cache.tell(why=CERTIFICATE)
        self.wait_until_not_steered()
        origin = self.status()["cache"]["origins"][0]
        self.assertFalse(origin["well"])
        self.assertIn("certificate", origin["text"])
        cache.tell("inhalte")
        self.wait_until_steered()
        self.assertEqual(self.status()["cache"], {"connected": True, "origins": [{"name": "inhalte", "well": True, "text": ""}]})
        cache.close()
        self.wait_until_not_steered()
        self.assertFalse(self.status()["cache"]["connected"])
        self.assertIn("not connected: schultor-origin is not running", self.school.ctl("status").stdout)

    def test_steering_ends_with_schultord_and_begins_anew_with_the_caches_word(self):
        cache = self.cache()
        cache.tell("inhalte")
        self.wait_until_steered()
        self.school.kill("schultord")
        self.wait_until_not_steered()
        self.school.restart("schultord")
        again = self.cache()
        self.assertEqual(self.addresses(PUPIL), ORIGIN[dns.A])
        again.tell("inhalte")
        self.wait_until_steered()
        self.school.restart("dns")
        self.wait_until_steered()

    def test_other_rules_begin_with_nobody_steered(self):
        cache = self.cache()
        cache.tell("inhalte")
        self.wait_until_steered()
        # Its place among the origins is another one now.
        self.school.config("city.toml").write_text(CITY + EVERYBODYS)
        self.assertEqual(self.school.reload().returncode, 0)
        self.assertEqual(self.addresses(PUPIL), ORIGIN[dns.A])
        self.assertEqual([origin["name"] for origin in cache.take_rules()["origins"]], ["cloud", "inhalte"])
        cache.tell("cloud")
        for tablet in (PUPIL, BYOD, TEACHER, STRANGER):
            self.wait_until_steered(tablet, "cloud.mnspro.test")
            self.assertEqual(self.addresses(tablet), ORIGIN[dns.A], tablet)
        self.school.config("city.toml").write_text(without_cache(CITY))
        self.assertEqual(self.school.reload().returncode, 0)
        self.assertIsNone(cache.take_rules())
        self.assertEqual(self.addresses(PUPIL, "cloud.mnspro.test"), [internet4(CLOUD)])
        self.assertIsNone(self.status()["cache"])

    def listeners(self) -> dict[int, socket.socket]:
        made = {}
        for port in (WEB, TLS, PASSTHROUGH):
            with self.school.inside("gateway"):
                made[port] = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            self.addCleanup(made[port].close)
            made[port].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made[port].bind(("::", port))
            made[port].listen()
            made[port].settimeout(SOON)
        return made

    def test_the_group_decides_which_port_a_tablet_reaches(self):
        listeners = self.listeners()
        for tablet, tls in ((PUPIL, TLS), (BYOD, PASSTHROUGH), (TEACHER, PASSTHROUGH), (STRANGER, PASSTHROUGH)):
            for asked, port in ((80, WEB), (443, tls)):
                for address in (GATEWAY4, GATEWAY6):
                    with self.subTest(tablet=tablet, address=address, asked=asked):
                        near = self.school.connect(tablet, address, asked, seconds=SOON)
                        far, _ = listeners[port].accept()
                        far.sendall(b"hallo")
                        self.assertEqual(near.recv(5, socket.MSG_WAITALL), b"hallo")
                        near.close()
                        far.close()
        for listener in listeners.values():
            self.assert_nothing_came(listener)

    def test_nobody_reaches_the_ports_themselves(self):
        listeners = self.listeners()
        for tablet in (PUPIL, BYOD, STRANGER):
            for port in listeners:
                for address in (GATEWAY4, GATEWAY6):
                    with self.subTest(tablet=tablet, address=address, port=port), self.assertRaises(ConnectionRefusedError):
                        self.school.connect(tablet, address, port, seconds=SOON)
        # From outside nothing answers: the box is not there.
        for address in (WAN4, WAN6):
            for port in (80, 443, *listeners):
                with self.subTest(address=address, port=port), self.assertRaises(TimeoutError):
                    self.school.connect("internet", address, port, seconds=1)
        for listener in listeners.values():
            self.assert_nothing_came(listener)

    def test_what_is_sent_elsewhere_goes_there(self):
        listeners = self.listeners()
        self.assertEqual(self.addresses(BYOD), ORIGIN[dns.A])
        for port in (80, 443):
            near = self.school.connect(BYOD, internet4(CONTENT), port, seconds=SOON)
            self.assertEqual(near.getpeername(), (internet4(CONTENT), port))
            near.close()
        for listener in listeners.values():
            self.assert_nothing_came(listener)

    def test_without_a_cache_nothing_is_redirected(self):
        self.school.config("gateway.toml").write_text(without_cache(GATEWAY))
        self.assertEqual(self.school.reload().returncode, 0)
        listeners = self.listeners()
        for port in (80, 443, *listeners):
            with self.subTest(port=port), self.assertRaises(ConnectionRefusedError):
                self.school.connect(PUPIL, GATEWAY4, port, seconds=SOON)
        for listener in listeners.values():
            self.assert_nothing_came(listener)

    def test_explain_tells_what_holds_while_the_cache_is_well(self):
        def explained(group: str) -> dict:
            return json.loads(self.school.ctl("explain", "--group", group, "inhalte.test", "--json").stdout)

        self.assertEqual((explained("3b")["decision"], explained("3b")["rule"]["file"]), ("cache", "city.toml"))
        self.assertEqual((explained("byod")["decision"], explained("byod")["because"]), ("allow", "cloud"))
        self.assertEqual(explained("gaeste")["decision"], "allow")


if __name__ == "__main__":
    main()
