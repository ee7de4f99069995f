#!/usr/bin/env bash
# Checks that the tools which the project needs are there and new enough: require.sh [test]
# It stops at the first one that is not, and says so in one line.
set -euo pipefail

# need NAME MINIMUM WHERE VERSION-COMMAND...
need() {
  local name=$1 minimum=$2 where=$3 found
  shift 3
  found=$("$@" 2>/dev/null | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)?' | head -n 1) || true
  if [ -z "$found" ]; then
    echo "$name $minimum or newer is needed, and there is none: $where" >&2
    exit 1
  fi
  if [ "$(printf '%s\n' "$minimum" "$found" | sort -V | head -n 1)" != "$minimum" ]; then
    echo "$name $minimum or newer is needed, and this is $found: $where" >&2
    exit 1
  fi
}

need Rust 1.94.1 https://rustup.rs rustc --version
need Node.js 20.19 https://nodejs.org node --version
need Python 3.10 https://www.python.org python3 --version
if [ "${1-}" = test ]; then
  need rustfmt 1.8 'rustup component add rustfmt' cargo fmt --version
  need curl 7.0 https://curl.se curl --version
  need clippy 0.1 'rustup component add clippy' cargo clippy --version
fi
