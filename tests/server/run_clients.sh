#!/usr/bin/env bash
# Runs the official openai and anthropic clients, and raw HTTP, against the server on a model that answers.
#   run_clients.sh FATHOM MODEL [pytest arguments]
# Needs network access once, for the clients themselves (kept in build/clients-venv).
set -euo pipefail
fathom=$(realpath "$1") model=$(realpath "$2")
shift 2
here=$(cd "$(dirname "$0")" && pwd)
venv=${here%/tests/server}/build/clients-venv
if [ ! -f "$venv/ready" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/clients/requirements.txt"
  touch "$venv/ready"
fi
export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/pytest" -q -p no:cacheprovider --fathom "$fathom" --model "$model" "$here/clients" "$@"
