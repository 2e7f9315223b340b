#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Content that is kept on the premises: nginx, the hop, certificates, the gate and the ruleset together, with tablets that ask."""

import json
import os
import socket
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
from lib import dns  # noqa: E402
from lib.counted_origin import Origin, Reply, context_of, of_size, octets  # noqa: E402
from lib.school import GATEWAY4, GATEWAY6, School, internet4, main, wait_for  # noqa: E402
from schoollab.names import CLOUD_FREE, CONTENT  # noqa: E402

HOUR = "2026-11-23 09:00:00"
HOST, ADDRESS = "inhalte.test", internet4(CONTENT)
PUPIL, OTHER, BYOD = "tablet1", "tablet2", "tablet5"
SLICE = 4 << 20
KEPT = "Cache-Control: public, max-age=3600"


class Cache(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        city = (School.DEFAULT_CONFIG / "city.toml").read_text() + """
[[origin]]
name  = "cloud"
names = ["cloud.mnspro.test"]
http  = true
scope = "all"
"""
        cls.school = cls.enterClassContext(School(at=HOUR, tablets=6, cache=True, config={"city.toml": city}))
        cls.authority = cls.school.directory / "ca" / "city" / "device-ca.pem"
        cls.school.stop("web")
        # One socket each: a device has a thousand connections to the box, and whoever waits asks often.
        cls.clients = {tablet: cls.school.socket(tablet, type=socket.SOCK_DGRAM) for tablet in (PUPIL, BYOD)}
        cls.answers = {}
        cls.origin = Origin([cls.school.server("internet", address, 80) for address in (ADDRESS, internet4(10))],
                            [cls.school.server("internet", address, 443) for address in (ADDRESS, internet4(10))], context_of(cls.school),
                            answer=cls.answer)
        cls.addClassCleanup(cls.origin.close)

    @classmethod
    def answer(cls, request):
        for start, answer in cls.answers.items():
            if request.target.startswith(start):
                return answer(request)
        return of_size(request)

    def setUp(self):
        self.answers.clear()
        self.origin.forget()
        self.path = f"/{{}}/{self.id().rpartition('.')[2]}"
        self.wait_until_steered()

    def leads_to(self, name: str, address: str, tablet: str = PUPIL) -> bool:
        return dns.ask_udp(self.clients[tablet], GATEWAY4, name, dns.A).addresses == [address]

    def wait_until_steered(self, name: str = HOST, tablet: str = PUPIL) -> None:
        wait_for(lambda: self.leads_to(name, GATEWAY4, tablet), what="the name to lead to the box")

    def wait_until_not_steered(self) -> None:
        """As soon as is promised."""
        wait_for(lambda: self.leads_to(HOST, ADDRESS), seconds=5, what="the name to lead to its origin")

    def curl(self, tablet: str, url: str, *words: str, check: bool = True) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and header fields; 0 where there was no whole answer."""
        with tempfile.TemporaryDirectory() as directory:
            body, head = Path(directory, "body"), Path(directory, "head")
            done = self.school.exec(tablet, "curl", "-s", "--http1.1", "--max-time", "30", "--cacert", str(self.authority), "-o", str(body), "-D", str(head),
                                    *words, url, check=False)
            if done.returncode != 0:
                self.assertFalse(check, f"{url}: curl {done.returncode}")
                return 0, b"", {}
            lines = head.read_text().strip().splitlines()
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            return int(lines[0].split()[1]), body.read_bytes() if body.exists() else b"", fields

    def fetched(self, path: str) -> list[str | None]:
        return [request.fields.get("range") for request in self.origin.requests if request.target == path]

    def test_a_package_crosses_the_line_once_for_all(self):
        size = 2 * SLICE + 1000
        path = self.path.format(size)
        for scheme in ("http", "https"):
            self.origin.forget()
            for tablet in (PUPIL, OTHER, "tablet3"):
                status, body, _ = self.curl(tablet, f"{scheme}://{HOST}{path}")
                self.assertEqual(status, 200)
                self.assertEqual(body, octets(0, size))
            self.assertEqual(sorted(self.fetched(path)), ["bytes=0-4194303", "bytes=4194304-8388607", "bytes=8388608-12582911"], scheme)
        status, body, fields = self.curl(PUPIL, f"https://{HOST}{path}", "-r", f"{SLICE - 10}-{SLICE + 9}")
        self.assertEqual((status, body), (206, octets(SLICE - 10, 20)))
        self.assertIn("age", fields)

    def test_over_ipv6_as_well(self):
        path = self.path.format(1000)
        self.assertEqual(self.school.resolve(PUPIL, HOST, dns.AAAA).addresses, [GATEWAY6])
        self.assertEqual(self.curl(PUPIL, f"https://{HOST}{path}", "-6")[1], octets(0, 1000))

    def test_a_seek_into_a_film_that_nobody_has_seen_fetches_two_parts(self):
        path = self.path.format(20 * SLICE)
        status, body, _ = self.curl(PUPIL, f"http://{HOST}{path}", "-r", f"{10 * SLICE + 5}-{10 * SLICE + 1004}")
        self.assertEqual((status, body), (206, octets(10 * SLICE + 5, 1000)))
        self.assertLessEqual(len(self.fetched(path)), 2)

    def test_who_knows_no_certificate_of_the_box_sees_the_origins_own(self):
        for tablet in (BYOD, PUPIL):
            self.wait_until_steered("cloud.mnspro.test", tablet)
            done = self.school.exec(tablet, "curl", "-s4", "--cacert", str(self.school.directory / "ca" / "ca.crt"), "-o", "/dev/null", "-w", "%{http_code} %{remote_ip}",
                                    f"https://cloud.mnspro.test{self.path.format(100)}")
            self.assertEqual(done.stdout, f"200 {GATEWAY4}", tablet)
        # No name of an origin: the box's own address is no way round anything.
        self.assertNotEqual(self.school.exec(BYOD, "curl", "-sk", "--connect-to", f"spiele.test:443:{GATEWAY4}:443", "https://spiele.test/", check=False).returncode, 0)

    def test_while_the_engine_or_the_hop_is_away_names_lead_to_the_origin(self):
        for part in ("cache", "origin"):
            with self.subTest(part):
                self.school.kill(part)
                self.wait_until_not_steered()
                self.school.restart(part)
                self.wait_until_steered()

    def test_without_a_certificate_that_is_good_names_lead_to_the_origin(self):
        certificate = self.school.directory / "certificates" / f"{HOST}.pem"
        kept = certificate.read_bytes()
        certificate.unlink()
        self.wait_until_not_steered()
        certificate.write_bytes(kept)
        certificate.chmod(0o644)
        self.wait_until_steered()

    def test_while_nothing_can_be_written_names_lead_to_the_origin(self):
        directory = self.school.directory / "stored"
        was = directory.stat()
        os.chown(directory, 0, 0)
        try:
            self.wait_until_not_steered()
        finally:
            os.chown(directory, was.st_uid, was.st_gid)
        self.wait_until_steered()

    def test_what_is_not_to_be_kept_is_fetched_for_each(self):
        size = 500
        rows = {
            "private": (("Cache-Control: private, max-age=3600",), ()),
            "no-store": (("Cache-Control: no-store",), ()),
            "set-cookie": ((KEPT, "Set-Cookie: who=anna"), ()),
            "vary": ((KEPT, "Vary: *"), ()),
            "authorization": (("Cache-Control: max-age=3600",), ("-H", "Authorization: Bearer anna")),
            "cookie": (("Cache-Control: max-age=3600",), ("-b", "who=anna")),
            "token": (("Cache-Control: max-age=3600",), ("-H", "X-Api-Key: anna")),
        }
        for name, (lines, words) in rows.items():
            with self.subTest(name):
                path = f"/{size}/{name}"
                self.answers[path] = lambda request, lines=lines: of_size(request, lines=lines)
                for number, tablet in enumerate((PUPIL, OTHER, PUPIL), 1):
                    status, body, fields = self.curl(tablet, f"https://{HOST}{path}", *(words if tablet == PUPIL else ()))
                    self.assertEqual((status, body), (200, octets(0, size)))
                    if name not in ("authorization", "cookie", "token"):
                        self.assertEqual(len(self.fetched(path)), number)
                    if name == "set-cookie":
                        self.assertEqual(fields["set-cookie"], "who=anna")
                if name in ("authorization", "cookie", "token"):
                    # What was answered to the other tablet, which showed nothing, may be kept.
                    self.assertGreaterEqual(len(self.fetched(path)), 2)

    def test_a_question_with_a_body_is_none(self):
        path = self.path.format(100)
        self.assertEqual(self.curl(PUPIL, f"http://{HOST}{path}", "-X", "GET", "-d", "evil")[0], 400)
        self.assertEqual(self.curl(PUPIL, f"http://{HOST}{path}", "-X", "GET", "-H", "Transfer-Encoding: chunked", "-d", "evil")[0], 400)
        self.assertEqual(self.fetched(path), [])
        self.assertEqual(self.curl(PUPIL, f"http://{HOST}{path}", "-X", "GET", "-H", "Content-Length: 0")[0], 200)
        self.assertEqual(self.curl(OTHER, f"http://{HOST}{path}", "-X", "POST", "-d", "fine")[0], 200)

    def test_a_body_that_is_cut_short_is_never_whole(self):
        path = f"/{1000}/cut"
        self.answers[path] = lambda request: Reply("200 OK", [KEPT], octets(0, 400), 1000, True)
        for tablet in (PUPIL, OTHER):
            self.assertEqual(self.curl(tablet, f"http://{HOST}{path}", check=False)[0], 0)
        path = f"/{1000}/closed"
        self.answers[path] = lambda request: Reply("200 OK", [KEPT], octets(0, 400), None)
        for number, tablet in enumerate((PUPIL, OTHER), 1):
            self.assertEqual(self.curl(tablet, f"http://{HOST}{path}")[1], octets(0, 400))
            self.assertEqual(len(self.fetched(path)), number)

    def test_a_file_that_changes_in_the_middle_is_never_mixed_and_comes_whole_again(self):
        size = 3 * SLICE
        path = f"/{size}/changing"
        edition = {"tag": "one"}
        self.answers[path] = lambda request: of_size(request, edition["tag"])
        self.curl(PUPIL, f"http://{HOST}{path}", "-r", "0-9")
        edition["tag"] = "two"
        self.assertEqual(self.curl(OTHER, f"http://{HOST}{path}", check=False)[0], 0)
        status, body, fields = self.curl(OTHER, f"http://{HOST}{path}")
        self.assertEqual((status, body), (200, octets(0, size)))
        self.assertEqual(fields["etag"], '"two"')

    def test_a_url_that_cannot_be_kept_is_serialised_behind_nothing(self):
        path = f"/{100}/own"
        self.answers[path] = lambda request: of_size(request, lines=("Cache-Control: no-store",))
        running = [self.school.popen(f"tablet{number}", "curl", "-s", "--max-time", "20", "-o", "/dev/null", f"http://{HOST}{path}") for number in (1, 2, 3, 4)]
        self.assertEqual([process.wait(30) for process in running], [0] * 4)
        self.assertEqual(len(self.fetched(path)), 4)

    def test_what_changes_something_withdraws_it(self):
        path = self.path.format(100)
        for method in ("POST", "PUT", "DELETE"):
            with self.subTest(method):
                for _ in range(2):
                    self.curl(PUPIL, f"https://{HOST}{path}")
                self.origin.forget()
                self.curl(OTHER, f"https://{HOST}{path}", "-X", method, "-d", "x")
                self.curl(PUPIL, f"https://{HOST}{path}")
                self.assertEqual([request.method for request in self.origin.requests], [method, "GET"])

    def test_while_the_line_is_down_what_is_kept_opens_and_the_rest_says_so(self):
        path = self.path.format(SLICE + 5)
        self.answers[path] = lambda request: of_size(request, lines=("Cache-Control: max-age=1",))
        asked_each_time = f"/{1000}/asked-each-time"
        self.answers[asked_each_time] = lambda request: of_size(request, lines=("Cache-Control: max-age=0",))
        for url in (path, asked_each_time):
            self.assertEqual(self.curl(PUPIL, f"https://{HOST}{url}")[0], 200)
        self.school.wan("down")
        try:
            wait_for(lambda: int(self.curl(OTHER, f"https://{HOST}{path}")[2].get("age", 0)) > 2, what="it to be stale")
            self.assertEqual(self.curl(OTHER, f"https://{HOST}{path}")[1], octets(0, SLICE + 5))
            self.assertEqual(self.curl(OTHER, f"https://{HOST}{asked_each_time}")[1], octets(0, 1000))
            status, body, fields = self.curl(OTHER, f"https://{HOST}/{100}/never-opened")
            self.assertEqual(status, 503)
            self.assertIn("Die Schule hat gerade keine Verbindung", body.decode())
            self.assertIn("retry-after", fields)
        finally:
            self.school.wan("up")
        wait_for(lambda: self.curl(OTHER, f"https://{HOST}/{100}/never-opened")[0] == 200, what="the line's return")

    def test_a_new_origin_disturbs_no_transfer(self):
        size = 5 * SLICE
        path = self.path.format(size)
        city = self.school.config("city.toml")
        before = city.read_text()

        def put_back():
            city.write_text(before)
            self.assertEqual(self.school.reload().returncode, 0)
            # Nobody is steered by rules that have gone: whoever waits from now on waits for the new ones.
            wait_for(lambda: self.leads_to("frei.mnspro.test", internet4(CLOUD_FREE)), what="the name to lead to its origin")

        self.addCleanup(put_back)
        with tempfile.NamedTemporaryFile() as file:
            self.origin.rate = 8e6
            running = self.school.popen(PUPIL, "curl", "-s", "--max-time", "60", "-o", file.name, f"http://{HOST}{path}")
            wait_for(lambda: self.fetched(path), what="the transfer to begin")
            city.write_text(before + '\n[[origin]]\nname = "frei"\nnames = ["frei.mnspro.test"]\nhttp = true\nscope = "all"\n')
            self.assertEqual(self.school.reload().returncode, 0)
            self.wait_until_steered("frei.mnspro.test")
            self.assertIsNone(running.poll())
            self.origin.rate = 0
            self.assertEqual(running.wait(60), 0)
            self.assertEqual(Path(file.name).read_bytes(), octets(0, size))

    def test_an_administrator_withdraws_and_looks_at_figures(self):
        path = self.path.format(SLICE + 5)
        for tablet in (PUPIL, OTHER):
            self.curl(tablet, f"https://{HOST}{path}")
        self.assertEqual(len(self.fetched(path)), 2)
        purged = json.loads(self.school.ctl("cache", "purge", "--json", f"https://{HOST}{path}").stdout)
        self.assertEqual(purged["withdrawn"], 2)
        self.curl(PUPIL, f"https://{HOST}{path}")
        self.assertEqual(len(self.fetched(path)), 4)
        self.assertEqual(self.school.ctl("cache", "purge", "nichts", check=False).returncode, 1)
        self.assertNotEqual(self.school.exec("gateway", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "schultorctl", "cache", "purge", "--all",
                                             check=False).returncode, 0)
        day = wait_for(lambda: next((day for origin in json.loads(self.school.ctl("cache", "stats", "--json").stdout)["origins"] if origin["origin"] == "inhalte"
                                     for day in origin["days"] if day["requests"] >= 3), None), what="figures")
        self.assertGreaterEqual(day["served"], 3 * (SLICE + 5))
        self.assertGreaterEqual(day["fetched"], 2 * (SLICE + 5))
        self.assertIn("inhalte", self.school.ctl("cache", "stats").stdout)

    def test_nobody_is_written_down(self):
        self.curl(PUPIL, f"https://{HOST}{self.path.format(10)}")
        for file in (self.school.directory / "cache").iterdir():
            if file.is_file() and file.name != "nginx.conf":
                text = file.read_bytes()
                self.assertNotIn(b"10.77.1.", text, file)
                self.assertNotIn(b"nobody_is_written_down", text, file)
        for part in ("cache", "origin"):
            self.assertNotIn("10.77.1.", self.school.log(part))

    def test_death_in_mid_fill_leaves_nothing_wrong(self):
        size = 6 * SLICE
        for number in range(4):
            path = f"/{size}/death{number}"
            with self.subTest(number):
                self.origin.rate = 20e6
                running = self.school.popen(PUPIL, "curl", "-s", "-o", "/dev/null", f"http://{HOST}{path}")
                wait_for(lambda: len(self.fetched(path)) > number, what="a part to be under way")
                for part in ("origin", "cache"):
                    self.school.kill(part)
                running.wait(30)
                self.origin.rate = 0
                for part in ("origin", "cache"):
                    self.school.restart(part)
                self.wait_until_steered()
                self.assertEqual(self.curl(OTHER, f"http://{HOST}{path}")[1], octets(0, size))


if __name__ == "__main__":
    main()
