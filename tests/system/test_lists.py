#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Lists are downloaded by a user of their own, whom polkit lets have schultord reload; school and city learn what became of them."""

import http.server
import json
import shutil
import ssl
import sys
import threading
import unittest
from pathlib import Path

from lib.school import SOURCE, School, internet4, main, wait_for
from test_city import faults_of
from test_clock import call

POLKITD = Path("/usr/lib/polkit-1/polkitd")
BUS_POLICY = """<busconfig>
  <policy user="polkitd"><allow own="org.freedesktop.PolicyKit1"/></policy>
  <policy context="default"><allow send_destination="org.freedesktop.PolicyKit1"/></policy>
</busconfig>
"""
HOST, PORT = internet4(20), 8443
EVENT = "schultor/1/ggs-am-park/event/lists"


class Lists(unittest.TestCase):
    def setUp(self):
        # No time of its own: what became of a list bears the machine's.
        self.school = self.enterContext(School())
        self.contents = b""
        self.serve()
        self.state = self.school.directory / "lists"
        shutil.copy(self.school.directory / "ca" / "ca.crt", self.state)
        (self.state / "ca.crt").chmod(0o644)
        city = self.school.config("city.toml")
        city.write_text(city.read_text() + f'[[list]]\nname = "games"\nurl = "https://{HOST}:{PORT}/games"\n')

    def serve(self) -> None:
        test = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(test.contents)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.school.directory / "ca" / "web.crt", self.school.directory / "ca" / "web.key")
        listening = self.school.server("internet", HOST, PORT)
        listening.settimeout(None)
        server = http.server.ThreadingHTTPServer((HOST, PORT), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = context.wrap_socket(listening, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def polkit(self) -> None:
        """The real one, with what this installs and nothing else."""
        (self.school.directory / "bus-policies" / "polkit.conf").write_text(BUS_POLICY)
        self.school.exec("gateway", "busctl", "--system", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                         "ReloadConfig")
        own = self.school.directory / "polkit"
        for name in ("actions", "rules.d"):
            (own / name).mkdir(parents=True)
        shutil.copy(SOURCE / "units" / "polkit" / "org.schultor.gateway1.policy", own / "actions")
        shutil.copy(SOURCE / "units" / "polkit" / "org.schultor.gateway1.rules", own / "rules.d" / "50-schultor.rules")
        self.school.popen("gateway", "unshare", "--mount", "sh", "-c",
                          f"mount --bind {own} /usr/share/polkit-1 && exec {POLKITD} --no-debug")
        wait_for(lambda: "org.freedesktop.PolicyKit1" in self.school.exec("gateway", "busctl", "--system", "list", "--no-legend").stdout,
                 what="polkitd")

    def update(self, *words: str, user: str = "schultor-lists"):
        return self.school.exec("gateway", "setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--no-new-privs", "schultorctl",
                                "lists", "update", "--state", str(self.state), "--cacert", str(self.state / "ca.crt"), *words, check=False)

    def events(self) -> list[dict]:
        return [event for event in json.loads(self.school.ctl("events", "--json").stdout) if event["kind"] == "lists"]

    def test_what_became_of_a_list_is_told_once(self):
        self.polkit()
        watch = self.school.watch()
        self.contents = b"".join(f"game{i}.example\n".encode() for i in range(100))
        done = self.update()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        watch.wait_for(lambda m: m.topic == EVENT and m.json["result"] == "updated" and m.json["list"] == "games")
        self.assertEqual([(one["list"], one["state"], one["entries"]) for one in call(self.school, "Describe")["lists"]], [("games", "ok", 100)])
        self.assertNotIn("games  ", self.school.ctl("status").stdout)

        self.contents = b"game1.example\n"
        for _ in range(2):
            self.assertEqual(self.update().returncode, 1)
        held = watch.wait_for(lambda m: m.topic == EVENT and m.json["result"] == "held").json
        self.assertIn("it shrank from 100 entries to 1", held["text"])
        self.assertIn("it shrank from 100 entries to 1", self.school.ctl("status").stdout)
        # Whoever reads the status again, also after a crash, tells the same.
        self.school.ctl("reload")
        before = self.events()
        self.assertEqual([event["result"] for event in before], ["updated", "held"])
        self.school.kill("schultord")
        self.school.restart("schultord")
        self.assertEqual([event["id"] for event in self.events()], [before[-1]["id"]])

        self.assertEqual(self.update("--force", "games").returncode, 0)
        watch.wait_for(lambda m: m.topic == EVENT and m.json["result"] == "updated" and m.json["text"].endswith(": 1 entries"))
        self.assertEqual(len([m for m in watch.messages if m.topic == EVENT]), 3)
        self.assertEqual(faults_of(watch), [])

    def test_nobody_else_may_reload(self):
        self.polkit()
        for user, status in (("schultor-lists", 0), ("nobody", 2)):
            reload = self.school.exec("gateway", "setpriv", f"--reuid={user}", "--regid=65534", "--clear-groups", "schultorctl", "reload", check=False)
            self.assertEqual(reload.returncode, status, reload.stderr)
        self.assertIn("org.schultor.gateway1.configure", reload.stderr)

    def test_a_damaged_status_stops_nothing(self):
        (self.state / "status.json").write_text('{"lists": 1}')
        self.school.restart("schultord")
        self.assertEqual(self.school.reload().returncode, 0)
        self.assertEqual(call(self.school, "Describe")["lists"], [])
        self.assertIn("downloaded lists cannot be read", self.school.log("schultord"))


if __name__ == "__main__":
    if not POLKITD.exists():
        print("skipped: polkitd is not installed (tools/packages install)")
        sys.exit(77)
    main()
