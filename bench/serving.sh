#!/usr/bin/env bash
# Figures of the server, one line each, by serving_bench beside a server on a free port.
#   serving.sh BUILD streams MODEL          64 streams beside `fathom bench` at batch 64; each answer equals the same alone
#   serving.sh BUILD decode MODEL N...      N streams, 96 tokens each
#   serving.sh BUILD grammar MODEL          one stream, free, in JSON mode, under a schema
#   serving.sh BUILD prefix MODEL TOKENS    time to the first token cold, and after a restart with the cache on disk
# FLAGS holds further flags of `fathom serve`, `fathom bench` gets THREADS.
set -euo pipefail
build=$1 what=$2 model=$3
shift 3
name=$(basename "$(realpath "$model")")
work=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || { kill "$server" && wait "$server" || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT

start() {
  # shellcheck disable=SC2086
  "$build/fathom" serve "$model" --port 0 ${FLAGS:-} "$@" >"$work/said" 2>"$work/err" &
  server=$!
  address=
  for ((i = 0; i < 1200; i++)); do
    address=$(sed -n 's/^Listening on //p' "$work/said")
    [ -z "$address" ] || return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/err" >&2
  exit 1
}
# What the server's threads computed, in hundredths of a second: other jobs on the machine change it less than the time.
cpu() { awk '{print $14 + $15}' "/proc/$server/stat"; }
load() {
  local before
  before=$(cpu)
  "$build/serving_bench" "$address" --model "$name" "$@"
  echo "  server: $((($(cpu) - before) * 10)) ms of processor time"
}

# An answer that goes on to its last token, whatever the model would like.
endless='"logit_bias": {"1": -100}'

case $what in
  streams)
    "$build/fathom" bench "$model" --prefill 64 --batch 64 --depth 128 --steps 64 --pairs 3 ${THREADS:+--threads "$THREADS"}
    start --max-batch 64
    for _ in 1 2 3; do load --streams 64 --tokens 200 --fields "$endless"; done
    load --streams 64 --requests 2 --tokens 100 --temperature 1.3 --check 1
    ;;
  decode)
    start --max-batch 64
    load --streams 1 --tokens 8 >/dev/null
    for streams in "$@"; do load --streams "$streams" --tokens 96 --fields "$endless"; done
    ;;
  grammar)
    start
    json='"response_format": {"type": "json_object"}'
    schema='"response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": {"type": "object",
      "properties": {"title": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}, "count": {"type": "integer"},
      "kind": {"enum": ["one", "two"]}}, "required": ["title", "tags", "count", "kind"], "additionalProperties": false}}}'
    load --streams 1 --tokens 8 --fields "$schema" >/dev/null
    load --streams 1 --tokens 8 --fields "$json" >/dev/null
    for _ in 1 2 3; do
      for fields in "$endless" "$endless, $json" "$endless, $schema"; do
        echo "${fields:0:70}"
        load --streams 1 --tokens 96 --fields "$fields"
      done
    done
    ;;
  prefix)
    ask() { load --streams 1 --tokens 2 --prompt-words "$1"; }
    words=$1
    start --cache-dir "$work/blocks"
    # The weights are in memory before the clock starts.
    ask 1 >/dev/null
    echo "cold"; ask "$words"
    sleep 2
    stop
    start --cache-dir "$work/blocks"
    ask 1 >/dev/null
    echo "after a restart"; ask "$words"
    ;;
esac
