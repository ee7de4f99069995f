#!/usr/bin/env bash
# Checks which crates each crate depends on. The domain depends on those of domain-dependencies.txt alone: no AWS,
# no JSON, no runtime, no clock.
set -euo pipefail
cd "$(dirname "$0")/.."
allowed=dev/domain-dependencies.txt
found=$(cargo tree --package chat-domain --edges normal --prefix none --format '{p}' |
  awk '{ print $1 }' | grep -v '^chat-domain$' | sort -u)
if ! diff <(grep -v '^#' "$allowed" | sort -u) <(printf '%s\n' "$found"); then
  echo "chat-domain depends on something else than $allowed allows" >&2
  exit 1
fi
# Dependencies point inward: no crate that is listed here depends on the functions or on chat-local.
for crate in chat-domain chat-adapters-memory chat-adapters-aws apigw-local aws-local lambda-local; do
  if cargo tree --package "$crate" --edges normal --prefix none --format '{p}' | grep -E '^(chat-lambda|chat-local) '; then
    echo "$crate depends on what is further out" >&2
    exit 1
  fi
done
# The wire format depends on no Lambda, no store and no runtime.
if cargo tree --package chat-wire --edges normal --prefix none --format '{p}' | grep -E '^(aws|lambda|tokio|chat-(lambda|adapters))'; then
  echo "chat-wire depends on what it is to be free of" >&2
  exit 1
fi
for standin in apigw-local aws-local lambda-local; do
  if cargo tree --package "$standin" --edges normal --prefix none --format '{p}' | grep -E '^chat-'; then
    echo "$standin knows of the chat" >&2
    exit 1
  fi
done
# The first `make run` compiles no AWS SDK.
if cargo tree --package chat-local --edges normal,build --prefix none --format '{p}' | grep -E '^aws-(sdk|config)'; then
  echo "chat-local compiles an AWS SDK without the feature aws" >&2
  exit 1
fi
# A deployed function contains no development adapter.
if cargo tree --package chat-lambda --features aws --edges normal,build --prefix none --format '{p}' |
  grep -E '^(apigw-local|aws-local|chat-adapters-memory|chat-local|dynoxide-rs|lambda-local) '; then
  echo "a deployed function depends on what is for development" >&2
  exit 1
fi
