#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""An address that a tablet was given stays open: over a start of the machine, a ruleset that was flushed, and daemons that are killed."""

import os
import socket
import threading
import time
import unittest

from lib import dns
from lib.school import GATEWAY4, School, internet4, internet6, main, wait_for

CLOUD, LEARNING = 11, 21
CLOUD_NAME, LEARNING_NAME = "frei.mnspro.test", "frei.lernen.test"
ROUNDS = int(os.environ.get("SCHULTOR_KILL_ROUNDS", "9"))
"""In each of which one daemon is killed, in turn; more of them by hand."""
PATIENCE = 60.0
"""A failure bound: the longest that a tablet goes unanswered."""


def forwarding(school: School, switched_on: bool) -> None:
    value = int(switched_on)
    school.exec("gateway", "sysctl", "--quiet", f"net.ipv4.ip_forward={value}", f"net.ipv6.conf.all.forwarding={value}")


def flush(school: School) -> None:
    school.exec("gateway", "nft", "delete", "table", "inet", "schultor")


def seconds_left(kept: str) -> dict[str, int]:
    """By address; the file is whole."""
    head, _, *opened, end = kept.splitlines()
    assert head == "cloud-pins 1" and end == f"end {len(opened) - 1}", kept
    return {address: int(left) for address, left in (line.split() for line in opened[1:])}


class CloudPins(unittest.TestCase):
    def setUp(self):
        self.school = self.enterContext(School(at="2026-11-23 09:00:00"))
        for host in (CLOUD, LEARNING):
            for address in (internet4(host), internet6(host)):
                self.school.server("internet", address, 443)
        self.kept = self.school.directory / "state" / "cloud_pins"

    def give_addresses(self) -> None:
        for name in (CLOUD_NAME, LEARNING_NAME):
            for type in (dns.A, dns.AAAA):
                self.assertEqual(len(self.school.resolve("tablet1", name, type).addresses), 1)

    def wait_until_kept(self) -> None:
        wait_for(lambda: self.kept.exists() and all(address in self.kept.read_text() for address in (internet4(CLOUD), internet6(CLOUD))),
                 what="both addresses in the file")

    def start_of_the_machine(self) -> None:
        """As far as schultord can tell: no table, no forwarding. The gate is not there yet: nobody can ask."""
        for part in ("dns", "schultord"):
            self.school.kill(part)
        forwarding(self.school, False)
        flush(self.school)
        self.school.restart("schultord")

    def check_cloud_is_open_and_learning_is_not(self) -> None:
        for address in (internet4(CLOUD), internet6(CLOUD)):
            self.school.connect("tablet1", address, 443)
        for address in (internet4(LEARNING), internet6(LEARNING)):
            with self.assertRaises(ConnectionRefusedError):
                self.school.connect("tablet1", address, 443)
        # On its own ports, not on all.
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect("tablet1", internet4(CLOUD), 8443)

    def test_the_cloud_is_open_after_a_power_cut_before_anybody_asks(self):
        self.give_addresses()
        self.wait_until_kept()
        text = self.kept.read_text()
        self.assertNotIn(internet4(LEARNING), text)
        self.assertNotIn("mnspro", text)
        self.start_of_the_machine()
        self.check_cloud_is_open_and_learning_is_not()

    def test_what_a_day_has_passed_since_is_closed(self):
        self.give_addresses()
        self.wait_until_kept()
        for part in ("dns", "schultord"):
            self.school.kill(part)
        self.school.time("2026-11-24 09:30:00")
        flush(self.school)
        self.school.restart("schultord")
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect("tablet1", internet4(CLOUD), 443)

    def test_a_flushed_ruleset_comes_back_with_the_cloud_open(self):
        self.give_addresses()
        # Once after an end in order, too, which keeps them anew.
        self.school.lab("restart", "schultord")
        self.wait_until_kept()
        flush(self.school)
        self.school.time("17:00:00")
        self.school.time("2026-11-24 08:30:00")
        self.check_cloud_is_open_and_learning_is_not()

    def test_an_end_without_a_ruleset_leaves_what_is_kept(self):
        self.give_addresses()
        self.wait_until_kept()
        before = self.kept.read_text()
        flush(self.school)
        self.school.kill("dns")
        self.school.restart("schultord")
        kept, left = seconds_left(before), seconds_left(self.kept.read_text())
        self.assertEqual(left.keys(), kept.keys())
        for address in kept:
            self.assertLessEqual(left[address], kept[address], "nobody has asked for it anew")
        self.check_cloud_is_open_and_learning_is_not()

    def test_while_the_daemon_alone_starts_anew_the_kernel_knows_better(self):
        self.give_addresses()
        self.wait_until_kept()
        for part in ("dns", "schultord"):
            self.school.kill(part)
        self.school.exec("gateway", "nft", "flush", "set", "inet", "schultor", "cloud4")
        self.school.restart("schultord")
        with self.assertRaises(ConnectionRefusedError):
            self.school.connect("tablet1", internet4(CLOUD), 443)
        self.school.connect("tablet1", internet6(CLOUD), 443)

    def test_a_damaged_file_is_moved_aside_and_stops_nothing(self):
        for part in ("dns", "schultord"):
            self.school.kill(part)
        self.kept.write_text("cloud-pins 1\nwritten yesterday\n")
        flush(self.school)
        self.school.restart("schultord")
        self.assertTrue(self.kept.with_name("cloud_pins.damaged").exists())
        self.assertIn("cloud_pins is damaged and was moved to", self.school.log("schultord"))
        self.school.restart("dns")
        self.assertEqual(len(self.school.resolve("tablet1", CLOUD_NAME).addresses), 1)
        self.school.connect("tablet1", internet4(CLOUD), 443)


