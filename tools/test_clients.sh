#!/usr/bin/env bash
# Part of make test, about two minutes: the official clients' tour (128 tests), and some thousand requests made up from
# /openapi.json, the same each time. test_clients.sh FATHOM CASES; an empty CASES leaves the clients out.
set -euo pipefail
cd "$(dirname "$0")/.."
fathom=$1 cases=$2
tools/packages.sh python3-venv
if ! tools/python_env.sh >/dev/null; then
  echo "left out: official clients and made-up requests (pip could not install tests/requirements.txt)"
  exit 0
fi
if [ -n "$cases" ]; then
  echo "== official clients"
  tests/server/run_clients.sh "$fathom" "$cases/pilot"
else
  echo "left out: the official clients (give CASES=DIR with pilot/)"
fi
echo "== requests made up from /openapi.json"
tests/server/run_schemathesis.sh "$fathom" short
