# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Bringing a lab up, whole or not at all."""

import contextlib
import os
import shutil
import signal
from datetime import datetime
from pathlib import Path

from . import certificates, clock, gateway, instance, network, outside, parts, processes
from .names import DEFAULT_CONFIG, LABS, MOST_TABLETS, LabError

NEEDED = ("ip", "nsd", "nginx", "mosquitto", "dbus-daemon", "unbound", "openssl", "setpriv", "sysctl", "systemd-sysusers")


WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    pass


@contextlib.contextmanager
def undone_when_interrupted(name: str):
    """Ctrl-C, a hang-up, an error: nothing is left behind, and no second Ctrl-C disturbs that. Entered with the signals blocked."""
    def interrupt(number, _frame):
        raise Interrupted(number)
    before = {number: signal.signal(number, interrupt) for number in WATCHED}
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        yield
    except BaseException:
        for number in WATCHED:
            signal.signal(number, signal.SIG_IGN)
        instance.remove(name)
        raise
    finally:
        for number in WATCHED:
            signal.signal(number, before[number])


def check_machine() -> None:
    if os.geteuid() != 0:
        raise LabError("network namespaces want root: run it with sudo")
    missing = [program for program in NEEDED if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None]
    if missing:
        raise LabError(f"not installed: {', '.join(missing)}: “tools/packages install” does it")


def check_config(name: str, config: Path) -> None:
    if not (config / "gateway.toml").exists():
        raise LabError(f"{config}: no configuration directory (gateway.toml is missing)")
    if config.is_relative_to(LABS / name):
        raise LabError(f"{config}: it goes with the lab “{name}”, which “up” replaces: copy it to another place first")


def up(name: str, config: Path | None, at: str | None, tablets: int, owner: int | None, build: str | None, gate: bool,
       cache: bool) -> instance.Instance:
    check_machine()
    if not 1 <= tablets <= MOST_TABLETS:
        raise LabError(f"--tablets {tablets}: 1 to {MOST_TABLETS}")
    programs = gateway.find_programs(gateway.find_build(build)) if gate else {}
    # Whatever can be known to be wrong is told before a lab of this name goes for the new one.
    owned = processes.identity(owner) if owner is not None else None
    if config:
        config = config.resolve()
        check_config(name, config)
    real = datetime.now(clock.zone(config or DEFAULT_CONFIG))
    wanted = clock.parse(at, real) if at is not None else None
    # A signal during the claim is served after it: a lab that may be somebody else's is not removed for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    try:
        lab = instance.claim(name, owned, tablets)
    except BaseException:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
        raise
    with undone_when_interrupted(name):
        fill(lab, config, wanted, programs, cache)
        return lab


def fill(lab: instance.Instance, config: Path | None, wanted: datetime | None, programs: dict[str, str], cache: bool) -> None:
    tablets = lab.facts["tablets"]
    certificates.make(lab.path("ca"))
    network.build(lab.name, tablets)
    gateway.load_sysctl(lab, "sysctl.conf")
    gateway.write_users(lab)
    placed, copied = gateway.place_config(lab, config, DEFAULT_CONFIG)
    lab.remember(config=str(placed), config_copied=copied, programs=programs, reports=gateway.has(placed, "operations"), caches=cache and gateway.has(placed, "cache"))
    outside.write_authority(lab)
    outside.write_web(lab)
    outside.write_broker(lab)
    gateway.write_resolver(lab)
    gateway.write_bus(lab)
    gateway.write_daemons(lab)
    gateway.compile_lists(lab)
    if lab.facts["caches"] and programs:
        gateway.make_authority(lab)
    for part in parts.PARTS:
        lab.path("log", f"{part}.log").touch()
    parts.start(lab, [part for part in parts.PARTS if part not in parts.DAEMONS])
    if wanted:
        lab.remember(clock_offset=clock.offset_for(wanted))
    if programs:
        for part, condition in parts.DAEMONS.items():
            if not condition or lab.facts[condition]:
                parts.start(lab, [part])
    else:
        gateway.load_sysctl(lab, "forwarding.conf")
    lab.remember(ready=True)
