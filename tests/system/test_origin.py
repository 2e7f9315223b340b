#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The origin hop, asked as the caching engine asks it, before origins that do what origins do."""

import gzip
import os
import signal
import socket
import sys
import tempfile
import threading
import unittest
from email.utils import formatdate
from pathlib import Path

sys.dont_write_bytecode = True
from lib.bad_origin import BadOrigin, response, said, sliced  # noqa: E402
from lib.hop import DEADLINE, SLICE, Hop, Resolver, enter_own_network, origin, read_response  # noqa: E402

ORIGIN, ORIGIN6, PRIVATE, PRIVATE6, NOBODY6 = "198.51.100.40", "2001:db8:51::40", "10.1.2.3", "fd00::3", "2001:db8:51::99"
NAMES = {
    "inhalte.test": [ORIGIN], "six.test": [ORIGIN6], "alias.test": "six.test", "half.test": [NOBODY6, ORIGIN],
    "inside.test": [PRIVATE, PRIVATE6, "127.0.0.1", "::1", "0.0.0.0", "169.254.1.1", "224.0.0.1", "::ffff:10.1.2.3"],
    "rebinding.test": [PRIVATE, ORIGIN],
}
MODIFIED = "Last-Modified: Thu, 26 Nov 2020 08:00:00 GMT"
FRESH = "Cache-Control: max-age=3600"
OCTETS = bytes(os.urandom(1 << 16)) * (10 << 4)  # 10 MiB: three slices


