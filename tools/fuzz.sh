#!/usr/bin/env bash
# Runs every fuzzer of a build directory for a while, two at a time. fuzz.sh BUILD SECONDS
set -uo pipefail
build=$1 seconds=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
one() {
  local name
  name=$(basename "$1")
  mkdir -p "$work/$name"
  local seeds=()
  [ -d "fuzz/seeds/$name" ] && seeds=("fuzz/seeds/$name")
  if "$1" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=20 -verbosity=0 -print_final_stats=1 \
      -artifact_prefix="$work/$name/" "$work/$name" "${seeds[@]}" >"$work/$name.log" 2>&1; then
    echo "$name: $(grep -o 'number_of_executed_units: *[0-9]*' "$work/$name.log" | grep -o '[0-9]*$') runs, nothing found"
  else
    tail -n 40 "$work/$name.log"
    echo "$name: FAILED"
    return 1
  fi
}
export -f one
export seconds work
ls "$build"/*_fuzz | xargs -P 2 -I{} bash -c 'one {}'
