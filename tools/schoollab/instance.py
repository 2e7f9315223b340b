# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""One lab and its directory /run/schultor-lab/<name>: who owns it, what runs in it, and how it is cleared away."""

import contextlib
import fcntl
import json
import os
import shutil
from pathlib import Path

from . import namespaces, network, processes
from .names import LABS, LabError

# These may have something to finish; the rest is killed with its namespace.
ASKED_TO_STOP = ("report", "origin", "dns", "schultord")


@contextlib.contextmanager
def only_one():
    """Claims and clearances of labs happen one at a time. The lock is the directory itself, so that nothing stays behind."""
    while True:
        LABS.mkdir(parents=True, exist_ok=True)
        fd = os.open(LABS, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(fd, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.stat(LABS).st_ino == os.fstat(fd).st_ino:
                break
        os.close(fd)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            LABS.rmdir()
        os.close(fd)


class Instance:
    """Facts about a lab live in lab.json; `parts/<part>` names the running process of a part."""

    def __init__(self, name: str):
        self.name = name
        self.directory = LABS / name

    def path(self, *parts: str) -> Path:
        return self.directory.joinpath(*parts)

    @property
    def facts(self) -> dict:
        try:
            return json.loads(self.path("lab.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def remember(self, **facts) -> None:
        new = self.path("lab.json.new")
        new.write_text(json.dumps({**self.facts, **facts}, indent=1) + "\n")
        new.rename(self.path("lab.json"))

    def require(self) -> dict:
        facts = self.facts
        if not facts.get("ready"):
            raise LabError(f"there is no lab “{self.name}”: bring it up with “tools/lab up”" + others(self.name))
        return facts

    def namespace(self, host: str) -> str:
        name = network.namespace(self.name, host)
        if not network.HOSTS.fullmatch(host) or host == "lan" or namespaces.inode(name) is None:
            tablets = self.facts.get("tablets", 0)
            raise LabError(f"there is no host “{host}”: gateway, internet, city, tablet1 to tablet{tablets}")
        return name

    def abandoned(self) -> bool:
        """Whether the process that it was brought up for, or that was bringing it up, is gone."""
        facts = self.facts
        if not facts:
            return True
        if not facts.get("ready") and not processes.alive(facts["maker"]):
            return True
        return facts.get("owner") is not None and not processes.alive(facts["owner"])

    def running(self, part: str) -> str | None:
        try:
            named = self.path("parts", part).read_text()
        except FileNotFoundError:
            return None
        return named if processes.alive(named) else None

    def started(self, part: str, pid: int) -> None:
        self.path("parts", part).write_text(processes.identity(pid))

    def stopped(self, part: str) -> None:
        self.path("parts", part).unlink(missing_ok=True)

    def clear(self) -> None:
        """Leaves nothing of it. The caller holds only_one()."""
        for part in ASKED_TO_STOP:
            if named := self.running(part):
                processes.stop(named, 3)
        network.remove(self.name)
        shutil.rmtree(self.directory, ignore_errors=True)


def all_names() -> list[str]:
    try:
        return sorted(entry.name for entry in LABS.iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []


def others(name: str) -> str:
    found = [other for other in all_names() if other != name]
    return f"; or choose one of {', '.join(found)} by --name" if found else ""


def claim(name: str, owner: str | None, tablets: int) -> Instance:
    """Clears what was abandoned and whatever bore this name, and starts anew under it."""
    with only_one():
        for other in all_names():
            if other != name and Instance(other).abandoned():
                Instance(other).clear()
        lab = Instance(name)
        facts = lab.facts
        if facts and not lab.abandoned():
            if not facts.get("ready"):
                raise LabError(f"process {processes.pid_of(facts['maker'])} is bringing up a lab “{name}”: choose another --name")
            if facts.get("owner") not in (None, owner):
                raise LabError(f"the lab “{name}” belongs to process {processes.pid_of(facts['owner'])}: choose another --name")
        lab.clear()
        lab.directory.mkdir()
        for directory in ("parts", "log"):
            lab.path(directory).mkdir()
        lab.remember(name=name, owner=owner, maker=processes.identity(os.getpid()), tablets=tablets, ready=False)
        return lab


def remove(name: str) -> None:
    with only_one():
        Instance(name).clear()
