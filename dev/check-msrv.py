#!/usr/bin/env python3
"""No crate promises an older Rust than what it depends on needs."""

import json
import subprocess
import sys


def version(text: str) -> tuple[int, ...]:
    """`1.88` and `1.88.0` are the same."""
    parts = [int(part) for part in text.split(".")]
    return tuple(parts + [0] * (3 - len(parts)))


def needed(root: str, nodes: dict, packages: dict) -> tuple[tuple[int, ...], str]:
    """The newest Rust that anything below `root` asks for, and who asks; what only its tests need does not count."""
    newest, who, seen, todo = (0,), "", set(), [root]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        asked = packages[current]["rust_version"]
        if current != root and asked and version(asked) > newest:
            newest, who = version(asked), packages[current]["name"]
        todo += [
            dependency["pkg"] for dependency in nodes[current]["deps"]
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"])
        ]
    return newest, who


def main() -> int:
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    metadata = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    wrong = 0
    for member in metadata["workspace_members"]:
        promised = packages[member]["rust_version"]
        newest, who = needed(member, nodes, packages)
        if not promised or version(promised) < newest:
            wrong += 1
            asked = ".".join(map(str, newest))
            print(f"{packages[member]['name']} promises Rust {promised}; {who} needs {asked}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
