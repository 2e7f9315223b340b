#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Which tablets are there, as the kernel's neighbour tables tell it, and what passes for a tablet that it is not."""

import json
import unittest
from socket import AF_INET, SOCK_DGRAM

from lib.school import GATEWAY4, School, main, tablet4, tablet6, tablet_mac, wait_for
from test_clock import call, group
from test_guard import events

# The kernel looks again whether who is spoken to is there, every half a second: no test waits for minutes.
QUICK = {"base_reachable_time_ms": 500, "retrans_time_ms": 200, "delay_first_probe_time": 0, "ucast_solicit": 3, "mcast_solicit": 1}
ECHO = 7777


def listed(school: School) -> dict:
    return {one["mac"]: one for one in json.loads(school.ctl("devices", "--json").stdout)["devices"]}


def quick(school: School, interface: str) -> None:
    school.exec("gateway", "sysctl", "-q", *(f"net.ipv4.neigh.{interface}.{name}={value}" for name, value in QUICK.items()))


class Traffic:
    """The gateway speaks to these addresses, so that the kernel has to know whether somebody is there."""

    def __init__(self, school: School, *addresses: str):
        self.addresses = addresses
        self.socket = school.socket("gateway", AF_INET, SOCK_DGRAM)

    def send(self) -> bool:
        for address in self.addresses:
            self.socket.sendto(b"?", (address, ECHO))
        return True


