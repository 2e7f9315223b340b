#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""An endpoint list opens its names and addresses on its ports, for every group and in every profile, and nothing beside them."""

import json
import unittest

from lib import dns
from lib.school import School, internet4, internet6, main
from schoollab.names import ANY, GAME_FREE

LIST = "endpoints/m365.json"
HOUR = "2026-11-23 09:00"
# tablet1 is in school mode then; tablet7's group has the exam as its fixed profile.
TABLETS = ("tablet1", "tablet7")
FAMILIES = ((internet4, dns.A), (internet6, dns.AAAA))


def endpoints(name_ports: str, service_ports: str) -> str:
    return json.dumps([
        {"id": 1, "serviceArea": "Common", "required": True, "urls": ["*cdn.any.test"], "tcpPorts": name_ports},
        {"id": 2, "serviceArea": "Exchange", "required": True, "ips": [f"{internet4(GAME_FREE)}/32", f"{internet6(GAME_FREE)}/128"],
         "tcpPorts": service_ports},
        {"id": 3, "serviceArea": "Exchange", "required": False, "urls": ["frei.spiele.test"], "tcpPorts": "443"},
    ], indent=1)


class AnEndpointList(unittest.TestCase):
    def setUp(self):
        default = School.DEFAULT_CONFIG
        city = (default / "city.toml").read_text().replace("[cloud]\n", f'[cloud]\nendpoints = ["{LIST}"]\n')
        school = (default / "school.toml").read_text().replace('profile   = "leisure"', 'profile   = "exam"')
        self.school = self.enterContext(School(at=f"{HOUR}:00", config={
            "city.toml": city, "school.toml": school, LIST: endpoints("8443", "143, 587")}))

    def assert_open(self, tablet: str, address: str, port: int):
        near, far = self.school.pair(tablet, self.school.server("internet", address, port))
        near.sendall(b"?")
        self.assertEqual(far.recv(1), b"?")

    def assert_refused(self, tablet: str, address: str, port: int):
        # Somebody would answer there.
        listener = self.school.server("internet", address, port)
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect(tablet, address, port)
        listener.close()

    def test_a_name_is_open_on_its_ports_alone_once_it_is_resolved(self):
        for tablet in TABLETS:
            for address, kind in FAMILIES:
                with self.subTest(tablet=tablet, kind=kind):
                    if tablet == TABLETS[0]:
                        self.assert_refused(tablet, address(ANY), 8443)
                    self.assertEqual(self.school.resolve(tablet, "wwwcdn.any.test", kind).addresses, [address(ANY)])
                    self.assert_open(tablet, address(ANY), 8443)
                    for port in (25, 587, 8442, 8444):
                        self.assert_refused(tablet, address(ANY), port)
                    for port in (80, 443):  # the web server's, which are usual ports of the cloud, but not of this name
                        with self.assertRaises(ConnectionRefusedError):
                            self.school.connect(tablet, address(ANY), port)
        for name in ("cdn2.any.test", "www.any.test", "frei.spiele.test"):
            self.assertEqual(self.school.resolve("tablet1", name).rcode, dns.NXDOMAIN, name)

    def test_addresses_without_a_name_are_open_on_their_ports_alone(self):
        for tablet in TABLETS:
            for address, _ in FAMILIES:
                with self.subTest(tablet=tablet, address=address(GAME_FREE)):
                    for port in (143, 587):
                        self.assert_open(tablet, address(GAME_FREE), port)
                    for port in (25, 144, 443):
                        self.assert_refused(tablet, address(GAME_FREE), port)
                    self.assert_refused(tablet, address(ANY), 587)

    def test_a_changed_list_is_a_reload_like_any_other(self):
        school = self.school
        school.resolve("tablet1", "wwwcdn.any.test")
        near, far = school.pair("tablet1", school.server("internet", internet4(ANY), 8443))
        school.config(LIST).write_text(endpoints("9443", "993"))
        self.assertEqual(school.reload().returncode, 0)
        # What is open goes on; the gate does not take the old pin for one on the new port.
        near.sendall(b"!")
        self.assertEqual(far.recv(1), b"!")
        self.assert_refused("tablet1", internet4(ANY), 9443)
        school.resolve("tablet1", "wwwcdn.any.test")
        self.assert_open("tablet1", internet4(ANY), 9443)
        self.assert_open("tablet1", internet4(GAME_FREE), 993)
        self.assert_refused("tablet1", internet4(GAME_FREE), 587)

        school.config(LIST).write_text(endpoints("9443", "993 or so"))
        refused = school.reload()
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn(f"{LIST}:19: error: entry 2: tcpPorts: ", refused.stderr)
        self.assert_open("tablet1", internet4(GAME_FREE), 993)

    def test_explain_names_the_entry_and_the_ports(self):
        told = json.loads(self.school.ctl("--json", "explain", "--group", "3b", "--at", HOUR, "wwwcdn.any.test").stdout)
        self.assertEqual((told["decision"], told["because"], told["ports"]), ("allow", "cloud", ["tcp 8443"]))
        self.assertEqual(told["rule"], {"text": "*cdn.any.test", "file": LIST, "line": 2})
        self.assertIn("open on tcp 80, tcp 443, udp 443", self.school.ctl("explain", "--group", "3b", "--at", HOUR, "mnspro.test").stdout)


if __name__ == "__main__":
    main()
