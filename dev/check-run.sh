#!/usr/bin/env bash
# Checks `make run`: it has to print a URL, serve the page there, sign the first user in, and stop on Ctrl+C.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
# The command gets a process group of its own, so that the signal reaches everything that make started.
set -m
make --no-print-directory run ARGS='--listen 127.0.0.1:0' > "$log" 2>&1 &
run=$!
set +m
trap 'kill -- -"$run" 2> /dev/null || true; rm -f "$log"' EXIT

url=
until [ -n "$url" ]; do
  url=$(sed -n 's/^The chat runs at //p' "$log")
  if [ -z "$url" ] && ! kill -0 "$run" 2> /dev/null; then
    cat "$log" >&2
    exit 1
  fi
  sleep 0.2
done
expect() { # expect TEXT CURL'S-ARGUMENTS...
  local text=$1 answer
  shift
  answer=$(curl --silent --show-error --fail "$@")
  if [[ $answer != *"$text"* ]]; then
    echo "$1 answers without $text" >&2
    exit 1
  fi
}
expect /_next/ "$url/en/chat/"
expect accessToken "$url/dev/login" --data '{"email":"minji@example.com"}'
kill -INT -- -"$run"
wait "$run" || status=$?
# make ends with 130 or 2 when its command was interrupted.
case ${status:-0} in
  0 | 2 | 130) echo "make run: $url showed the page, signed in, and stopped." ;;
  *) cat "$log" >&2; exit 1 ;;
esac
