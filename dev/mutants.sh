#!/usr/bin/env bash
# Checks that the tests of chat-domain notice bugs, which cargo-mutants makes one at a time:
# mutants.sh [--changed] [FLAGS OF CARGO-MUTANTS]
# With --changed, it makes bugs only in lines that differ from the commit MUTANTS_SINCE, which is the one before the last by default.
set -euo pipefail
cd "$(dirname "$0")/.."

selected=()
if [ "${1-}" = --changed ]; then
  shift
  since=${MUTANTS_SINCE:-HEAD~1}
  if ! git rev-parse --quiet --verify "$since^{commit}" > /dev/null; then
    echo "no mutants are tested: there is no commit $since to compare with; \`make mutants\` tests all"
    exit 0
  fi
  changes=$(mktemp)
  trap 'rm "$changes"' EXIT
  git diff "$since" -- chat-domain/src > "$changes"
  if [ ! -s "$changes" ]; then
    echo "no mutants are tested: chat-domain has not changed since $since"
    exit 0
  fi
  selected=(--in-diff "$changes")
fi

out=$(dev/target-dir.sh)/mutants
mkdir -p "$out"
# cargo-mutants builds in a copy of this folder, and the copy must not share this folder's target.
unset CARGO_TARGET_DIR
export CARGO_PROFILE_DEV_DEBUG=none
# One failing input is enough here, so proptest need not look for a smaller one.
export PROPTEST_MAX_SHRINK_ITERS=0
status=0
dev/tool.sh cargo-mutants 27.1.0 mutants --package chat-domain --output "$out" "${selected[@]}" "$@" || status=$?
# Status 3 means that some mutants ran for ever, which counts as noticed. cargo-mutants also ends with 3 when it has missed others.
if [ "$status" = 3 ] && [ ! -s "$out/mutants.out/missed.txt" ]; then exit 0; fi
exit "$status"
