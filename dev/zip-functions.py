#!/usr/bin/env python3
"""Zips Lambda functions: zip-functions.py FOLDER NAME... makes FOLDER/NAME.zip of FOLDER/NAME/bootstrap.

The same binary makes the same zip, byte by byte, so that a function that has not changed is not deployed anew.
"""

import sys
import zipfile
from pathlib import Path

LIMIT_BYTES = 6 * 1024 * 1024  # a cold start fetches it first


def main() -> int:
    folder, *names = sys.argv[1:]
    too_large = False
    for name in names:
        binary = Path(folder, name, "bootstrap").read_bytes()
        target = Path(folder, f"{name}.zip")
        entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
        entry.create_system = 3  # Unix: the mode below counts
        entry.external_attr = 0o755 << 16
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr(entry, binary, zipfile.ZIP_DEFLATED, compresslevel=9)
        size = target.stat().st_size
        print(f"{target}: {size:,} bytes, {len(binary):,} unpacked")
        too_large |= size > LIMIT_BYTES
    if too_large:
        print(f"a zip has at most {LIMIT_BYTES:,} bytes", file=sys.stderr)
    return 1 if too_large else 0


if __name__ == "__main__":
    sys.exit(main())
