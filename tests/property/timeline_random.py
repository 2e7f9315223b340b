# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Random configurations, with a liking for the edges: clock changes, midnights, week ends, neighbouring dates."""

from __future__ import annotations

import datetime as dt
import functools
import random
import zoneinfo

from timeline_case import Calendar, Case, Day, Event, Group, Profile, Repeat, Schedule, Window
from timeline_rules import DAY, MINUTE, UTC, first_instant, zone_of

# Zones with habits of their own, and years in which they show.
SPECIAL = [
    ("Europe/Berlin", 1980, 2036),
    ("Europe/Berlin", 2020, 2030),
    ("America/New_York", 1975, 2036),  # through the winter of 1975
    ("Australia/Lord_Howe", 1985, 2036),  # by half an hour
    ("America/Sao_Paulo", 2015, 2018),  # midnight vanishes
    ("Asia/Beirut", 1993, 2036),  # midnight vanishes
    ("America/Asuncion", 2010, 2024),
    ("Africa/Cairo", 2023, 2036),  # midnight vanishes
    ("Pacific/Apia", 2011, 2011),  # the thirtieth of December vanishes
    ("Pacific/Fakaofo", 2011, 2011),
    ("Pacific/Kwajalein", 1993, 1993),
    ("Asia/Kathmandu", 1985, 1986),
    ("Asia/Tehran", 2005, 2023),
    ("Africa/Casablanca", 2012, 2036),  # around Ramadan
    ("Antarctica/Troll", 2005, 2036),  # by two hours
    ("America/St_Johns", 2006, 2010),  # at 00:01
    ("America/St_Johns", 1987, 1989),  # by two hours, at 00:01
    ("America/Havana", 2012, 2036),
    ("America/Scoresbysund", 2023, 2025),
    ("Pacific/Chatham", 1980, 2036),
    ("Europe/Dublin", 1975, 2036),
    ("America/Caracas", 2007, 2016),
    ("Asia/Pyongyang", 2015, 2018),
]
SUMMARIES = ["Osterferien Nordrhein-Westfalen", "Sommerferien", "Tag der Deutschen Einheit", "Abitur Mathematik", "Elternsprechtag", "Prüfung, schriftlich", "Betriebsferien (nur Büro)"]
CATEGORIES = ["Ferien", "Feiertag", "Prüfungen", "Schule", "Termine, intern"]
GLOBS = ["*ferien*", "*FERIEN*", "Oster*", "*tag", "*Tag*", "Feiertag", "abitur mathematik", "*fung*", "*e*r*n*", "*", "Ferien", "Termine, *", "Sommer"]
FIRST_YEAR, LAST_YEAR = 1975, 2036


@functools.cache
def all_zones() -> list[str]:
    return sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})


@functools.cache
def changes(name: str, year: int) -> list[dt.datetime]:
    """The instants of the year before which the zone's offset is another one, to the minute."""
    zone, out = zone_of(name), []
    at, step = dt.datetime(year, 1, 1, tzinfo=UTC), dt.timedelta(hours=6)
    while at.year == year:
        offset = at.astimezone(zone).utcoffset()
        if (at + step).astimezone(zone).utcoffset() != offset:
            exact = at
            while exact.astimezone(zone).utcoffset() == offset:
                exact += MINUTE
            out.append(exact)
        at += step
    return out


