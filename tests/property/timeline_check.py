#!/usr/bin/python3
# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Holds `schultorctl timeline` against a second reading of the time rules.

    timeline_check.py SCHULTORCTL [--seed N] [--count N] [--keep DIR]
    timeline_check.py --self-test [--search [--count N]]

Writes random configurations, one a seed from N on, asks for their timelines and compares each line with what
timeline_rules.py finds by looking at every minute. On a difference it drops and narrows what it can, prints the smallest
configuration that still differs, both timelines and the seed, and exits with 1. --self-test sees to it that the same
configurations tell apart the rules and each misreading of them that timeline_rules.WRONG names.

Where schultor.toml(5) leaves a question open, this is the answer that is checked:
- A window that runs past midnight is that of the calendar date before, by local time alone: at 03:00 behind a date that
  the zone leaves out, the window of the date left out is open.
- On a date with a [[day]] the reason is `day` from its first to its last second, outside of the windows, too. With
  windows = [] `day` and `holiday` are both accepted; where a [[day]]'s window runs into the next date, `day` and `window`.
- Of several windows that are open the text may name any.
- Where an hour occurs twice around 00:00, --from and --to mean the first 00:00; a date that does not occur begins where
  the next one does.
- A glob is held against the whole summary and against each category; `only` wants one match, `except` suffers none.
- An event that is given by VALUE=DATE with end = start, and one without DTEND, is its first date. Where a calendar has such ends and
  no end on the day behind a start, its ends with VALUE=DATE are the last days. A time without length
  touches its date, also at 00:00.
- A COUNT counts the dates that EXDATE then takes out. Weeks begin on Monday.
- A repeated time in UTC recurs in UTC, one of a zone or a floating one by that wall clock; where that shows the time twice,
  the first is meant, and one that it leaves out counts by the offset before. Each instance lasts as long as the first one does.
