# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What must hold, worked out without a line of the product: whose profile is what at an instant, and what each profile lets pass."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from zoneinfo import ZoneInfo

from lib.school import DEFAULT_CONFIG, tablet_mac
from schoollab.names import ANY, CLOUD_FREE, GAME_FREE, LEARNING_FREE, internet4, internet6, many6

ZONE = ZoneInfo("Europe/Berlin")
CLOUD_ALONE = {"exam", "paused"}
EDGES = (8, 17)  # hours of the schedule, Monday to Friday
SMALL_CORRECTION = 300  # seconds: a clock that is set back by no more leaves overrides as they are
PIN_LIVES = 240  # seconds: less than any pin of a listed name does


class Verdict(Enum):
    OPEN, CLOSED, EITHER = range(3)


@dataclass(frozen=True)
class Site:
    name: str
    host: int
    port: int
    zone: str

    def address(self, family: int) -> str:
        return internet6(self.host) if family == 6 else internet4(self.host)


@dataclass(frozen=True)
class OneOfMany(Site):
    """Of viele.test: a name that hardly anybody asked for before. It has an IPv6 address alone."""

    def address(self, family: int) -> str:
        return many6(self.host)


def one_of_many(number: int) -> Site:
    return OneOfMany(f"n{number}.viele.test", number, 0, "viele.test")


CLOUD = Site("frei.mnspro.test", CLOUD_FREE, 443, "mnspro.test")
LEARNING = Site("frei.lernen.test", LEARNING_FREE, 7000, "lernen.test")
GAME = Site("frei.spiele.test", GAME_FREE, 7000, "spiele.test")
ANYWHERE = Site("irgendwo.any.test", ANY, 7000, "any.test")
SITES = (CLOUD, LEARNING, GAME, ANYWHERE)
GROUPS = {"3b": "school", "byod": "school", "lehrkraefte": "leisure", "gaeste": "school"}
"""What holds in each during the schedule's hours."""
SCHEDULED = {"3b", "byod", "gaeste"}


@dataclass
class Override:
    group: str | None
    profile: str  # empty: for this group, those for all are lifted
    begin: float
    end: float

    def __str__(self):
        return f"{self.group or 'all'}→{self.profile or '(lifted)'} until {datetime.fromtimestamp(self.end, ZONE):%F %T}"


@dataclass
class Configuration:
    """What the soak changes of the configuration; written whole."""
    roster: dict[int, str]
    school_allows: set[str] = field(default_factory=lambda: {"lernen.test"})
    project: bool = False
    """A listed profile of the school's own, which allows more than any other."""
    listed_names: set[str] = field(default_factory=set)
    """Zones on a list that leisure blocks."""
    listed_networks: bool = False
    """The game's addresses are on a list that leisure blocks."""

    def write(self, directory: Path) -> None:
        city = (DEFAULT_CONFIG / "city.toml").read_text()
        allow = ", ".join(f'"{zone}"' for zone in sorted(self.school_allows))
        city = city.replace('["lernen.test"]', f"[{allow}]").replace('access = "open"', 'access = "open"\nblock_categories = ["namen", "netze"]')
        if self.project:
            city += '\n[[profile]]\nname   = "projekt"\naccess = "listed"\nallow  = ["lernen.test", "any.test", "viele.test", "spiele.test"]\n'
        (directory / "city.toml").write_text(city)
        (directory / "roster.csv").write_text("mac,group\n" + "".join(
            f"{tablet_mac(number)},{group}\n" for number, group in sorted(self.roster.items())))
        lists = directory / "lists"
        lists.mkdir(exist_ok=True)
        (lists / "namen.domains").write_text("\n".join(["nirgends.test", *sorted(self.listed_names), ""]))
        networks = [GAME.address(4), GAME.address(6)] if self.listed_networks else []
        (lists / "netze.domains").write_text("\n".join(["203.0.113.77", *networks, ""]))

    def listed(self, profile: str) -> set[str] | None:
        """The zones that a listed profile allows; None for an open one."""
        if profile in CLOUD_ALONE:
            return set()
        if profile == "projekt":
            return {"lernen.test", "any.test", "viele.test", "spiele.test"}
        return self.school_allows if profile == "school" else None

    def profiles(self) -> list[str]:
        return ["school", "leisure", "exam", "paused"] + (["projekt"] if self.project else [])

    def stricter(self, a: str, b: str) -> str:
        """Listed before open, and of two listed ones the one that allows fewer."""
        def rank(profile: str):
            allowed = self.listed(profile)
            return (1, 0) if allowed is None else (0, len(allowed))
        return b if rank(b) < rank(a) else a


