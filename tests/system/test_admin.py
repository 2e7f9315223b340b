#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What an admin sees at the gateway: schultorctl against the running daemon and the D-Bus service as its XML describes it."""

import json
import unittest
import xml.etree.ElementTree as xml

from lib.school import SOURCE, School, main, tablet_mac


class Admin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = cls.enterClassContext(School(at="2026-11-23 09:00:00"))

    def setUp(self):
        self.school.time("2026-11-23 09:00:00")

    def ctl(self, *words: str, status: int = 0) -> str:
        done = self.school.ctl(*words, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 or done.stdout else done.stderr

    def test_status_tells_the_mode_its_cause_and_the_next_change_of_every_group(self):
        status = json.loads(self.ctl("--json", "status"))
        groups = {group["name"]: group for group in status["groups"]}
        self.assertEqual((groups["3b"]["profile"], groups["3b"]["because"]), ("school", "window"))
        self.assertEqual(groups["3b"]["until"], "2026-11-23T17:00:00+01:00")
        self.assertEqual((groups["lehrkraefte"]["profile"], groups["lehrkraefte"]["until"]), ("leisure", None))
        self.assertTrue(status["gate"]["connected"])
        text = self.ctl("status")
        for word in ("3b", "school", "lehrkraefte", "17:00"):
            self.assertIn(word, text)

    def test_explain_says_what_a_tablet_may_do_and_which_line_says_so(self):
        refused = self.ctl("explain", "--device", tablet_mac(1), "--at", "2026-11-23 09:00", "spiele.test", status=1)
        self.assertIn("spiele.test", refused)
        allowed = json.loads(self.ctl("--json", "explain", "--group", "3b", "--at", "2026-11-23 09:00", "www.lernen.test"))
        self.assertEqual((allowed["decision"], allowed["rule"]["file"]), ("allow", "city.toml"))
        cloud = json.loads(self.ctl("--json", "explain", "--device", tablet_mac(1), "--at", "2026-11-23 09:00", "cloud.mnspro.test"))
        self.assertEqual(cloud["because"], "cloud")

    def test_timeline_has_the_days_changes(self):
        lines = self.ctl("timeline", "--group", "3b", "--from", "2026-11-23", "--to", "2026-11-24").splitlines()
        self.assertEqual([line.split()[:2] for line in lines], [
            ["2026-11-23T00:00:00+01:00", "leisure"], ["2026-11-23T08:00:00+01:00", "school"], ["2026-11-23T17:00:00+01:00", "leisure"]])

    def test_the_ruleset_that_is_printed_is_one_that_nft_takes(self):
        text = self.ctl("ruleset")
        path = self.school.directory / "printed.nft"
        path.write_text(text)
        self.school.exec("gateway", "nft", "-c", "-f", str(path))
        self.assertIn("chain profile_school", text)

    def test_validate_is_silent_about_a_good_configuration(self):
        self.assertEqual(self.ctl("validate"), "")

    def introspect(self, path: str) -> xml.Element:
        done = self.school.exec("gateway", "busctl", "--system", "--xml-interface", "introspect", "org.schultor.Gateway1", path)
        return xml.fromstring(done.stdout)

    def members(self, node: xml.Element) -> dict[str, set]:
        """Interface → (kind, name, signature) of its members."""
        found = {}
        for interface in node.iter("interface"):
            found[interface.get("name")] = {
                (member.tag, member.get("name"), member.get("type") or "".join(
                    f"{arg.get('direction', 'out')}:{arg.get('type')} " for arg in member.iter("arg")))
                for member in interface if member.tag in ("method", "signal", "property")}
        return found

    def test_the_service_on_the_bus_is_the_one_that_the_xml_describes(self):
        described = self.members(xml.parse(SOURCE / "units" / "dbus" / "org.schultor.Gateway1.xml").getroot())
        served = self.members(self.introspect("/org/schultor/Gateway1")) | self.members(self.introspect("/org/schultor/Gateway1/group/_33b"))
        for interface, members in described.items():
            with self.subTest(interface=interface):
                self.assertEqual(members, served[interface])

    def test_anyone_may_read_but_not_reload(self):
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        described = self.school.exec("gateway", *nobody, "schultorctl", "--json", "status")
        self.assertEqual(json.loads(described.stdout)["school"], "ggs-am-park")
        self.assertNotEqual(self.school.exec("gateway", *nobody, "schultorctl", "reload", check=False).returncode, 0)

    def test_the_daemons_run_with_the_rights_they_need_and_no_others(self):
        wanted = {"schultord": 1 << 12, "dns": 0, "report": 0}
        lines = {line.split()[0]: line for line in self.school.lab("status").stdout.splitlines()}
        for part, capabilities in wanted.items():
            with self.subTest(part=part):
                pid = lines[part].split()[-1]
                with open(f"/proc/{pid}/status", encoding="ascii") as status:
                    fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
                self.assertNotEqual(fields["Uid"].split()[0], "0")
                for kind in ("CapPrm", "CapEff", "CapBnd"):
                    self.assertEqual(int(fields[kind], 16), capabilities, kind)
                self.assertEqual(fields["NoNewPrivs"], "1")


if __name__ == "__main__":
    main()
