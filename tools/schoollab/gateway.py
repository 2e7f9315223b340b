# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The gateway: its users, its resolver, its private bus, and the three daemons with the rights that their units give them."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

from . import certificates, namespaces, network
from .instance import Instance
from .names import AUTHORITY, CHECKOUT, SCHOOL, LabError, internet4
from .outside import fill

CONFIGURATION, LISTS = Path("/etc/schultor"), Path("/var/lib/schultor-lists")
CERTIFICATES, STORED = Path("/var/lib/schultor-certificates"), Path("/var/cache/schultor")
# What the gateway's programs trust: the lab's internet.
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")
USERS = ("schultor", "schultor-dns", "schultor-report")
UNITS = CHECKOUT / "units"
# What runs under which name in the build directory.
PROGRAMS = {"schultord": "schultord-lab", "schultor-dns": "schultor-dns", "schultor-report": "schultor-report",
            "schultor-origin": "schultor-origin", "schultor-certificates": "schultor-certificates", "schultor-city": "schultor-city",
            "schultorctl": "schultorctl"}


def find_build(wanted: str | None) -> Path:
    """The build directory to take the daemons from: the one asked for, else the newest."""
    if wanted := wanted or os.environ.get("SCHULTOR_BUILD"):
        directory = Path(wanted).resolve()
        if not directory.is_dir():
            raise LabError(f"{directory}: there is no such build directory")
        return directory
    found = [(program.stat().st_mtime, directory) for directory in (CHECKOUT / "build" / "dev", CHECKOUT / "build" / "release")
             if (program := find_program(directory, PROGRAMS["schultord"])) is not None]
    if not found:
        raise LabError("nothing is built: “cmake --preset dev && cmake --build --preset dev”, or name a build directory by --build or SCHULTOR_BUILD")
    return max(found)[1]


def find_program(build: Path, name: str) -> Path | None:
    for directory, below, files in os.walk(build):
        below[:] = [entry for entry in below if entry not in ("CMakeFiles", "Testing", "tests", "_deps")]
        path = Path(directory, name)
        if name in files and os.access(path, os.X_OK):
            return path
    return None


def find_programs(build: Path) -> dict[str, str]:
    programs = {name: find_program(build, target) for name, target in PROGRAMS.items()}
    missing = [PROGRAMS[name] for name, path in programs.items() if path is None and name != "schultorctl"]
    if missing:
        raise LabError(f"{build} has no {', '.join(missing)}: build it with “cmake --build {build}”")
    return {name: str(path) for name, path in programs.items() if path is not None}


def write_users(lab: Instance) -> None:
    """The gateway's own passwd and group: the machine's, and the users that the package makes."""
    root = lab.path("users")
    (root / "etc").mkdir(parents=True)
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    with open(UNITS / "sysusers.conf", encoding="utf-8") as packaged:
        done = subprocess.run(["systemd-sysusers", f"--root={root}", "-"], stdin=packaged, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"systemd-sysusers: {done.stderr.strip()}")
    for name in ("passwd", "group"):
        network.etc_file(lab.name, "gateway", name, (root / "etc" / name).read_text())


