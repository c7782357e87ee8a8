#!/usr/bin/env bash
# The server as its users meet it: official clients, the page in a browser, requests made up from its own description.
#   test_server.sh FATHOM CASES [SECONDS of made-up requests]
# FATHOM may be a sanitizer's build. An empty CASES leaves out what needs a model that answers; the rest runs on random weights.
set -euo pipefail
cd "$(dirname "$0")/.."
fathom=$1 cases=$2 seconds=${3:-30}
tools/test_clients.sh "$fathom" "$cases"
if [ -n "$cases" ]; then
  model=$cases/pilot
else
  model=$(tools/default_model.sh "$fathom" "" 2>/dev/null)
fi

echo "== the page on scripted answers"
tests/web/run.sh

said=$(mktemp)
"$fathom" serve "$model" --port 0 >"$said" 2>"$said.err" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$said" "$said.err"' EXIT
for ((i = 0; i < 300; i++)); do
  address=$(sed -n 's/^Listening on //p' "$said")
  [ -z "$address" ] || break
  kill -0 "$server" 2>/dev/null || { cat "$said.err" >&2; exit 1; }
  sleep 0.1
done

echo "== the page on the server"
tests/web/run.sh "$address"
kill "$server"
wait "$server"
echo "== requests made up from /openapi.json, $seconds seconds"
tests/server/run_schemathesis.sh "$fathom" "$seconds"
