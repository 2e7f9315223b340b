# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What happens to the school, one thing at a time: each is done to the school and to the model of it, and says what it was."""

import copy
import os
import signal
import subprocess
import time
from datetime import datetime, timedelta

from lib.school import wait_for
from model import CLOUD, GAME, GROUPS, ZONE, Configuration, Override
from schoollab.instance import Instance
from schoollab.processes import pid_of

MARGIN = 90  # seconds that nothing changes by itself after a step
FOREIGN = "add table inet fremd; add set inet fremd schultor { type ipv4_addr; }; add chain inet fremd schultor"
# What is done, and what goes with it. CUTS: connections that are judged in that moment, never the cloud's. TABLE: the pins, and the
# translation of addresses too: a server that gets an untranslated packet, and in the lab finds the way back, resets even the cloud's over IPv4.
NOTHING, PINS, CUTS, TABLE = range(4)
TAMPERING = {
    "delete table inet schultor": TABLE,
    "flush ruleset": TABLE,
    "insert rule inet schultor through_gateway accept": NOTHING,
    "insert rule inet schultor profile_school accept": NOTHING,
    "add rule inet schultor never drop": NOTHING,
    "chain inet schultor through_gateway { policy accept; }": NOTHING,
    "add table inet schultor { flags dormant; }": TABLE,
    "flush chain inet schultor profile_school": CUTS,
    "flush chain inet schultor cloud": NOTHING,
    "flush map inet schultor group_policy": CUTS,
    "flush map inet schultor group_stamp": CUTS,
    "flush map inet schultor device_group": CUTS,
    "flush set inet schultor fresh": CUTS,
    "flush set inet schultor fresh_pair": CUTS,
    "flush set inet schultor lan": NOTHING,
    "flush set inet schultor cloud4": PINS,
    "flush set inet schultor cloud6; flush set inet schultor allow_school6": PINS,
    "flush set inet schultor allow_school4": PINS,
    "flush set inet schultor never4; flush set inet schultor never6": NOTHING,
    "flush chain inet schultor never": NOTHING,
    "add set inet schultor freunde { type ipv4_addr; }": NOTHING,
    "add chain inet schultor fremd; add rule inet schultor fremd accept": NOTHING,
}
# The file, what is done to its text, and a word of the refusal.
BAD = (
    ("city.toml", lambda text: text.replace("[cloud]", "[cloud"), "city.toml:"),
    ("school.toml", lambda text: text.replace("schedule", "scheduel", 1), "schedule"),
    ("city.toml", lambda text: text.replace("08:00-17:00", "08:00-25:00"), "city.toml:"),
    ("city.toml", lambda text: text.replace('during    = "school"', 'during    = "schule"'), "schule"),
    ("roster.csv", lambda text: text + "02:77:00:00:00:63,9z\n", "9z"),
    ("school.toml", lambda text: text.replace("unknown   = true", "unknown   = false"), "unknown"),
    ("gateway.toml", lambda text: "", "gateway.toml:"),
)
CONFIGURATION = r"<3>.*(city|school|gateway)\.toml|<3>.*roster\.csv|<3>.*configuration"
PARTS = ("schultord", "dns", "report", "resolver", "broker")


