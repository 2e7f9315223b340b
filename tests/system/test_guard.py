#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What others change of the ruleset is put right before schultord does anything else, and told; what is theirs stays."""

import json
import os
import signal
import socket
import subprocess
import unittest

from lib.school import School, internet4, internet6, main, tcp_info, wait_for
from schoollab.instance import Instance
from schoollab.names import many4
from schoollab.processes import pid_of
from test_clock import call
from test_groups import pairs
from test_switch import talk

GAME, CLOUD = 30, 11
TAMPERING = {
    "the table is deleted": "delete table inet schultor",
    "everything is flushed": "flush ruleset",
    "a rule opens all": "insert rule inet schultor through_gateway accept",
    "a policy opens all": "chain inet schultor through_gateway { policy accept; }",
    "the table sleeps": "add table inet schultor { flags dormant; }",
    "a chain is emptied": "flush chain inet schultor profile_school",
    "a group's policy is taken away": "flush map inet schultor group_policy",
    "a device is made unknown": "flush map inet schultor device_group",
    "a set of somebody's own": "add set inet schultor freunde { type ipv4_addr; }",
}


def events(school: School, kind: str) -> list[dict]:
    return [event for event in json.loads(school.ctl("events", "--json").stdout) if event["kind"] == kind]


class Guard(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00"))

    def assert_in_order(self):
        verified = self.school.ctl("verify", "--json")
        self.assertEqual(json.loads(verified.stdout), {"differences": []})
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect("tablet1", internet4(GAME), 443)

    def test_whatever_is_changed_is_as_it_was_when_schultord_has_answered_one_call(self):
        for what, command in TAMPERING.items():
            with self.subTest(what):
                self.school.exec("gateway", "nft", command)
                # The call waits for its turn behind what the kernel had told before.
                self.assert_in_order()

    def test_the_city_is_told_who_it_was_and_of_no_mode_that_has_not_changed(self):
        modes = events(self.school, "mode")
        self.school.exec("gateway", "nft", "flush", "ruleset")
        self.assert_in_order()
        [told] = events(self.school, "tampering")
        self.assertRegex(told["text"], r"^nft \(pid [0-9]+\) changed the ruleset: it was put right at once$")
        # Within a minute there is one event, however often it happens.
        for _ in range(20):
            self.school.exec("gateway", "nft", "flush", "ruleset")
        self.assert_in_order()
        self.assertEqual(events(self.school, "tampering"), [told])
        self.assertEqual(events(self.school, "mode"), modes)
        self.assertIn("table inet schultor is missing", self.school.log("schultord"))

    def test_the_cloud_goes_on_and_what_is_not_ours_stays(self):
        self.school.resolve("tablet1", "frei.mnspro.test")
        flow = pairs(self.school, "tablet1", CLOUD, 443)
        self.school.exec("gateway", "nft", "add table ip fremd; add chain ip fremd schultor")
        self.school.exec("gateway", "nft", "delete", "table", "inet", "schultor")
        self.assert_in_order()
        self.assertIn("table ip fremd", self.school.exec("gateway", "nft", "list", "ruleset").stdout)
        self.assertEqual(talk(*flow), b"hallo")
        self.assertEqual(len(events(self.school, "tampering")), 1)

    def test_what_a_strangers_rule_admitted_ends_when_the_rule_goes(self):
        self.school.resolve("tablet1", "frei.mnspro.test")
        cloud = pairs(self.school, "tablet1", CLOUD, 443)
        schultord = pid_of(Instance(self.school.name).running("schultord"))
        # While schultord has no turn, the rule admits with the stamp that is in force.
        os.kill(schultord, signal.SIGSTOP)
        try:
            self.school.exec("gateway", "nft", "insert rule inet schultor profile_school goto admitting_school")
            game = pairs(self.school, "tablet1", GAME + 1, 7000)
        finally:
            os.kill(schultord, signal.SIGCONT)
        self.assert_in_order()
        game[0].sendall(b"zug")
        with self.assertRaises(ConnectionResetError):
            game[0].recv(1)
        self.assertEqual(talk(*cloud), b"hallo")

    def test_no_connection_begins_while_the_ruleset_is_flushed(self):
        school = self.school
        schultord = pid_of(Instance(school.name).running("schultord"))
        game = school.server("internet", internet4(GAME), 7000, socket.SOCK_DGRAM)
        game6 = school.server("internet", internet6(GAME), 7000, socket.SOCK_DGRAM)
        tablet = [self.sender("tablet1", address) for address in (internet4(GAME), internet6(GAME))]
        school.resolve("tablet1", "frei.mnspro.test")
        cloud = pairs(school, "tablet1", CLOUD, 443)
        os.kill(schultord, signal.SIGSTOP)
        try:
            school.exec("gateway", "nft", "flush", "ruleset")
            self.assertNotIn("table inet schultor {", school.exec("gateway", "nft", "list", "ruleset").stdout)
            for _ in range(20):
                for near in tablet:
                    near.send(b"zug")
            # What passes is at its end at once: so it is with what the gateway itself sends behind.
            for server, family in ((game, socket.AF_INET), (game6, socket.AF_INET6)):
                with school.socket("gateway", family, socket.SOCK_DGRAM) as own:
                    own.sendto(b"eigen", server.getsockname()[:2])
                self.assertEqual(server.recv(100), b"eigen")
            # What was admitted goes on, translated as before.
            self.assertEqual(talk(*cloud), b"hallo")
            self.assertEqual(tcp_info(cloud[0]).retransmissions, 0)
        finally:
            os.kill(schultord, signal.SIGCONT)
        self.assert_in_order()
        # It goes with schultord: the ruleset alone holds then.
        school.kill("schultord")
        self.assertNotIn("schultor_belt", school.exec("gateway", "nft", "list", "tables").stdout)
        school.restart("schultord")
        self.assertIn("schultor_belt", school.exec("gateway", "nft", "list", "tables").stdout)

    def sender(self, tablet: str, address: str) -> socket.socket:
        made = self.school.socket(tablet, socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        made.connect((address, 7000))
        return made

    def test_the_cloud_is_offloaded_where_the_kernel_can_and_the_status_says_whether_it_is(self):
        school = self.school
        stranger = "add table inet fremd; add flowtable inet fremd f { hook ingress priority 0; devices = { lo }; }"
        can = school.exec("gateway", "nft", stranger, check=False).returncode == 0

        def told() -> tuple:
            offload = call(school, "Describe")["offload"]
            in_kernel = "flow add @cloud_flows" in school.exec("gateway", "nft", "list", "ruleset").stdout
            self.assertEqual(offload["in_effect"], in_kernel)
            self.assertRegex(school.ctl("status").stdout, rf"(?m)^offload: +{offload['text']}")
            self.assert_in_order()
            return offload["text"], offload["interfaces"]

        self.assertEqual(told(), ("cloud connections", ["lan0", "wan0"]) if can else ("no: the kernel has no flowtables", []))
        box = school.config("gateway.toml")
        box.write_text(box.read_text().replace("[lan]\n", "[lan]\noffload = false\n"))
        self.assertEqual(school.reload().returncode, 0)
        self.assertEqual(told(), ("switched off", []))

    def test_what_is_answered_is_open_however_often_the_table_goes(self):
        city = self.school.config("city.toml")
        city.write_text(city.read_text().replace('["lernen.test"]', '["lernen.test", "viele.test"]'))
        self.assertEqual(self.school.reload().returncode, 0)
        listener = self.school.server("internet", "0.0.0.0", 7777)
        for i in range(100):
            if i % 5 == 0:
                self.school.exec("gateway", "nft", "delete", "table", "inet", "schultor")
                # Until schultord has had its turn nothing leads to the gate.
                self.school.ctl("status")
            self.assertEqual(self.school.resolve("tablet1", f"n{i}.viele.test").addresses, [many4(i)])
            self.school.connect("tablet1", many4(i), 7777).close()
            listener.accept()[0].close()
        self.assert_in_order()
        self.assertEqual(len(events(self.school, "tampering")), 1)
        self.assertEqual(self.school.log("schultord").count("changed the ruleset, which is put right"), 20)

    def test_addresses_that_were_open_are_open_again(self):
        school = self.school
        addresses = {name: school.resolve("tablet1", name).addresses[0] for name in ("frei.mnspro.test", "frei.lernen.test")}
        kept = school.directory / "state" / "cloud_pins"
        wait_for(lambda: kept.exists() and addresses["frei.mnspro.test"] in kept.read_text(), what="the cloud's address in the file")
        for address in addresses.values():
            school.server("internet", address, 7777 if address == addresses["frei.lernen.test"] else 443)
        for sets in (("cloud4",), ("allow_school4",), ("cloud4", "cloud6", "allow_school4", "allow_school6")):
            with self.subTest(sets):
                school.exec("gateway", "nft", "; ".join(f"flush set inet schultor {name}" for name in sets))
                self.assert_in_order()
                # The cloud's without a question, the learning site's with the next one.
                school.connect("tablet1", addresses["frei.mnspro.test"], 443).close()
                self.assertEqual(school.resolve("tablet1", "frei.lernen.test").addresses, [addresses["frei.lernen.test"]])
                school.connect("tablet1", addresses["frei.lernen.test"], 7777).close()
        self.assertEqual(len(events(school, "tampering")), 1)
        self.assertIn("addresses that were open were taken away", school.log("schultord"))

    def test_a_table_that_somebody_holds_is_told_of_until_it_is_let_go(self):
        school = self.school
        in_order = {"in_force": True}
        self.assertEqual(call(school, "Describe")["kernel"]["ruleset"], in_order)
        self.assertNotIn("refuses", school.ctl("status").stdout)
        # A table belongs to the process that made it so; nobody else may change it until that ends.
        holder = school.popen("gateway", "nft", "-i", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        holder.stdin.write("delete table inet schultor; add table inet schultor { flags owner; }\n")
        holder.stdin.flush()
        wait_for(lambda: not call(school, "Describe")["kernel"]["ruleset"]["in_force"], what="the refusal to be told")
        told = call(school, "Describe")["kernel"]["ruleset"]
        self.assertRegex(told["text"], r"^nft \(pid [0-9]+\) changed the ruleset: ")
        self.assertIn("schultorctl verify", told["remedy"])
        self.assertIn(f"The kernel does not hold what it is to hold since {told['since']}", school.ctl("status").stdout)
        self.assertIn("b false", self.in_force())
        holder.stdin.close()
        holder.wait()
        wait_for(lambda: call(school, "Describe")["kernel"]["ruleset"] == in_order, what="the ruleset to be in force again")
        self.assertIn("b true", self.in_force())
        self.assert_in_order()

    def in_force(self) -> str:
        return self.school.exec("gateway", "busctl", "get-property", "org.schultor.Gateway1", "/org/schultor/Gateway1",
                                "org.schultor.Gateway1.Manager", "RulesetInForce").stdout

    def test_other_peoples_tables_are_nobodys_business(self):
        self.school.exec("gateway", "nft", "add table inet fremd; add set inet fremd schultor { type ipv4_addr; }; delete table inet fremd")
        self.assert_in_order()
        self.assertEqual(events(self.school, "tampering"), [])


if __name__ == "__main__":
    main()
