#!/usr/bin/env bash
# Prompts of 8k, 16k and 32k tokens on a narrow model of random weights: speed and memory; then decoding at a depth of 16k
# beside the bytes it must read. long_context.sh [THREADS [FATHOM]]
set -euo pipefail
threads=${1:-2} fathom=${2:-build/release/fathom}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
"$fathom" init --config "$(dirname "$0")/narrow.json" --dtype bf16 --seed 1 --out "$directory/narrow" >/dev/null
for length in 8192 16384 32768; do
  "$fathom" bench "$directory/narrow" --prefill "$length" --batch 0 --pairs 1 --threads "$threads"
done
"$fathom" bench "$directory/narrow" --prefill 0 --batch 1 --depth 16384 --steps 16 --pairs 5 --threads "$threads"
