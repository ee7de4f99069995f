#!/usr/bin/env bash
# Builds and tests the web page: web.sh build | test | story [FLAGS OF PLAYWRIGHT]. Nothing is built that is up to date.
set -euo pipefail
cd "$(dirname "$0")/../web"
export NEXT_TELEMETRY_DISABLED=1

install() {
  local wanted
  wanted=$(sha256sum < package-lock.json)
  if [ "$(cat node_modules/.installed 2>/dev/null)" != "$wanted" ]; then
    echo 'fetching what the web page is built from'
    npm ci --no-audit --no-fund --loglevel=error
    echo "$wanted" > node_modules/.installed
  fi
}

build() {
  local sources
  sources=$(find . \( -name node_modules -o -name .next -o -name out -o -path ./tests -o -path './packages/*/tests' -o -name test-results \) -prune -o -type f \
    ! -name '*.tsbuildinfo' ! -name next-env.d.ts ! -name '*.md' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
  if [ "$(cat out/.built 2>/dev/null)" != "$sources" ]; then
    echo 'building the web page'
    npm run --silent build > .next-build.log 2>&1 || { cat .next-build.log >&2; exit 1; }
    rm -f .next-build.log
    echo "$sources" > out/.built
  fi
}

# Makes sure that there is a Chromium: the system's, or else Debian's, or else Playwright's own.
browser() {
  local found
  for found in "${CHROMIUM-}" /usr/bin/chromium /usr/bin/chromium-browser; do
    if [ -n "$found" ] && [ -x "$found" ]; then return; fi
  done
  echo 'fetching Chromium for the tests of the web page'
  if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends chromium > /dev/null && return
  fi
  if ! npx --no-install playwright install chromium; then
    echo 'the tests of the web page need Chromium: install it, or say CHROMIUM=/path/to/it' >&2
    exit 1
  fi
}

# Runs the tests in a browser; each starts a chat-local of its own.
story() {
  browser
  (cd .. && cargo build --quiet --package chat-local)
  CHAT_LOCAL="$(../dev/target-dir.sh)/debug/chat-local" npx --no-install playwright test "$@"
}

install
case ${1-} in
  build) build ;;
  test)
    npm run --silent lint
    npm run --silent types
    npm run --silent unit
    build
    story
    ;;
  story)
    build
    story "${@:2}"
    ;;
  *)
    echo 'web.sh build | test | story' >&2
    exit 2
    ;;
esac
