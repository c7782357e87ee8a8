#!/usr/bin/env bash
# Requests made up from /openapi.json, and answers held against it.
#   run_schemathesis.sh FATHOM SECONDS [SEED]
#   run_schemathesis.sh FATHOM short           the same requests each time, in about a minute
# The model is small, with random weights and a context that holds whatever is made up: a prompt that fits the description
# and not the context is refused, rightly, and would count as a finding. Half of the ids without a text end an answer, so that none
# takes its time, not even where the likeliest token is drawn until the context is full.
set -euo pipefail
fathom=$(realpath "$1") length=$2 seed=${3:-1}
here=$(cd "$(dirname "$0")" && pwd)
env=$("$here/../../tools/python_env.sh")
cd "$(mktemp -d)"
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$PWD"' EXIT

: >said
"$fathom" init --config "$here/long_context_model.json" --seed 1 --dtype fp8 --out made-up >/dev/null
echo '{"bos_token_id": 0, "eos_token_id": [1, '"$(seq -s ', ' 278 2 511)"']}' >made-up/generation_config.json
"$fathom" serve made-up --port 0 --default-max-tokens 64 >said 2>errors &
server=$!
for ((i = 0; i < 300; i++)); do
  address=$(sed -n 's/^Listening on //p' said)
  [ -z "$address" ] || break
  kill -0 "$server" 2>/dev/null || { cat errors >&2; exit 1; }
  sleep 0.1
done

how=(--max-time "$length" --seed "$seed" --generation-database none)
[ "$length" != short ] || how=(--phases coverage,fuzzing --max-examples 15 --seed 1 --generation-deterministic)
"$env/bin/st" run "$address/openapi.json" "${how[@]}" --continue-on-failure --request-timeout 300 \
  --suppress-health-check all --warnings off --no-color
kill "$server"
wait "$server" || { echo "the server ended with $?" >&2; cat errors >&2; exit 1; }
server=
