#!/usr/bin/env bash
# Runs the official openai and anthropic clients, and raw HTTP, against the server on a model that answers.
#   run_clients.sh FATHOM MODEL [pytest arguments]
set -euo pipefail
fathom=$(realpath "$1") model=$(realpath "$2")
shift 2
here=$(cd "$(dirname "$0")" && pwd)
env=$("$here/../../tools/python_env.sh")
export PYTHONDONTWRITEBYTECODE=1
exec "$env/bin/pytest" -q -p no:cacheprovider --fathom "$fathom" --model "$model" "$here/clients" "$@"
