#!/usr/bin/env bash
# Builds Lambda functions: package.sh x86_64|arm64 [NAME...], all four by default. It writes target/lambda/NAME/bootstrap and
# target/lambda/NAME.zip for each, and beside them the lists of what the functions and the page are made of.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1-x86_64} in
  x86_64) triple=x86_64-unknown-linux-gnu ;;
  arm64) triple=aarch64-unknown-linux-gnu ;;
  *) echo "the architecture is x86_64 or arm64, not $1" >&2; exit 1 ;;
esac
names=("${@:2}")
if [ ${#names[@]} = 0 ]; then names=(connect disconnect send history); fi
if [ ! -d "$(rustc --print target-libdir --target "$triple")" ]; then
  echo "Rust's standard library for $triple is needed: rustup target add $triple" >&2
  exit 1
fi
glibc=2.34 # of Amazon Linux 2023, which provided.al2023 is
out=$(dev/target-dir.sh)/lambda
PATH=$(dev/python-tool.sh package):$PATH
export PATH
# Binaries name the files that a panic came from. They name them alike wherever they are built, so that whoever builds the same
# commit with the same tools gets the same zips; `make package-twice` sees that they do.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$(dirname "$out")=/target --remap-path-prefix=$PWD=/chat --remap-path-prefix=$cargo_home=/cargo"
CFLAGS="${CFLAGS:-} -ffile-prefix-map=$(dirname "$out")=/target -ffile-prefix-map=$cargo_home=/cargo"
export RUSTFLAGS CFLAGS
# cargo reads the configuration of the folder that it starts in, and the functions have their own.
cd chat-lambda
cargo lambda build --quiet --locked --package chat-lambda --features aws "${names[@]/#/--bin=}" --profile deployed \
  --target "$triple.$glibc" --lambda-dir "$out"
../dev/zip-functions.py "$out" "${names[@]}"
../dev/sbom.py "$out" "$triple"
