#!/usr/bin/env python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What the content cache costs and spares, in a school of the lab:

  hit       CPU of a request that is answered by what is stored, beside nginx with the same files on its disk (the floor), Squid and
            Apache Traffic Server (tools/packages install bench)
  cold      200 tablets open the same 50 MB that nobody has opened before, over a line of 5 MB/s
  kill      nginx and the hop are killed in mid-fill
  memory    of nginx and the hop with 1,500 connections
  suite     the public suite for HTTP caches, through the whole gateway: --suite DIR, a checkout of http-tests/cache-tests, and node(1)

Ratios are medians of alternating rounds; CPU time is the figure to trust. Without a name all but `suite` are run.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).resolve().parents[2] / "tests" / "system"), str(Path(__file__).resolve().parent)]

from cache import servers, suite  # noqa: E402
from cache.classroom import fetch_together  # noqa: E402
from lib.counted_origin import Origin, context_of, octets  # noqa: E402
from lib.school import DEFAULT_CONFIG, GATEWAY4, School, cannot_run_here, internet4, tablet_mac  # noqa: E402

HOST, CONTENT = servers.HOST, internet4(40)
SMALL, LARGE = "/16384/k", "/8388608/g"
MOST_OF_FLOOR = 1.15


def school_of(tablets: int, fresh: str = "") -> School:
    """`fresh`: for how long answers count as fresh that say nothing of that."""
    city = (DEFAULT_CONFIG / "city.toml").read_text() + (f'[[origin.path]]\npath  = "/"\nfresh = "{fresh}"\n' if fresh else "")
    roster = "mac,group\n" + "".join(f"{tablet_mac(number)},3b\n" for number in range(1, tablets + 1))
    return School(at="2026-11-23 10:00", tablets=tablets, config={"roster.csv": roster, "city.toml": city}, cache=True)


def begin_origin(school: School, rate: float = 0) -> Origin:
    """In place of the lab's web server."""
    school.stop("web")
    return Origin([school.server("internet", CONTENT, 80)], [school.server("internet", CONTENT, 443)], context_of(school), rate)


def engine(school: School) -> servers.Server:
    return servers.of_process("schultor", 8080, 8443, int((school.directory / "parts" / "cache").read_text().split()[0]), 3)


def curl(school: School, *words: str) -> str:
    return school.exec("gateway", "curl", "-sk", *words).stdout


def load(school: School, server: servers.Server, tls: bool, path: str, connections: int) -> float:
    """CPU of the server, µs a request."""
    scheme, port = ("https", server.tls) if tls else ("http", server.http)
    before = server.cpu_us()
    done = school.exec("gateway", "taskset", "-c", "0", "wrk", "-t1", f"-c{connections}", "-d1s", "-H", f"Host: {HOST}",
                       f"{scheme}://{HOST if tls else '127.0.0.1'}:{port}{path}")
    requests = int(re.search(r"(\d+) requests in", done.stdout)[1])
    if "Non-2xx" in done.stdout or requests == 0:
        raise SystemExit(f"{server.name} does not answer {path}:\n{done.stdout}{done.stderr}")
    return (server.cpu_us() - before) / requests


def hit(rounds: int) -> None:
    with school_of(4) as school, tempfile.TemporaryDirectory(prefix="schultor-bench-") as directory:
        Path(directory).chmod(0o755)
        origin = begin_origin(school)
        files = {path: octets(0, int(path.split("/")[1])) for path in (SMALL, LARGE)}
        certificate = school.directory / "certificates" / f"{HOST}.pem"
        places = {name: Path(directory, name) for name in ("floor", "squid", "ats")}
        for place in places.values():
            place.mkdir()
        all_servers = [servers.start_floor(school, places["floor"], files, certificate), engine(school)]
        for program, start, place in (("squid", servers.start_squid, "squid"), ("traffic_server", servers.start_traffic_server, "ats")):
            if subprocess.run(["which", program], stdout=subprocess.DEVNULL, check=False).returncode == 0:
                all_servers.append(start(school, places[place]))
            else:
                print(f"{program} is left out (tools/packages install bench)")
        # wrk takes names from the resolver alone.
        hosts = f"127.0.0.1 {HOST}\n"
        (Path("/etc/netns") / school.namespace("gateway") / "hosts").write_text(hosts)
        for path, connections in ((SMALL, 16), (LARGE, 8)):
            for tls in (False, True):
                contenders = [server for server in all_servers if not tls or server.tls]
                for server in contenders:
                    load(school, server, tls, path, connections)
                values = {server.name: [] for server in contenders}
                for number in range(rounds):
                    for server in contenders[number % len(contenders):] + contenders[:number % len(contenders)]:
                        values[server.name].append(load(school, server, tls, path, connections))
                print(f"\nhit, {'16 kB' if path == SMALL else '8 MB'} by {'TLS' if tls else 'HTTP'}")
                for server in contenders:
                    ratio = statistics.median(a / b for a, b in zip(values[server.name], values[contenders[0].name]))
                    cpu = statistics.median(values[server.name])
                    print(f"{server.name:>24}  {cpu:>9.1f} µs CPU a request" + (f"  {cpu / 8.388608:>7.1f} ms/GB" if path == LARGE else "") +
                          f"  {ratio:.2f}× of the floor" +
                          ("" if server.name != "schultor" else f"  (at most {MOST_OF_FLOOR}: {'holds' if ratio <= MOST_OF_FLOOR else 'does not hold'})"))
        print(f"\nthe origin was asked {len(origin.requests)} times in all of this")
        origin.close()


