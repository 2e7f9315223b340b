# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The commands of tools/lab."""

import argparse
import os
import signal
import sys
from pathlib import Path

from . import bringup, clock, gateway, instance, namespaces, network, parts, processes
from .names import DEFAULT_CONFIG, LABS, PRINTER, LabError, check_name, default_name

DESCRIPTION = """\
A school on one machine, in network namespaces of its own: a gateway with the daemons of this checkout and a real nf_tables and unbound,
tablets, an internet with a DNS authority and web servers, and the city's MQTT broker. Needs root."""
EPILOG = f"""\
hosts       gateway, internet, city, tablet1 … tabletN
parts       {', '.join(parts.PARTS)}
addresses   LAN 10.77.0.0/16, fd77::/64; gateway 10.77.0.1, fd77::1; tablet n 10.77.1.n, fd77::1:n, MAC 02:77:00:00:00:NN (hex)
            internet 198.51.100.x, 2001:db8:51::x: cloud 10 and 11, learning site 20 and 21, game 30 and 31, cached origin 40,
            DoH/DoT 53, any.test 60, DNS authority 2. On 11, 21 and 31 (frei.mnspro.test, frei.lernen.test, frei.spiele.test)
            nothing listens: free for a test's own servers. City broker 203.0.113.10.
names       cloud.mnspro.test, lernen.test, spiele.test, inhalte.test, doh.test, any name under any.test, n0.viele.test … n999,
            drucker.schule.test at {', '.join(PRINTER)}, where nothing is: for [resolver] local
more labs   --name NAME or SCHULTOR_LAB; the default is one lab a checkout. A lab lives in {LABS}/NAME.
time        {clock.FORMS}, in the gateway's time zone; a bare time is of the lab's day.
            +1d is the same time of the next day, +24h are 24 hours. A time that the change of the clock leaves out means the first
            instant after it, one that comes twice the first."""


def do_up(arguments: argparse.Namespace) -> int:
    lab = bringup.up(arguments.name, arguments.config, arguments.at, arguments.tablets, arguments.owner, arguments.build, not arguments.no_gate,
                     not arguments.no_cache)
    if lab.facts["config_copied"]:
        print(f"tools/lab: {arguments.config} is not readable for the daemons' users: a copy is in use, {lab.facts['config']}", file=sys.stderr)
    if not arguments.no_gate and not lab.facts["reports"]:
        print(f"tools/lab: {lab.facts['config']}/gateway.toml has no [operations]: schultor-report does not run, and the city learns nothing",
              file=sys.stderr)
    return 0


def do_down(arguments: argparse.Namespace) -> int:
    for number in bringup.WATCHED:
        signal.signal(number, signal.SIG_IGN)
    instance.remove(arguments.name)
    return 0


