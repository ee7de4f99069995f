"""Rust as text, for the checks in this folder: which of it is code, and where a bracket is closed."""

import re

# Comments, strings and characters of Rust: what stands in them is no code. A lifetime such as 'a is no character.
NO_CODE = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | b?r(?P<hashes>\#*)".*?"(?P=hashes)
      | b?c?"(?:\\.|[^"\\])*"
      | b?'(?:\\(?:u\{[0-9a-fA-F_]+\}|x[0-9a-fA-F]{2}|.)|[^'\\\n])'
    """,
    re.DOTALL | re.VERBOSE,
)
CLOSING = {"{": "}", "[": "]", "(": ")"}


def blanked(text: str) -> str:
    """The code alone: comments, strings and characters become spaces, and lines stay where they are."""
    return NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def end_of(code: str, start: int) -> int:
    """Where the bracket at `start` is closed."""
    opened = []
    for place in range(start, len(code)):
        if code[place] in CLOSING:
            opened.append(CLOSING[code[place]])
        elif opened and code[place] == opened[-1]:
            opened.pop()
            if not opened:
                return place
    raise ValueError("a bracket is never closed")
