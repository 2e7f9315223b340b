# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The daemon's clock as the lab sets it: an offset to the system's clock, in microseconds."""

import re
import socket
import time
import tomllib
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .instance import Instance
from .names import LabError

FORMS = "“HH:MM[:SS]”, “YYYY-MM-DD HH:MM[:SS]” or “+N[s|m|h|d]”"
ANSWER_SECONDS = 30


def zone(config: Path) -> ZoneInfo:
    try:
        return ZoneInfo(tomllib.loads((config / "gateway.toml").read_text(encoding="utf-8"))["timezone"])
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError, ZoneInfoNotFoundError, ValueError) as error:
        raise LabError(f"{config}/gateway.toml: no time zone: {error}") from error


def offset(lab: Instance) -> int:
    return int(lab.facts.get("clock_offset", 0))


def now(lab: Instance) -> datetime:
    # Never by adding to a time with a zone: that adds to what the clock on the wall shows.
    return datetime.fromtimestamp(time.time() + offset(lab) / 1_000_000, zone(Path(lab.facts["config"])))


def instant(wall: datetime, place: tzinfo) -> datetime:
    """What the clock on the wall shows, as schultord reads it: what it shows twice means the first time, what it never shows the first
    instant after it."""
    wanted = wall.replace(tzinfo=place, fold=0)
    if wanted.astimezone(timezone.utc).astimezone(place).replace(tzinfo=None) == wall:
        return wanted
    # In the gap that a change of the clock leaves, fold tells the offset before it and the one after it.
    after = wanted.replace(fold=1).utcoffset()
    early, late = (int((wall - shift).replace(tzinfo=timezone.utc).timestamp()) for shift in (after, wanted.utcoffset()))
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (early, middle) if datetime.fromtimestamp(middle, place).utcoffset() == after else (middle, late)
    return datetime.fromtimestamp(late, place)


def parse(text: str, reference: datetime) -> datetime:
    """`reference` says which day a bare time is of, what `+` counts from, and the zone. Days are those of the calendar."""
    place = reference.tzinfo
    try:
        if found := re.fullmatch(r"\+(\d+)([smhd]?)", text):
            number = int(found[1])
            if found[2] == "d":
                return instant(reference.replace(tzinfo=None, fold=0) + timedelta(days=number), place)
            return datetime.fromtimestamp(reference.timestamp() + number * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]], place)
        if found := re.fullmatch(r"(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d(?::\d\d)?)", text):
            return instant(datetime.fromisoformat(f"{found[1] or reference.date()} {found[2]}"), place)
    except (ValueError, OverflowError) as error:
        raise LabError(f"“{text}”: {error}") from error
    raise LabError(f"“{text}” is no time: {FORMS}")


def offset_for(wanted: datetime) -> int:
    return round((wanted.timestamp() - time.time()) * 1_000_000)


def trusted(lab: Instance) -> bool:
    """Whether a time service is said to have set the clock."""
    return bool(lab.facts.get("clock_synchronised", True))


def tell(lab: Instance, word: str) -> None:
    """Returns when the daemon has taken it in and committed what holds then."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as control:
        control.settimeout(ANSWER_SECONDS)
        reply = lab.path(f"clock-answer-{time.monotonic_ns()}")
        control.bind(str(reply))
        try:
            reply.chmod(0o666)
            control.sendto(word.encode(), str(lab.path("run", "clock.sock")))
            answer = control.recv(512).decode()
        except OSError as error:
            raise LabError(f"schultord does not answer on its clock: {error}: see “tools/lab logs schultord”") from error
        finally:
            reply.unlink(missing_ok=True)
    if answer != "ok":
        raise LabError(f"schultord refused “{word}”: {answer}")


def set_running(lab: Instance, wanted: datetime) -> None:
    """Returns when the daemon has committed what holds at that time; from then on its clock goes on from there. A daemon that
    does not run starts at that time, and on."""
    value = offset_for(wanted)
    if lab.running("schultord"):
        tell(lab, str(value))
    lab.remember(clock_offset=value)


def trust(lab: Instance, synchronised: bool) -> None:
    """What a time service would have the kernel say of the clock, now and at later starts of the daemon."""
    if lab.running("schultord"):
        tell(lab, f"synchronised {int(synchronised)}")
    lab.remember(clock_synchronised=synchronised)
