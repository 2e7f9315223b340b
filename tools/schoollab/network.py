# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The cables of a lab: one namespace a host, and a switch that the tablets and the gateway's lan0 are plugged into."""

import contextlib
import os
import re
import shutil

from . import namespaces, processes
from .names import (BROKER, CITY_ROUTER, GATEWAY4, GATEWAY6, INTERNET_HOSTS, MANY_NETWORK4, MANY_NETWORK6, PROVIDER4,
                    PROVIDER6, WAN4, WAN6, AUTHORITY, internet4, internet6, tablet4, tablet6, tablet_mac)

HOSTS = re.compile(r"(lan|gateway|internet|city|tablet[0-9]+)")
# No duplicate address detection: an address is there at once.
QUIET = {"ipv6.conf.default.accept_dad": 0, "ipv6.conf.default.accept_ra": 0, "ipv6.conf.all.accept_dad": 0}


def namespace(lab: str, host: str) -> str:
    return f"{lab}-{host}"


def existing(lab: str) -> list[str]:
    """The namespaces (or what is left of them) of this lab."""
    found = set()
    for directory in (namespaces.NETNS, namespaces.ETC_NETNS):
        with contextlib.suppress(FileNotFoundError):
            found |= {entry for entry in os.listdir(directory) if entry.startswith(f"{lab}-") and HOSTS.fullmatch(entry[len(lab) + 1:])}
    return sorted(found)


def etc_file(lab: str, host: str, name: str, text: str) -> None:
    directory = namespaces.ETC_NETNS / namespace(lab, host)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text)


def internet_routes() -> list[str]:
    return [f"route replace 10.77.0.0/16 via {WAN4}", f"route replace 10.78.0.0/16 via {WAN4}", f"route replace fd77::/16 via {WAN6}"]


def build(lab: str, tablets: int) -> None:
    hosts = ["lan", "gateway", "internet", "city", *(f"tablet{n}" for n in range(1, tablets + 1))]
    namespaces.ip_batch([f"netns add {namespace(lab, host)}" for host in hosts])
    for host in hosts:
        namespaces.sysctl(namespace(lab, host), QUIET)
    build_lan(lab, tablets)
    build_wan(lab)
    namespaces.sysctl(namespace(lab, "internet"), {"ipv4.ip_forward": 1, "ipv6.conf.wan.keep_addr_on_down": 1})
    for host in hosts:
        server = {"gateway": "127.0.0.1", "internet": internet4(AUTHORITY), "city": internet4(AUTHORITY)}.get(host, GATEWAY4)
        if host != "lan":
            etc_file(lab, host, "resolv.conf", f"nameserver {server}\n")


def build_lan(lab: str, tablets: int) -> None:
    switch = ["link set lo up", "link add br0 type bridge stp_state 0 mcast_snooping 0", "link set br0 up",
              f"link add gateway type veth peer name lan0 address 02:77:00:00:ff:01 netns {namespace(lab, 'gateway')}"]
    ports = ["gateway"]
    for n in range(1, tablets + 1):
        switch.append(f"link add tablet{n} type veth peer name eth0 address {tablet_mac(n)} netns {namespace(lab, f'tablet{n}')}")
        ports.append(f"tablet{n}")
    for port in ports:
        switch += [f"link set {port} master br0", f"link set {port} up"]
    namespaces.ip_batch(switch, namespace(lab, "lan"))
    namespaces.ip_batch(["link set lo up", "link set lan0 up", f"addr add {GATEWAY4}/16 dev lan0", f"addr add {GATEWAY6}/64 dev lan0 nodad"],
                        namespace(lab, "gateway"))
    for n in range(1, tablets + 1):
        namespaces.ip_batch(["link set lo up", "link set eth0 up", f"addr add {tablet4(n)}/16 dev eth0", f"addr add {tablet6(n)}/64 dev eth0 nodad",
                             f"route add default via {GATEWAY4}", f"route add default via {GATEWAY6}"], namespace(lab, f"tablet{n}"))


def build_wan(lab: str) -> None:
    addresses = [(PROVIDER4, PROVIDER6), *((internet4(host), internet6(host)) for host in INTERNET_HOSTS)]
    namespaces.ip_batch([
        "link set lo up", f"link add wan type veth peer name wan0 netns {namespace(lab, 'gateway')}",
        f"link add city type veth peer name eth0 netns {namespace(lab, 'city')}",
        *(f"addr add {four}/24 dev wan" for four, _ in addresses), *(f"addr add {six}/64 dev wan nodad" for _, six in addresses),
        f"addr add {CITY_ROUTER}/24 dev city", "link set wan up", "link set city up",
        # Every address of these networks is this host's own.
        f"route add local {MANY_NETWORK4} dev lo", f"route add local {MANY_NETWORK6} dev lo"], namespace(lab, "internet"))
    namespaces.ip_batch(["link set wan0 up", f"addr add {WAN4}/24 dev wan0", f"addr add {WAN6}/64 dev wan0 nodad",
                         f"route add default via {PROVIDER4}", f"route add default via {PROVIDER6}"], namespace(lab, "gateway"))
    namespaces.ip_batch(internet_routes(), namespace(lab, "internet"))
    namespaces.ip_batch(["link set lo up", "link set eth0 up", f"addr add {BROKER}/24 dev eth0", f"route add default via {CITY_ROUTER}"],
                        namespace(lab, "city"))


def wan(lab: str, up: bool) -> None:
    """The cable at the provider's end: the gateway's wan0 loses or gets its carrier and keeps its addresses and routes."""
    lines = ["link set wan up", *internet_routes()] if up else ["link set wan down"]
    namespaces.ip_batch(lines, namespace(lab, "internet"))


def remove(lab: str) -> None:
    """Ends everything that lives in the lab's namespaces, and removes them. Whatever is not there is fine."""
    names = existing(lab)
    inodes = {found for name in names if (found := namespaces.inode(name)) is not None}
    if inodes:
        processes.kill_all_in(inodes)
    for name in names:
        if (namespaces.NETNS / name).exists():
            # One that was killed half-way through its making is a plain file.
            namespaces.libc.umount2(str(namespaces.NETNS / name).encode(), namespaces.MNT_DETACH)
            (namespaces.NETNS / name).unlink()
        shutil.rmtree(namespaces.ETC_NETNS / name, ignore_errors=True)
    with contextlib.suppress(OSError):
        namespaces.ETC_NETNS.rmdir()
