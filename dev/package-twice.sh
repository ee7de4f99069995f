#!/usr/bin/env bash
# Checks that two builds of the last commit, in folders of their own, make the same zips. It takes as long as two builds.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for name in first second-time; do
  git clone --quiet . "$folder/$name"
  CARGO_TARGET_DIR="$folder/$name/target" "$folder/$name/dev/package.sh" "${1:-x86_64}"
  (cd "$folder/$name/target/lambda" && sha256sum -- *.zip) > "$folder/$name.sums"
done
diff "$folder/first.sums" "$folder/second-time.sums"
cat "$folder/first.sums"