def account(lab: Instance, name: str) -> tuple[int, int]:
    for line in lab.path("users", "etc", "passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2]), int(fields[3])
    raise LabError(f"units/sysusers.conf makes no user {name}")


def readable(directory: Path, user: tuple[int, int]) -> bool:
    """Whether that user may read everything there."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(user[1])
            os.setuid(user[0])
            os.listdir(directory)
            files = [Path(where, name) for where, _, names in os.walk(directory, onerror=lambda _: os._exit(1)) for name in names]
            status = 0 if all(os.access(file, os.R_OK) for file in files) else 1
        except OSError:
            pass
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def place_config(lab: Instance, wanted: Path | None, default: Path) -> tuple[Path, bool]:
    """Where the daemons read it, and whether it is a copy of what was asked for. The default is always a copy: free to be edited."""
    if wanted and all(readable(wanted, account(lab, user)) for user in USERS):
        return wanted, False
    target = lab.path("config")
    shutil.copytree(wanted or default, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target, wanted is not None


def has(config: Path, table: str) -> bool:
    """Whether gateway.toml has that table, without which a daemon has nothing to do and is not started."""
    try:
        return table in tomllib.loads((config / "gateway.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LabError(f"{config}/gateway.toml: {error}") from error


def load_sysctl(lab: Instance, name: str) -> None:
    """A file of units/, as systemd-sysctl or schultord's unit would load it."""
    namespaces.run(lab.namespace("gateway"), ["sysctl", "--quiet", f"--load={UNITS / name}"])


def write_resolver(lab: Instance) -> None:
    directory = lab.path("unbound")
    directory.mkdir()
    shutil.copy(CHECKOUT / "config" / "defaults" / "unbound.conf", directory / "product.conf")
    fill("unbound.conf", directory / "unbound.conf", dir=directory, authority=internet4(AUTHORITY))


def write_bus(lab: Instance) -> None:
    policies = lab.path("bus-policies")
    policies.mkdir()
    for policy in (UNITS / "dbus").glob("*.conf"):
        shutil.copy(policy, policies)
    fill("bus.conf", lab.path("bus.conf"), socket=lab.path("bus.sock"), policies=policies)


def write_daemons(lab: Instance) -> None:
    for directory, user in (("run", "schultor"), ("state", "schultor"), ("report", "schultor-report"), ("lists", "schultor-lists"),
                            ("cache", "schultor-cache"), ("cache-state", "schultor-cache"), ("stored", "schultor-cache"),
                            ("certificates", "schultor-ca")):
        lab.path(directory).mkdir()
        shutil.chown(lab.path(directory), *account(lab, user))
    shutil.chown(lab.path("certificates"), group=account(lab, "schultor-cache")[1])
    lab.path("certificates").chmod(0o750)
    certificates.hand_out(lab.path("ca"), lab.path("credentials"), {"ca": "ca.crt", "certificate": f"{SCHOOL}.crt", "key": f"{SCHOOL}.key"},
                          account(lab, "schultor-report"))
    for target in CONFIGURATION, LISTS, CERTIFICATES, STORED:
        (layers(lab)[str(target.parent)] / target.name).mkdir(parents=True)
    lab.path("bin").mkdir()
    for name in PROGRAMS:
        lab.path("bin", name).touch(0o755)


def https_hosts(config: Path) -> list[str]:
    """Of the origins whose content is kept."""
    tables = [tomllib.loads((config / name).read_text(encoding="utf-8")) for name in ("city.toml", "school.toml") if (config / name).exists()]
    return sorted({host for table in tables for origin in table.get("origin", []) if origin.get("https") for host in origin["names"]})


def make_authority(lab: Instance) -> None:
    """As the city does for its school; the device CA that school-owned tablets trust is ca/city/device-ca.pem."""
    hosts = https_hosts(Path(lab.facts["config"]))
    city, program = lab.path("ca", "city"), lab.facts["programs"]["schultor-city"]
    words = [["create", "--dir", str(city), "--name", "Schultor lab", "--plain"]]
    if hosts:
        words.append(["school", "--dir", str(city), "--name", SCHOOL, "--out", str(lab.path("ca", "school")), *(word for host in hosts for word in ("--host", host))])
    for each in words:
        done = subprocess.run([program, "ca", *each], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"schultor-city ca {each[0]}: {done.stderr.strip()}")


def tend_certificates(lab: Instance) -> None:
    """As schultor-certificates.service does when the hosts change; what there is not is handed over empty."""
    handed = lab.path("credentials-ca")
    handed.mkdir(exist_ok=True)
    for name, source in (("cache_rules.json", lab.path("state", "cache_rules.json")), ("ca.pem", lab.path("ca", "school", "ca.pem")),
                         ("ca.key", lab.path("ca", "school", "ca.key"))):
        (handed / name).write_bytes(source.read_bytes() if source.exists() else b"\n")
        shutil.chown(handed / name, *account(lab, "schultor-ca"))
        (handed / name).chmod(0o400)
    argv = as_user("schultor-ca", [], [str(lab.path("bin", "schultor-certificates")), "--rules", str(handed / "cache_rules.json"), "--authority",
                                       str(handed / "ca.pem"), "--key", str(handed / "ca.key"), "--state", str(lab.path("certificates"))], "schultor-cache")
    namespaces.run(lab.namespace("gateway"), ["env", "CREDENTIALS_DIRECTORY=", *argv], binds(lab), layers(lab))


def binds(lab: Instance) -> dict[str, str]:
    """The programs lie in the lab's bin directory by mounts: a checkout that only root may enter works as well. The configuration
    and what is compiled from lists lie where the product looks for them."""
    return {str(lab.path("bin", name)): source for name, source in lab.facts.get("programs", {}).items()} | {
        str(CONFIGURATION): lab.facts["config"], str(LISTS): str(lab.path("lists")), str(CERTIFICATES): str(lab.path("certificates")),
        str(STORED): str(lab.path("stored")), str(TRUSTED): str(lab.path("ca", "ca.crt"))}


def compile_lists(lab: Instance) -> None:
    """As an operator does before the first start."""
    if Path(lab.facts["config"], "lists").is_dir() and "schultorctl" in lab.facts["programs"]:
        namespaces.run(lab.namespace("gateway"), [str(lab.path("bin", "schultorctl")), "lists", "compile"], binds(lab), layers(lab))


def layers(lab: Instance) -> dict[str, Path]:
    return {str(CONFIGURATION.parent): lab.path("etc"), str(LISTS.parent): lab.path("var-lib"), str(STORED.parent): lab.path("var-cache")}


def environment(lab: Instance) -> dict[str, str]:
    return {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={lab.path('bus.sock')}", "CREDENTIALS_DIRECTORY": str(lab.path("credentials")),
            "SCHULTOR_LAB": lab.name}


def as_user(user: str, capabilities: list[str], argv: list[str], group: str | None = None) -> list[str]:
    """setpriv(1) with these capabilities and no others, now and ever."""
    allowed = ",".join(["-all", *(f"+{capability}" for capability in capabilities)])
    return ["setpriv", f"--reuid={user}", f"--regid={group or user}", "--init-groups", f"--inh-caps={allowed}", f"--ambient-caps={allowed}",
            f"--bounding-set={allowed}", "--no-new-privs", *argv]
