#!/usr/bin/env bash
# Builds the JavaScript function of the Lambda benchmark as target/lambda/node-send/bootstrap and target/lambda/node-send.zip.
set -euo pipefail
cd "$(dirname "$0")/.."
source=proof/chat-bench/peers/node-send
lambda=$(dev/target-dir.sh)/lambda
build=$lambda/../tools/node-send
mkdir -p "$build" "$lambda/node-send"
cp -R "$source/." "$build"
# npm runs no scripts of packages here: esbuild's only checks what npm has installed.
npm --prefix "$build" ci --ignore-scripts --no-audit --no-fund --silent
npm --prefix "$build" run --silent build -- --log-level=warning
install -m 755 "$build/dist/bootstrap" "$lambda/node-send/bootstrap"
dev/zip-functions.py "$lambda" node-send
