# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The lab's fixed numbers and names (documented for users in tools/lab --help)."""

import os
import re
import zlib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
TEMPLATES = Path(__file__).resolve().parent / "templates"
DEFAULT_CONFIG = CHECKOUT / "config" / "lab"
LABS = Path("/run/schultor-lab")

GATEWAY4, GATEWAY6 = "10.77.0.1", "fd77::1"
WAN4, WAN6 = "198.51.100.254", "2001:db8:51::fe"
PROVIDER4, PROVIDER6 = "198.51.100.1", "2001:db8:51::1"
BROKER = "203.0.113.10"
CITY_ROUTER = "203.0.113.1"
SCHOOL = "ggs-am-park"

# The last octet of 198.51.100.0/24, and as written the last group of 2001:db8:51::/64.
AUTHORITY, CLOUD, CLOUD_FREE, LEARNING, LEARNING_FREE, GAME, GAME_FREE, CONTENT, DOH, ANY = 2, 10, 11, 20, 21, 30, 31, 40, 53, 60
INTERNET_HOSTS = (AUTHORITY, CLOUD, CLOUD_FREE, LEARNING, LEARNING_FREE, GAME, GAME_FREE, CONTENT, DOH, ANY)

# drucker.schule.test: of a private network that is nowhere until a test makes it.
PRINTER = ("192.168.6.6", "fd06::6")

# nN.viele.test: the first MANY4 have an IPv4 address as well.
MANY, MANY4 = 1000, 250
MANY_NETWORK4, MANY_NETWORK6 = "192.0.2.0/24", "2001:db8:52::/64"

MOST_TABLETS = 200
NAME = re.compile(r"[a-z][a-z0-9]{0,15}")


class LabError(Exception):
    """Told to the user as it is; says what to do."""


def internet4(host: int) -> str:
    return f"198.51.100.{host}"


def internet6(host: int) -> str:
    return f"2001:db8:51::{host}"


def many4(number: int) -> str:
    return f"192.0.2.{number + 1}"


def many6(number: int) -> str:
    return f"2001:db8:52::{number + 1:x}"


def tablet4(number: int) -> str:
    return f"10.77.1.{number}"


def tablet6(number: int) -> str:
    return f"fd77::1:{number}"


def tablet_mac(number: int) -> str:
    return f"02:77:00:00:00:{number:02x}"


def default_name() -> str:
    """One lab a checkout, unless SCHULTOR_LAB or --name says another: two checkouts never meet."""
    return os.environ.get("SCHULTOR_LAB") or f"lab{zlib.crc32(str(CHECKOUT).encode()) & 0xFFFF:04x}"


def check_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise LabError(f"“{name}” is no name for a lab: up to 16 of a-z and 0-9, a letter first")
    return name
