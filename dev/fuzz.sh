#!/usr/bin/env bash
# Fuzzes each target for some seconds, beginning with what is in proof/fuzz/seeds: fuzz.sh [SECONDS [TARGET...]]
# It keeps what it learns in target/fuzz/corpus. It writes inputs that break a promise to proof/fuzz/artifacts, and then fails.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
# libFuzzer takes what is no number for 0, and 0 for "without end".
if ! [[ $seconds =~ ^[1-9][0-9]*$ ]]; then
  echo "usage: dev/fuzz.sh [SECONDS [TARGET...]]" >&2
  exit 2
fi
targets=("${@:2}")
if [ ${#targets[@]} = 0 ]; then targets=(proof/fuzz/fuzz_targets/*.rs); fi

if ! command -v "${CXX:-c++}" > /dev/null; then
  echo 'libFuzzer is written in C++, and there is no compiler for that: install g++ or clang' >&2
  exit 1
fi
# These flags make LLVM record which branches are taken and which values are compared, which works with every Rust compiler. The address
# sanitizer needs a nightly one, and finds only errors that code without `unsafe` cannot have.
flags='--cfg fuzzing -Cdebug-assertions -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4'
flags+=' -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table'
flags+=' -Cllvm-args=-sanitizer-coverage-trace-compares'
host=$(rustc -vV | sed -n 's/^host: //p')
out=$(dev/target-dir.sh)/fuzz
# With --target, cargo does not apply RUSTFLAGS to build scripts.
RUSTFLAGS=$flags cargo build --quiet --locked --release --manifest-path proof/fuzz/Cargo.toml --target "$host" --target-dir "$out"

for target in "${targets[@]}"; do
  target=$(basename "$target" .rs)
  echo "fuzzing $target for $seconds seconds"
  corpus=$out/corpus/$target
  mkdir -p "$corpus" "proof/fuzz/artifacts/$target"
  "$out/$host/release/$target" "$corpus" "proof/fuzz/seeds/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="proof/fuzz/artifacts/$target/" 2>&1 | grep -vE '^(INFO|WARNING|")|^#[0-9]+\s+(NEW|REDUCE|pulse)|ecommended dictionary'
  rmdir --ignore-fail-on-non-empty "proof/fuzz/artifacts/$target" proof/fuzz/artifacts
done
