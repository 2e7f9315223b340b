#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A school that anything may happen to, in an order that a seed decides, while its tablets are at work.

After each step, and all the time between two steps, is looked at: the cloud answers on every tablet and its connections are never cut;
nothing comes through that is forbidden at that moment; what is allowed goes on, and a name that was just resolved can be connected to;
the ruleset is what it must be and other people's tables are theirs; the city hears of every event once; no log has an error that the
step does not explain; no process grows."""

import argparse
import collections
import json
import random
import signal
import socket
import sys
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[0:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from lib import dns  # noqa: E402
from lib.school import GATEWAY4, GATEWAY6, School, cannot_run_here, wait_for  # noqa: E402
from model import CLOUD, SITES, Configuration, Model, Site, Verdict, one_of_many  # noqa: E402
from schoollab.names import MANY  # noqa: E402
from steps import Steps  # noqa: E402
from traffic import TCP, UDP, Flow, Traffic  # noqa: E402
from watch import City, Logs, Processes  # noqa: E402

DEADLINE = 30.0  # seconds for whatever must come: machines that run this are busy
SILENT_BEATS = 3  # so often both ends of a forbidden flow have spoken before it counts as silent
CITY_EVERY = 25  # steps after which the city must have heard of all so far
LAST_STEPS = 12
START = "2026-11-23 09:00:00"
TABLETS = {1: "3b", 2: "3b", 5: "byod", 7: "lehrkraefte", 9: "gaeste"}


class Broken(Exception):
    """Something does not hold."""


class Soak:
    def __init__(self, school: School, seed: int):
        self.school, self.random = school, random.Random(seed)
        # What is looked at, and in which order, must not change what happens next.
        self.sampling = random.Random(seed + 1)
        self.tablets = sorted(TABLETS)
        self.expected: list = []
        self.longest: collections.Counter = collections.Counter()
        self.phase = 0
        configuration = Configuration({number: group for number, group in TABLETS.items() if group != "gaeste"})
        configuration.write(school.directory / "config")
        reloaded = school.reload()
        if reloaded.returncode != 0:
            raise Broken(reloaded.stderr)
        self.model = Model(configuration, 0)
        self.steps = Steps(self)
        self.steps.begin()
        self.model.set_clock(self.steps.now())
        self.traffic, self.logs, self.processes = Traffic(school), Logs(school), Processes(school)
        self.city = City(school, self.json("events"))
        self.traffic.start()

    # The daemon's word.

    def json(self, *words: str):
        return json.loads(self.school.ctl("--json", *words).stdout)

    def profiles(self) -> dict[str, str]:
        return {group["name"]: group["profile"] for group in self.json("status")["groups"]}

    def expect(self, wanted) -> None:
        """That an event for which wanted(event) holds is listed after this step."""
        self.expected.append(wanted)

    # What must hold.

    def warm_up(self) -> None:
        """Until the cloud's addresses are kept for a start of the machine: only then no loss of the ruleset closes them."""
        self.look()
        kept = self.school.directory / "state" / "cloud_pins"
        wait_for(lambda: kept.exists() and all(CLOUD.address(family) in kept.read_text() for family in (4, 6)), what="the cloud's pins on disk")

    def look(self) -> None:
        """One settled phase: what is in force now is held against what the model says, and everything is asked and tried."""
        self.phase += 1
        model, traffic = self.model, self.traffic
        profiles = {tablet: model.profile_of(tablet) for tablet in self.tablets}
        verdicts = {flow: model.address(profiles[flow.tablet], flow.site, flow.family) for flow in traffic.flows.values()}
        for flow, verdict in verdicts.items():
            # It was admitted under what holds: it needs no pin any more.
            if verdict == Verdict.EITHER and flow.profile == profiles[flow.tablet] and (flow.profile, flow.site.zone) not in model.lingering:
                verdicts[flow] = Verdict.OPEN
        traffic.settle(self.phase, {flow.number for flow, verdict in verdicts.items() if verdict == Verdict.CLOSED})
        try:
            if "schultord" not in model.dead:
                self.ask_daemon()
            for flow, verdict in verdicts.items():
                self.look_at(flow, verdict, profiles[flow.tablet])
            for flow in [flow for tablet in self.tablets for flow in self.use(tablet, profiles[tablet])]:
                self.keep(flow, profiles[flow.tablet])
            self.hold(traffic.violations)
            if traffic.crashed:
                raise Broken(f"the traffic ended: {traffic.crashed}")
        finally:
            traffic.unsettle()
        self.hold(self.city.faults())
        silent = ["<3>The resolver is silent"] if "resolver" in model.dead or not model.line else []
        self.hold(self.logs.faults([*self.steps.explained, *silent]))
        if (found := self.steps.list_foreign()) != self.steps.foreign:
            raise Broken(f"a table of somebody else's was {self.steps.foreign} and is {found}")
        self.processes.sample()
        self.hold(self.processes.faults())

    @staticmethod
    def hold(faults: list[str]) -> None:
        if faults:
            raise Broken("\n".join(faults))

    def ask_daemon(self) -> None:
        if not self.model.agrees(told := self.profiles()):
            raise Broken(f"schultord says {told}, the model {self.model.holding}; overrides {[str(one) for one in self.model.overrides]}")
        verified = self.school.ctl("--json", "verify", check=False)
        if verified.returncode != 0:
            raise Broken(f"schultorctl verify: {verified.stdout}{verified.stderr}")
        events = self.json("events")
        self.city.listed(events)
        for wanted in self.expected:
            if not any(wanted(event) for event in events):
                raise Broken(f"an event is missing that the step must have brought; the latest: {events[-4:]}")
        self.expected.clear()

    def look_at(self, flow: Flow, verdict: Verdict, profile: str) -> None:
        """A connection that is held."""
        traffic = self.traffic
        excused, flow.excused = flow.excused, False
        if verdict == Verdict.OPEN:
            if flow.broken and excused:
                traffic.close(flow)
            elif self.model.line:
                self.await_alive(flow)
                flow.profile = profile
            elif flow.broken:
                raise Broken(f"{flow} was cut: {flow.broken}")
        elif verdict == Verdict.EITHER:
            if flow.broken or (flow.kind == TCP and self.model.line):
                traffic.close(flow)
        elif flow.kind == TCP and self.model.line:
            self.wait(lambda: flow.broken, f"the end of {flow}, which {profile} forbids", "forbidden connections to end")
            traffic.close(flow)
        else:
            beats = traffic.beats
            self.wait(lambda: traffic.beats >= beats + SILENT_BEATS, "beats", "beats")
            # While the line is down it may or may not have got its reset.
            flow.profile, flow.excused = "", True

    def await_alive(self, flow: Flow) -> None:
        def both_ways():
            if flow.broken:
                raise Broken(f"{flow} was cut: {flow.broken}")
            return min(flow.heard.values()) == self.phase
        self.wait(both_ways, f"word from both ends of {flow}", "connections to go on")

    def wait(self, predicate, what: str, kind: str) -> None:
        begun = time.monotonic()
        try:
            # After a break of the line a sender waits for as long again as it lasted, at most (RFC 6298).
            wait_for(predicate, DEADLINE + self.steps.last_outage, what)
        except TimeoutError as error:
            raise Broken(str(error)) from error
        self.longest[kind] = max(self.longest[kind], time.monotonic() - begun)

    def use(self, tablet: int, profile: str) -> list[Flow]:
        """As somebody in front of it does: asks for names and goes there. What is new is to be looked at by keep()."""
        new = []
        for site, family in ((CLOUD, 4), (CLOUD, 6), *((site, self.sampling.choice((4, 6))) for site in SITES if site is not CLOUD)):
            if "dns" not in self.model.dead:
                self.ask(tablet, profile, site, family)
            new += self.go(tablet, profile, site, family)
        if not self.model.dead & {"dns", "schultord"}:
            self.ask(tablet, profile, one_of_many(self.sampling.randrange(MANY)), 6)
        return new

    def ask(self, tablet: int, profile: str, site: Site, family: int) -> None:
        verdict = self.model.name(profile, site)
        # Names that nobody has asked for just now want a resolver, and pins that do not live want schultord.
        must = self.model.line and "resolver" not in self.model.dead and (
            "schultord" not in self.model.dead or self.model.address(profile, site, family) == Verdict.OPEN)
        type, server = (dns.AAAA if family == 6 else dns.A), self.sampling.choice((GATEWAY4, GATEWAY6))
        begun = time.monotonic()
        while True:
            try:
                with self.school.inside(f"tablet{tablet}"):
                    client = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, UDP)
                with client:
                    answer = dns.ask_udp(client, server, site.name, type, seconds=2 if must else 0.5)
                addresses, rcode = answer.addresses, answer.rcode
            except OSError as error:
                addresses, rcode = [], repr(error)
            if addresses and verdict == Verdict.CLOSED:
                raise Broken(f"tablet{tablet} in {profile} is told {addresses} for {site.name}")
            if addresses:
                if addresses != [site.address(family)]:
                    raise Broken(f"tablet{tablet} is told {addresses} for {site.name}")
                self.longest["answers"] = max(self.longest["answers"], time.monotonic() - begun)
                return self.model.resolved(site, family)
            if verdict == Verdict.CLOSED and rcode == dns.NXDOMAIN or not must:
                return
            if time.monotonic() > begun + DEADLINE:
                raise Broken(f"tablet{tablet} in {profile} gets no answer for {site.name}: {rcode}")

    def go(self, tablet: int, profile: str, site: Site, family: int) -> list[Flow]:
        """A new connection, and datagrams where none are sent yet."""
        verdict = self.model.address(profile, site, family)
        if not self.model.line or verdict == Verdict.EITHER:
            return []
        begun = time.monotonic()
        try:
            flow = self.traffic.open(tablet, site, family, TCP, DEADLINE)
        except ConnectionRefusedError as error:
            if verdict == Verdict.OPEN:
                raise Broken(f"tablet{tablet} in {profile} is refused at {site.name} over TCP{family}") from error
            return []
        except OSError as error:
            raise Broken(f"tablet{tablet} in {profile} at {site.name} over TCP{family}: {error!r}") from error
        if verdict == Verdict.CLOSED:
            raise Broken(f"tablet{tablet} in {profile} is connected to {site.name} over TCP{family}")
        self.longest["new connections"] = max(self.longest["new connections"], time.monotonic() - begun)
        if any(self.same(one, flow, UDP) for one in self.traffic.flows.values()):
            return [flow]
        return [flow, self.traffic.open(tablet, site, family, UDP, DEADLINE)]

    @staticmethod
    def same(one: Flow, other: Flow, kind: int) -> bool:
        return one is not other and (one.tablet, one.site, one.family, one.kind) == (other.tablet, other.site, other.family, kind)

    def keep(self, flow: Flow, profile: str) -> None:
        """Of each kind one is held, most often the first."""
        self.await_alive(flow)
        flow.profile = profile
        earlier = [one for one in self.traffic.flows.values() if self.same(one, flow, flow.kind)]
        if earlier:
            self.traffic.close(flow if self.sampling.random() < 0.8 else earlier[0])

    def excuse(self, which) -> None:
        """Connections for which which(flow) holds may be cut by this step."""
        for flow in list(self.traffic.flows.values()):
            flow.excused = flow.excused or which(flow)

    def forget_datagrams(self, tablet: int) -> None:
        """A server's datagrams to a tablet that was moved go on under the old group (ARCHITECTURE.md, known limits)."""
        for flow in [flow for flow in self.traffic.flows.values() if flow.tablet == tablet and flow.kind == UDP and flow.site is not CLOUD]:
            self.traffic.close(flow)

    def finish(self) -> None:
        """All is there again, and all has been told."""
        if not self.model.line:
            self.steps.plug()
        for part in sorted(self.model.dead, reverse=True):
            self.steps.revive(part)
        self.look()
        self.hold(self.city.wait_for_all())