class Origin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.origin = BadOrigin((ORIGIN, 80), (ORIGIN6, 80))
        cls.private = BadOrigin((PRIVATE, 80), (PRIVATE6, 80), ("127.0.0.1", 80), ("::1", 80))
        cls.resolver = Resolver(NAMES)
        cls.directory = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="schultor-origin-")))
        cls.origins = [origin("inhalte", *NAMES, paths=[{"prefix": "/never/", "cache": False, "fresh": None}, {"prefix": "/usual/", "cache": True, "fresh": 600}]),
                       origin("klein", "klein.test", https=False, largest=1000)]
        NAMES["klein.test"] = [ORIGIN]
        cls.hop = Hop(cls.directory, cls.origins, ["10.0.0.0/8", "fc00::/7"])
        cls.addClassCleanup(cls.end)

    @classmethod
    def end(cls):
        if cls.hop.process.poll() is None:
            assert cls.hop.stop() == 0, cls.hop.log.read_text()

    def page(self, path: str, page) -> str:
        self.origin.pages[path] = page
        return path

    def closed(self, answer) -> None:
        self.assertEqual(answer.status, 0, answer)

    def fresh_for(self, answer, seconds: int) -> None:
        """As long, less what the answer took."""
        self.assertTrue(seconds - DEADLINE <= int(answer.get("X-Accel-Expires")) <= seconds, answer)

    # What may be stored.

    def test_a_slice_is_handed_on_with_what_the_engine_is_to_know(self):
        page = self.page("/slice", sliced(OCTETS, 'ETag: "a"', "Cache-Control: public, max-age=3600, stale-while-revalidate=5", "Age: 100", "Connection: X-Mine",
                                          "X-Mine: 1", "X-Accel-Redirect: /secret", "X-Accel-Buffering: no", "X-Schultor-Parked: x", "X-Other: 2",
                                          "Alt-Svc: h3=\":443\""))
        for number, octets in enumerate((OCTETS[:SLICE], OCTETS[SLICE:2 * SLICE], OCTETS[2 * SLICE:])):
            answer = self.hop.store(page, slice=number)
            self.assertEqual((answer.status, answer.whole, answer.body == octets), (206, True, True))
            self.assertEqual(answer.get("ETag"), '"a"')
            self.assertEqual(answer.get("Content-Range"), f"bytes {number * SLICE}-{number * SLICE + len(octets) - 1}/{len(OCTETS)}")
        names = [name.lower() for name, _ in answer.headers]
        self.assertLess(names.index("cache-control"), names.index("x-accel-expires"))
        self.assertEqual(answer.get("Cache-Control"), "stale-while-revalidate=5, stale-if-error=2592000")
        self.fresh_for(answer, 3500)
        self.assertEqual(answer.get("X-Origin-Cache-Control"), "public, max-age=3600, stale-while-revalidate=5")
        self.assertEqual(answer.get("X-Other"), "2")
        for name in ("X-Mine", "X-Accel-Redirect", "X-Accel-Buffering", "X-Schultor-Parked", "Age", "Expires", "Alt-Svc"):
            self.assertIsNone(answer.get(name), name)

    def test_an_origin_hears_nothing_of_a_client_nor_of_the_engine(self):
        page = self.page("/asked", said(response(b"x", FRESH)))
        self.hop.store(page + "?a=%2F..%2f&b=/../x", "X-Forwarded-For: 10.77.1.1", "Forwarded: for=10.77.1.1", "X-Real-IP: 10.77.1.1", "Connection: X-Mine", "X-Mine: 1",
                       "Accept-Encoding: br", "X-Schultor-Client-Range: bytes=0-1")
        asked = self.origin.last(page)
        self.assertEqual(asked.line, "GET /asked?a=%2F..%2f&b=/../x HTTP/1.1")
        self.assertEqual(asked.headers, {"host": "inhalte.test", "range": f"bytes=0-{SLICE - 1}", "accept-encoding": "br", "via": "1.1 schultor"})

    def test_what_is_never_stored_is_fetched_once_and_handed_out_in_the_other_way(self):
        for name, lines in {"private": ["Cache-Control: private, max-age=60"], "no-store": ["Cache-Control: no-store"], "cookie": [FRESH, "Set-Cookie: a=b"],
                            "vary": [FRESH, "Vary: *"], "pointless": ["X-A: b"], "quoted": ['Cache-Control: max-age=60, x="y, no-store']}.items():
            with self.subTest(name):
                page = self.page(f"/{name}", said(response(b"octets", *lines), True))
                answer = self.hop.store(page)
                self.assertEqual((answer.status, answer.body, answer.get("X-Accel-Expires")), (598, b"", "60"))
                token = f"X-Schultor-Parked: {answer.get('X-Schultor-Parked')}"
                handed = self.hop.direct(page, token)
                self.assertEqual((handed.status, handed.body, handed.get("X-Accel-Expires")), (200, b"octets", None))
                self.assertEqual(self.origin.count(page), 1)
                self.assertEqual(self.hop.direct(page, token).body, b"octets")
                self.assertEqual(self.origin.count(page), 2, "a token is good for once")

    def test_a_token_is_good_for_its_own_url_alone(self):
        page = self.page("/own", said(response(b"mine", "Cache-Control: no-store"), True))
        other = self.page("/other", said(response(b"theirs", "Cache-Control: no-store"), True))
        token = f"X-Schultor-Parked: {self.hop.store(page).get('X-Schultor-Parked')}"
        self.assertEqual(self.hop.direct(other, token).body, b"theirs")
        self.assertEqual(self.hop.direct(page, token, host="six.test").body, b"mine")
        self.assertEqual(self.origin.count(page), 2)
        self.assertEqual(self.hop.direct(page, token).body, b"mine")
        self.assertEqual(self.origin.count(page), 2)

    def test_a_part_of_what_is_not_stored_is_handed_out_as_what_was_asked_for(self):
        small = self.page("/small", sliced(b"0123456789", "Cache-Control: no-store", 'ETag: "a"'))
        token = lambda page: f"X-Schultor-Parked: {self.hop.store(page).get('X-Schultor-Parked')}"  # noqa: E731
        answer = self.hop.direct(small, token(small))
        self.assertEqual((answer.status, answer.body, answer.get("Content-Range"), self.origin.count(small)), (200, b"0123456789", None, 1))
        answer = self.hop.direct(small, token(small), "Range: bytes=2-3")
        self.assertEqual((answer.status, answer.body, answer.get("Content-Range")), (206, b"23", "bytes 2-3/10"))
        large = self.page("/large", sliced(OCTETS, "Cache-Control: no-store", 'ETag: "a"'))
        answer = self.hop.direct(large, token(large))
        self.assertEqual((answer.status, answer.body == OCTETS), (200, True))

    def test_credentials_are_the_request_s_own_reason(self):
        page = self.page("/login", said(response(b"x", FRESH), True))
        for line in ("Authorization: Basic eDp5", "Cookie: a=b"):
            answer = self.hop.store(page, line)
            self.assertEqual((answer.status, answer.get("X-Accel-Expires")), (598, "0"))
        page = self.page("/public", said(response(b"x", "Cache-Control: public, max-age=60"), True))
        self.assertEqual(self.hop.store(page, "Cookie: a=b").status, 200)
        self.assertEqual(self.origin.last(page).headers["cookie"], "a=b")

    def test_rules_of_paths_and_sizes_hold(self):
        self.assertEqual(self.hop.store(self.page("/never/x", said(response(b"x", FRESH)))).status, 598)
        self.fresh_for(self.hop.store(self.page("/usual/x", said(response(b"x")))), 600)
        page = self.page("/size", sliced(b"x" * 1001, FRESH, 'ETag: "a"'))
        self.assertEqual(self.hop.store(page, host="klein.test").status, 598)
        self.assertEqual(self.hop.store(page, host="inhalte.test").status, 206)

    # Slices.

    def test_slices_without_a_strong_tag_get_one_and_are_validated_by_what_the_origin_knows(self):
        page = self.page("/dated", sliced(OCTETS, MODIFIED, FRESH))
        tags = {self.hop.store(page, slice=number).get("ETag") for number in range(3)}
        self.assertEqual(len(tags), 1)
        tag = tags.pop()
        self.assertTrue(tag.startswith('"'))
        self.page("/dated", said(response(status="304 Not Modified").replace(b"Content-Length: 0\r\n", b"Cache-Control: max-age=60\r\n"), True))
        answer = self.hop.store(page, f"If-None-Match: {tag}")
        self.assertEqual(answer.status, 304)
        self.fresh_for(answer, 60)
        asked = self.origin.last(page).headers
        self.assertEqual((asked.get("if-none-match"), asked["if-modified-since"]), (None, "Thu, 26 Nov 2020 08:00:00 GMT"))

    def test_slices_that_nothing_holds_together_are_asked_for_as_a_whole(self):
        for name, lines in {"tagless": [FRESH], "weak": [FRESH, 'ETag: W/"a"'], "new": [FRESH, "Last-Modified: Thu, 26 Nov 2099 08:00:00 GMT"]}.items():
            with self.subTest(name):
                answer = self.hop.store(self.page(f"/{name}", sliced(OCTETS, *lines)))
                self.assertEqual((answer.status, answer.body == OCTETS), (200, True))

    def test_a_part_that_was_not_asked_for_is_not_handed_on(self):
        for name, line in {"shifted": f"Content-Range: bytes 1-4/{len(OCTETS)}", "short": f"Content-Range: bytes 0-3/{len(OCTETS)}", "starred": "Content-Range: bytes 0-3/*",
                           "nameless": "X-A: b", "wrong": "Content-Range: bytes 0-4/5"}.items():
            with self.subTest(name):
                def page(connection, asked, line=line):
                    if "range" in asked.headers:
                        connection.sendall(response(b"abcd", line, FRESH, 'ETag: "a"', status="206 Partial Content"))
                    else:
                        connection.sendall(response(b"all", FRESH))
                answer = self.hop.store(self.page(f"/{name}", page))
                self.assertEqual((answer.status, answer.body), (200, b"all"))
        always = self.page("/always", said(response(b"abcd", "Content-Range: bytes 1-4/9", FRESH, status="206 Partial Content")))
        self.closed(self.hop.store(always))
        self.assertEqual(self.origin.count(always), 2)

    def test_an_empty_file_is_empty_and_a_range_behind_the_end_is_told(self):
        empty = self.page("/empty", sliced(b"", FRESH))
        answer = self.hop.store(empty)
        self.assertEqual((answer.status, answer.body, answer.whole), (200, b"", True))
        behind = self.page("/behind", sliced(b"abc", FRESH, 'ETag: "a"'))
        answer = self.hop.store(behind, slice=1)
        self.assertEqual(answer.status, 598)
        answer = self.hop.direct(behind, f"X-Schultor-Parked: {answer.get('X-Schultor-Parked')}", f"Range: bytes={SLICE + 7}-")
        self.assertEqual((answer.status, answer.get("Content-Range"), self.origin.count(behind)), (416, "bytes */3", 1))

    def test_a_tag_that_changes_in_mid_file_is_seen_by_the_engine(self):
        page = self.page("/changing", sliced(OCTETS, FRESH, 'ETag: "one"'))
        self.assertEqual(self.hop.store(page).get("ETag"), '"one"')
        self.page("/changing", sliced(OCTETS[1:], FRESH, 'ETag: "two"'))
        self.assertEqual(self.hop.store(page, slice=1).get("ETag"), '"two"')

    # Origins that misbehave.

    def test_a_body_that_is_cut_short_is_never_handed_on_as_whole(self):
        chunk = b"4\r\nabcd\r\n"
        for name, octets in {"length": response(b"abcd", FRESH, length=9), "chunks": response(b"", FRESH, "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"") + chunk,
                             "part": response(b"abcd", FRESH, 'ETag: "a"', "Content-Range: bytes 0-8/9", status="206 Partial Content", length=9)}.items():
            for way in (self.hop.store, self.hop.direct):
                with self.subTest(name, way=way):
                    answer = way(self.page(f"/cut-{name}", said(octets)))
                    self.assertFalse(answer.whole, answer)

    def test_what_comes_behind_the_told_length_is_left_out(self):
        answer = self.hop.store(self.page("/more", said(response(b"abcdefgh", FRESH, length=4))))
        self.assertEqual((answer.body, answer.whole), (b"abcd", True))
        self.closed(self.hop.store(self.page("/two", said(response(b"abcd", FRESH, "Content-Length: 3")))))

    def test_an_origin_that_closes_without_an_answer_is_none(self):
        for octets in (b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n"):
            self.closed(self.hop.store(self.page("/closes", said(octets))))
            self.closed(self.hop.direct("/closes"))

    def test_interim_responses_are_dropped(self):
        octets = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\nCache-Control: no-store\r\n\r\n" + response(b"x", FRESH)
        answer = self.hop.store(self.page("/interim", said(octets)))
        self.assertEqual((answer.status, answer.body, answer.get("Link")), (200, b"x", None))

    def test_a_body_without_an_end_of_its_own_is_not_stored(self):
        head = f"HTTP/1.0 200 OK\r\nDate: {formatdate(usegmt=True)}\r\n{FRESH}\r\n\r\n".encode()
        answer = self.hop.store(self.page("/old", said(head + b"octets")))
        self.assertEqual(answer.status, 598)
        answer = self.hop.direct("/old", f"X-Schultor-Parked: {answer.get('X-Schultor-Parked')}")
        self.assertEqual((answer.status, answer.body, answer.whole, self.origin.count("/old")), (200, b"octets", True, 1))

    def test_who_drips_or_says_nothing_is_given_up(self):
        over = threading.Event()
        self.addCleanup(over.set)

        def drip(connection, _):
            connection.sendall(response(b"", FRESH, length=15))
            for _ in range(15):
                over.wait(1)
                connection.sendall(b"x")
        self.assertFalse(self.hop.store(self.page("/drips", drip)).whole)
        self.closed(self.hop.store(self.page("/silent", lambda *_: over.wait(DEADLINE))))

    def test_endless_header_sections_end(self):
        sent = {"fields": 0, "one": 0, "interim": 0}

        def endless(name, begin, octets):
            def page(connection, _):
                connection.sendall(begin)
                while True:
                    connection.sendall(octets)
                    sent[name] += len(octets)
            return page
        before = self.hop.memory()
        self.closed(self.hop.store(self.page("/fields", endless("fields", b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"b" * 1000 + b"\r\n"))))
        self.closed(self.hop.store(self.page("/one", endless("one", b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 1000))))
        self.closed(self.hop.store(self.page("/interims", endless("interim", b"", b"HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n"))))
        self.assertLess(max(sent.values()), 32 << 20, "it is the buffers of sockets that were filled")
        self.assertLess(self.hop.memory() - before, 32 << 20)

    def test_fields_that_are_none_keep_a_response_from_being_stored(self):
        answer = self.hop.store(self.page("/malformed", said(response(b"x", FRESH, "Cache-Control : no-store"))))
        self.assertEqual(answer.status, 598)

    def test_trouble_of_an_origin_is_its_absence_where_the_engine_has_something(self):
        page = self.page("/trouble", said(response(b"sorry", status="503 Service Unavailable"), True))
        self.closed(self.hop.store(page, "X-Schultor-Cache: EXPIRED"))
        self.closed(self.hop.store(page, 'If-None-Match: "a"'))
        answer = self.hop.store(page, "X-Schultor-Cache: MISS")
        self.assertEqual(answer.status, 598)
        answer = self.hop.direct(page, f"X-Schultor-Parked: {answer.get('X-Schultor-Parked')}")
        self.assertEqual((answer.status, answer.body), (503, b"sorry"))

    def test_redirects_are_told_not_followed(self):
        page = self.page("/away", said(response(b"", f"Location: http://{PRIVATE}/secret", FRESH, status="302 Found")))
        answer = self.hop.store(page)
        self.assertEqual((answer.status, answer.get("Location")), (302, f"http://{PRIVATE}/secret"))
        self.assertEqual(self.private.connections, 0)

    def test_content_codings_are_the_client_s(self):
        octets = gzip.compress(b"text" * 1000)
        answer = self.hop.store(self.page("/gzip", said(response(octets, FRESH, "Content-Encoding: gzip", "Vary: Accept-Encoding"))), "Accept-Encoding: gzip")
        self.assertEqual((answer.body, answer.get("Content-Encoding")), (octets, "gzip"))

    # Where origins are.

    def test_no_origin_is_looked_for_inside(self):
        self.page("/where", said(response(b"x", FRESH)))
        self.closed(self.hop.store("/where", host="inside.test"))
        self.assertEqual(self.hop.store("/where", host="rebinding.test").body, b"x")
        self.assertEqual(self.private.connections, 0)

    def test_names_are_followed_over_ipv6_and_past_an_address_that_is_dead(self):
        self.page("/six", said(response(b"x", FRESH)))
        for host, to in (("six.test", ORIGIN6), ("alias.test", ORIGIN6), ("half.test", ORIGIN)):
            self.assertEqual(self.hop.store("/six", host=host).body, b"x")
            self.assertEqual(self.origin.last("/six").to, to)

    def test_a_name_is_asked_for_once_for_its_time(self):
        self.page("/once", said(response(b"x", FRESH)))
        for _ in range(5):
            self.assertEqual(self.hop.store("/once", host="half.test").status, 200)
        self.assertLessEqual(self.resolver.asked.count("half.test"), 2)

    def test_hosts_that_are_no_origin_s_and_nonsense_are_refused(self):
        for host in ("strange.test", "inhalte.test.", ORIGIN):
            self.assertEqual(self.hop.direct("/x", host=host).status, 421, host)
        self.assertEqual(self.hop.direct("/x", "X-Schultor-Scheme: https", host="klein.test").status, 421)
        self.assertEqual(self.hop.direct("/x", "X-Schultor-Scheme: ftp").status, 400)
        self.assertEqual(self.hop.request("GET", "http://inhalte.test/x").status, 400)
        self.assertEqual(self.hop.store("/x", "Range: bytes=5-", slice=None).status, 400)

    # Both ends.

    def test_bodies_of_requests_are_streamed(self):
        def echo(connection, asked):
            connection.sendall(response(asked.body, f"X-Method: {asked.line.split()[0]}", f"X-Length: {asked.headers.get('content-length')}"))
        page = self.page("/post", echo)
        answer = self.hop.request("POST", page, f"Content-Length: {len(OCTETS)}", body=OCTETS)
        self.assertEqual((answer.status, answer.body == OCTETS, answer.get("X-Length"), answer.get("X-Method")), (200, True, str(len(OCTETS)), "POST"))
        chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (OCTETS[:70000], OCTETS[70000:150000])) + b"0\r\n\r\n"
        answer = self.hop.request("PUT", page, "Transfer-Encoding: chunked", body=chunked)
        self.assertEqual((answer.body == OCTETS[:150000], answer.get("X-Method")), (True, "PUT"))
        self.assertEqual(self.hop.request("DELETE", page).get("X-Method"), "DELETE")

    def test_head_is_answered_with_the_length_alone(self):
        page = self.page("/head", lambda connection, asked: connection.sendall(response(b"", length=12345)))
        answer = self.hop.request("HEAD", page)
        self.assertEqual((answer.status, answer.get("Content-Length")), (200, "12345"))

    def test_who_reads_slowly_is_waited_for_and_holds_up_nobody(self):
        sent = 0

        def endless(connection, _):
            nonlocal sent
            connection.sendall(response(b"", length=1 << 40))
            while True:
                connection.sendall(OCTETS[:1 << 16])
                sent += 1 << 16
        page = self.page("/slowly", endless)
        quick = self.page("/quick", said(response(b"x", FRESH), True))
        before = self.hop.memory()
        clients = [self.enterContext(self.hop.connect()) for _ in range(8)]
        for client in clients:
            client.sendall(self.hop.text("GET", page))
            self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200"))
        for _ in range(50):
            self.assertEqual(self.hop.store(quick).status, 200)
        self.assertLess(sent, 8 * (16 << 20))
        self.assertLess(self.hop.memory() - before, 32 << 20)
        # It goes on where it stood.
        with clients[0].makefile("rb") as stream:
            self.assertEqual(len(stream.read(4 << 20)), 4 << 20)

    def test_one_connection_carries_many_requests(self):
        page = self.page("/many", sliced(OCTETS, FRESH, 'ETag: "a"'))
        before = self.origin.connections
        with self.hop.connect() as client, client.makefile("rb") as stream:
            for number in (0, 2, 2, 2):
                client.sendall(self.hop.text("GET", page, "X-Schultor-Store: 1", f"Range: bytes={number * SLICE}-{(number + 1) * SLICE - 1}"))
                answer = read_response(stream)
                self.assertEqual((answer.status, answer.whole), (206, True))
        self.assertLessEqual(self.origin.connections - before, 1)

    def test_rules_change_under_a_transfer_and_a_socket_that_was_left_is_taken(self):
        going = threading.Event()
        self.addCleanup(going.set)

        def page(connection, _):
            connection.sendall(response(b"", FRESH, length=8) + b"abcd")
            going.wait(DEADLINE)
            connection.sendall(b"efgh")
        path = self.page("/going", page)
        with self.hop.connect() as client, client.makefile("rb") as stream:
            client.sendall(self.hop.text("GET", path, "X-Schultor-Store: 1"))
            self.assertTrue(client.recv(9, socket.MSG_PEEK).startswith(b"HTTP/1.1"))
            self.hop.write_rules(self.origins[1:])
            self.hop.process.send_signal(signal.SIGHUP)
            self.hop.until(lambda: self.hop.direct("/quick").status == 421)
            going.set()
            answer = read_response(stream)
            self.assertEqual((answer.body, answer.whole), (b"abcdefgh", True))
        self.hop.write_rules(self.origins)
        self.hop.stop(signal.SIGKILL)
        self.hop.start()
        self.assertEqual(self.hop.store(self.page("/quick", said(response(b"x", FRESH)))).status, 200)


if __name__ == "__main__":
    enter_own_network([ORIGIN, ORIGIN6, PRIVATE, PRIVATE6])
    unittest.main(verbosity=2)
