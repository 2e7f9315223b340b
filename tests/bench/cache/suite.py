# SPDX-FileCopyrightText: Schultor contributors
# SPDX-License-Identifier: EUPL-1.2
"""The public suite for HTTP caches (http-tests/cache-tests), its clients on a tablet and its server on the internet."""

import json
import os
import subprocess
import time
from collections import Counter
from pathlib import Path

HOST, SERVER = "inhalte.test", "198.51.100.40"
# What the suite itself does not ask of a cache such as this one.
NOT_OF_BROWSERS = "browser_only"
OF_CDNS = "cdn_only"


def run(school, checkout: Path | None) -> None:
    if checkout is None or not (checkout / "test-engine" / "cli.mjs").exists():
        raise SystemExit("--suite names a checkout of http-tests/cache-tests (with “npm install” done in it)")
    with school:
        school.stop("web")
        # It listens on a port of its own, and origins have theirs.
        school.exec("internet", "nft", "add table ip suite; add chain ip suite in { type nat hook prerouting priority -100; }; "
                                       f"add rule ip suite in ip daddr {SERVER} tcp dport 80 redirect to :8000")
        environment = {**os.environ, "npm_config_protocol": "http", "npm_config_port": "8000", "npm_config_pidfile": str(school.directory / "suite.pid"),
                       "npm_config_base": f"http://{HOST}", "npm_config_id": "", "npm_package_config_id": ""}
        server = school.popen("internet", *settings(environment), "node", str(checkout / "test-engine" / "server" / "server.mjs"),
                              stdout=subprocess.PIPE, text=True)
        while "Listening" not in (line := server.stdout.readline()):
            if not line:
                raise SystemExit("the suite's server does not start")
        begun = time.monotonic()
        done = school.exec("tablet1", *settings(environment), "node", "--no-warnings", str(checkout / "test-engine" / "cli.mjs"), seconds=900, check=False)
        if done.returncode != 0:
            raise SystemExit(f"the suite: {done.stderr.strip()[-2000:]}")
        results = json.loads(done.stdout[done.stdout.index("{"):])
    print(f"\nsuite: {len(results)} tests in {time.monotonic() - begun:.0f} s")
    tell(results, describe(checkout))


def settings(environment: dict[str, str]) -> list[str]:
    return ["env", *(f"{name}={environment[name]}" for name in environment if name.startswith(("npm_config_", "npm_package_config_")))]


def describe(checkout: Path) -> dict[str, dict]:
    """What each test is, by its id."""
    program = ('import tests from "./tests/index.mjs"; console.log(JSON.stringify(tests.flatMap(suite => suite.tests.map(test => '
               '({id: test.id, name: test.name, kind: test.kind || "required", browser_only: !!test.browser_only, cdn_only: !!test.cdn_only, '
               'depends: test.depends_on || []})))))')
    told = subprocess.run(["node", "--input-type=module", "--no-warnings", "-e", program], cwd=checkout, check=True, capture_output=True, text=True)
    return {test["id"]: test for test in json.loads(told.stdout)}


def tell(results: dict, tests: dict[str, dict]) -> None:
    passed, all_of = Counter(), Counter()
    failed = []
    for name, test in tests.items():
        if test[NOT_OF_BROWSERS] or test[OF_CDNS]:
            continue
        all_of[test["kind"]] += 1
        if results.get(name) is True:
            passed[test["kind"]] += 1
        else:
            failed.append((test["kind"], name, results.get(name)))
    for kind in ("required", "optimal", "check"):
        print(f"{kind:>10}: {passed[kind]} of {all_of[kind]}")
    for kind, name, why in sorted(failed):
        if kind != "check":
            print(f"  {kind} {name}: {why[1] if isinstance(why, list) else why}")
