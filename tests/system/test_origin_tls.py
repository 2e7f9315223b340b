#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The origin hop before origins that speak TLS: nginx with HTTP/2, and those whose certificates are not to be trusted."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
from lib.bad_origin import BadOrigin, response, said  # noqa: E402
from lib.hop import SLICE, Hop, Resolver, die_with_parent, enter_own_network, origin  # noqa: E402

GOOD, SELF_MADE, NAMED_WRONG, CUTTING = (f"198.51.100.{n}" for n in (40, 41, 42, 43))
NAMES = {"inhalte.test": [GOOD], "selbst.test": [SELF_MADE], "falsch.test": [NAMED_WRONG], "bricht.test": [CUTTING]}
HTTPS = "X-Schultor-Scheme: https"
OCTETS = bytes(os.urandom(1 << 16)) * (10 << 4)  # 10 MiB
NGINX = """daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log; user root;
events {{ }}
http {{
  log_format protocol '$server_protocol $connection $request_uri'; access_log {dir}/access.log protocol;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  server {{ listen {good}:443 ssl http2; ssl_certificate {dir}/inhalte.test.crt; ssl_certificate_key {dir}/inhalte.test.key; root {dir}/www; expires 1h; }}
  server {{ listen {named_wrong}:443 ssl http2; ssl_certificate {dir}/inhalte.test.crt; ssl_certificate_key {dir}/inhalte.test.key; root {dir}/www; }}
}}
"""


def certificate(directory: Path, name: str, *words: str, host: str) -> None:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={host}",
                    "-addext", f"subjectAltName=DNS:{host}", "-keyout", str(directory / f"{name}.key"), "-out", str(directory / f"{name}.crt"), *words],
                   check=True, capture_output=True)


def context(stem: Path) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{stem}.crt", f"{stem}.key")
    return tls


class OriginTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="schultor-origin-")))
        certificate(directory, "ca", host="ca.test")
        signed = ["-CA", str(directory / "ca.crt"), "-CAkey", str(directory / "ca.key"), "-addext", "basicConstraints=critical,CA:FALSE"]
        certificate(directory, "inhalte.test", *signed, host="inhalte.test")
        certificate(directory, "bricht.test", *signed, host="bricht.test")
        certificate(directory, "self", host="selbst.test")
        (directory / "www").mkdir()
        (directory / "www" / "film").write_bytes(OCTETS)
        (directory / "www" / "kurz").write_bytes(b"kurz")
        os.utime(directory / "www" / "film", (1_600_000_000, 1_600_000_000))
        (directory / "nginx.conf").write_text(NGINX.format(dir=directory, good=GOOD, named_wrong=NAMED_WRONG))
        nginx = subprocess.Popen([shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-c", str(directory / "nginx.conf")], preexec_fn=die_with_parent)  # noqa: PLW1509
        cls.addClassCleanup(lambda: (nginx.terminate(), nginx.wait()))
        cls.cutting = BadOrigin((CUTTING, 443), tls=context(directory / "bricht.test"))
        cls.self_made = BadOrigin((SELF_MADE, 443), tls=context(directory / "self"))
        cls.resolver = Resolver(NAMES)
        cls.hop = Hop(directory, [origin("inhalte", "inhalte.test"), origin("bricht", "bricht.test"), origin("selbst", "selbst.test"), origin("falsch", "falsch.test")],
                      [], ca=directory / "ca.crt")
        cls.addClassCleanup(lambda: cls.hop.stop())
        cls.hop.until(lambda: cls.hop.direct("/kurz", HTTPS).status == 200)

    def test_slices_come_over_http_2(self):
        tags = set()
        for number in range(3):
            answer = self.hop.store("/film", HTTPS, slice=number)
            self.assertEqual((answer.status, answer.body == OCTETS[number * SLICE:(number + 1) * SLICE]), (206, True))
            self.assertIsNotNone(answer.get("X-Accel-Expires"))
            tags.add(answer.get("ETag"))
        self.assertEqual(len(tags), 1)
        unchanged = self.hop.store("/film", HTTPS, f"If-None-Match: {tags.pop()}")
        self.assertEqual(unchanged.status, 304)
        log = (self.directory / "access.log").read_text().splitlines()
        self.assertEqual({line.split()[0] for line in log if "/film" in line}, {"HTTP/2.0"})

    def test_a_certificate_that_is_not_to_be_trusted_is_no_answer(self):
        for host in ("selbst.test", "falsch.test"):
            self.assertEqual(self.hop.store("/kurz", HTTPS, host=host).status, 0)
            self.assertEqual(self.hop.direct("/kurz", HTTPS, host=host).status, 0)
        log = self.hop.log.read_text()
        for name in ("selbst", "falsch"):
            self.assertEqual(len(re.findall(f"origin {name} cannot be had: SSL", log)), 1, log)

    def test_a_host_that_cannot_be_reached_is_not_tried_by_each_who_waits(self):
        before = self.self_made.connections
        for _ in range(20):
            self.assertEqual(self.hop.store("/kurz", HTTPS, host="selbst.test").status, 0)
        self.assertLess(self.self_made.connections - before, 20)

    def test_who_reads_slowly_holds_up_nobody_over_http_2(self):
        clients = [self.enterContext(self.hop.connect()) for _ in range(4)]
        for client in clients:
            client.sendall(self.hop.text("GET", "/film", HTTPS))
            self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200"))
        for _ in range(20):
            self.assertEqual(self.hop.store("/kurz", HTTPS, slice=None).body, b"kurz")

    def test_a_body_that_is_cut_short_within_tls_is_never_whole(self):
        head = "Cache-Control: max-age=60"
        self.cutting.pages = {"/length": said(response(b"abc", head, length=9)), "/close": said(response(b"abc", head).replace(b"Content-Length: 3\r\n", b""))}
        self.assertFalse(self.hop.store("/length", HTTPS, host="bricht.test").whole)
        self.assertEqual(self.hop.store("/close", HTTPS, host="bricht.test").status, 598)


if __name__ == "__main__":
    enter_own_network([GOOD, SELF_MADE, NAMED_WRONG, CUTTING])
    if missing := [tool for tool in ("nginx", "openssl") if not shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")]:
        print(f"skipped: not installed: {', '.join(missing)}")
        sys.exit(77)
    unittest.main(verbosity=2)
