#!/usr/bin/env bash
# Requests made up from /openapi.json, and answers held against it: run_schemathesis.sh ADDRESS SECONDS [SEED]
set -euo pipefail
address=$1 seconds=$2 seed=${3:-1}
env=$("$(dirname "$0")/../../tools/python_env.sh")
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
"$env/bin/st" run "$address/openapi.json" --max-time "$seconds" --seed "$seed" --continue-on-failure \
  --suppress-health-check all --generation-database none --warnings off --no-color