def run(arguments: argparse.Namespace, school: School) -> None:
    soak = Soak(school, arguments.seed)
    begun, last, number = time.monotonic(), collections.deque(maxlen=LAST_STEPS), 0
    end = begun + arguments.hours * 3600 if arguments.hours else None
    try:
        soak.warm_up()
        while time.monotonic() < end if end else number < arguments.steps:
            number += 1
            last.append(f"{number}: (what it was is not known yet)")
            words = soak.steps.take()
            last[-1] = f"{number}: {words}"
            if arguments.verbose:
                print(last[-1], flush=True)
            soak.look()
            if number % CITY_EVERY == 0 and soak.model.line and not soak.model.dead & {"report", "broker"}:
                soak.hold(soak.city.wait_for_all())
        soak.finish()
    except BaseException:
        print(f"FAILED with --seed {arguments.seed} in phase {soak.phase}, at {time.strftime('%F %T', time.localtime(soak.model.now))} of the school's clock.",
              "The last steps:", *last, sep="\n  ", file=sys.stderr)
        print(f"  in force: {soak.model.holding}; dead: {sorted(soak.model.dead)}; {soak.model.configuration}", file=sys.stderr)
        if arguments.logs:
            for part in ("schultord", "dns", "report"):
                print(f"--- {part}\n" + "\n".join(school.log(part).splitlines()[-60:]), file=sys.stderr)
        raise
    finally:
        soak.traffic.stop()
    print(f"{number} steps with seed {arguments.seed} in {time.monotonic() - begun:.0f} s: {soak.traffic.messages} messages, "
          f"{len(soak.city.due)} events ({soak.city.again} came again after a break of the line)")
    print("longest waits: " + ", ".join(f"{kind} {seconds * 1000:.0f} ms" for kind, seconds in sorted(soak.longest.items())))
    for part, count, first, last_samples in soak.processes.compared():
        print(f"{part}: memory {first[0]:.0f} → {last_samples[0]:.0f} KiB, descriptors {first[1]:.0f} → {last_samples[1]:.0f} in {count} steps")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="repeats what happens in this order")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--hours", type=float, help="instead of a number of steps")
    parser.add_argument("--verbose", action="store_true", help="print each step")
    parser.add_argument("--logs", action="store_true", help="print the daemons' last words after a failure")
    arguments = parser.parse_args()
    if reason := cannot_run_here():
        print(f"skipped: {reason}")
        return 77
    # Ending in order takes the school down.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    print(f"seed {arguments.seed}", flush=True)
    try:
        with School(at=START, tablets=max(TABLETS)) as school:
            run(arguments, school)
    except Broken as error:
        print(error, file=sys.stderr)
        return 1
    except Exception:  # noqa: BLE001: whatever it is, the soak has failed
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