class Steps:
    def __init__(self, soak):
        self.soak, self.school, self.model, self.random = soak, soak.school, soak.model, soak.random
        self.explained: dict[str, int] = {}
        """Words of the log that a step explains → phases left in which they may be said."""
        self.foreign = ""
        self.down_for = 0
        self.unplugged_at = self.last_outage = 0.0

    # What is possible now, and how often it is chosen.

    def choices(self) -> list[tuple[int, object]]:
        dead, alive = self.model.dead, "schultord" not in self.model.dead
        offered = [(6, self.jump), (2, self.jump_a_little), (3, self.foreign_table), (3, self.flap)]
        if len(dead) < 2:
            offered.append((6, self.kill))
            offered.append((4, self.restart))
        if alive:
            offered += [(5, self.fall_due), (7, self.override), (3, self.extend), (3, self.clear), (6, self.reload), (3, self.reload_bad), (6, self.tamper)]
        if alive and "report" not in dead:
            offered += [(3, self.torn_override), (2, self.torn_reload)]
        if not dead:
            offered.append((2, self.unplug))
        return offered

    def take(self) -> str:
        """Does the next thing and returns its words."""
        self.explained = {words: left - 1 for words, left in self.explained.items() if left > 0}
        self.down_for -= 1
        if not self.model.line and self.down_for <= 0:
            return self.plug()
        if self.model.dead and self.random.random() < 0.5:
            return self.revive(self.random.choice(sorted(self.model.dead)))
        if self.soon():
            return self.jump()
        weights, functions = zip(*self.choices())
        return self.random.choices(functions, weights)[0]()

    def explain(self, words: str, phases: int = 3) -> None:
        self.explained[words] = phases

    # The clock.

    def now(self) -> float:
        self.model.now = time.time() + int(Instance(self.school.name).facts.get("clock_offset", 0)) / 1e6
        return self.model.now

    def soon(self) -> bool:
        """Whether something would change by itself while it is looked at."""
        now = self.now()
        # An override that begins in a moment began a moment ago for a clock that was set back.
        return any(at < now + MARGIN for at in self.model.changes(now))

    def set_clock(self, at: float) -> str:
        words = datetime.fromtimestamp(at, ZONE).strftime("%F %T")
        self.school.time(words)
        self.model.set_clock(self.now())
        return words

    def jump(self) -> str:
        while True:
            day = datetime(2026, 1, 5) + timedelta(days=self.random.randrange(1500))
            wanted = (day + timedelta(minutes=self.random.randrange(1440))).replace(tzinfo=ZONE)
            # Some days near by: overrides live to see them.
            if self.random.random() < 0.5:
                wanted = datetime.fromtimestamp(self.now() + self.random.uniform(-7200, 7200), ZONE).replace(microsecond=0)
            at = wanted.timestamp()
            shadow = copy.deepcopy(self.model)
            shadow.dead = set()
            shadow.set_clock(at)
            if not any(change < at + 2 * MARGIN for change in shadow.changes(at - MARGIN) if change != at):
                return f"the clock is set to {self.set_clock(at)}"

    def jump_a_little(self) -> str:
        before = self.now()
        at = before + self.random.choice((-200, -30, -2, 2, 30, 200))
        if any(min(before, at) - MARGIN < change < max(before, at) + 2 * MARGIN for change in self.model.changes(min(before, at) - MARGIN)):
            return self.jump()
        return f"the clock is corrected by {at - before:.0f} s to {self.set_clock(at)}"

    def fall_due(self) -> str:
        """The clock runs over an edge by itself."""
        edge = next(at for at in self.model.changes(self.now()))
        self.set_clock(int(edge) - 1)
        self.school.trust(True)
        wait_for(lambda: self.now() > edge + 0.2, seconds=10, what="the clock")
        self.model.set_clock(self.now())
        wait_for(lambda: self.model.agrees(self.soak.profiles()), what=f"the switch of {datetime.fromtimestamp(edge, ZONE):%F %T}")
        return f"the clock runs over {datetime.fromtimestamp(edge, ZONE):%F %T}"

    # Overrides.

    def some_override(self) -> tuple[str | None, str, int]:
        return (self.random.choice([None, *GROUPS]), self.random.choice(self.model.configuration.profiles()), self.random.randrange(10, 180))

    @staticmethod
    def scope(group: str | None) -> list[str]:
        return ["--group", group] if group else ["--all"]

    def override(self) -> str:
        group, profile, minutes = self.some_override()
        made = self.soak.json("override", *self.scope(group), "--profile", profile, "--for", f"{minutes}m")
        self.add(made)
        self.soak.expect(lambda event: event["id"] == f"override/{made['id']}/set")
        return f"override {made['id']}: {group or 'all'} in {profile} for {minutes} min"

    def add(self, made: dict) -> None:
        begin, end = (datetime.fromisoformat(made[name]).timestamp() for name in ("from", "until"))
        self.now()
        self.model.tidy()
        self.model.overrides.append(Override(made["group"], made["profile"], begin, end))
        self.model.update()

    def extend(self) -> str:
        now = self.now()
        held = [one for one in self.model.overrides if one.profile and one.begin <= now < one.end and one.end - now < 10 * 3600]
        if not held:
            return self.override()
        group = self.random.choice(held).group
        before = [str(one) for one in self.model.overrides]
        done = self.school.ctl("--json", "override", *self.scope(group), "--extend", "15m", check=False)
        # One for all may be the newest of its group's: then the group has one of its own now. What came of it is asked for.
        self.reread()
        return f"{group or 'all'} extended by 15 min ({'; '.join(before)}; exit {done.returncode})"

    def clear(self) -> str:
        group = self.random.choice([None, *GROUPS])
        self.now()
        self.school.ctl("override", *(["--group", group] if group else []), "--clear")
        self.model.clear(group)
        self.model.update()
        return f"overrides of {group or 'all'} cleared"

    def reread(self) -> None:
        """Takes the ends of overrides from the daemon: lifts are not listed and stay where they are."""
        told = self.soak.json("override")
        lifts = [one for one in self.model.overrides if not one.profile]
        listed = [Override(one["group"], one["profile"], *(datetime.fromisoformat(one[name]).timestamp() for name in ("from", "until"))) for one in told]
        if lifts:
            by_key = {(one.group, one.profile, round(one.begin)): one for one in listed}
            merged = [by_key.pop((one.group, one.profile, round(one.begin)), one) if one.profile else one for one in self.model.overrides]
            listed = merged + list(by_key.values())
        self.model.overrides = listed
        self.now()
        self.model.update()

    def torn_override(self) -> str:
        """schultord is killed while it sets one: it is set, or it is not."""
        group, profile, minutes = self.some_override()
        calling = self.school.popen("gateway", "schultorctl", "--json", "override", *self.scope(group), "--profile", profile, "--for", f"{minutes}m",
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.kill_within(calling)
        known = {(one.group, one.profile, round(one.begin)) for one in self.model.overrides}
        self.model.set_clock(self.now())
        new = [one for one in self.soak.json("override") if (one["group"], one["profile"], round(datetime.fromisoformat(one["from"]).timestamp()))
               not in known and self.now() - datetime.fromisoformat(one["from"]).timestamp() < 60]
        # It is set now in any case: what comes after must not depend on the instant of the kill.
        made = new[0] if new else self.soak.json("override", *self.scope(group), "--profile", profile, "--for", f"{minutes}m")
        self.add(made)
        self.soak.expect(lambda event: event["id"] == f"override/{made['id']}/set")
        return f"schultord killed while {group or 'all'} in {profile} for {minutes} min is set: {'set' if new else 'set again'}"

    def kill_within(self, calling) -> None:
        try:
            calling.wait(timeout=self.random.uniform(0.15, 0.35))
        except subprocess.TimeoutExpired:
            pass
        self.school.kill("schultord")
        calling.wait(timeout=60)
        self.school.restart("schultord")
        self.explain("<3>.*(refused|gone|connection|bus)", 1)

    # Configurations.

    def changed(self) -> tuple[Configuration, str]:
        new = copy.deepcopy(self.model.configuration)
        kind = self.random.choice(("move", "move", "move", "allow", "project", "names", "networks"))
        if kind == "move":
            tablet, group = self.random.choice(self.soak.tablets), self.random.choice(sorted(GROUPS))
            new.roster.pop(tablet, None)
            if group != "gaeste":
                new.roster[tablet] = group
            self.soak.forget_datagrams(tablet)
            return new, f"tablet{tablet} moves to {group}"
        if kind == "project":
            new.project = not new.project
            return new, f"profile projekt {'comes' if new.project else 'goes'}"
        if kind == "networks":
            new.listed_networks = not new.listed_networks
            return new, f"addresses of {GAME.zone} {'come to' if new.listed_networks else 'leave'} the list"
        of, zone = (new.school_allows, "any.test") if kind == "allow" else (new.listed_names, self.random.choice(("spiele.test", "any.test")))
        of.symmetric_difference_update({zone})
        return new, f"{zone} {'comes to' if zone in of else 'leaves'} {'what school allows' if kind == 'allow' else 'the list'}"

    def reload(self) -> str:
        new, words = self.changed()
        new.write(self.school.directory / "config")
        done = self.school.reload()
        if done.returncode != 0:
            raise AssertionError(f"a good configuration was refused: {words}: {done.stdout}{done.stderr}")
        self.now()
        self.model.reconfigured(new)
        self.soak.expect(lambda event: event["kind"] == "configuration" and event["result"] == "applied")
        return f"reload: {words}"

    def reload_bad(self) -> str:
        name, spoil, word = self.random.choice(BAD)
        path = self.school.config(name)
        good = path.read_text()
        path.write_text(spoil(good))
        done = self.school.reload()
        if done.returncode != 1 or word not in done.stderr:
            raise AssertionError(f"a bad {name}: exit {done.returncode}: {done.stdout}{done.stderr}")
        path.write_text(good)
        self.explain(CONFIGURATION, 1)
        self.soak.expect(lambda event: event["kind"] == "configuration" and event["result"] == "refused")
        return f"reload of a bad {name}"

    def torn_reload(self) -> str:
        new, words = self.changed()
        new.write(self.school.directory / "config")
        self.kill_within(self.school.popen("gateway", "schultorctl", "reload", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        done = self.school.reload()
        if done.returncode != 0:
            raise AssertionError(f"a good configuration was refused: {words}: {done.stdout}{done.stderr}")
        self.model.set_clock(self.now())
        self.model.reconfigured(new)
        return f"schultord killed during a reload: {words}"

    # Processes and the line.

    def kill(self) -> str:
        dead = self.model.dead
        barred = {"schultord": {"dns", "report"}, "dns": {"schultord"}, "report": {"schultord", "broker"}, "broker": {"report"}}
        part = self.random.choice([one for one in PARTS if one not in dead and not barred.get(one, set()) & dead])
        self.die(part)
        return f"{part} is killed"

    def restart(self) -> str:
        """Killed, and there again at once."""
        words = self.kill()
        part = words.split()[0]
        self.revive(part)
        return f"{part} is killed and started"

    def die(self, part: str) -> None:
        self.model.dead.add(part)
        if part == "broker":
            self.with_stopped_reporter(self.soak.city.kill_broker)
            return
        if part == "report":
            self.soak.city.breaks += 1
        self.school.kill(part)

    def revive(self, part: str) -> str:
        def broker():
            self.school.restart("broker")
            self.soak.city.broker_is_back()
        if part == "broker":
            self.with_stopped_reporter(broker)
        else:
            self.school.restart(part)
        self.model.dead.discard(part)
        if part == "resolver":
            self.explain("<3>The resolver is silent", 2)
        if part == "schultord":
            self.model.set_clock(self.now())
        return f"{part} is started"

    def with_stopped_reporter(self, act) -> None:
        pid = pid_of(Instance(self.school.name).running("report"))
        os.kill(pid, signal.SIGSTOP)
        try:
            act()
        finally:
            os.kill(pid, signal.SIGCONT)

    def flap(self) -> str:
        self.soak.city.breaks += 1
        for _ in range(self.random.randrange(1, 4)):
            self.school.wan("down")
            self.school.wan("up")
        self.model.line = True
        return "the line flaps"

    def unplug(self) -> str:
        self.soak.city.breaks += 1
        self.school.wan("down")
        self.model.line, self.down_for, self.unplugged_at = False, self.random.randrange(1, 4), time.monotonic()
        return "the line goes down"

    def plug(self) -> str:
        self.soak.city.breaks += 1
        self.school.wan("up")
        self.model.line, self.last_outage = True, time.monotonic() - self.unplugged_at
        return "the line is up again"

    # The ruleset.

    def nft(self, command: str) -> None:
        self.school.exec("gateway", "nft", command)

    def list_foreign(self) -> str:
        return self.school.exec("gateway", "nft", "list", "table", "inet", "fremd").stdout

    def begin(self) -> None:
        self.nft(FOREIGN)
        self.foreign = self.list_foreign()

    def tamper(self) -> str:
        done = self.random.sample(sorted(TAMPERING), self.random.choice((1, 1, 2, 4)))
        for command in done:
            tried = self.school.exec("gateway", "nft", command, check=False)
            if tried.returncode != 0 and "No such file" not in tried.stderr:
                raise AssertionError(f"nft {command}: {tried.stderr}")
            if TAMPERING[command] in (PINS, TABLE):
                self.model.opened.clear()
            if TAMPERING[command] == CUTS:
                self.soak.excuse(lambda flow: flow.site is not CLOUD)
            if TAMPERING[command] == TABLE:
                self.soak.excuse(lambda flow: flow.family == 4)
            if command == "flush ruleset":
                self.begin()
        # A call is answered after what the kernel had told before.
        self.school.ctl("status")
        return "nft: " + "; ".join(done)

    def foreign_table(self) -> str:
        number = self.random.randrange(1, 255)
        self.nft(f"add element inet fremd schultor {{ 192.0.2.{number} }}")
        self.foreign = self.list_foreign()
        return f"somebody adds 192.0.2.{number} to a table of his own"
