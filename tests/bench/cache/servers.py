# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""What is measured beside the product, each in the gateway's namespace with the same files: nginx with them on its disk, which is the
floor, Squid and Apache Traffic Server in front of the same origin."""

import contextlib
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lib.school import wait_for

HOST = "inhalte.test"
CORE = 1
"""Of all servers; their load comes from the other one."""


@dataclass
class Server:
    name: str
    http: int
    tls: int | None
    pids: list[int]

    def cpu_us(self) -> float:
        """Of its processes and threads until now."""
        ticks = 0
        for pid in self.pids:
            # nginx's loader ends once it has looked through what is stored.
            with contextlib.suppress(FileNotFoundError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks * 1e6 / os.sysconf("SC_CLK_TCK")

    def memory_kb(self) -> int:
        """Their share (PSS)."""
        total = 0
        for pid in self.pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        return total


def children(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for task in os.listdir(f"/proc/{pid}/task"):
        for child in Path(f"/proc/{pid}/task/{task}/children").read_text().split():
            found += children(int(child))
    return found


def of_process(name: str, http: int, tls: int | None, pid: int, least: int = 1) -> Server:
    """With all that it has started, which are so many at least."""
    pids = wait_for(lambda: found if len(found := children(pid)) >= least else None, what=f"{name} to have started all of its processes")
    for each in pids:
        subprocess.run(["taskset", "-apc", str(CORE), str(each)], check=True, stdout=subprocess.DEVNULL)
    return Server(name, http, tls, pids)


def wait_for_port(school, port: int) -> None:
    def answers() -> bool:
        with school.socket("gateway", socket.AF_INET) as attempt:
            return attempt.connect_ex(("127.0.0.1", port)) == 0
    wait_for(answers, what=f"an answer on port {port}")


NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log {dir}/access.log combined buffer=32k flush=2s; sendfile on; tcp_nopush on; keepalive_requests 10000;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {dir}/both.pem; ssl_certificate_key {dir}/both.pem;
  server {{ listen 127.0.0.1:9001; listen 127.0.0.1:9011 ssl http2; root {dir}/www; }}
}}
"""


def start_floor(school, directory: Path, files: dict[str, bytes], certificate: Path) -> Server:
    for name, content in files.items():
        path = directory / "www" / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    shutil.copy(certificate, directory / "both.pem")
    (directory / "nginx.conf").write_text(NGINX.format(dir=directory))
    process = school.popen("gateway", "nginx", "-e", "stderr", "-c", str(directory / "nginx.conf"), stderr=subprocess.DEVNULL)
    wait_for_port(school, 9001)
    return of_process("nginx, files (floor)", 9001, 9011, below(process.pid, "nginx"), 2)


SQUID = """
http_port 127.0.0.1:9002 accel defaultsite={host}
cache_peer 198.51.100.40 parent 80 0 no-query originserver
http_access allow all
cache_mem 64 MB
maximum_object_size 200 MB
maximum_object_size_in_memory 512 KB
cache_dir ufs {dir}/stored 1000 16 16
access_log stdio:{dir}/access.log
cache_log {dir}/cache.log
pid_filename {dir}/squid.pid
coredump_dir {dir}
pinger_enable off
shutdown_lifetime 0 seconds
cache_effective_user proxy
"""


def start_squid(school, directory: Path) -> Server:
    (directory / "squid.conf").write_text(SQUID.format(dir=directory, host=HOST))
    shutil.chown(directory, "proxy", "proxy")
    subprocess.run(["squid", "-N", "-z", "-f", str(directory / "squid.conf")], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    process = school.popen("gateway", "squid", "-N", "-f", str(directory / "squid.conf"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_port(school, 9002)
    return of_process("Squid", 9002, None, below(process.pid, "squid"))


def start_traffic_server(school, directory: Path) -> Server:
    for name in ("config", "stored", "log", "run"):
        (directory / name).mkdir()
    for source in Path("/etc/trafficserver").iterdir():
        if source.is_file():
            shutil.copy(source, directory / "config")
    (directory / "config" / "remap.config").write_text(f"map http://{HOST}/ http://198.51.100.40/\nmap / http://198.51.100.40/\n")
    (directory / "config" / "storage.config").write_text(f"{directory}/stored 1G\n")
    (directory / "config" / "records.config").write_text(
        "CONFIG proxy.config.http.server_ports STRING 9003:ip-in=127.0.0.1\nCONFIG proxy.config.exec_thread.autoconfig INT 0\n"
        "CONFIG proxy.config.exec_thread.limit INT 1\nCONFIG proxy.config.http.cache.required_headers INT 0\n"
        "CONFIG proxy.config.reverse_proxy.enabled INT 1\nCONFIG proxy.config.url_remap.remap_required INT 1\n"
        "CONFIG proxy.config.url_remap.pristine_host_hdr INT 1\nCONFIG proxy.config.diags.debug.enabled INT 0\n"
        f"CONFIG proxy.config.admin.user_id STRING trafficserver\nCONFIG proxy.config.local_state_dir STRING {directory}/run\n"
        f"CONFIG proxy.config.log.logfile_dir STRING {directory}/log\nCONFIG proxy.config.http.insert_request_via_str INT 0\n")
    for path in (directory, *directory.rglob("*")):
        shutil.chown(path, "trafficserver", "trafficserver")
    process = school.popen("gateway", "env", f"PROXY_CONFIG_CONFIG_DIR={directory}/config", f"TS_ROOT={directory}", "traffic_server",
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_port(school, 9003)
    return of_process("Traffic Server", 9003, None, below(process.pid, "traffic_server", "[TS_MAIN]"))


def below(pid: int, *names: str) -> int:
    """The first process of one of these names at or below `pid`."""
    def find() -> int | None:
        return next((each for each in children(pid) if Path(f"/proc/{each}/comm").read_text().strip() in names), None)
    return wait_for(find, what=f"{names[0]} to run")
