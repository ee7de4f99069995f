#!/usr/bin/env bash
# Runs chat-admin: admin.sh COMMAND EMAIL [FLAGS]
set -euo pipefail
cd "$(dirname "$0")/.."
command=$1 email=$2
shift 2
if [ -z "$email" ]; then
  echo 'whose? EMAIL=minji@example.com' >&2
  exit 2
fi
cargo build --quiet --package chat-admin
exec "$(dev/target-dir.sh)/debug/chat-admin" "$command" --email "$email" "$@"
