#!/usr/bin/env python3
"""No modules of a crate import one another in a circle: check-circles.py [FOLDER OF A CRATE...]

A module is a file. It imports another one if its code names something by a path that leads there: in a `use`, or in a full path. What a
module only hands on (`pub use`) is followed to the module that has it, and is no import of its own. What a module takes from one that it
is part of does not count, and neither do modules for tests.
"""

import pathlib
import re
import subprocess
import sys

from rust_text import blanked, end_of

ROOT = pathlib.Path(__file__).resolve().parent.parent

MODULE = re.compile(r"(?:#\[cfg\(test\)\]\s*)?(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*([;{])")
USE = re.compile(r"(?P<pub>pub(?:\([^)]*\))?\s+)?use\s+(?P<tree>[^;]+);")
PATH = re.compile(r"(?<![\w:])(?:crate|super|self|[a-z]\w*)(?:::\w+)+")

Path = tuple[str, ...]


def leaves(tree: str, prefix: Path = ()) -> list[tuple[Path, str]]:
    """The paths of a `use`, each with the name it gets: `a::{b, c as d}` is `a::b` as `b` and `a::c` as `d`."""
    tree = tree.strip()
    if tree.endswith("}"):
        head, _, inner = tree[:-1].partition("{")
        prefix += tuple(part.strip() for part in head.split("::") if part.strip())
        parts, depth, begin = [], 0, 0
        for place, character in enumerate(inner):
            depth += {"{": 1, "}": -1}.get(character, 0)
            if character == "," and depth == 0:
                parts.append(inner[begin:place])
                begin = place + 1
        parts.append(inner[begin:])
        return [leaf for part in parts if part.strip() for leaf in leaves(part, prefix)]
    path, _, name = tree.partition(" as ")
    parts = prefix + tuple(part.strip() for part in path.split("::") if part.strip())
    if parts[-1] == "self":
        parts = parts[:-1]
    return [(parts, name.strip() or parts[-1])]


class Crate:
    """The modules of a crate: what each names, and what it hands on."""

    def __init__(self, root: pathlib.Path):
        self.files: dict[Path, pathlib.Path] = {}
        self.named: dict[Path, list[Path]] = {}
        self.handed_on: dict[Path, dict[str, Path]] = {}
        self.read((), root, root.parent)

    def read(self, module: Path, file: pathlib.Path, folder: pathlib.Path) -> None:
        """Reads a module and those in it; `folder` is where their files are."""
        code = blanked(file.read_text(encoding="utf-8"))
        children = []
        for match in list(MODULE.finditer(code))[::-1]:
            test = match.group().startswith("#[cfg(test)]")
            if match.group(2) == ";":
                if not test:
                    children.append(match.group(1))
                code = code[: match.start()] + " " * len(match.group()) + code[match.end() :]
            elif test:
                end = end_of(code, match.end() - 1)
                code = code[: match.start()] + code[end + 1 :]
        self.files[module] = file
        self.named[module], self.handed_on[module] = [], {}
        for match in USE.finditer(code):
            for path, name in leaves(match.group("tree")):
                if match.group("pub"):
                    self.handed_on[module][name] = path
                else:
                    self.named[module].append(path)
        code = USE.sub("", code)
        self.named[module] += [tuple(match.group().split("::")) for match in PATH.finditer(code)]
        for child in children:
            for place in (folder / f"{child}.rs", folder / child / "mod.rs"):
                if place.exists():
                    self.read((*module, child), place, folder / child)

    def resolve(self, module: Path, path: Path, seen: frozenset = frozenset()) -> Path | None:
        """The module that has what `module` calls `path`; none if that is not of this crate."""
        first, rest = path[0], path[1:]
        if first == "crate":
            found = ()
        elif first == "self":
            found = module
        elif first == "super":
            found = module[:-1]
            while rest and rest[0] == "super":
                found, rest = found[:-1], rest[1:]
        elif (*module, first) in self.files:
            found = (*module, first)
        else:
            return None
        while rest and (*found, rest[0]) in self.files:
            found, rest = (*found, rest[0]), rest[1:]
        if rest and rest[0] in self.handed_on[found] and (found, rest[0]) not in seen:
            on = self.resolve(found, self.handed_on[found][rest[0]], seen | {(found, rest[0])})
            return found if on is None else on
        return found

    def imports(self) -> dict[Path, set[Path]]:
        """Which modules each module imports."""
        edges = {}
        for module, paths in self.named.items():
            found = {self.resolve(module, path) for path in paths}
            edges[module] = {target for target in found if target is not None and target != module[: len(target)]}
        return edges


def circles(edges: dict[Path, set[Path]]) -> list[list[Path]]:
    """The groups of modules in which each leads to each other one (Tarjan)."""
    order, low, stack, found = {}, {}, [], []

    def visit(node: Path) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for target in edges[node]:
            if target not in order:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], order[target])
        if low[node] == order[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(group)

    for node in edges:
        if node not in order:
            visit(node)
    return found


def main() -> int:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*src/lib.rs", "*src/main.rs"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    places = [pathlib.Path(place).resolve() for place in sys.argv[1:]]
    problems = 0
    for name in sorted(listed):
        root = ROOT / name
        if places and not any(root.is_relative_to(place) for place in places):
            continue
        crate = Crate(root)
        edges = crate.imports()
        for group in circles(edges):
            problems += 1
            print(f"{name}: modules that import one another in a circle:", file=sys.stderr)
            for module in sorted(group):
                targets = sorted(edges[module] & set(group))
                into = ", ".join("::".join(("crate", *target)) for target in targets)
                print(f"  {'::'.join(('crate', *module))} imports {into}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
