#!/usr/bin/env bash
# Whether the tests of chat-domain notice a bug: cargo-mutants makes one at a time. mutants.sh [--changed] [FLAGS OF CARGO-MUTANTS]
# --changed: only where something differs from the commit MUTANTS_SINCE, or else from the one before.
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
# It builds in a copy of this folder, which is not to share this one's target.
unset CARGO_TARGET_DIR
export CARGO_PROFILE_DEV_DEBUG=none
# Which random input fails does not matter here: the first will do.
export PROPTEST_MAX_SHRINK_ITERS=0
status=0
dev/tool.sh cargo-mutants 27.1.0 mutants --package chat-domain --output "$out" "${selected[@]}" "$@" || status=$?
# 3: some mutants ran for ever, which is noticed too; but it says so even where others were missed.
if [ "$status" = 3 ] && [ ! -s "$out/mutants.out/missed.txt" ]; then exit 0; fi
exit "$status"
