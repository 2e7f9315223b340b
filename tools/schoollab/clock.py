# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The daemon's clock as the lab sets it: an offset to the system's clock, in microseconds."""

import re
import socket
import time
import tomllib
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .instance import Instance
from .names import LabError

FORMS = "“HH:MM[:SS]”, “YYYY-MM-DD HH:MM[:SS]” or “+N[s|m|h|d]”"
ANSWER_SECONDS = 30


def zone(config: Path) -> ZoneInfo:
    try:
        return ZoneInfo(tomllib.loads((config / "gateway.toml").read_text())["timezone"])
    except (OSError, KeyError, tomllib.TOMLDecodeError, ZoneInfoNotFoundError, ValueError) as error:
        raise LabError(f"{config}/gateway.toml: no time zone: {error}") from error


def offset(lab: Instance) -> int:
    return int(lab.facts.get("clock_offset", 0))


def now(lab: Instance) -> datetime:
    return datetime.now(zone(Path(lab.facts["config"]))) + timedelta(microseconds=offset(lab))


def parse(text: str, reference: datetime) -> datetime:
    """`reference` says which day a bare time is of, what `+` counts from, and the zone."""
    if found := re.fullmatch(r"\+(\d+)([smhd]?)", text):
        seconds = int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
        return datetime.fromtimestamp(reference.timestamp() + seconds, reference.tzinfo)
    if found := re.fullmatch(r"(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d(?::\d\d)?)", text):
        try:
            return datetime.fromisoformat(f"{found[1] or reference.date()} {found[2]}").replace(tzinfo=reference.tzinfo)
        except ValueError as error:
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