def do_exec(arguments: argparse.Namespace) -> int:
    lab = instance.Instance(arguments.name)
    lab.require()
    environment = dict(os.environ)
    mounts = ()
    if arguments.host == "gateway":
        environment |= gateway.environment(lab)
        environment["PATH"] = f"{lab.path('bin')}:{environment.get('PATH', '/usr/sbin:/usr/bin')}"
        mounts = (gateway.binds(lab), gateway.layers(lab))
    elif arguments.host == "city":
        environment["XDG_CONFIG_HOME"] = str(lab.path("city"))
    environment["SCHULTOR_LAB"] = lab.name
    namespaces.become(lab.namespace(arguments.host), *mounts)
    try:
        os.execvpe(arguments.command[0], arguments.command, environment)
    except OSError as error:
        print(f"tools/lab: {arguments.command[0]}: {error.strerror}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126


def do_time(arguments: argparse.Namespace) -> int:
    lab = instance.Instance(arguments.name)
    lab.require()
    if arguments.time:
        clock.set_running(lab, clock.parse(arguments.time, clock.now(lab)))
    if arguments.trust:
        clock.trust(lab, arguments.trust == "yes")
    if not arguments.time and not arguments.trust:
        print(clock.now(lab).isoformat(sep=" ", timespec="seconds"))
    return 0


def do_restart(arguments: argparse.Namespace) -> int:
    lab = instance.Instance(arguments.name)
    lab.require()
    parts.restart(lab, arguments.part)
    return 0


def do_stop(arguments: argparse.Namespace) -> int:
    lab = instance.Instance(arguments.name)
    lab.require()
    parts.find(arguments.part)
    parts.stop(lab, arguments.part)
    return 0


def do_kill(arguments: argparse.Namespace) -> int:
    lab = instance.Instance(arguments.name)
    lab.require()
    parts.kill(lab, arguments.part)
    return 0


def do_wan(arguments: argparse.Namespace) -> int:
    instance.Instance(arguments.name).require()
    network.wan(arguments.name, arguments.state == "up")
    return 0


def do_logs(arguments: argparse.Namespace) -> int:
    lab = instance.Instance(arguments.name)
    lab.require()
    for part in [arguments.part] if arguments.part else list(parts.PARTS):
        parts.find(part)
        for line in lab.path("log", f"{part}.log").read_text(errors="replace").splitlines():
            print(line if arguments.part else f"{part}: {line}")
    return 0


def do_status(arguments: argparse.Namespace) -> int:
    lab = instance.Instance(arguments.name)
    facts = lab.require()
    print(f"lab {lab.name} in {lab.directory}, {facts['tablets']} tablets, {clock.now(lab).isoformat(sep=' ', timespec='seconds')}")
    print(f"configuration {facts['config']}")
    for part in parts.PARTS:
        named = lab.running(part)
        print(f"{part:<10} {parts.PARTS[part].host:<9} {f'pid {processes.pid_of(named)}' if named else 'does not run'}")
    return 0


def do_watch(arguments: argparse.Namespace) -> int:
    arguments.host = "city"
    arguments.command = ["stdbuf", "-oL", "mosquitto_sub", "-v", *(word for topic in arguments.topic or ["#"] for word in ("-t", topic))]
    return do_exec(arguments)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="tools/lab", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--name", default=None, help="which lab, for several at a time")
    commands = top.add_subparsers(dest="what", required=True, metavar="COMMAND")

    def command(name: str, function, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(function=function)
        # After the command as well; not there, it must not undo what stood before it.
        if name != "exec":
            added.add_argument("--name", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        return added

    up = command("up", do_up, "bring the lab up; returns when the gateway is ready. One of the same name is replaced, "
                 "unless the arguments are wrong; schultor-report runs only where gateway.toml has [operations], the content cache where it has [cache]")
    up.add_argument("--config", type=Path, metavar="DIR", help=f"configuration directory (default: a copy of {DEFAULT_CONFIG})")
    up.add_argument("--at", metavar="TIME", help="the gateway daemon's clock at start")
    up.add_argument("--tablets", type=int, default=8, metavar="N")
    up.add_argument("--build", metavar="DIR", help="build directory to take the daemons from (default: SCHULTOR_BUILD, else the newest of build/)")
    up.add_argument("--owner", type=int, metavar="PID", help="once this process is gone, the next “up” of any lab clears this one")
    up.add_argument("--no-cache", action="store_true", help="without the content cache, whatever the configuration says: a test plays it")
    up.add_argument("--no-gate", action="store_true", help="without the daemons: plain routing, to compare with")
    command("down", do_down, "remove it; nothing stays behind")
    execute = command("exec", do_exec, "run a command in a host")
    execute.add_argument("host")
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD …")
    time = command("time", do_time, "set the daemon's clock and wait until it has switched; without TIME: show it")
    time.add_argument("time", nargs="?", metavar="TIME")
    time.add_argument("--trust", choices=["yes", "no"], help="whether a time service is said to have set the clock")
    command("restart", do_restart, "stop a part if it runs, start it, wait until it is ready").add_argument("part")
    command("stop", do_stop, "stop a part, as “systemctl stop” does").add_argument("part")
    command("kill", do_kill, "kill -9 a part").add_argument("part")
    command("wan", do_wan, "plug the gateway's WAN cable in or out").add_argument("state", choices=["up", "down"])
    command("logs", do_logs, "what the parts said").add_argument("part", nargs="?")
    command("status", do_status, "what runs")
    command("watch", do_watch, "the city's view: topics and payloads as they come").add_argument("topic", nargs="*")
    return top


def main(argv: list[str]) -> int:
    arguments = parser().parse_args(argv)
    try:
        arguments.name = check_name(arguments.name or default_name())
        if arguments.what == "exec" and arguments.command[:1] == ["--"]:
            del arguments.command[0]
        if arguments.what == "exec" and not arguments.command:
            raise LabError("exec HOST CMD…: which command?")
        if arguments.what != "up" and os.geteuid() != 0:
            raise LabError("network namespaces want root: run it with sudo")
        return arguments.function(arguments)
    except (LabError, OSError) as error:
        print(f"tools/lab: {error}", file=sys.stderr)
        return 2
    except bringup.Interrupted as interrupted:
        print("tools/lab: interrupted; everything is removed", file=sys.stderr)
        return 128 + interrupted.args[0]
    except BrokenPipeError:
        return 1