class Devices(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00", tablets=9))
        quick(self.school, "lan0")

    def online(self, name: str) -> int:
        return group(self.school, name)["online"]

    def test_tablets_are_counted_when_they_speak_and_when_they_leave(self):
        school = self.school
        self.assertEqual({one["name"]: one["online"] for one in call(school, "Describe")["groups"]},
                         {"3b": 0, "byod": 0, "lehrkraefte": 0, "gaeste": 0})
        for number in (1, 2, 5, 9):
            school.resolve(f"tablet{number}", "frei.mnspro.test")
        school.resolve("tablet1", "frei.mnspro.test", server="fd77::1")
        expected = {"3b": 2, "byod": 1, "lehrkraefte": 0, "gaeste": 1}
        wait_for(lambda: {one["name"]: one["online"] for one in call(school, "Describe")["groups"]} == expected, what="who is there")
        text = school.ctl("status").stdout
        self.assertRegex(text, r"(?m)^GROUP .* DEVICES  ONLINE$")
        self.assertRegex(text, r"(?m)^3b .* 4        2$")
        devices = listed(school)
        self.assertEqual(len(devices), 9)
        self.assertEqual(devices[tablet_mac(1)] | {"addresses": None},
                         {"mac": tablet_mac(1), "group": "3b", "by": "roster", "online": True, "interfaces": ["lan0"], "addresses": None})
        self.assertLessEqual({tablet4(1), tablet6(1)}, set(devices[tablet_mac(1)]["addresses"]))
        self.assertEqual((devices[tablet_mac(9)]["group"], devices[tablet_mac(9)]["by"]), ("gaeste", "unknown"))
        self.assertEqual((devices[tablet_mac(3)]["online"], devices[tablet_mac(3)]["addresses"]), (False, []))
        self.assertRegex(school.ctl("devices").stdout, r"(?m)^9 devices, 4 online$")
        # One leaves, and is still spoken to: it fails to answer.
        school.exec("tablet5", "ip", "link", "set", "eth0", "down")
        traffic = Traffic(school, tablet4(5))
        wait_for(lambda: traffic.send() and self.online("byod") == 0, what="the tablet that has left")
        # One that another group has from now on is counted there.
        roster = school.config("roster.csv")
        roster.write_text(roster.read_text().replace(f"{tablet_mac(2)},3b", f"{tablet_mac(2)},lehrkraefte"))
        self.assertEqual(school.reload().returncode, 0)
        wait_for(lambda: (self.online("3b"), self.online("lehrkraefte")) == (1, 1), what="its new group")
        # With their cable all leave.
        school.exec("gateway", "ip", "link", "set", "lan0", "down")
        wait_for(lambda: all(one["online"] == 0 for one in call(school, "Describe")["groups"]), what="an empty LAN")
        school.exec("gateway", "ip", "link", "set", "lan0", "up")
        school.resolve("tablet1", "frei.mnspro.test")
        wait_for(lambda: self.online("3b") == 1, what="the first that comes back")

    def test_a_daemon_that_starts_finds_who_is_there(self):
        school = self.school
        for number in (1, 2):
            school.resolve(f"tablet{number}", "frei.mnspro.test")
        wait_for(lambda: self.online("3b") == 2)
        school.kill("schultord")
        school.restart("schultord")
        wait_for(lambda: self.online("3b") == 2)

    def test_two_tablets_with_one_mac_address_are_told_once_and_without_it(self):
        school = self.school
        watch = school.watch("schultor/1/ggs-am-park/event/tampering")
        # A tablet of the guests takes the address of one of 3b, which has five devices: the city may know the group.
        roster = school.config("roster.csv")
        roster.write_text(roster.read_text() + "02:77:00:00:00:77,3b,tablet77\n")
        self.assertEqual(school.reload().returncode, 0)
        other, mine = "10.77.9.9", tablet4(1)
        school.exec("tablet1", "ip", "addr", "add", f"{other}/16", "dev", "eth0")
        traffic = Traffic(school, mine, other)
        told = wait_for(lambda: traffic.send() and events(school, "tampering"), what="the event")
        self.assertEqual([one["text"] for one in told], ["a device of group 3b answers for several IPv4 addresses at the same time"])
        self.assertIn(tablet_mac(1), school.log("schultord"))
        text = watch.wait_for(lambda message: message.topic.endswith("/tampering")).payload
        self.assertIn("group 3b", text)
        for secret in ("02:77", "10.77", "tablet"):
            self.assertNotIn(secret, text)
        # It goes on, and is told no more; others' addresses are their own.
        school.resolve("tablet2", "frei.mnspro.test")
        for _ in range(50):
            traffic.send()
            school.exec("gateway", "true")
        self.assertEqual(events(school, "tampering"), told)

    def test_a_new_lease_is_no_tampering(self):
        school = self.school
        before, after = tablet4(1), "10.77.9.9"
        traffic = Traffic(school, before, after)
        addresses = lambda: listed(school)[tablet_mac(1)]["addresses"]  # noqa: E731
        wait_for(lambda: traffic.send() and before in addresses())
        school.exec("tablet1", "ip", "addr", "del", f"{before}/16", "dev", "eth0")
        school.exec("tablet1", "ip", "addr", "add", f"{after}/16", "dev", "eth0")
        wait_for(lambda: traffic.send() and addresses() == [after], what="the new address alone")
        self.assertEqual(events(school, "tampering"), [])

    def test_whoever_speaks_for_the_city_never_sees_devices(self):
        ask = ("gdbus", "call", "--system", "--dest", "org.schultor.Gateway1", "--object-path", "/org/schultor/Gateway1", "--method",
               "org.schultor.Gateway1.Manager.ListDevices")
        for user, why in (("schultor-report", "never done for the city"), ("nobody", "org.schultor.gateway1.devices")):
            with self.subTest(user):
                done = self.school.exec("gateway", "setpriv", f"--reuid={user}", "--clear-groups", *ask, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(why, done.stderr)
                self.assertNotIn("02:77", done.stdout)


class TwoInterfaces(unittest.TestCase):
    """lan1, which is the teachers' and comes later than the daemon."""

    def setUp(self):
        changes = {name: (School.DEFAULT_CONFIG / name).read_text() for name in ("gateway.toml", "school.toml")}
        changes["gateway.toml"] = changes["gateway.toml"].replace('["lan0"]', '["lan0", "lan1"]').replace('"fd77::1/64"]', '"fd77::1/64", "10.78.0.1/24"]')
        changes["school.toml"] = changes["school.toml"].replace('ownership = "staff"', 'ownership = "staff"\ninterfaces = ["lan1"]')
        self.school = self.enterContext(School(at="2026-11-23 09:00:00", config=changes))

    def plug(self, mac: str) -> None:
        """tablet8 into lan1 too, with this address."""
        other = self.school.namespace("tablet8")
        self.school.exec("gateway", "ip", "link", "del", "lan1", check=False)
        for words in (f"link add lan1 type veth peer name eth1 address {mac} netns {other}", "link set lan1 up", "addr add 10.78.0.1/24 dev lan1"):
            self.school.exec("gateway", "ip", *words.split())
        for words in ("link set eth1 up", "addr add 10.78.0.2/24 dev eth1"):
            self.school.exec("tablet8", "ip", *words.split())
        quick(self.school, "lan1")

    def test_an_interface_that_comes_is_followed_and_tells_whose_its_devices_are(self):
        school = self.school
        self.plug("02:77:00:00:aa:01")
        traffic = Traffic(school, "10.78.0.2")
        found = wait_for(lambda: traffic.send() and listed(school).get("02:77:00:00:aa:01"), what="a device of lan1")
        self.assertEqual((found["group"], found["by"], found["interfaces"]), ("lehrkraefte", "interface", ["lan1"]))
        wait_for(lambda: group(school, "lehrkraefte")["online"] == 1, what="the count, which is made once a second")
        school.exec("gateway", "ip", "link", "del", "lan1")
        wait_for(lambda: "02:77:00:00:aa:01" not in listed(school), what="it to be gone with its interface")
        self.assertEqual(events(school, "tampering"), [])

    def test_a_tablet_of_a_class_behind_the_teachers_interface_is_told(self):
        school = self.school
        self.plug(tablet_mac(1))
        traffic = Traffic(school, "10.78.0.2")
        told = wait_for(lambda: traffic.send() and events(school, "tampering"), what="the event")
        self.assertEqual([one["text"] for one in told], ["a device of the roster is on the interface of group lehrkraefte"])


if __name__ == "__main__":
    main()
