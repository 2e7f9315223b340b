# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The time rules, read once more and the long way: what holds is looked up at every minute. The readings that the rules
leave open are listed in timeline_check.py. WRONG names misreadings that can be switched on, to see that they are noticed."""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from timeline_case import Calendar, Case, Event, Group, Schedule, Window

WRONG = {
    "end-belongs": "the minute at a window's end is in it",
    "no-overnight": "a window over midnight ends there",
    "overnight-by-day": "what runs past midnight asks for the day it is on, not the one it began on",
    "range-no-wrap": "a range of days over the week's end is empty",
    "24-is-23:59": "24:00 is the minute 23:59",
    "elapsed": "a window's times are hours since the date began",
    "interval": "a window is the time between two instants: an hour that occurs twice is in it once",
    "holiday-not-against-overnight": "a window runs on into a holiday",
    "holiday-starts-windows": "what would have begun on a holiday runs on into the date behind it",
    "day-not-against-overnight": "a window runs on into a [[day]]",
    "day-ends-at-midnight": "a [[day]]'s window over midnight ends there",
    "day-starts-windows": "a [[day]] does not keep the schedule's own windows from running into the date behind it",
    "day-into-day": "the window of a [[day]] runs on into the next [[day]]",
    "holiday-before-day": "a holiday beats a [[day]]",
    "any-day": "the first [[day]] of a date counts, also one for all schedules before one for this schedule",
    "day-of-others": "a [[day]] counts for all schedules",
    "empty-day-otherwise": "windows = [] leaves the date to `otherwise`",
    "no-holidays-no-effect": "without `holidays` a holiday changes nothing",
    "bare-exclusive": "the end of a bare date is exclusive",
    "date-inclusive": "the end of VALUE=DATE is inclusive",
    "midnight-touches": "an end at 00:00 touches the date that begins there",
    "utc-as-local": "times in UTC are local ones",
    "zone-as-local": "times with TZID are local ones",
    "no-repeat": "RRULE is passed over",
    "no-exdate": "EXDATE is passed over",
    "no-rdate": "RDATE is passed over",
    "cancelled-counts": "a cancelled event is an event",
    "recurs-in-utc": "an event in a zone recurs by the offset of its first time",
    "case-matters": "only and except heed case",
    "summary-alone": "only and except look at the summary alone",
    "glob-anywhere": "only and except match a part of the text",
    "no-except": "except is passed over",
    "one-category": "of the categories only the first counts",
    "offset-of-start": "the offset of the first instant holds all the time",
    "vanished-start": "a date without midnight begins at 00:00 by the offset behind it",
    "strictest-first": "the unknown group follows the first group of the school",
    "strictest-byod": "the unknown group looks at devices that are not the school's, too",
    "because-otherwise": "the reason outside of a [[day]]'s windows is `otherwise`",
    "equal-is-a-line": "there is a line for each change of the reason",
}

MIDNIGHT = dt.time(0)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
UTC = dt.timezone.utc
OTHERWISE, HOLIDAY, DAYS_OWN = frozenset({"otherwise"}), frozenset({"holiday"}), frozenset({"day"})
FIXED, EMPTY_DAY = frozenset({"fixed"}), frozenset({"day", "holiday"})


@functools.cache
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def first_instant(date: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The first instant whose local time is on the date or, of a date that does not occur, behind it."""
    midnight = dt.datetime.combine(date, MIDNIGHT)
    at = midnight.replace(tzinfo=UTC) - dt.timedelta(hours=15)
    while at.astimezone(zone).replace(tzinfo=None) < midnight:
        at += MINUTE
    return at


def glob(pattern: str, text: str, wrong: set[str]) -> bool:
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    flags = re.DOTALL | (0 if "case-matters" in wrong else re.IGNORECASE)
    return bool((re.search if "glob-anywhere" in wrong else re.fullmatch)(expression, text, flags))


def picked(calendar: Calendar, event: Event, wrong: set[str]) -> bool:
    categories = [] if "summary-alone" in wrong else event.categories[: 1 if "one-category" in wrong else None]
    texts = [event.summary, *categories]

    def any_of(patterns: list[str]) -> bool:
        return any(glob(pattern, text, wrong) for pattern in patterns for text in texts)

    return (not calendar.only or any_of(calendar.only)) and ("no-except" in wrong or not any_of(calendar.leave))