class Dice:
    """Draws one case from a seed."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def zone(self) -> tuple[str, int]:
        if self.chance(0.65):
            name, first, last = self.random.choice(SPECIAL)
            name = name if name in all_zones() else "UTC"
            return name, self.random.randint(first, last)
        return self.random.choice(all_zones()), self.random.randint(FIRST_YEAR, LAST_YEAR)

    def minute(self) -> int:
        """A time of day that a window may start at."""
        pick = self.random.random()
        if self.edges and pick < 0.4:
            return (self.random.choice(self.edges) + self.random.choice([-61, -60, -30, -15, -1, 0, 1, 15, 30, 60, 61])) % 1440
        if pick < 0.6:
            return self.random.choice([0, 1, 15, 60, 90, 120, 150, 180, 360, 480, 1020, 1260, 1320, 1380, 1410, 1439])
        return self.random.randrange(1440) if pick < 0.75 else self.random.randrange(96) * 15

    def window(self, days: bool = True, overnight: float = 0.4) -> Window:
        start = self.minute()
        end = 1440 if self.chance(0.1) else self.minute()
        if end < start and not self.chance(overnight):
            start, end = end, start
        while end == start:
            end = self.random.randrange(1441)
        parts = []
        if days and not self.chance(0.25):
            for _ in range(self.random.choice([1, 1, 1, 2, 3])):
                a = self.random.choice(self.weekdays) if self.chance(0.5) else self.random.randrange(7)
                b = self.random.randrange(7) if self.chance(0.6) else a
                parts.append((a, b))
        return Window(start, end, parts)

    def date(self) -> dt.date:
        """A date in or about the span, often one near a date that matters already."""
        if self.dates and self.chance(0.6):
            date = self.random.choice(self.dates) + self.random.choice([-1, 0, 0, 1]) * DAY
        else:
            date = self.first + self.random.randint(-2, max(1, (self.last - self.first).days)) * DAY
        self.dates.append(date)
        return date

    def repeat(self, event: Event) -> None:
        dates = not isinstance(event.start, dt.datetime)
        rule = Repeat(self.random.choice(["DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "YEARLY"]), self.random.choice([1, 1, 2, 3]))
        start = event.start if dates else event.start.date()
        back = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}[rule.frequency] * self.random.randint(0, 4)
        shift = back // 7 * 7 * DAY if rule.frequency == "WEEKLY" else back * DAY
        if rule.frequency == "YEARLY":
            shift = (start - start.replace(year=start.year - self.random.randint(0, 4), day=min(start.day, 28))) if start.day <= 28 else 0 * DAY
        event.start -= shift
        event.end = event.end and event.end - shift
        start -= shift
        if start.day > 28 and rule.frequency in ("MONTHLY", "YEARLY"):
            return
        if rule.frequency == "WEEKLY" and self.chance(0.6):
            rule.by_day = sorted({start.weekday(), self.random.randrange(7)})
        if self.chance(0.4):
            rule.count = self.random.randint(1, 12)
        elif self.chance(0.6):
            rule.until = max(start, self.date())
        event.repeat = rule

    def exceptions(self, event: Event) -> None:
        """Takes dates away and adds some. A time is added only where it occurs once: what else it might mean is nobody's contract."""
        zone = event.zone or UTC
        start = event.start.date() if isinstance(event.start, dt.datetime) else event.start

        def fits(date: dt.date) -> bool:
            value = event.starts_on(date)
            return not isinstance(value, dt.datetime) or plain(value, zone)

        if event.repeat and self.chance(0.4):
            event.without = sorted(date for date in {self.date(), self.date()} - {start} if fits(date))
        if self.chance(0.25):
            event.further = sorted(date for date in {self.date(), self.date()} - {start, *event.without} if fits(date))

    def event(self) -> Event:
        kind = self.random.choice(["bare", "bare", "date", "date", "utc", "floating", "zone"])
        summary, categories = self.random.choice(SUMMARIES), self.random.sample(CATEGORIES, self.random.choice([0, 1, 1, 2]))
        length = self.random.choice([0, 0, 1, 1, 2, 4, 13])
        start: dt.date | dt.datetime = self.date()
        if kind in ("bare", "date"):
            end = None if self.chance(0.2) else start + length * DAY
            if kind == "date" and end is not None and not self.chance(0.1):
                end += DAY
        else:
            midnight = self.chance(0.3)
            begin = dt.datetime.combine(start, dt.time(0)) + (0 if midnight else self.minute()) * MINUTE
            close = dt.datetime.combine(start + length * DAY, dt.time(0)) + (0 if self.chance(0.4) else self.minute()) * MINUTE
            if kind == "zone":
                kind = self.random.choice([self.zone_name, self.random.choice(["Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Auckland"])])
            start, end = begin, (max(begin, close) if not self.chance(0.15) else None)
            if kind != "floating":
                # Whole dates of the gateway's zone are what feeds write in UTC: 00:00 there is another time here.
                source = UTC if kind == "utc" else zone_of(kind)
                target = zone_of(self.zone_name)
                if self.chance(0.5):
                    start, end = (value and value.replace(tzinfo=target).astimezone(source).replace(tzinfo=None) for value in (start, end))
                if any(value and not plain(value, source) for value in (start, end)) or (end and end < start):
                    kind, start, end = "utc", begin, max(begin, close)
        event = Event(kind, start, end, summary, categories, cancelled=self.chance(0.06))
        if self.chance(0.25):
            self.repeat(event)
        if event.zone and not plain(event.start, event.zone):  # it was moved to where it begins to recur
            event.repeat = None
            event.start, event.end = start, end
        if self.chance(0.5):
            self.exceptions(event)
        event.as_length = end is not None and end > start and self.chance(0.15)
        return event

    def calendar(self, number: int) -> Calendar:
        out = Calendar(f"calendars/{number}.ics", [self.event() for _ in range(self.random.choice([1, 2, 3, 5]))])
        if self.chance(0.5):
            out.only = self.random.sample(GLOBS, self.random.choice([0, 1, 1, 2]))
            out.leave = self.random.sample(GLOBS, self.random.choice([0, 1]))
        out.crlf, out.fold = self.chance(0.5), self.random.choice([0, 20, 40, 75])
        out.within_letters = self.chance(0.3)
        out.encoding = self.random.choice(["utf-8", "utf-8", "utf-8-sig", "latin-1"])
        return out

    def schedule(self, number: int) -> Schedule:
        profiles = [p.name for p in self.profiles]
        during, otherwise = self.random.sample(profiles, 2) if not self.chance(0.05) else [profiles[0]] * 2
        out = Schedule(f"s{number}", [self.window() for _ in range(self.random.choice([0, 1, 1, 2, 3]))], during, otherwise)
        out.holidays = self.random.choice([None, during, otherwise, self.random.choice(profiles), profiles[-1]])
        out.calendars = [self.calendar(number * 10 + n) for n in range(self.random.choice([0, 1, 1, 2]))]
        out.of_school = self.chance(0.3)
        return out

    def days(self, schedules: list[Schedule]) -> list[Day]:
        out: list[Day] = []
        for _ in range(self.random.choice([0, 1, 2, 3, 4])):
            schedule = self.random.choice([None, schedules[0].name, self.random.choice(schedules).name])
            date = self.date()
            if not any((d.date, d.schedule) == (date, schedule) for d in out):
                count = self.random.choice([0, 1, 1, 2])
                out.append(Day(date, schedule, [self.window(days=False, overnight=0.7) for _ in range(count)]))
        return out

    def groups(self, schedules: list[Schedule]) -> list[Group]:
        out = [Group("g0", schedules[0].name)]
        for number in range(1, self.random.choice([1, 2, 3])):
            ownership = self.random.choice([None, "school", "byod", "staff"])
            out.append(Group(f"g{number}", self.random.choice(schedules).name, ownership=ownership))
        out.append(Group("fixed", profile=self.random.choice(self.profiles).name, ownership=self.random.choice(["byod", "staff"])))
        unknown = Group("others", ownership=self.random.choice([None, "byod"]), unknown=True)
        if self.chance(0.5):
            unknown.schedule = schedules[0].name
        elif self.chance(0.1):
            unknown.profile = self.profiles[0].name
        return [*out, unknown]

    def case(self) -> Case:
        self.zone_name, year = self.zone()
        turns = changes(self.zone_name, year)
        near = self.random.choice(turns) if turns and self.chance(0.8) else None
        local = near.astimezone(zone_of(self.zone_name)) if near else dt.datetime(year, self.random.randint(1, 12), self.random.randint(1, 28))
        length = self.random.choice([1, 2, 2, 3, 3, 5, 8, 14])
        if self.chance(0.004):
            length = 370
        self.first = local.date() - self.random.randint(0, min(length, 6)) * DAY
        self.last = self.first + length * DAY
        self.edges: list[int] = []
        self.dates: list[dt.date] = []
        self.weekdays = list(range(7))
        if near:
            before = (near - MINUTE).astimezone(zone_of(self.zone_name)) + MINUTE
            self.edges = [value.hour * 60 + value.minute for value in (before, local)]
            self.dates = [local.date(), before.date()]
            self.weekdays = [(local.weekday() + n) % 7 for n in (-1, 0)]
        while first_instant(self.first, zone_of(self.zone_name)) >= first_instant(self.last, zone_of(self.zone_name)):
            self.last += DAY
        names = self.random.sample(["school", "leisure", "night", "reading"], self.random.choice([2, 3, 4]))
        self.profiles = [Profile(name, self.random.choice(["open", "listed"]), self.random.randint(0, 3)) for name in names]
        schedules = [self.schedule(number) for number in range(self.random.choice([1, 1, 2]))]
        groups, days = self.groups(schedules), self.days(schedules)
        asked = self.random.choices(["g0", "others", "fixed"], [0.8, 0.18, 0.02])[0]
        return Case(self.zone_name, self.profiles, schedules, days, groups, asked, self.first, self.last)


def plain(value: dt.datetime, zone: dt.tzinfo) -> bool:
    """Whether the wall-clock time occurs exactly once in the zone."""
    first, second = (value.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return first.utcoffset() == second.utcoffset()
