#!/usr/bin/env python3
"""Every relative link in the documents leads to a file that is there, and every `#anchor` to a heading.

A README that is the documentation of its crate has no such link: it would lead nowhere where that is published.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(document: pathlib.Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_documentation(document: pathlib.Path) -> bool:
    """Whether a document is the documentation of a crate as well."""
    roots = [document.parent / "src" / name for name in ("lib.rs", "main.rs")]
    include = f'include_str!("../{document.name}")'
    return any(include in root.read_text(encoding="utf-8") for root in roots if root.exists())


def broken(document: pathlib.Path) -> list[str]:
    """The links of a document that lead nowhere."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link) or "::" in link or link.startswith("crate"):
            continue
        if is_documentation(document) and not link.startswith("#"):
            found.append(f"{document.relative_to(ROOT)}: {link} is relative, in the documentation of a crate")
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            found.append(f"{document.relative_to(ROOT)}: {link}")
    return found


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )
    problems = [problem for name in listed.stdout.split() if (ROOT / name).exists() for problem in broken(ROOT / name)]
    for problem in problems:
        print(f"a link leads nowhere: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
