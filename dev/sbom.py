#!/usr/bin/env python3
"""Writes what the delivered programs are made of, as CycloneDX: sbom.py FOLDER TRIPLE

FOLDER/functions.cdx.json names each crate in the Lambda functions, with its licence and the checksum of its source; FOLDER/page.cdx.json each
package in the page. Neither has a time or a random number in it, so the same sources make the same files.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def output(*command: str, folder: Path = ROOT) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def checksums() -> dict[tuple[str, str], str]:
    """The SHA-256 of each crate that comes from a registry."""
    lock = (ROOT / "Cargo.lock").read_text(encoding="utf-8")
    found = re.findall(r'^name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"', lock, re.MULTILINE)
    return {(name, version): checksum for name, version, checksum in found}


def component(name: str, version: str, licence: str, checksum: str | None) -> dict:
    purl = f"pkg:cargo/{name}@{version}"
    found = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if licence:
        # An expression, where a slash still means OR.
        found["licenses"] = [{"expression": licence.replace("/", " OR ")}]
    return found


def functions(triple: str) -> dict:
    tree = output(
        "cargo", "tree", "--locked", "--package", "chat-lambda", "--features", "aws", "--edges", "normal",
        "--target", triple, "--prefix", "none", "--no-dedupe", "--format", "{p}|{l}",
    )  # fmt: skip
    known = checksums()
    crates = {re.match(r"(\S+) v(\S+).*\|(.*)", line).groups() for line in tree.splitlines()}
    root = [crate for crate in crates if crate[0] == "chat-lambda"]
    parts = sorted(crates - set(root))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**component(*root[0], None), "type": "application"}},
        "components": [component(*part, known.get(part[:2])) for part in parts],
    }


def page() -> dict:
    bom = json.loads(
        output("npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--omit", "dev", folder=ROOT / "web")
    )
    del bom["serialNumber"], bom["metadata"]["timestamp"]
    return bom


def main() -> int:
    folder, triple = Path(sys.argv[1]), sys.argv[2]
    for name, bom in {"functions": functions(triple), "page": page()}.items():
        target = folder / f"{name}.cdx.json"
        target.write_text(json.dumps(bom, indent=2) + "\n", encoding="utf-8")
        print(f"{target}: {len(bom['components'])} components")
    return 0


if __name__ == "__main__":
    sys.exit(main())
