#!/usr/bin/env bash
# Prints the folder that cargo builds into.
set -euo pipefail
cargo metadata --no-deps --format-version 1 | sed -E 's/.*"target_directory":"([^"]+)".*/\1/'
