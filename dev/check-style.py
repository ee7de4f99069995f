#!/usr/bin/env python3
"""Holds the Rust code that people write to the sizes of CONTRIBUTING.md: check-style.py [FILE OR FOLDER...]

* No line has more than 110 characters, unless one word of it has more than 80: a URL, a key, a line of JSON.
* No function has more than 70 lines, from the line with `fn` to its closing brace. A table does not count: a function whose body, without
  comments, is one array, one `vec![...]` or one `json!(...)`.
* No doc comment has three words or fewer, unless it links to its source. A word is what spaces separate.

Generated code counts as well: this project has none in Rust.
"""

import pathlib
import re
import subprocess
import sys

from rust_text import blanked, end_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINE_CHARACTERS_MAX = 110
WORD_CHARACTERS_MAX = 80
FUNCTION_LINES_MAX = 70
DOC_WORDS_MIN = 4

FUNCTION = re.compile(r"\bfn\s+(\$?\w+)")
TABLE = re.compile(r"\s*(?:&?\[|vec!\s*\[|(?:serde_json::)?json!\s*\()")


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


def long_lines(text: str) -> list[tuple[int, str]]:
    """The lines that are too long."""
    return [
        (number, f"the line has {len(line)} characters, and {LINE_CHARACTERS_MAX} are allowed")
        for number, line in enumerate(text.split("\n"), 1)
        if len(line) > LINE_CHARACTERS_MAX and max(map(len, line.split())) <= WORD_CHARACTERS_MAX
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
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.rs"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    places = [pathlib.Path(place).resolve() for place in sys.argv[1:]]
    problems = 0
    for name in sorted(filter(None, listed)):
        path = ROOT / name
        if not path.exists() or (places and not any(path.is_relative_to(place) for place in places)):
            continue
        text = path.read_text(encoding="utf-8")
        for number, problem in sorted(long_lines(text) + long_functions(text) + short_docs(text)):
            problems += 1
            print(f"{name}:{number}: {problem}", file=sys.stderr)
    if problems:
        print(f"{problems} places are not as CONTRIBUTING.md says", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