- An end at a date's first instant does not touch the date, whatever the clock shows then.
- The unknown group without schedule and profile has the reason of any group that has the strictest profile now.
Left out: [[day]]s that contradict each other, first times of events that do not occur or occur twice in their own zone, and
ends before starts: they are for a parser's test. Zones are in whole minutes since 1973, so a state lasts whole minutes.
"""

from __future__ import annotations

import argparse
import copy
import datetime as dt
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

from timeline_case import Case
from timeline_random import Dice
from timeline_rules import WRONG, Held, Reading, first_instant, zone_of

# By which seeds the self-test notices the misreadings, so that it need not look for them; it says when they do not any more.
TOLD_BY = {
    "end-belongs": 2, "no-overnight": 46, "overnight-by-day": 188, "range-no-wrap": 15, "24-is-23:59": 9, "elapsed": 4,
    "interval": 71, "holiday-not-against-overnight": 27, "holiday-starts-windows": 275, "day-not-against-overnight": 4,
    "day-ends-at-midnight": 46, "day-starts-windows": 45, "day-into-day": 8, "holiday-before-day": 4, "any-day": 129,
    "day-of-others": 14, "empty-day-otherwise": 5, "no-holidays-no-effect": 16, "bare-exclusive": 200, "date-inclusive": 14,
    "midnight-touches": 253, "utc-as-local": 105, "zone-as-local": 105, "no-repeat": 168, "no-rdate": 46, "summary-alone": 14,
    "offset-of-start": 4, "because-otherwise": 4,
}

Line = dict[str, str]
Answer = list[Line] | str  # a timeline, or why there is none


class Program:
    """schultorctl, asked in a directory of its own."""

    def __init__(self, path: str, directory: pathlib.Path):
        self.path, self.directory, self.number = path, directory, itertools.count()

    def __call__(self, case: Case) -> Answer:
        directory = self.directory / str(next(self.number))
        case.write(directory)
        command = [self.path, "--config", str(directory), "timeline", "--group", case.asked, "--from", str(case.first), "--to", str(case.last), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            return f"exit {done.returncode}: {done.stderr.strip()}"
        try:
            return json.loads(done.stdout)
        except ValueError as fault:
            return f"no JSON: {fault}"


def stand_in(case: Case) -> Answer:
    """A program that reads the rules right."""
    return [{"at": at, "profile": h.profile, "because": min(h.because), "text": ""} for at, h in Reading(case).lines()]


def same(line: Line, at: str, held: Held) -> bool:
    if (line.get("at"), line.get("profile")) != (at, held.profile) or line.get("because") not in held.because:
        return False
    if held.because == {"window"} and held.windows and line.get("text"):
        return any(line["text"].endswith(f"window {window}") for window in held.windows)
    return True


def difference(case: Case, program: Callable[[Case], Answer], wrong: set[str] | None = None) -> str | None:
    """What the two timelines differ in, as a kind that shrinking keeps; None if in nothing."""
    answer = program(case)
    if isinstance(answer, str):
        return "no timeline"
    return compared(answer, Reading(case, wrong).lines())


def compared(answer: list[Line], expected: list[tuple[str, Held]]) -> str | None:
    equal = len(answer) == len(expected) and all(same(line, *pair) for line, pair in zip(answer, expected))
    return None if equal else "another timeline"


def smaller(case: Case) -> Iterator[Case]:
    """The case with one thing less, the largest things first."""

    def without(path: Callable[[Case], list], index: int) -> Case:
        new = copy.deepcopy(case)
        del path(new)[index]
        return new

    def changed(change: Callable[[Case], None]) -> Case:
        new = copy.deepcopy(case)
        change(new)
        return new

    span = (case.last - case.first).days
    for step in sorted({span // 2, span // 4, 1} - {0}, reverse=True):
        yield changed(lambda c: setattr(c, "first", c.first + dt.timedelta(step)))
        yield changed(lambda c: setattr(c, "last", c.last - dt.timedelta(step)))
    for i, group in enumerate(case.groups):
        if group.name != case.asked and not group.unknown:
            yield without(lambda c: c.groups, i)
    used = {group.schedule for group in case.groups}
    for i, schedule in enumerate(case.schedules):
        if schedule.name not in used and schedule.name not in {day.schedule for day in case.days}:
            yield without(lambda c: c.schedules, i)
        for j, calendar in enumerate(schedule.calendars):
            yield without(lambda c: c.schedules[i].calendars, j)
            for k, event in enumerate(calendar.events):
                yield without(lambda c: c.schedules[i].calendars[j].events, k)
                for key, value in (("repeat", None), ("without", []), ("further", []), ("as_length", False), ("categories", [])):
                    if getattr(event, key):
                        yield changed(lambda c: setattr(c.schedules[i].calendars[j].events[k], key, value))
            for key, value in (("only", []), ("leave", []), ("fold", 0), ("encoding", "utf-8"), ("within_letters", False)):
                if getattr(calendar, key) != value:
                    yield changed(lambda c: setattr(c.schedules[i].calendars[j], key, value))
        for j, window in enumerate(schedule.windows):
            yield without(lambda c: c.schedules[i].windows, j)
            if window.parts:
                yield changed(lambda c: setattr(c.schedules[i].windows[j], "parts", []))
        if schedule.holidays:
            yield changed(lambda c: setattr(c.schedules[i], "holidays", None))
        if schedule.of_school:
            yield changed(lambda c: setattr(c.schedules[i], "of_school", False))
    for i, day in enumerate(case.days):
        yield without(lambda c: c.days, i)
        for j in range(len(day.windows)):
            yield without(lambda c: c.days[i].windows, j)
        if day.schedule and (day.date, None) not in {(d.date, d.schedule) for d in case.days}:
            yield changed(lambda c: setattr(c.days[i], "schedule", None))
    used = {g.profile for g in case.groups} | {p for s in case.schedules for p in (s.during, s.otherwise, s.holidays)}
    for i, profile in enumerate(case.profiles):
        if profile.name not in used:
            yield without(lambda c: c.profiles, i)


def sensible(case: Case) -> bool:
    """Whether a smaller case still asks a question: a span, and a group that the unknown one can follow."""
    zone = zone_of(case.zone)
    asked = next(group for group in case.groups if group.name == case.asked)
    leaders = [group for group in case.groups if not group.unknown and group.ownership in (None, "school")]
    return first_instant(case.first, zone) < first_instant(case.last, zone) and bool(asked.schedule or asked.profile or leaders)


def shrunk(case: Case, kind: str, differs: Callable[[Case], str | None]) -> Case:
    found = True
    while found:
        found = False
        for candidate in smaller(case):
            if sensible(candidate) and differs(candidate) == kind:
                case, found = candidate, True
                break
    return case


def side_by_side(case: Case, answer: Answer) -> str:
    rules = [f"{at}  {held.profile}  {'|'.join(sorted(held.because))}" for at, held in Reading(case).lines()]
    if isinstance(answer, str):
        return f"  {answer}\n  expected:\n" + "\n".join(f"    {line}" for line in rules)
    given = [f"{line.get('at')}  {line.get('profile')}  {line.get('because')}  ({line.get('text')})" for line in answer]
    marks = ["  " if same(line, *pair) else "! " for line, pair in zip(answer, Reading(case).lines())]
    width = max(map(len, ["schultorctl", *given])) + 2
    rows = itertools.zip_longest(["! "] * 0 + marks, given, rules, fillvalue="")
    return f"  {'schultorctl':<{width}}expected\n" + "\n".join(f"{mark or '! '}{a:<{width}}{b}" for mark, a, b in rows)


def report(case: Case, seed: int, kind: str, program: Program, keep: pathlib.Path | None) -> None:
    small = shrunk(case, kind, lambda c: difference(c, program))
    with tempfile.TemporaryDirectory() as temporary:
        directory = keep / f"seed-{seed}" if keep else pathlib.Path(temporary)
        small.write(directory)
        print(f"seed {seed}: {kind}. The smallest directory" + (f", kept in {directory}:" if keep else ":"))
        for path in sorted(path for path in directory.rglob("*") if path.is_file()):
            text = path.read_bytes().decode("utf-8", "backslashreplace")
            print(f"--- {path.relative_to(directory)}\n{text.strip()}")
    print(f"--- schultorctl timeline --group {small.asked} --from {small.first} --to {small.last} --json")
    print(side_by_side(small, program(small)))
    print(f"Again: {sys.argv[0]} {program.path} --seed {seed} --count 1\n", flush=True)


def check(program: Program, seed: int, count: int, keep: pathlib.Path | None) -> bool:
    lines = clocks = differences = 0
    zones: set[str] = set()
    for number in range(seed, seed + count):
        case = Dice(number).case()
        answer, reading = program(case), Reading(case)
        expected = reading.lines()
        kind = "no timeline" if isinstance(answer, str) else compared(answer, expected)
        if kind:
            differences += 1
            report(case, number, kind, program, keep)
            if differences == 5:
                print("Five differences are enough.")
                break
            continue
        lines, clocks = lines + len(expected), clocks + reading.clock_changes()
        zones.add(case.zone)
    print(f"seeds {seed} to {number}: {number - seed + 1} directories in {len(zones)} zones, {lines} lines compared, {clocks} clock changes crossed, {differences} differences")
    return differences == 0


def self_test(count: int, search: bool) -> bool:
    """Each misreading is told from the rules by one of the configurations, and shrinking keeps what it was about."""
    answers: dict[int, Answer] = {}

    def tells(wrong: str, seed: int) -> bool:
        case = Dice(seed).case()
        if (case.last - case.first).days > 3:  # there is much to read, and three days tell as much as three weeks
            return False
        answers[seed] = answers.get(seed) or stand_in(case)
        return difference(case, lambda _: answers[seed], {wrong}) is not None

    missed, seeds = [], {}
    for wrong, meaning in WRONG.items():
        # A change of what is drawn makes the seeds that are written down worthless: then --search finds others.
        tried = [TOLD_BY[wrong]] if wrong in TOLD_BY else []
        if not tried and not search:
            print(f"not looked for: {wrong}; --search does, and it takes long")
            continue
        seed = next((seed for seed in itertools.chain(tried, range(1, count + 1) if search else []) if tells(wrong, seed)), None)
        if seed is None:
            missed.append(f"no configuration tells: {wrong} ({meaning}); --search looks for others")
            continue
        seeds[wrong] = seed
        if seed not in tried:
            print(f"write down in TOLD_BY: {wrong}: {seed}", flush=True)
    for wrong in {"holiday-starts-windows", "bare-exclusive"} & seeds.keys():
        case = Dice(seeds[wrong]).case()
        small = shrunk(case, "another timeline", lambda c: difference(c, stand_in, {wrong}))
        size = sum(len(s.windows) + sum(len(c.events) for c in s.calendars) for s in small.schedules) + len(small.days)
        if difference(small, stand_in, {wrong}) is None or size > 3:
            missed.append(f"shrinking does not get to the point of {wrong}: {small}")
    print("\n".join(missed) or f"{len(seeds)} of {len(WRONG)} misreadings are noticed")
    return not missed


def main() -> int:
    parser = argparse.ArgumentParser(description="Holds schultorctl timeline against a second reading of the time rules.")
    parser.add_argument("program", nargs="?", help="schultorctl")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--keep", type=pathlib.Path, help="where the smallest directories of differences stay")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--search", action="store_true", help="with --self-test: look through --count seeds for misreadings")
    options = parser.parse_args()
    if options.self_test:
        return 0 if self_test(options.count, options.search) else 1
    if not options.program:
        parser.error("which schultorctl?")
    with tempfile.TemporaryDirectory(prefix="timeline-check-") as directory:
        return 0 if check(Program(options.program, pathlib.Path(directory)), options.seed, options.count, options.keep) else 1


if __name__ == "__main__":
    sys.exit(main())
