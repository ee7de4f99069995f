#!/usr/bin/env python3
"""Starts a chat-local and runs the end-to-end tests against it: local.py [--target T] [FLAGS OF chat-local]"""

import argparse
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys

# The kinds that the chat admits beside its own, of which the tests send one.
OWN_KINDS = "x-order"
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def program(name: str) -> str:
    """Builds a program with the features of the tests. With any other selection, the AWS SDKs would be built once more."""
    build = ["cargo", "test", "--quiet", "--workspace", "--all-features", "--no-run"]
    subprocess.run(build, cwd=ROOT, check=True)
    folder = subprocess.run([ROOT / "dev/target-dir.sh"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{folder}/debug/{name}"


@contextlib.contextmanager
def chat_local(flags: list[str]):
    """Starts a chat-local on a free port, and yields its URL."""
    command = [program("chat-local"), "--listen", "127.0.0.1:0", "--own-kinds", OWN_KINDS, *flags]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            first = process.stdout.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", first)
            if not found:
                sys.exit(f"chat-local did not start: {first}")
            yield found.group()
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
    if process.returncode != 0:
        sys.exit(f"chat-local ended with {process.returncode}")


def main() -> int:
    # SIGTERM ends this program like Ctrl+C, so that it stops what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", default="local")
    options, flags = parser.parse_known_args()
    with chat_local(flags) as url:
        story = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", ROOT / "proof" / "e2e"]
        told = {"URL": url, "E2E_TARGET": options.target, "OWN_KINDS": OWN_KINDS}
        return subprocess.run(story, env={**os.environ, **told}).returncode


if __name__ == "__main__":
    sys.exit(main())