class Model:
    def __init__(self, configuration: Configuration, now: float):
        self.configuration = configuration
        self.now = now
        self.overrides: list[Override] = []
        self.lingering: set[tuple[str, str]] = set()
        """(profile, zone) once allowed and not any more: its pins and connections may live on (ARCHITECTURE.md, known limits)."""
        self.opened: dict[tuple[str, str, int], float] = {}
        """(profile, zone, family) whose pin was made since the profile allows it and since pins were last taken away → until when it
        lives at least, by the monotonic clock."""
        self.holding: dict[str, str] = {}
        self.dead: set[str] = set()
        self.line = True
        self.update()

    def by_schedule(self, group: str, at: float) -> str:
        if group not in SCHEDULED:
            return GROUPS[group]
        wall = datetime.fromtimestamp(at, ZONE)
        return "school" if wall.weekday() < 5 and EDGES[0] <= wall.hour < EDGES[1] else "leisure"

    def override_of(self, group: str, at: float) -> str:
        """The newest one's profile; empty where there is none."""
        for one in reversed(self.overrides):
            if one.group in (None, group) and one.begin <= at < one.end:
                return one.profile
        return ""

    def profile_at(self, group: str, at: float) -> str:
        own = self.override_of(group, at) or self.by_schedule(group, at)
        if group != "gaeste":
            return own
        # Devices that nobody knows: the class of school-owned tablets may be held to something stricter by hand.
        theirs = self.override_of("3b", at)
        return self.configuration.stricter(own, theirs) if theirs else own

    def update(self) -> None:
        """What holds follows the clock, unless nobody is there to switch."""
        if "schultord" not in self.dead:
            self.holding = {group: self.profile_at(group, self.now) for group in GROUPS}

    def set_clock(self, now: float) -> None:
        self.now = now
        if "schultord" in self.dead:
            return
        self.anchor()
        self.tidy()
        self.update()

    def anchor(self) -> None:
        """An override from the future begins now, for as long as it was to last."""
        longest_for_all = self.now
        for one in self.overrides:
            if one.begin > self.now + SMALL_CORRECTION:
                length = min(one.end - one.begin, 86400)
                one.begin = self.now
                one.end = longest_for_all if not one.profile and longest_for_all > self.now else self.now + length
            if one.group is None and one.profile:
                longest_for_all = max(longest_for_all, one.end)

    def tidy(self) -> None:
        """What has ended is gone, and lifts of what has gone."""
        self.overrides = [one for one in self.overrides if one.end > self.now]
        kept: list[Override] = []
        for one in self.overrides:
            if one.profile or any(older.group is None and older.profile for older in kept):
                kept.append(one)
        self.overrides = kept

    def clear(self, group: str | None) -> None:
        if group is None:
            self.overrides = []
            return
        self.tidy()
        own = [one for one in self.overrides if one.group == group]
        concerned = [one for one in self.overrides if one.group in (None, group)]
        if not concerned or (not concerned[-1].profile and len(own) == 1):
            return
        self.overrides = [one for one in self.overrides if one.group != group]
        if ends := [one.end for one in self.overrides if one.group is None]:
            self.overrides.append(Override(group, "", self.now, max(ends)))

    def agrees(self, told: dict[str, str]) -> bool:
        """Whether the daemon's word is the same. Of two profiles that open the cloud alone neither is stricter: either may hold for gaeste."""
        differing = {group for group in GROUPS if told.get(group) != self.holding[group]}
        return differing <= {"gaeste"} and all({told[group], self.holding[group]} <= CLOUD_ALONE for group in differing)

    def changes(self, after: float) -> list[float]:
        """The instants after this one, of the next days, at which anything may change."""
        day = datetime.fromtimestamp(after, ZONE).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        edges = [(day + timedelta(days=days, hours=hour)).replace(tzinfo=ZONE).timestamp() for days in range(5) for hour in EDGES]
        return sorted(at for at in [*edges, *(edge for one in self.overrides for edge in (one.begin, one.end))] if at > after)

    def group_of(self, tablet: int) -> str:
        return self.configuration.roster.get(tablet, "gaeste")

    def profile_of(self, tablet: int) -> str:
        return self.holding[self.group_of(tablet)]

    def name(self, profile: str, site: Site) -> Verdict:
        """What the gate must say."""
        if site is CLOUD:
            return Verdict.OPEN
        allowed = self.configuration.listed(profile)
        if allowed is None:
            return Verdict.CLOSED if site.zone in self.configuration.listed_names else Verdict.OPEN
        return Verdict.OPEN if site.zone in allowed else Verdict.CLOSED

    def address(self, profile: str, site: Site, family: int) -> Verdict:
        """What becomes of a connection whose tablet knows the address, whatever it was told of the name."""
        if site is CLOUD:
            return Verdict.OPEN
        allowed = self.configuration.listed(profile)
        if allowed is None:
            return Verdict.CLOSED if site is GAME and self.configuration.listed_networks else Verdict.OPEN
        if site.zone in allowed:
            return Verdict.OPEN if self.opened.get((profile, site.zone, family), 0) > time.monotonic() else Verdict.EITHER
        return Verdict.EITHER if (profile, site.zone) in self.lingering else Verdict.CLOSED

    def resolved(self, site: Site, family: int) -> None:
        """The gate has handed the address out: it is open in every listed profile that allows the name."""
        for profile in self.configuration.profiles():
            if site.zone in (self.configuration.listed(profile) or ()):
                self.opened[profile, site.zone, family] = time.monotonic() + PIN_LIVES

    def reconfigured(self, new: Configuration) -> None:
        for profile in ("school", "projekt"):
            before = self.configuration.listed(profile) if profile in self.configuration.profiles() else set()
            after = new.listed(profile) if profile in new.profiles() else set()
            gone = (before or set()) - (after or set())
            self.lingering |= {(profile, zone) for zone in gone}
            self.opened = {one: until for one, until in self.opened.items() if one[0] != profile or one[1] not in gone}
        self.configuration = new
        self.overrides = [one for one in self.overrides if not one.profile or one.profile in new.profiles()]
        self.update()
