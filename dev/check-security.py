#!/usr/bin/env python3
"""docs/security.md has each requirement of dev/asvs.txt once, at its level; what it calls met names something, and what it names exists."""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "security.md"
LIST = ROOT / "dev" / "asvs.txt"
STATES = ["met", "option", "partly", "not met", "n/a"]
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| (.+?) \| ([^|]+) \| ?(.*) \|$", re.MULTILINE)
# A link whose text is code says what stands in the file: a test, a setting, a name.
NAMED = re.compile(r"\[`([^`]+)`\]\(([^)#]+)\)")
# What a service does for us cannot be tested here.
SERVICES = re.compile(r"\b(AWS|API Gateway|CloudFront|CloudWatch|Cognito|KMS|S3)\b")


def wanted() -> dict[str, str]:
    """Each requirement's level."""
    lines = [line.split() for line in LIST.read_text(encoding="utf-8").splitlines() if line.startswith("level")]
    return {number: line[0].removeprefix("level") for line in lines for number in line[1:]}


def check(text: str) -> list[str]:
    problems = []
    found, counts = {}, collections.Counter()
    for number, level, _, state, shown in ROW.findall(text):
        if number in found:
            problems.append(f"{number} is there twice")
        found[number] = level
        counts[level, state] += 1
        if state not in STATES:
            problems.append(f"{number} is {state!r}, which is none of {STATES}")
        if state in ("met", "option") and not (re.search(r"\]\(|`", shown) or SERVICES.search(shown) or "React" in shown or "Rust" in shown):
            problems.append(f"{number} is {state}, and names nothing that shows it")
        if state in ("partly", "not met") and not shown:
            problems.append(f"{number} is {state}, and does not say why")
    for number, level in wanted().items():
        if found.pop(number, None) != level:
            problems.append(f"{number} of level {level} is missing, or has another level")
    problems += [f"{number} is no requirement of level 1 or 2" for number in found]
    for level in "12":
        row = f"| {level} | " + " | ".join(str(counts[level, state]) for state in STATES) + " |"
        if row not in text:
            problems.append(f"the table of counts lacks: {row}")
    for name, path in NAMED.findall(text):
        file = DOCUMENT.parent / path
        whole = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        if not file.exists() or not whole.search(file.read_text(encoding="utf-8")):
            problems.append(f"there is no {name!r} in {path}")
    return problems


def main() -> int:
    problems = check(DOCUMENT.read_text(encoding="utf-8"))
    for problem in problems:
        print(f"docs/security.md: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