def cold(tablets: int) -> None:
    size, rate = 50_000_000, 5_000_000
    with school_of(tablets) as school:
        origin = begin_origin(school, rate)
        outcome = fetch_together(school, list(range(1, tablets + 1)), GATEWAY4, HOST, f"/{size}/kalt", 120)
        ideal = size / rate
        print(f"\ncold, {tablets} tablets: {outcome.complete} complete; {len(origin.requests)} fetches (12), {origin.sent / 1e6:.1f} MB from the origin "
              f"(50), first octet p50 {outcome.first_octet_p50:.2f} s (1.5), done after {outcome.seconds:.1f} s, {outcome.seconds / ideal:.2f}× of the ideal "
              f"{ideal:.0f} s (1.15)")
        if outcome.complete != tablets or len(origin.requests) != 12 or origin.sent != size:
            raise SystemExit("a slice was fetched more than once, or a tablet got less than the file")
        origin.close()


def kill(rounds: int) -> None:
    size, rate = 50_000_000, 25_000_000
    slices = -(-size // (4 << 20))
    with school_of(2) as school:
        origin = begin_origin(school, rate)
        for number in range(rounds):
            for part in ("cache", "origin"):
                origin.forget()
                path = f"/{size}/{part}{number}"
                fetch_together(school, [1], GATEWAY4, HOST, path, 0.3 + 0.13 * (number % 10))
                school.kill(part)
                school.lab("restart", part)
                stored = sum(1 for file in (school.directory / "stored").rglob("*") if file.is_file() and len(file.name) == 32 and
                             f"{path}#".encode() in file.read_bytes()[:1024])
                origin.forget()
                got = curl(school, "--max-time", "60", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", "-H", f"Host: {HOST}", f"http://127.0.0.1:8080{path}")
                if got != f"200 {size}" or len(origin.requests) != slices - stored:
                    raise SystemExit(f"{part} killed: {got}; {stored} of {slices} slices were stored, {len(origin.requests)} fetched again")
                wrong = compare(school, path, size)
                if wrong is not None:
                    raise SystemExit(f"{part} killed: octet {wrong} is wrong")
        print(f"\nkill, {rounds} rounds each of nginx and the hop in mid-fill: only missing slices fetched again, every octet right")
        origin.close()


def compare(school: School, path: str, size: int) -> int | None:
    """The first octet of the stored file that is another one than the origin's."""
    with tempfile.NamedTemporaryFile() as file:
        curl(school, "-o", file.name, "-H", f"Host: {HOST}", f"http://127.0.0.1:8080{path}")
        got, wanted = Path(file.name).read_bytes(), octets(0, size)
    if got == wanted:
        return None
    return next((at for at, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))


def memory(connections: int) -> None:
    with school_of(2) as school:
        origin = begin_origin(school)
        hop = servers.Server("hop", 0, None, servers.children(int((school.directory / "parts" / "origin").read_text().split()[0])))
        server = engine(school)
        idle = server.memory_kb() + hop.memory_kb()
        for path in (SMALL, LARGE):
            load(school, server, False, path, 1)
        running = school.popen("gateway", "wrk", "-t1", f"-c{connections}", "-d6s", "-H", f"Host: {HOST}", f"http://127.0.0.1:8080{LARGE}",
                               stdout=subprocess.PIPE, text=True)
        most = 0
        while running.poll() is None:
            most = max(most, server.memory_kb() + hop.memory_kb())
        print(f"\nmemory of nginx and the hop: {idle / 1000:.0f} MB idle, at most {most / 1000:.0f} MB with {connections} connections (below 120)")
        origin.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["hit", "cold", "kill", "memory", "suite"])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--suite", type=Path)
    arguments = parser.parse_args()
    if reason := cannot_run_here():
        print(f"skipped: {reason}")
        sys.exit(77)
    quick = arguments.rounds == 1
    parts = {"hit": lambda: hit(arguments.rounds), "cold": lambda: cold(20 if quick else 200), "kill": lambda: kill(arguments.rounds),
             "memory": lambda: memory(50 if quick else 1500), "suite": lambda: suite.run(school_of(2, "1m"), arguments.suite)}
    if arguments.part:
        parts[arguments.part]()
        return
    for name, part in parts.items():
        if name != "suite" or arguments.suite:
            part()


if __name__ == "__main__":
    main()
