# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The outside world: a DNS authority that knows nothing but the lab's names, web servers, and the city's broker."""

import pwd
import shutil
from pathlib import Path

from . import certificates
from .instance import Instance
from .names import (ANY, AUTHORITY, BROKER, CLOUD, CLOUD_FREE, CONTENT, DOH, GAME, GAME_FREE, LEARNING, LEARNING_FREE, MANY, MANY4, PRINTER, SCHOOL,
                    TEMPLATES, internet4, internet6, many4, many6)

SOA = "@ 60 IN SOA ns.stadt.test. hostmaster.stadt.test. 1 3600 600 86400 60\n@ 60 IN NS ns.stadt.test.\n"
# Name below the zone → host, the target of a CNAME, or addresses inside the school.
ZONES: dict[str, dict[str, int | str | tuple[str, str]]] = {
    "mnspro.test": {"@": CLOUD, "cloud": CLOUD, "frei": CLOUD_FREE, "apps": "cloud.mnspro.test.", "start": "apps.mnspro.test."},
    "lernen.test": {"@": LEARNING, "www": "lernen.test.", "frei": LEARNING_FREE, "cdn": "kante.any.test."},
    "spiele.test": {"@": GAME, "www": "spiele.test.", "frei": GAME_FREE},
    "inhalte.test": {"@": CONTENT, "www": "inhalte.test."},
    "doh.test": {"@": DOH},
    "any.test": {"@": ANY, "*": ANY},
    "schule.test": {"drucker": PRINTER},
}
SITES = {CLOUD: "Lerncloud", LEARNING: "Lernseite", GAME: "Spiel", CONTENT: "Inhalte der Lerncloud", DOH: "DNS über HTTPS", ANY: "Irgendeine Seite"}
LARGE_FILE = 64 << 20


def fill(template: str, target: Path, **values: object) -> None:
    """`@NAME@` in the template is replaced."""
    text = (TEMPLATES / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name.upper()}@", str(value))
    target.write_text(text)


def account(name: str) -> tuple[int, int]:
    entry = pwd.getpwnam(name)
    return entry.pw_uid, entry.pw_gid


def record(owner: str, value: int | str | tuple[str, str]) -> str:
    if isinstance(value, str):
        return f"{owner} 60 IN CNAME {value}\n"
    address4, address6 = value if isinstance(value, tuple) else (internet4(value), internet6(value))
    return f"{owner} 60 IN A {address4}\n{owner} 60 IN AAAA {address6}\n"


def write_authority(lab: Instance) -> None:
    directory = lab.path("nsd")
    directory.mkdir()
    for zone, records in ZONES.items():
        (directory / f"{zone}.zone").write_text(SOA + "".join(record(owner, value) for owner, value in records.items()))
    # viele.test: a thousand names, each with an address of its own, for whoever wants one that nobody has asked for yet.
    (directory / "viele.test.zone").write_text(SOA + "".join(
        f"n{i} 60 IN AAAA {many6(i)}\n" + (f"n{i} 60 IN A {many4(i)}\n" if i < MANY4 else "") for i in range(MANY)))
    # A root of its own: every other name in the world is answered, and does not exist.
    (directory / "root.zone").write_text(SOA)
    (directory / "stadt.test.zone").write_text(SOA + record("ns", AUTHORITY) + f"betrieb 60 IN A {BROKER}\n")
    zones = {zone: zone for zone in (*ZONES, "stadt.test", "viele.test")} | {".": "root"}
    fill("nsd.conf", directory / "nsd.conf", dir=directory, authority=AUTHORITY, doh=DOH, zones="".join(
        f'zone:\n  name: "{zone}"\n  zonefile: "{directory}/{file}.zone"\n' for zone, file in zones.items()))
    certificates.hand_out(lab.path("ca"), directory, {"server.crt": "web.crt", "server.key": "web.key"}, account("nsd"))
    shutil.chown(directory, *account("nsd"))


def write_web(lab: Instance) -> None:
    directory = lab.path("nginx")
    (directory / "www").mkdir(parents=True)
    with open(directory / "www" / "gross.bin", "wb") as large:
        large.truncate(LARGE_FILE)
    servers = []
    for host, title in SITES.items():
        listen = "".join(f"    listen {address}:80;\n    listen {address}:443 ssl;\n" for address in (internet4(host), f"[{internet6(host)}]"))
        servers.append(f"  server {{\n{listen}    location / {{ default_type text/plain; charset utf-8; return 200 \"{title} ($host)\\n\"; }}\n"
                       f"    location /gross.bin {{ root {directory}/www; }}\n"
                       f"    location /pakete/ {{ alias {directory}/www/; expires 1d; }}\n  }}\n")
    fill("nginx.conf", directory / "nginx.conf", dir=directory, ca=lab.path("ca"), servers="".join(servers))


def write_broker(lab: Instance) -> None:
    directory = lab.path("mosquitto")
    directory.mkdir()
    fill("mosquitto.conf", directory / "mosquitto.conf", dir=directory, address=BROKER)
    fill("mosquitto.acl", directory / "acl", school=SCHOOL)
    certificates.hand_out(lab.path("ca"), directory, {"ca.crt": "ca.crt", "server.crt": "broker.crt", "server.key": "broker.key"},
                          account("mosquitto"))
    # Mosquitto wants its list of rights for itself alone.
    shutil.chown(directory / "acl", *account("mosquitto"))
    (directory / "acl").chmod(0o400)
    # What mosquitto_sub and mosquitto_pub take their defaults from (XDG_CONFIG_HOME), so that `exec city mosquitto_sub -t TOPIC` works.
    options = "".join(f"{option}\n" for option in (
        f"-h {BROKER}", "-p 8883", "-V mqttv5", f"--cafile {lab.path('ca', 'ca.crt')}", f"--cert {lab.path('ca', 'operator.crt')}",
        f"--key {lab.path('ca', 'operator.key')}"))
    lab.path("city").mkdir()
    for tool in ("mosquitto_sub", "mosquitto_pub", "mosquitto_rr"):
        lab.path("city", tool).write_text(options)
