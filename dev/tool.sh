#!/usr/bin/env bash
# Runs a cargo tool of a fixed version, which is built on first use: tool.sh NAME VERSION ARGUMENTS...
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1 version=$2
shift 2
root=$(dev/target-dir.sh)/tools/$name-$version
if [ ! -x "$root/bin/$name" ]; then
  echo "building $name $version, once"
  # The tool is built without optimisation, because it runs for seconds and an optimised build takes minutes.
  cargo install --quiet --locked --debug --root "$root" --target-dir "$root/build" "$name@$version"
  rm -rf "$root/build"
fi
exec "$root/bin/$name" "$@"
