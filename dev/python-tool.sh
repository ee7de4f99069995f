#!/usr/bin/env bash
# Installs dev/requirements/NAME.txt into an environment of its own, once, and prints that environment's folder of commands:
# python-tool.sh NAME
set -euo pipefail
cd "$(dirname "$0")/.."
name=$1
requirements=dev/requirements/$name.txt
environment=$(dev/target-dir.sh)/tools/$name-venv
if ! cmp --silent "$requirements" "$environment/requirements.txt"; then
  echo "installing $requirements, once" >&2
  rm -rf "$environment"
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements" >&2
  # This is copied last, so that an interrupted installation starts anew.
  cp "$requirements" "$environment/requirements.txt"
fi
echo "$environment/bin"
