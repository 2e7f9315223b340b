#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The lab keeps its own promises: labs never meet, and nothing stays behind."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import dns, school  # noqa: E402
from lib.school import LAB, School, internet4, internet6, tablet4, wait_for  # noqa: E402

from schoollab import clock, namespaces, processes  # noqa: E402
from schoollab.names import DEFAULT_CONFIG, LabError  # noqa: E402


def command_lines(names: list[str]) -> list[str]:
    """Of living processes whose command line or network namespace has to do with one of these labs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid() and processes.start_time(int(entry.name)) is not None:
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if any(f"/run/schultor-lab/{name}/" in line or f"--name {name}" in line for name in names):
                    found.append(f"{entry.name}: {line}")
    return found


def remains(*names: str) -> dict[str, list[str]]:
    """Everything on this machine that belongs to labs of these names."""
    def entries(directory: str, begins: list[str]) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return sorted(entry for entry in os.listdir(directory) if any(entry.startswith(begin) for begin in begins))
        return []
    host = [f"{name}-" for name in names]
    return {key: value for key, value in {
        "namespaces": entries("/run/netns", host), "etc": entries("/etc/netns", host), "state": entries("/run/schultor-lab", list(names)),
        "processes": command_lines(list(names)),
        "links": [line for line in subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout.splitlines()
                  if any(name in line for name in host)]}.items() if value}


def lab(name: str, *words: str, check: bool = True) -> subprocess.CompletedProcess:
    return subprocess.run([str(LAB), "--name", name, *words], capture_output=True, text=True, check=check, timeout=120)


class ALab(unittest.TestCase):
    def setUp(self):
        self.names = [f"l{os.getpid()}{letter}" for letter in "ab"]
        self.addCleanup(lambda: [lab(name, "down") for name in self.names])

    def assert_nothing_remains(self):
        self.assertEqual(remains(*self.names), {})

    def begun(self, name: str) -> subprocess.Popen:
        """An `up` that has its namespaces already and is not ready yet."""
        process = subprocess.Popen([str(LAB), "--name", name, "up", "--no-gate", "--tablets", "100"], stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)
        self.addCleanup(process.stderr.close)
        deadline = time.monotonic() + 30
        while not Path(f"/run/netns/{name}-tablet20").exists():
            self.assertIsNone(process.poll(), "it ended before it could be interrupted")
            self.assertLess(time.monotonic(), deadline)
        return process

    def test_leaves_nothing_after_down(self):
        lab(self.names[0], "up", "--no-gate")
        self.assertIn("namespaces", remains(self.names[0]))
        self.assertIn("processes", remains(self.names[0]))
        lab(self.names[0], "down")
        self.assert_nothing_remains()

    def test_leaves_nothing_when_interrupted_on_the_way_up(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                process = self.begun(self.names[0])
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=60), 128 + number)
                self.assert_nothing_remains()

    def config(self, text: str | None = None) -> Path:
        """A copy of the lab's configuration, with another gateway.toml if one is given."""
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()), "config")
        shutil.copytree(DEFAULT_CONFIG, directory)
        if text is not None:
            (directory / "gateway.toml").write_text(text)
        return directory

    def test_leaves_nothing_when_a_part_does_not_start(self):
        done = lab(self.names[0], "up", "--tablets", "1", "--config", str(self.config('timezone = "Europe/Berlin"\n')), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("schultord ended instead of getting ready", done.stderr)
        self.assert_nothing_remains()

    def test_stays_when_the_arguments_of_another_up_are_wrong(self):
        lab(self.names[0], "up", "--no-gate", "--tablets", "1")
        ended = subprocess.Popen(["true"])
        ended.wait()
        own = f"/run/schultor-lab/{self.names[0]}/config"
        for words, reason in ((("--config", "/nonexistent"), "gateway.toml is missing"),
                              (("--config", str(self.config("timezone = "))), "no time zone"),
                              (("--config", str(self.config('timezone = "Mond/Krater"\n'))), "no time zone"),
                              (("--config", own), "copy it to another place first"),
                              (("--at", "bogus"), "“bogus” is no time"), (("--at", ""), "is no time"), (("--at", "2026-02-30 08:00"), "day"),
                              (("--owner", str(ended.pid)), "there is no process"), (("--tablets", "0"), "--tablets 0"),
                              (("--build", "/nonexistent"), "no such build directory")):
            with self.subTest(words=words):
                done = lab(self.names[0], "up", *([] if "--build" in words else ["--no-gate"]), *words, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(reason, done.stderr)
                self.assertEqual(lab(self.names[0], "exec", "tablet1", "true", check=False).returncode, 0, "the lab is gone")

    def test_without_operations_has_no_reporter_and_says_so(self):
        text, heading, _ = (DEFAULT_CONFIG / "gateway.toml").read_text().partition("[operations]")
        self.assertTrue(heading)
        config = self.config(text)
        done = lab(self.names[0], "up", "--tablets", "1", "--config", str(config))
        self.assertIn("has no [operations]: schultor-report does not run", done.stderr)
        running = {line.split()[0]: "pid" in line.split() for line in lab(self.names[0], "status").stdout.splitlines()[2:]}
        self.assertEqual([part for part, runs in running.items() if not runs], ["report", "origin", "cache"])
        self.assertEqual(lab(self.names[0], "exec", "gateway", "schultorctl", "status").returncode, 0)

    def test_killed_on_the_way_up_is_cleared_by_the_next_up(self):
        process = self.begun(self.names[0])
        process.kill()
        process.wait()
        self.assertIn("namespaces", remains(self.names[0]))
        lab(self.names[1], "up", "--no-gate", "--tablets", "1")
        # Or by that of another lab, which then is at it still.
        wait_for(lambda: remains(self.names[0]) == {}, what="the end of what was killed")

    def test_whose_owner_was_killed_is_cleared_by_the_next_up(self):
        owner = subprocess.Popen(["sleep", "infinity"])
        self.addCleanup(owner.wait)
        self.addCleanup(owner.kill)
        lab(self.names[0], "up", "--no-gate", "--tablets", "1", "--owner", str(owner.pid))
        lab(self.names[1], "up", "--no-gate", "--tablets", "1")
        self.assertIn("processes", remains(self.names[0]), "its owner lives: it stays")
        owner.kill()
        owner.wait()
        lab(self.names[1], "up", "--no-gate", "--tablets", "1")
        self.assertEqual(remains(self.names[0]), {})

    def test_of_somebody_else_is_left_alone(self):
        lab(self.names[0], "up", "--no-gate", "--tablets", "1", "--owner", str(os.getpid()))
        done = lab(self.names[0], "up", "--no-gate", "--tablets", "1", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("belongs to process", done.stderr)
        self.assertEqual(lab(self.names[0], "exec", "tablet1", "true").returncode, 0)

    def test_beside_another_does_not_meet_it(self):
        both = [subprocess.Popen([str(LAB), "--name", name, "up", "--no-gate", "--tablets", "2"]) for name in self.names]
        self.assertEqual([process.wait(timeout=120) for process in both], [0, 0])
        with School(gate=False) as third:
            listener = third.server("internet", internet4(31), 7000)
            for name in self.names:
                done = lab(name, "exec", "tablet1", "python3", "-c",
                           f"import socket; socket.create_connection(('{internet4(31)}', 7000), 5)", check=False)
                self.assertIn("Connection refused", done.stderr, "the other lab's internet has no such server")
            near, far = third.pair("tablet1", listener)
            self.assertEqual(far.getpeername()[0], tablet4(1))
        lab(self.names[0], "down")
        self.assertEqual(remains(self.names[0]), {})
        self.assertIn("Spiel", lab(self.names[1], "exec", "tablet2", "curl", "-s", f"http://{internet4(30)}/").stdout)

    def test_without_its_name_says_so(self):
        done = lab(self.names[0], "exec", "tablet1", "true", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("bring it up", done.stderr)


class TheClockOfALab(unittest.TestCase):
    """Pure arithmetic, whatever the season on this machine."""

    def setUp(self):
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        (directory / "gateway.toml").write_text('timezone = "Europe/Berlin"\n')
        self.place = clock.zone(directory)
        self.facts = {"config": str(directory)}

    def shown(self, wanted: datetime) -> str:
        """What “time” shows once “time WANTED” is done."""
        one = SimpleNamespace(facts=self.facts | {"clock_offset": clock.offset_for(wanted)})
        return clock.now(one).isoformat(sep=" ", timespec="minutes")

    def test_shows_what_was_set_in_summer_and_in_winter(self):
        here = datetime(2026, 1, 1, tzinfo=self.place)
        self.assertEqual(self.shown(clock.parse("2026-07-01 07:59:01", here)), "2026-07-01 07:59+02:00")
        self.assertEqual(self.shown(clock.parse("2026-01-15 07:59:01", here)), "2026-01-15 07:59+01:00")
        second = clock.parse("+1h", clock.parse("2026-10-25 02:15:01", here))
        self.assertEqual(self.shown(second), "2026-10-25 02:15+01:00")

    def test_goes_on_over_a_change_of_the_clock(self):
        for start, step, end in (
                ("2026-07-01 08:00", "+10m", "2026-07-01 08:10+02:00"), ("2026-10-25 01:15", "+60m", "2026-10-25 02:15+02:00"),
                ("2026-10-25 01:15", "+120m", "2026-10-25 02:15+01:00"), ("2026-10-25 01:15", "+1d", "2026-10-26 01:15+01:00"),
                ("2026-03-28 12:00", "+1d", "2026-03-29 12:00+02:00"), ("2026-03-28 12:00", "+24h", "2026-03-29 13:00+02:00"),
                ("2026-03-28 02:30", "+1d", "2026-03-29 03:00+02:00"), ("2026-03-28 02:30", "2026-03-29 02:30", "2026-03-29 03:00+02:00"),
                ("2026-03-28 02:30", "2026-03-29 02:00", "2026-03-29 03:00+02:00"), ("2026-10-25 12:00", "02:30", "2026-10-25 02:30+02:00")):
            with self.subTest(start=start, step=step):
                found = clock.parse(step, datetime.fromisoformat(start).replace(tzinfo=self.place))
                self.assertEqual(found.isoformat(sep=" ", timespec="minutes"), end)

    def test_refuses_what_is_no_time(self):
        here = datetime(2026, 1, 1, tzinfo=self.place)
        for text in ("", "bogus", "8:00", "24:00", "2026-02-30 08:00", "+", "+1w", "-1h", "+99999999999999d", "+9999999999999999h"):
            with self.subTest(text=text):
                self.assertRaises(LabError, clock.parse, text, here)


class TheHostsOfALab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.school = School(gate=False, tablets=8)
        cls.school.__enter__()
        cls.addClassCleanup(cls.school.__exit__, None, None, None)

    def test_run_commands_and_give_their_exit_code_and_output(self):
        done = self.school.exec("tablet3", "sh", "-c", "echo here; echo there >&2; exit 7", check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (7, "here\n", "there\n"))
        self.assertEqual(self.school.exec("tablet3", "no-such-command", check=False).returncode, 127)
        self.assertEqual(self.school.exec("tablet9", "true", check=False).returncode, 2)
        self.assertEqual(self.school.exec("tablet3", "sh", "-c", "kill -9 $$", check=False).returncode, -9)

    def test_have_the_addresses_that_are_documented(self):
        shown = self.school.exec("tablet3", "ip", "-o", "address", "show", "dev", "eth0").stdout + self.school.exec("tablet3", "ip", "link").stdout
        for wanted in ("10.77.1.3/16", "fd77::1:3/64", "02:77:00:00:00:03"):
            self.assertIn(wanted, shown)
        self.assertEqual(self.school.exec("tablet3", "cat", "/etc/resolv.conf").stdout, "nameserver 10.77.0.1\n")

    def test_reach_the_internet_over_both_families_without_translation(self):
        for address in (internet4(31), internet6(31)):
            near, far = self.school.pair("tablet5", self.school.server("internet", address, 7000))
            self.assertEqual(far.getpeername()[0], near.getsockname()[0])
            near.sendall(b"ping")
            self.assertEqual(far.recv(4), b"ping")

    def test_answer_for_every_name_of_the_lab(self):
        def resolve(name, type=dns.A):
            client = self.school.socket("internet", type=socket.SOCK_DGRAM)
            return dns.ask_udp(client, internet4(2), name, type)
        for name, host in {"cloud.mnspro.test": 10, "lernen.test": 20, "spiele.test": 30, "inhalte.test": 40, "doh.test": 53,
                           "irgend.was.any.test": 60, "start.mnspro.test": 10}.items():
            self.assertEqual(resolve(name).addresses, [internet4(host)])
            self.assertEqual(resolve(name, dns.AAAA).addresses, [internet6(host)])
        self.assertEqual(resolve("www.example.org").rcode, dns.NXDOMAIN)
        shown = self.school.exec("gateway", "dig", "+short", "@127.0.0.1", "-p", "5335", "start.mnspro.test").stdout.split()
        self.assertEqual(shown, ["apps.mnspro.test.", "cloud.mnspro.test.", internet4(10)])

    def test_serve_pages_over_http_and_https(self):
        authority = str(self.school.directory / "ca" / "ca.crt")
        for name, host in {"cloud.mnspro.test": 10, "lernen.test": 20, "spiele.test": 30, "inhalte.test": 40, "doh.test": 53}.items():
            for scheme, port in (("http", 80), ("https", 443)):
                page = self.school.exec("tablet1", "curl", "-sS", "--cacert", authority, "--resolve", f"{name}:{port}:{internet4(host)}",
                                        f"{scheme}://{name}/").stdout
                self.assertIn(name, page)

    def test_of_the_city_take_only_known_certificates(self):
        with self.school.watch("test/#") as city:
            self.school.exec("city", "mosquitto_pub", "-t", "test/a", "-m", "hallo", "-q", "1")
            self.assertEqual(city.wait_for(lambda message: message.topic == "test/a").payload, "hallo")
        stranger = self.school.exec("city", "env", "-u", "XDG_CONFIG_HOME", "mosquitto_pub", "-h", "203.0.113.10", "-p", "8883", "--cafile",
                                    str(self.school.directory / "ca" / "ca.crt"), "-t", "test/a", "-m", "x", check=False)
        self.assertNotEqual(stranger.returncode, 0)

    def test_are_cut_off_while_the_wan_is_down(self):
        listener = self.school.server("internet", internet6(31), 7001)
        near, far = self.school.pair("tablet1", listener)
        self.school.wan("down")
        carrier = self.school.exec("gateway", "cat", "/sys/class/net/wan0/carrier")
        self.assertEqual(carrier.stdout, "0\n")
        near.sendall(b"over")
        far.settimeout(0)
        self.assertRaises(BlockingIOError, far.recv, 4)
        self.school.wan("up")
        far.settimeout(school.DEADLINE)
        self.assertEqual(far.recv(4), b"over", "an open connection outlives the outage")

    def test_lose_a_killed_part_until_it_is_restarted(self):
        def answers():
            return self.school.exec("gateway", "dig", "+tries=1", "+time=1", "+short", "@127.0.0.1", "-p", "5335", "spiele.test", check=False)
        self.assertEqual(answers().stdout, f"{internet4(30)}\n")
        self.school.kill("resolver")
        self.assertNotEqual(answers().returncode, 0)
        self.assertEqual(self.school.lab("kill", "resolver", check=False).returncode, 2)
        self.school.restart("resolver")
        self.assertEqual(answers().stdout, f"{internet4(30)}\n")

    def test_keep_the_callers_thread_where_it_was(self):
        before = os.stat("/proc/thread-self/ns/net").st_ino
        with self.school.inside("tablet1"):
            self.assertEqual(os.stat("/proc/thread-self/ns/net").st_ino, namespaces.inode(self.school.namespace("tablet1")))
        self.assertEqual(os.stat("/proc/thread-self/ns/net").st_ino, before)


if __name__ == "__main__":
    school.main()