def starts(event: Event, until: dt.date, wrong: set[str]) -> list[dt.date]:
    """The dates on which the event starts, in its own calendar, by counting through the days."""
    first = event.start.date() if isinstance(event.start, dt.datetime) else event.start
    rule = event.repeat
    further = set() if "no-rdate" in wrong else {date for date in event.further if date <= until}
    if rule is None or "no-repeat" in wrong:
        return sorted(({first} | further) - set(() if "no-exdate" in wrong else event.without))
    days = rule.by_day or [first.weekday()]
    monday = first - first.weekday() * DAY
    out, date = [], first
    while date <= until and (rule.until is None or date <= rule.until) and (rule.count is None or len(out) < rule.count):
        match rule.frequency:
            case "DAILY":
                meant = (date - first).days % rule.interval == 0
            case "WEEKLY":
                meant = (date - monday).days // 7 % rule.interval == 0 and date.weekday() in days
            case "MONTHLY":
                months = (date.year - first.year) * 12 + date.month - first.month
                meant = date.day == first.day and months % rule.interval == 0
            case _:
                same = (date.month, date.day) == (first.month, first.day)
                meant = same and (date.year - first.year) % rule.interval == 0
        if meant:
            out.append(date)
        date += DAY
    return sorted(date for date in {*out, *further} if "no-exdate" in wrong or date not in event.without)


def span(event: Event, date: dt.date, zone: ZoneInfo, wrong: set[str]) -> tuple[dt.datetime, dt.datetime]:
    """When the event that starts on the date, in its own zone, starts and ends by the gateway's clock: naive, the end as the last
    minute that is in it. An event lasts as long as its first instance does."""
    start, end = dt.datetime.combine(date, event.start.time()), event.end or event.start
    last = dt.timedelta(0) if "midnight-touches" in wrong or end == event.start else MINUTE
    if event.kind == "floating" or "zone-as-local" in wrong or ("utc-as-local" in wrong and event.kind == "utc"):
        return start, start + (end - event.start) - last
    source = event.zone
    first, close = (value.replace(tzinfo=source).astimezone(UTC) for value in (event.start, end))
    # DURATION is exact where it is given in hours; a time that the zone leaves out counts by the offset before.
    length = end - event.start if event.as_length else close - first
    begin = first + (start - event.start) if "recurs-in-utc" in wrong else start.replace(tzinfo=source).astimezone(UTC)
    return tuple(value.astimezone(zone).replace(tzinfo=None) for value in (begin, begin + length - last))


def ends_on_last_days(calendar: Calendar) -> bool:
    """Whether the calendar's single days with VALUE=DATE end on themselves, and none on the next day."""
    dated = [e for e in calendar.events if e.kind == "date" and e.end is not None and not e.as_length and not e.cancelled]
    return any(e.end == e.start for e in dated) and not any(e.end == e.start + DAY for e in dated)


def touched(event: Event, inclusive: bool, until: dt.date, zone: ZoneInfo, wrong: set[str]) -> set[dt.date]:
    """The dates that the event touches; `inclusive` is how its calendar means ends with VALUE=DATE."""
    out: set[dt.date] = set()
    if event.cancelled and "cancelled-counts" not in wrong:
        return out
    for date in starts(event, until, wrong):
        if isinstance(event.start, dt.datetime):
            first, last = (value.date() for value in span(event, date, zone, wrong))
        else:
            exclusive = (event.kind == "date" and not inclusive and "date-inclusive" not in wrong) or (event.kind == "bare" and "bare-exclusive" in wrong)
            first = last = date
            if event.end is not None:
                exclusive = exclusive or event.as_length
                last = max(date, date + (event.end - event.start) - (DAY if exclusive else 0 * DAY))
        while first <= last:
            out.add(first)
            first += DAY
    return out


@dataclass(frozen=True)
class Held:
    """What holds: the profile, which reasons may be given for it, and the windows of the schedule that are open."""

    profile: str
    because: frozenset[str]
    windows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Span:
    """A window as minutes of a date; that of the evening before starts before 0."""

    start: int
    end: int
    because: str
    text: str


