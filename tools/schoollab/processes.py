# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Processes: who is who (a pid alone may have been given to another since), and waiting for READY=1."""

import contextlib
import os
import select
import signal
import socket
import time
from pathlib import Path

from .names import LabError


def start_time(pid: int) -> int | None:
    """In clock ticks since boot (proc(5), stat, field 22); None when there is no such process or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def identity(pid: int) -> str:
    """Names the process for good: `alive` tells whether it still runs."""
    started = start_time(pid)
    if started is None:
        raise LabError(f"there is no process {pid}")
    return f"{pid} {started}"


def pid_of(named: str) -> int:
    return int(named.split()[0])


def alive(named: str) -> bool:
    pid, started = named.split()
    return start_time(int(pid)) == int(started)


def send_signal(named: str, number: int) -> None:
    if alive(named):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid_of(named), number)


def wait_gone(named: str, seconds: float) -> bool:
    """Whether the process ended in time."""
    try:
        fd = os.pidfd_open(pid_of(named))
    except ProcessLookupError:
        return True
    try:
        return not alive(named) or bool(select.select([fd], [], [], seconds)[0])
    finally:
        os.close(fd)


def stop(named: str, seconds: float) -> None:
    """TERM, and KILL for what has not ended in time."""
    send_signal(named, signal.SIGTERM)
    if not wait_gone(named, seconds):
        send_signal(named, signal.SIGKILL)
        wait_gone(named, seconds)


def session_of(named: str) -> list[str]:
    """The others of the session that the process leads (setsid(2)): what it has started."""
    leader, found = pid_of(named), []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != leader:
            with contextlib.suppress(OSError, LabError):
                if os.getsid(int(entry)) == leader:
                    found.append(identity(int(entry)))
    return found


def in_namespaces(inodes: set[int]) -> list[int]:
    """The processes that live in these network namespaces."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{entry}/ns/net").st_ino in inodes:
                    found.append(int(entry))
    return found


def kill_all_in(inodes: set[int], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while pids := in_namespaces(inodes):
        if time.monotonic() > deadline:
            raise LabError(f"processes {pids} of the lab do not end")
        fds = []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                fds.append(os.pidfd_open(pid))
                os.kill(pid, signal.SIGKILL)
        for fd in fds:
            select.select([fd], [], [], 1)
            os.close(fd)


class ReadySocket:
    """NOTIFY_SOCKET of sd_notify(3) for one process."""

    def __init__(self, path: Path):
        self.path = path
        path.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(str(path))
        path.chmod(0o666)

    def wait(self, pid: int, seconds: float) -> str | None:
        """None once READY=1 has come, else what happened instead."""
        ended = os.pidfd_open(pid)
        deadline = time.monotonic() + seconds
        try:
            while (left := deadline - time.monotonic()) > 0:
                readable = select.select([self.socket, ended], [], [], left)[0]
                if self.socket in readable:
                    if "READY=1" in self.socket.recv(8192).decode(errors="replace").splitlines():
                        return None
                elif ended in readable:
                    return "ended instead of getting ready"
            return f"is not ready after {seconds:.0f} s"
        finally:
            os.close(ended)

    def close(self) -> None:
        self.socket.close()
        self.path.unlink(missing_ok=True)
