#!/usr/bin/env bash
# Makes build/python-env with what the tests in Python need (tests/requirements.txt) and prints its folder. Needs the
# network when the requirements are new.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
env=$root/build/python-env
if ! cmp -s "$root/tests/requirements.txt" "$env/ready"; then
  rm -rf "$env"
  python3 -m venv "$env"
  "$env/bin/pip" install --quiet --disable-pip-version-check -r "$root/tests/requirements.txt" >&2
  cp "$root/tests/requirements.txt" "$env/ready"
fi
echo "$env"