@dataclass
class Frame:
    """What a schedule has for a date."""

    date: dt.date
    closed: bool  # a holiday
    day: list[Span] | None
    day_before: bool
    ran_on: list[Span]
    starting: list[Span]


class Reading:
    """What holds for the case's group at an instant."""

    def __init__(self, case: Case, wrong: set[str] | None = None):
        self.case, self.wrong, self.zone = case, wrong or set(), zone_of(case.zone)
        self.start, self.stop = first_instant(case.first, self.zone), first_instant(case.last, self.zone)
        if "vanished-start" in self.wrong:
            start = self.start.astimezone(self.zone)
            if start.time() != MIDNIGHT and start.date() == case.first:
                self.start = start.replace(hour=0, minute=0).astimezone(UTC) - start.utcoffset() + start.replace(hour=0, minute=0).utcoffset()
        self.holidays = {s.name: self.dates(s) for s in case.schedules}
        self.frames: dict[tuple, Frame] = {}
        profiles = enumerate(case.profiles)
        self.order = {p.name: (p.access != "listed", p.names if p.access == "listed" else -p.names, i) for i, p in profiles}
        self.dates_read: dict[dt.date, list[Held]] = {}
        self.group = next(group for group in case.groups if group.name == case.asked)
        self.schedules = {schedule.name: schedule for schedule in case.schedules}
        self.offset = self.start.astimezone(self.zone).utcoffset()

    def dates(self, schedule: Schedule) -> set[dt.date]:
        out: set[dt.date] = set()
        for calendar in schedule.calendars:
            for event in calendar.events:
                if picked(calendar, event, self.wrong):
                    out |= touched(event, ends_on_last_days(calendar), self.case.last + DAY, self.zone, self.wrong)
        return out

    def day(self, schedule: Schedule, date: dt.date) -> list[Window] | None:
        days = [d for d in self.case.days if d.date == date]
        if "day-of-others" not in self.wrong:
            days = [d for d in days if d.schedule in (None, schedule.name)]
        if "any-day" not in self.wrong:
            days.sort(key=lambda d: d.schedule is None)
        return days[0].windows if days else None

    def on(self, window: Window, date: dt.date) -> bool:
        """Whether the window starts on the date."""
        for a, b in window.parts:
            if a > b and "range-no-wrap" in self.wrong:
                continue
            if (date.weekday() - a) % 7 <= (b - a) % 7:
                return True
        return not window.parts

    def span(self, window: Window, because: str, evening_before: bool) -> Span:
        end = window.end if window.end > window.start else window.end + 1440
        if window.end == 1440 and "24-is-23:59" in self.wrong:
            end = 1439
        if "no-overnight" in self.wrong:
            end = min(end, 1440)
        if "end-belongs" in self.wrong:
            end += 1
        shift = 1440 if evening_before else 0
        return Span(window.start - shift, end - shift, because, window.text())

    def frame(self, schedule: Schedule, today: dt.date) -> Frame:
        key = (schedule.name, today)
        if key not in self.frames:
            wrong, yesterday = self.wrong, today - DAY
            closed = today in self.holidays[schedule.name]
            if "no-holidays-no-effect" in wrong and not schedule.holidays:
                closed = False
            day, before = self.day(schedule, today), self.day(schedule, yesterday)
            if closed and "holiday-before-day" in wrong:
                day = None
            # What may run on from the evening before, were today a date like any other.
            own = [w for w in schedule.windows if self.on(w, today if "overnight-by-day" in wrong else yesterday)]
            if before is not None:
                own = own if "day-starts-windows" in wrong else []
            elif yesterday in self.holidays[schedule.name] and "holiday-starts-windows" not in wrong:
                own = []
            ran_on = [self.span(w, "window", True) for w in own]
            if before is not None and "day-ends-at-midnight" not in wrong:
                ran_on += [self.span(w, "day", True) for w in before]
            starting = [] if closed else [self.span(w, "window", False) for w in schedule.windows if self.on(w, today)]
            own_of_day = None if day is None else [self.span(w, "day", False) for w in day]
            self.frames[key] = Frame(today, closed, own_of_day, before is not None, ran_on, starting)
        return self.frames[key]

    def opened(self, frame: Frame, spans: list[Span], minute: int, at: dt.datetime | None) -> list[Span]:
        """The spans that are open at the minute of the date; `at` is for misreadings."""
        if at is not None:
            midnight = dt.datetime.combine(frame.date, MIDNIGHT)
            if "interval" in self.wrong:
                edges = [[(midnight + m * MINUTE).replace(tzinfo=self.zone).astimezone(UTC) for m in (s.start, s.end)] for s in spans]
                return [span for span, (start, end) in zip(spans, edges) if start <= at < end]
            minute = int((at - midnight.replace(tzinfo=self.zone).astimezone(UTC)).total_seconds()) // 60
        return [span for span in spans if span.start <= minute < span.end]

    def scheduled(self, schedule: Schedule, today: dt.date, minute: int, at: dt.datetime | None) -> Held:
        wrong, frame = self.wrong, self.frame(schedule, today)
        holiday = schedule.holidays or schedule.otherwise
        ran_on = self.opened(frame, frame.ran_on, minute, at) if frame.ran_on else []
        if frame.day is not None:
            against = ("day-not-against-overnight" in wrong) or ("day-into-day" in wrong and frame.day_before)
            if not frame.day:
                return Held(schedule.otherwise if "empty-day-otherwise" in wrong else holiday, EMPTY_DAY)
            if self.opened(frame, frame.day, minute, at) or (against and ran_on):
                return Held(schedule.during, DAYS_OWN)
            return Held(schedule.otherwise, OTHERWISE if "because-otherwise" in wrong else DAYS_OWN)
        if frame.closed and not ("holiday-not-against-overnight" in wrong and ran_on):
            return Held(holiday, HOLIDAY)
        opened = ran_on + self.opened(frame, frame.starting, minute, at) if frame.starting else ran_on
        if opened:
            because = frozenset(["window", *(span.because for span in opened)])
            return Held(schedule.during, because, tuple(span.text for span in opened))
        return Held(schedule.otherwise, OTHERWISE)

    def of_group(self, group: Group, today: dt.date, minute: int, at: dt.datetime | None) -> Held:
        if group.profile:
            return Held(group.profile, FIXED)
        if group.schedule:
            return self.scheduled(self.schedules[group.schedule], today, minute, at)
        # The unknown group with neither: the strictest profile that any group of the school's has now.
        others = [g for g in self.case.groups if not g.unknown and (g.ownership in (None, "school") or "strictest-byod" in self.wrong)]
        held = [self.of_group(g, today, minute, at) for g in others]
        if "strictest-first" in self.wrong:
            held = held[:1]
        least = min(held, key=lambda h: self.order[h.profile]).profile
        same = [h for h in held if h.profile == least]
        windows = () if any("window" in h.because and not h.windows for h in same) else tuple(w for h in same for w in h.windows)
        return Held(least, frozenset().union(*(h.because for h in same)), windows)

    def at(self, at: dt.datetime) -> Held:
        """What holds."""
        local = at + self.offset if "offset-of-start" in self.wrong else at.astimezone(self.zone)
        today, minute = local.date(), local.hour * 60 + local.minute
        if self.wrong & {"elapsed", "interval"}:
            return self.of_group(self.group, today, minute, at)
        # The wall clock is all that counts: each date is looked through minute by minute, once.
        held = self.dates_read.get(today)
        if held is None:
            held = self.dates_read[today] = [self.of_group(self.group, today, m, None) for m in range(1440)]
        return held[minute]

    def lines(self) -> list[tuple[str, Held]]:
        """The timeline: looked up at every minute, and at the seconds around each change."""
        out, at, last = [], self.start, None
        while at < self.stop:
            held = self.at(at)
            if last is None or held.profile != last.profile or ("equal-is-a-line" in self.wrong and held.because != last.because):
                if last is not None and not self.wrong:
                    second = dt.timedelta(seconds=1)
                    assert self.at(at - second).profile == last.profile and self.at(at + second).profile == held.profile
                out.append((at.astimezone(self.zone).isoformat(), held))
            last, at = held, at + MINUTE
        return out

    def clock_changes(self) -> int:
        """How often the offset changes within the span."""
        count, at, offset = 0, self.start, self.start.astimezone(self.zone).utcoffset()
        while at < self.stop:
            at += 15 * MINUTE
            now = at.astimezone(self.zone).utcoffset()
            count, offset = count + (now != offset), now
        return count
