# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""A configuration as values, and how it is written down: gateway.toml, city.toml, school.toml and calendars/*.ics."""

from __future__ import annotations

import datetime as dt
import json
import pathlib
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FILES = ("gateway.toml", "city.toml", "school.toml")


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass
class Window:
    """From start to end, in minutes from 00:00; parts are days and ranges of days, none of them means every day."""

    start: int
    end: int
    parts: list[tuple[int, int]] = field(default_factory=list)

    def text(self) -> str:
        days = ",".join(WEEKDAYS[a] if a == b else f"{WEEKDAYS[a]}..{WEEKDAYS[b]}" for a, b in self.parts)
        return (days + " " if days else "") + f"{clock(self.start)}-{clock(self.end)}"


@dataclass
class Repeat:
    """An RRULE: count or until or neither; by_day only for WEEKLY."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: dt.date | None = None
    by_day: list[int] = field(default_factory=list)


@dataclass
class Event:
    """kind: `bare` (inclusive end), `date` (exclusive end), `utc`, `floating`, or the name of a zone. An end of None is a
    missing DTEND. Of the first two start and end are dates, of the others naive times. With `as_length` the end is written as
    a DURATION: of dates in days, of times in hours and minutes."""

    kind: str
    start: dt.date | dt.datetime
    end: dt.date | dt.datetime | None
    summary: str
    categories: list[str] = field(default_factory=list)
    repeat: Repeat | None = None
    without: list[dt.date] = field(default_factory=list)  # EXDATE: the dates of starts; of times at DTSTART's time of day
    further: list[dt.date] = field(default_factory=list)  # RDATE, likewise
    as_length: bool = False
    cancelled: bool = False

    def starts_on(self, date: dt.date) -> dt.date | dt.datetime:
        return dt.datetime.combine(date, self.start.time()) if isinstance(self.start, dt.datetime) else date

    @property
    def zone(self) -> dt.tzinfo | None:
        """Of times: that of a TZID, UTC or, of floating ones, none."""
        return dt.timezone.utc if self.kind == "utc" else None if self.kind in ("bare", "date", "floating") else ZoneInfo(self.kind)

    def until(self, date: dt.date) -> str:
        """UNTIL, so that the date is the last one: a time in UTC where the event has one, in its own form else."""
        if not isinstance(self.start, dt.datetime):
            return f"{date:%Y%m%d}"
        end = dt.datetime.combine(date, dt.time(23, 59, 59))
        if self.zone is None:
            return f"{end:%Y%m%dT%H%M%S}"
        return f"{end.replace(tzinfo=self.zone).astimezone(dt.timezone.utc):%Y%m%dT%H%M%SZ}"

    def length(self) -> str:
        """The DURATION from start to end."""
        days = self.end - self.start
        if not isinstance(self.start, dt.datetime):
            return f"P{days.days}D" if days.days % 7 or not days.days else f"P{days.days // 7}W"
        hours, minutes = divmod(int(days.total_seconds()) // 60, 60)
        return f"PT{hours}H{minutes}M"

    def stamp(self, name: str, value: dt.date | dt.datetime) -> str:
        if self.kind == "bare":
            return f"{name}:{value:%Y%m%d}"
        if self.kind == "date":
            return f"{name};VALUE=DATE:{value:%Y%m%d}"
        zone = "" if self.kind in ("utc", "floating") else f";TZID={self.kind}"
        return f"{name}{zone}:{value:%Y%m%dT%H%M%S}" + ("Z" if self.kind == "utc" else "")

    def lines(self, number: int) -> list[str]:
        out = ["BEGIN:VEVENT", f"UID:{number}@schultor.test", "DTSTAMP:20200101T000000Z", self.stamp("DTSTART", self.start)]
        if self.end is not None:
            out.append(f"DURATION:{self.length()}" if self.as_length else self.stamp("DTEND", self.end))
        if self.repeat:
            rule = f"RRULE:FREQ={self.repeat.frequency}"
            if self.repeat.interval != 1:
                rule += f";INTERVAL={self.repeat.interval}"
            if self.repeat.by_day:
                rule += ";BYDAY=" + ",".join(WEEKDAYS[day][:2].upper() for day in self.repeat.by_day)
            if self.repeat.count:
                rule += f";COUNT={self.repeat.count}"
            if self.repeat.until:
                rule += f";UNTIL={self.until(self.repeat.until)}"
            out.append(rule)
        out += [self.stamp("EXDATE", self.starts_on(date)) for date in self.without]
        out += [self.stamp("RDATE", self.starts_on(date)) for date in self.further]
        out += ["STATUS:CANCELLED"] if self.cancelled else []
        escape = str.maketrans({",": "\\,", ";": "\\;", "\\": "\\\\"})
        out.append("SUMMARY:" + self.summary.translate(escape))
        if self.categories:
            out.append("CATEGORIES:" + ",".join(category.translate(escape) for category in self.categories))
        return out + ["END:VEVENT"]


@dataclass
class Calendar:
    """A file, and how a schedule picks from it; fold is the length of its lines in octets, 0 leaves them whole. encoding is
    Python's name of it: `utf-8`, `utf-8-sig` (with a byte order mark) or `latin-1`. within_letters folds between any two octets."""

    file: str
    events: list[Event]
    only: list[str] = field(default_factory=list)
    leave: list[str] = field(default_factory=list)  # `except`
    crlf: bool = True
    fold: int = 75
    encoding: str = "utf-8"
    within_letters: bool = False

    def ics(self) -> bytes:
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Schultor contributors//a test//EN"]
        for number, event in enumerate(self.events):
            lines += event.lines(number)
        end = b"\r\n" if self.crlf else b"\n"
        mark = b"\xef\xbb\xbf" if self.encoding == "utf-8-sig" else b""
        return mark + b"".join(self.folded(line, end) + end for line in [*lines, "END:VCALENDAR"])

    def folded(self, line: str, end: bytes) -> bytes:
        letters = [letter.encode("latin-1" if self.encoding == "latin-1" else "utf-8") for letter in line]
        if self.within_letters:
            letters = [bytes([octet]) for letter in letters for octet in letter]
        out, used = b"", 0
        for letter in letters:
            if self.fold and used + len(letter) > self.fold:
                out, used = out + end + b" ", 1
            out, used = out + letter, used + len(letter)
        return out

    def toml(self) -> str:
        if not self.only and not self.leave:
            return json.dumps(self.file)
        keys = [f"file = {json.dumps(self.file)}"]
        keys += [f"only = {json.dumps(self.only, ensure_ascii=False)}"] if self.only else []
        keys += [f"except = {json.dumps(self.leave, ensure_ascii=False)}"] if self.leave else []
        return "{" + ", ".join(keys) + "}"


