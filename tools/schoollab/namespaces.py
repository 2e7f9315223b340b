# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""Entering network namespaces, and running programs in a host of the lab (its network, its /etc files)."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
from pathlib import Path

from .names import LabError

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
PR_SET_PDEATHSIG = 1
MS_BIND, MS_REC, MS_SLAVE, MNT_DETACH = 0x1000, 0x4000, 0x80000, 2
NETNS = Path("/run/netns")
ETC_NETNS = Path("/etc/netns")

libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent() -> None:
    """The calling process does not go on making a lab whose maker was killed, while another one clears it away."""
    call("prctl", libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))


def call(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str, flags: int) -> None:
    call(f"mount {target}", libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None))


def enter(namespace: str) -> None:
    """Moves the calling thread for good."""
    fd = os.open(NETNS / namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        call(f"setns {namespace}", libc.setns(fd, CLONE_NEWNET))
    finally:
        os.close(fd)


@contextlib.contextmanager
def inside(namespace: str):
    """The calling thread is in the namespace for the length of the block; a socket made there stays there."""
    home = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(namespace)
        try:
            yield
        finally:
            call("setns", libc.setns(home, CLONE_NEWNET))
    finally:
        os.close(home)


def inode(namespace: str) -> int | None:
    try:
        return os.stat(NETNS / namespace).st_ino
    except FileNotFoundError:
        return None


def sysctl(namespace: str, settings: dict[str, object]) -> None:
    with inside(namespace):
        for key, value in settings.items():
            try:
                Path("/proc/sys/net", *key.split(".")).write_text(f"{value}\n")
            except OSError as error:
                raise LabError(f"net.{key} = {value}: {error.strerror}: this kernel cannot run the lab") from error


def become(namespace: str, binds: dict[str, str] | None = None, layers: dict[str, Path] | None = None) -> None:
    """Makes the calling process one of the host's: its network, and a mount namespace where /etc/netns/<namespace>/* and
    `binds` (target → source) lie over the machine's files, as with ip-netns(8). `layers` (directory → what is laid over it)
    come before, for targets that the machine does not have: nothing can be written there but through binds."""
    enter(namespace)
    call("unshare", libc.unshare(CLONE_NEWNS))
    mount("none", "/", "none", MS_REC | MS_SLAVE)
    # A mount of /sys shows the devices of the namespace that it was made in; some containers forbid a second one.
    with contextlib.suppress(OSError):
        mount("sysfs", "/sys", "sysfs", 0)
    for target, layer in (layers or {}).items():
        call(f"mount {target}", libc.mount(b"overlay", target.encode(), b"overlay", 0, f"lowerdir={layer}:{target}".encode()))
    own = ETC_NETNS / namespace
    overlays = {f"/etc/{file.name}": str(file) for file in own.iterdir()} if own.is_dir() else {}
    for target, source in {**overlays, **(binds or {})}.items():
        if os.path.exists(target):
            mount(source, os.path.realpath(target), "none", MS_BIND)


def spawn(namespace: str, argv: list[str], log: Path, env: dict[str, str], binds: dict[str, str] | None = None,
          layers: dict[str, Path] | None = None) -> int:
    """Starts a program in a host, in a session of its own; its output goes to `log`. Returns the pid."""
    with open(log, "ab") as output:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", env=env,
                                   start_new_session=True, preexec_fn=lambda: become(namespace, binds, layers))
    # The lab outlives this process: nobody waits for it.
    process.returncode = 0
    return process.pid


def run(namespace: str, argv: list[str], binds: dict[str, str] | None = None, layers: dict[str, Path] | None = None) -> None:
    """Runs a program of the lab's own in a host, to its end."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          preexec_fn=lambda: become(namespace, binds, layers))
    if done.returncode != 0:
        raise LabError(f"{argv[0]}: {(done.stderr or done.stdout).strip() or f'exit code {done.returncode}'}")


def ip_batch(lines: list[str], namespace: str | None = None) -> None:
    """Commands of ip(8), all by one process."""
    argv = ["ip", *(["-n", namespace] if namespace else []), "-batch", "-"]
    done = subprocess.run(argv, input="\n".join(lines) + "\n", text=True, capture_output=True, check=False, preexec_fn=end_with_parent)
    if done.returncode != 0:
        raise LabError(f"ip: {done.stderr.strip().splitlines()[0] if done.stderr else 'failed'} (namespace {namespace})")