class Tablet(threading.Thread):
    """Asks for a name, asks again where no answer comes, and connects to what it was told: at once, and to the end of its TTL."""

    def __init__(self, school: School, tablet: str, name: str, type: int):
        super().__init__(daemon=True)
        self.school, self.tablet, self.name_asked, self.type = school, tablet, name, type
        self.ended = threading.Event()
        self.answers = self.connections = 0
        self.failures: list[str] = []

    def ask(self) -> dns.Answer | None:
        with self.school.inside(self.tablet):
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with client:
            try:
                return dns.ask_udp(client, GATEWAY4, self.name_asked, self.type, seconds=0.5)
            except (TimeoutError, ConnectionError):
                return None  # Nobody listens just now.

    def connect(self, address: str) -> None:
        with self.school.inside(self.tablet):
            attempt = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        with attempt:
            attempt.settimeout(10)
            attempt.connect((address, 443))
        self.connections += 1

    def run(self) -> None:
        held, until, heard = "", 0.0, time.monotonic()
        try:
            while not self.ended.is_set():
                if answer := self.ask():
                    if answer.addresses:
                        heard = time.monotonic()
                        held, until = answer.addresses[0], heard + answer.answers[0].ttl
                        self.answers += 1
                if held and time.monotonic() < until:
                    self.connect(held)
                if time.monotonic() - heard > PATIENCE:
                    raise TimeoutError(f"no answer in {PATIENCE:.0f} s")
        except OSError as error:
            self.failures.append(f"{self.name_asked} ({held}) after {self.answers} answers and {self.connections} connections: {error!r}")


class Killed(unittest.TestCase):
    def test_whoever_is_killed_no_tablet_holds_an_answer_that_is_closed(self):
        school = self.enterContext(School(at="2026-11-23 09:00:00"))
        for host in (CLOUD, LEARNING):
            for address in (internet4(host), internet6(host)):
                listener = school.server("internet", address, 443)
                threading.Thread(target=self.serve, args=(listener,), daemon=True).start()
        asked = [(name, type) for name in (CLOUD_NAME, LEARNING_NAME) for type in (dns.A, dns.AAAA)]
        tablets = [Tablet(school, f"tablet{number}", *question) for number, question in enumerate(asked, start=1)]
        for tablet in tablets:
            tablet.start()
        for number in range(ROUNDS):
            part = ("schultord", "dns", "resolver")[number % 3]
            school.kill(part)
            school.restart(part)
            answered = [tablet.answers for tablet in tablets]
            wait_for(lambda: any(tablet.failures for tablet in tablets) or all(  # noqa: B023
                tablet.answers > before for tablet, before in zip(tablets, answered)), what=f"answers after round {number}, {part}")  # noqa: B023
            self.assertEqual([tablet.failures for tablet in tablets if tablet.failures], [], f"round {number}: {part} was killed")
        for tablet in tablets:
            tablet.ended.set()
            tablet.join()
        self.assertEqual([tablet.failures for tablet in tablets if tablet.failures], [])
        print(f"{ROUNDS} rounds: {sum(tablet.answers for tablet in tablets)} answers, "
              f"{sum(tablet.connections for tablet in tablets)} connections")

    @staticmethod
    def serve(listener: socket.socket) -> None:
        listener.settimeout(None)
        try:
            while True:
                listener.accept()[0].close()
        except OSError:
            pass  # The school has gone.


if __name__ == "__main__":
    main()