@dataclass
class Schedule:
    name: str
    windows: list[Window]
    during: str
    otherwise: str
    holidays: str | None = None
    calendars: list[Calendar] = field(default_factory=list)
    of_school: bool = False

    def toml(self) -> str:
        out = ["[[schedule]]", f'name = "{self.name}"', f"windows = {json.dumps([w.text() for w in self.windows])}"]
        out += [f'during = "{self.during}"', f'otherwise = "{self.otherwise}"']
        out += [f'holidays = "{self.holidays}"'] if self.holidays else []
        out += ["calendars = [" + ", ".join(c.toml() for c in self.calendars) + "]"] if self.calendars else []
        return "\n".join(out) + "\n"


@dataclass
class Day:
    date: dt.date
    schedule: str | None
    windows: list[Window]

    def toml(self) -> str:
        out = ["[[day]]", f'date = "{self.date}"'] + ([f'schedule = "{self.schedule}"'] if self.schedule else [])
        return "\n".join(out + [f"windows = {json.dumps([w.text() for w in self.windows])}"]) + "\n"


@dataclass
class Profile:
    """An open one blocks as many names as `names` says, a listed one allows as many."""

    name: str
    access: str = "open"
    names: int = 0

    def toml(self) -> str:
        key = "block" if self.access == "open" else "allow"
        names = json.dumps([f"name{number}.test" for number in range(self.names)])
        return f'[[profile]]\nname = "{self.name}"\naccess = "{self.access}"\n' + (f"{key} = {names}\n" if self.names else "")


@dataclass
class Group:
    """With a schedule or a profile; the unknown group may have neither."""

    name: str
    schedule: str | None = None
    profile: str | None = None
    ownership: str | None = None
    unknown: bool = False

    def toml(self) -> str:
        out = ["[[group]]", f'name = "{self.name}"']
        out += [f'schedule = "{self.schedule}"'] if self.schedule else []
        out += [f'profile = "{self.profile}"'] if self.profile else []
        out += [f'ownership = "{self.ownership}"'] if self.ownership else []
        return "\n".join(out + (["unknown = true"] if self.unknown else [])) + "\n"


@dataclass
class Case:
    """first and last are --from and --to, asked is --group; exactly one of the groups is the unknown one."""

    zone: str
    profiles: list[Profile]
    schedules: list[Schedule]
    days: list[Day]
    groups: list[Group]
    asked: str
    first: dt.date
    last: dt.date

    def write(self, directory: pathlib.Path) -> None:
        city, school = [profile.toml() for profile in self.profiles], []
        for schedule in self.schedules:
            (school if schedule.of_school else city).append(schedule.toml())
            for calendar in schedule.calendars:
                path = directory / calendar.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(calendar.ics())
        school += [group.toml() for group in self.groups] + [day.toml() for day in self.days]
        directory.mkdir(parents=True, exist_ok=True)
        for name, parts in zip(FILES, ([f'timezone = "{self.zone}"\n'], city, school)):
            (directory / name).write_text("\n".join(parts), encoding="utf-8")
