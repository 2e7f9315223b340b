# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The lab's own certificate authority: made with the lab, gone with it."""

import shutil
import subprocess
from pathlib import Path

from .names import BROKER, INTERNET_HOSTS, SCHOOL, LabError, internet4, internet6


def openssl(*argv: str) -> None:
    done = subprocess.run(["openssl", *argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"openssl {argv[0]}: {done.stderr.strip()}")


def issue(directory: Path, name: str, subject: str, extensions: list[str], signed: bool = True) -> None:
    """directory/name.crt and name.key, by directory/ca unless it is the authority itself."""
    signer = ["-CA", f"{directory}/ca.crt", "-CAkey", f"{directory}/ca.key"] if signed else []
    additions = [argument for extension in extensions for argument in ("-addext", extension)]
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", "-subj", subject,
            "-keyout", f"{directory}/{name}.key", "-out", f"{directory}/{name}.crt", *signer, *additions)


def make(directory: Path) -> None:
    directory.mkdir()
    issue(directory, "ca", "/CN=Schultor lab", ["keyUsage=critical,keyCertSign,cRLSign"], signed=False)
    names = ["*.test", "mnspro.test", "*.mnspro.test", "lernen.test", "*.lernen.test", "spiele.test", "*.spiele.test", "inhalte.test",
             "*.inhalte.test", "doh.test", "*.any.test"]
    addresses = [address(host) for host in INTERNET_HOSTS for address in (internet4, internet6)]
    server = ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth"]
    client = ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth"]
    issue(directory, "web", "/CN=internet", [*server, "subjectAltName=" + ",".join([f"DNS:{name}" for name in names] +
                                                                                   [f"IP:{address}" for address in addresses])])
    issue(directory, "broker", f"/CN={BROKER}", [*server, f"subjectAltName=IP:{BROKER},DNS:betrieb.stadt.test"])
    issue(directory, SCHOOL, f"/CN={SCHOOL}", client)
    issue(directory, "operator", "/CN=operator", client)


def hand_out(directory: Path, target: Path, names: dict[str, str], user: tuple[int, int]) -> None:
    """Copies (target name → name here) that only `user` may read."""
    target.mkdir(exist_ok=True)
    for to, source in names.items():
        shutil.copy(directory / source, target / to)
        shutil.chown(target / to, *user)
        (target / to).chmod(0o400)
