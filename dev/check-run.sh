#!/usr/bin/env bash
# `make run` as a newcomer says it: it prints a URL, shows the page there, signs the first user in, and stops when it is told to.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
# In a process group of its own, so that stopping reaches what make started.
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
# make says 130 or 2 when what it ran was interrupted.
case ${status:-0} in
  0 | 2 | 130) echo "make run: $url showed the page, signed in, and stopped." ;;
  *) cat "$log" >&2; exit 1 ;;
esac
