#!/usr/bin/env python3
"""Holds the code that people write to the sizes of CONTRIBUTING.md: check-style.py [FILE OR FOLDER...]

* No function has more than 70 lines, from the line on which it begins to its closing brace. A table does not count: a function of Rust whose
  body, without comments, is one array, one `vec![...]` or one `json!(...)`. Neither does a group of tests, which `describe` begins.
* In Rust, no line has more than 110 characters, unless what makes it long cannot be broken: a URL, or a literal without a space (a key, a
  line of JSON), of more than 60. The page's formatter breaks the lines of TypeScript.
* In Rust, no doc comment has three words or fewer, unless it links to its source. A word is what spaces separate.

Generated code counts as well: this project has none in Rust.
"""

import pathlib
import re
import subprocess
import sys

from rust_text import blanked, end_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE_CHARACTERS_MAX = 110
FUNCTION_LINES_MAX = 70
DOC_WORDS_MIN = 4
SCRIPTS = (".ts", ".tsx", ".mts", ".mjs", ".js")

FUNCTION = re.compile(r"\bfn\s+(\$?\w+)")
# What no line break can go into.
UNBREAKABLE = re.compile(r"""https?://\S{60,}|"[^"\s]{60,}"|r#"\S{60,}""")
TABLE = re.compile(r"\s*(?:&?\[|vec!\s*\[|(?:serde_json::)?json!\s*\()")

# A line on which a function of TypeScript or JavaScript begins: its word, its arrow, or a method's name and brackets.
SCRIPT_FUNCTION = re.compile(r"\bfunction\b|=>\s*[({\[]?$|^\s*(?:(?:async|static|private|get|set)\s+)*[\w#$]+\([^=]*(?:\{|\()$|^\s*constructor\(")
NO_FUNCTION = re.compile(r"\s*(?:if|for|while|switch|catch|return|//|/?\*|(?:test\.)?describe\b)")


def body_of(code: str, start: int) -> int | None:
    """Where the body of the function whose signature begins at `start` opens; a declaration has none."""
    depth = 0
    for place in range(start, len(code)):
        character = code[place]
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif depth <= 0 and character in "{;":
            return place if character == "{" else None
    return None


def long_functions(text: str) -> list[tuple[int, str]]:
    """The functions that are too long, and where."""
    code = blanked(text)
    found = []
    for match in FUNCTION.finditer(code):
        opens = body_of(code, match.end())
        if opens is None:
            continue
        closes = end_of(code, opens)
        lines = code.count("\n", match.start(), closes) + 1
        if lines <= FUNCTION_LINES_MAX:
            continue
        table = TABLE.match(code, opens + 1, closes)
        if table and not code[end_of(code, table.end() - 1) + 1 : closes].strip():
            continue
        where = code.count("\n", 0, match.start()) + 1
        found.append((where, f"{match.group(1)} has {lines} lines, and {FUNCTION_LINES_MAX} are allowed"))
    return found


def long_script_functions(text: str) -> list[tuple[int, str]]:
    """The functions of TypeScript and JavaScript that are too long, and where. Its formatter puts a function's last line below the first."""
    lines = text.split("\n")
    found = []
    for begins, line in enumerate(lines):
        if not SCRIPT_FUNCTION.search(line) or NO_FUNCTION.match(line):
            continue
        indent = len(line) - len(line.lstrip())
        for ends in range(begins + 1, len(lines)):
            last = lines[ends].strip()
            if not last or len(lines[ends]) - len(lines[ends].lstrip()) > indent:
                continue
            # A line such as `}: Props) {` ends the parameters.
            if last[0] in "})]" and last[-1] in "{(":
                continue
            if ends - begins >= FUNCTION_LINES_MAX:
                count = ends - begins + 1
                found.append((begins + 1, f"`{line.strip()[:60]}` has {count} lines, and {FUNCTION_LINES_MAX} are allowed"))
            break
    return found


def long_lines(text: str) -> list[tuple[int, str]]:
    """The lines that are too long."""
    return [
        (number, f"the line has {len(line)} characters, and {LINE_CHARACTERS_MAX} are allowed")
        for number, line in enumerate(text.split("\n"), 1)
        if len(line) > LINE_CHARACTERS_MAX and not UNBREAKABLE.search(line)
    ]


def short_docs(text: str) -> list[tuple[int, str]]:
    """The doc comments that say too little."""
    found, words, begins = [], [], 0
    for number, line in enumerate([*text.split("\n"), ""], 1):
        doc = re.match(r"\s*//[/!](?!/)(.*)", line)
        if doc:
            begins = begins or number
            words += doc.group(1).split()
        elif begins:
            if len(words) < DOC_WORDS_MIN and not any("<https://" in word for word in words):
                found.append((begins, f"a doc comment of {len(words)} words: {' '.join(words)}"))
            words, begins = [], 0
    return found


def main() -> int:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.rs", *(f"*{end}" for end in SCRIPTS)]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    places = [pathlib.Path(place).resolve() for place in sys.argv[1:]]
    problems = 0
    for name in sorted(filter(None, listed)):
        path = ROOT / name
        if not path.exists() or (places and not any(path.is_relative_to(place) for place in places)):
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix in SCRIPTS:
            found = long_script_functions(text)
        else:
            found = long_lines(text) + long_functions(text) + short_docs(text)
        for number, problem in sorted(found):
            problems += 1
            print(f"{name}:{number}: {problem}", file=sys.stderr)
    if problems:
        print(f"{problems} places are not as CONTRIBUTING.md says", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
