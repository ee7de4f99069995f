#!/usr/bin/env bash
# Checks that no deployed function can be built with a development adapter, by trying to build one.
# It continues the build of package.sh, which has to run first.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(dev/target-dir.sh)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# The copy is this workspace, except that one function is composed with a store in memory.
for entry in *; do
  case $entry in
    target | node_modules) ;;
    chat-lambda) cp -r "$entry" "$copy" ;;
    *) ln -s "$PWD/$entry" "$copy/$entry" ;;
  esac
done
intruder=$copy/chat-lambda/src/bin/disconnect.rs
sed -i -E 's/^use chat_adapters_aws::DynamoConnectionStore;/use chat_adapters_memory::MemoryConnectionStore;/
  s/DynamoConnectionStore::new\(.*\)/MemoryConnectionStore::new()/' "$intruder"
grep -q MemoryConnectionStore::new "$intruder" || { echo "$intruder is not composed as this script expects" >&2; exit 1; }
if CARGO_TARGET_DIR=$target "$copy/dev/package.sh" "$(uname -m | sed s/aarch64/arm64/)" disconnect >"$copy/log" 2>&1; then
  echo 'a deployed function can be built with a store in memory' >&2
  exit 1
fi
# The build has to fail because the adapter is missing, and for no other reason.
grep -qE '^error\[E0432\]: unresolved import `chat_adapters_memory`|^error\[E0433\].*chat_adapters_memory' "$copy/log" || {
  cat "$copy/log" >&2
  exit 1
}
