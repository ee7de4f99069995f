#!/usr/bin/env python3
"""Checks what is depended on against security advisories, and says what it was checked against: advisories.py

Rust: against RustSec's database of today with cargo-deny, where the database can be reached, or else against the clone of it that ADVISORY_DB
names. npm: as `npm audit` does, where the registry answers it. What could not be checked is said so; it does not fail, since a machine without
a network has to be able to test.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DENY = [ROOT / "dev/tool.sh", "cargo-deny", "0.20.2"]
WITHIN_SECONDS = 120


# What cargo-deny 0.20 calls its clone of the database, by the address of https://github.com/RustSec/advisory-db.
CLONE = "advisory-db-3157b0e258782691"


def deny(config: pathlib.Path = ROOT / "deny.toml") -> list[str]:
    """Checks without fetching anything."""
    command = [*DENY, "--config", config, "--offline", "check", "--hide-inclusion-graph", "advisories"]
    checked = subprocess.run(command, cwd=ROOT)
    return [] if checked.returncode == 0 else [f"cargo-deny ended with {checked.returncode}, see above"]


def check_against(copy: str) -> list[str]:
    """Checks against a clone of the database on this machine."""
    shown = subprocess.run(["git", "-C", copy, "log", "-1", "--format=%h of %cs"], capture_output=True, text=True)
    if shown.returncode != 0:
        return [f"ADVISORY_DB={copy} is no clone of RustSec's database: {shown.stderr.strip()}"]
    with tempfile.TemporaryDirectory() as folder:
        clone = pathlib.Path(folder, CLONE)
        subprocess.run(["git", "clone", "--quiet", "--no-local", copy, clone], check=True)
        config = pathlib.Path(folder, "deny.toml")
        own = (ROOT / "deny.toml").read_text(encoding="utf-8")
        config.write_text(own.replace("[advisories]\n", f'[advisories]\ndb-path = "{folder}"\n', 1), encoding="utf-8")
        # cargo-deny takes the time of the last fetch for the age of the database.
        (clone / ".git/FETCH_HEAD").touch()
        print(f"Rust: checked against {copy}, {shown.stdout.strip()}.")
        return deny(config=config)


def check_rust() -> list[str]:
    try:
        fetched = subprocess.run([*DENY, "fetch", "db"], cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_SECONDS)
        reason = "" if fetched.returncode == 0 else fetched.stderr.strip().splitlines()[-1]
    except subprocess.TimeoutExpired:
        reason = f"no answer within {WITHIN_SECONDS} s"
    if not reason:
        print("Rust: checked against RustSec's database of today.")
        return deny()
    if copy := os.environ.get("ADVISORY_DB"):
        return check_against(copy)
    print(f"Rust: NOT CHECKED. RustSec's database cannot be reached, and ADVISORY_DB names no clone of it: {reason}")
    return []


def check_npm() -> list[str]:
    audit = subprocess.run(
        ["npm", "audit", "--package-lock-only", "--json"], cwd=ROOT / "web", capture_output=True, text=True, check=False
    )
    try:
        answer = json.loads(audit.stdout)
    except json.JSONDecodeError:
        answer = {"message": audit.stderr.strip().splitlines()[-1] if audit.stderr.strip() else "no answer"}
    if "vulnerabilities" not in answer:
        print(f"npm: NOT CHECKED. The registry answers no audits: {answer.get('message', 'no reason')}")
        return []
    print("npm: checked against the registry's advisories of today.")
    return [f"{name}: {it['severity']}, {it['range']}" for name, it in sorted(answer["vulnerabilities"].items())]


def main() -> int:
    problems = check_rust() + check_npm()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
